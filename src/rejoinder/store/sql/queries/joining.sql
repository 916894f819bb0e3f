-- read_joining: parts of long messages that are in no mailbox yet, read under their mailboxes' locks
SELECT user_id, recipient, asked_sender, reference, total, number, mt_id, sender, alphabet, octets, arrived_at
FROM mt_joining
WHERE (user_id, recipient, asked_sender, reference, total) IN (
  SELECT user_key, handset, asked, ref, parts
  FROM @rows(user_key bigint, handset text, asked text, ref bigint, parts int))
ORDER BY user_id, recipient, asked_sender, reference, total, number

-- keep_joining: parts that wait for the others
INSERT INTO mt_joining (user_id, recipient, asked_sender, reference, total, number, mt_id, sender, alphabet, octets,
                        arrived_at)
SELECT * FROM @rows(user_key bigint, handset text, asked text, ref bigint, parts int, part_number int, mt_key text,
                    sent_from text, letters text, data text, arrived bigint)
WHERE true

-- read_waiting: the texts of messages that are parts of an unfinished long one
SELECT mt_id, alphabet, octets FROM mt_joining
WHERE (user_id, recipient, mt_id) IN (SELECT user_key, handset, mt_key FROM @rows(user_key bigint, handset text, mt_key text))

-- drop_joining: parts of long messages that are in a mailbox now
DELETE FROM mt_joining
WHERE (user_id, recipient, asked_sender, reference, total) IN (
  SELECT user_key, handset, asked, ref, parts
  FROM @rows(user_key bigint, handset text, asked text, ref bigint, parts int))

-- stale_joining: long messages whose first part has waited long enough
SELECT DISTINCT user_id, recipient, asked_sender, reference, total
FROM (SELECT user_id, recipient, asked_sender, reference, total FROM mt_joining
      WHERE arrived_at <= :before ORDER BY arrived_at LIMIT :most) AS stale
ORDER BY user_id, recipient, asked_sender, reference, total

-- bring_joining_forward: parts that came while the clock stood ahead wait from now
UPDATE mt_joining SET arrived_at = :now
WHERE (user_id, recipient, asked_sender, reference, total, number) IN (
  SELECT user_id, recipient, asked_sender, reference, total, number FROM mt_joining WHERE arrived_at > :ahead
  ORDER BY arrived_at LIMIT :most)
RETURNING user_id

-- place_mts: the mailbox entries under which these messages are shown
UPDATE mt SET entry_id = r.entry_key, entry_at = r.stamp
FROM @rows(mt_key text, entry_key text, stamp bigint) WHERE id = r.mt_key
