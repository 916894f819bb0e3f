-- note_seen: ids of delivered texts; gives back those that are new
INSERT INTO mo_seen (carrier_id, ref, received_at)
SELECT carrier, seen_ref, seen_at FROM @rows(carrier bigint, seen_ref text, seen_at bigint) WHERE true
ON CONFLICT (carrier_id, ref) DO NOTHING
RETURNING carrier_id, ref

-- forget_seen: ids of texts delivered long ago
DELETE FROM mo_seen WHERE (carrier_id, ref) IN (
  SELECT carrier_id, ref FROM mo_seen WHERE received_at < :before ORDER BY received_at LIMIT :most)
RETURNING carrier_id

-- note_unconfirmed: MOs whose carrier is not yet known to have read that we took them; gives back those that are new
INSERT INTO mo_unconfirmed (carrier_id, link, number, digest, received_at)
SELECT * FROM @rows(carrier bigint, over bigint, place bigint, content bigint, at bigint) WHERE true
ON CONFLICT (carrier_id, link, number) DO NOTHING
RETURNING carrier_id, link, number

-- keep_lost: what these links brought may come again
INSERT INTO mo_lost (carrier_id, digest, link, number, received_at)
SELECT u.carrier_id, u.digest, u.link, u.number, u.received_at FROM @rows(carrier bigint, over bigint)
JOIN mo_unconfirmed u ON u.carrier_id = r.carrier AND u.link = r.over WHERE true
ON CONFLICT (carrier_id, digest, link, number) DO NOTHING

-- drop_links: links that are no more
DELETE FROM mo_unconfirmed WHERE (carrier_id, link) IN (SELECT carrier, over FROM @rows(carrier bigint, over bigint))

-- links_of: those of a carrier's links that have brought something unconfirmed
SELECT DISTINCT link FROM mo_unconfirmed WHERE carrier_id = :carrier

-- find_lost: what lost links have brought of these contents, the oldest first
SELECT u.carrier_id, u.link, u.number, u.digest FROM @rows(carrier bigint, content bigint)
JOIN mo_lost u ON u.carrier_id = r.carrier AND u.digest = r.content ORDER BY u.received_at, u.link, u.number

-- take_lost: these were brought again; gives back those that were still here
DELETE FROM mo_lost WHERE (carrier_id, digest, link, number) IN (
  SELECT carrier, content, over, place FROM @rows(carrier bigint, content bigint, over bigint, place bigint))
RETURNING carrier_id, link, number

-- confirm: a carrier has read the answers to a link's deliveries, up to this one
DELETE FROM mo_unconfirmed WHERE carrier_id = :carrier AND link = :over AND number <= :upto

-- forget_unconfirmed: links that nobody ended
DELETE FROM mo_unconfirmed WHERE (carrier_id, link, number) IN (
  SELECT carrier_id, link, number FROM mo_unconfirmed WHERE received_at < :before LIMIT :most)
RETURNING carrier_id

-- forget_lost: MOs that no carrier brings again any more
DELETE FROM mo_lost WHERE (carrier_id, digest, link, number) IN (
  SELECT carrier_id, digest, link, number FROM mo_lost WHERE received_at < :before LIMIT :most)
RETURNING carrier_id

-- keep_parts: parts of long MOs; a repeated one stands once
INSERT INTO mo_part (carrier_id, sender, recipient, reference, total, number, text, octets, alphabet, received_at)
SELECT * FROM @rows(carrier bigint, sender text, recipient text, reference int, total int, number int, body text,
                    data text, letters text, received_at bigint) WHERE true
ON CONFLICT (carrier_id, sender, recipient, reference, total, number) DO NOTHING

-- read_kept_parts: the parts of one long MO that are here
SELECT number, text, octets, alphabet, received_at FROM mo_part WHERE carrier_id = :carrier AND sender = :sender
  AND recipient = :recipient AND reference = :reference AND total = :total ORDER BY number

-- delete_kept_parts: a long MO was joined or released
DELETE FROM mo_part WHERE carrier_id = :carrier AND sender = :sender
  AND recipient = :recipient AND reference = :reference AND total = :total

-- stale_parts: long MOs whose first part has waited too long
SELECT carrier_id, sender, recipient, reference, total, min(received_at) FROM mo_part @by_index(mo_part_age)
WHERE received_at < :before
GROUP BY carrier_id, sender, recipient, reference, total ORDER BY min(received_at) LIMIT :most

-- bring_parts_forward: parts that came while the clock stood ahead wait from now
UPDATE mo_part SET received_at = :now WHERE (carrier_id, sender, recipient, reference, total, number) IN (
  SELECT carrier_id, sender, recipient, reference, total, number FROM mo_part WHERE received_at > :ahead
  ORDER BY received_at LIMIT :most)
RETURNING carrier_id

-- park: MOs that nobody can take yet
INSERT INTO mo_parked (id, carrier_id, sender, recipient, text, received_at, reason)
SELECT * FROM @rows(id text, carrier bigint, sender text, recipient text, body text, received_at bigint, reason text)
WHERE true

-- list_parked: parked MOs, the oldest first, after an id
SELECT id, carrier_id, sender, recipient, text, received_at, reason FROM mo_parked WHERE id > :after
ORDER BY id LIMIT :most

-- take_parked: a parked MO is claimed
DELETE FROM mo_parked WHERE id = :parked_key
RETURNING id, carrier_id, sender, recipient, text, received_at, reason
