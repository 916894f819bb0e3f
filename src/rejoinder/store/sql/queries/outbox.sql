-- insert_mts: accepted messages
INSERT INTO mt (id, user_id, customer_id, recipient, sender, status, parts, charge, reply_to, accepted_at, expires_at)
SELECT * FROM @rows(id text, user_key bigint, customer_key bigint, recipient text, sender text, status int, parts int,
                    charge bigint, reply_to text, accepted_at bigint, expires_at bigint) WHERE true

-- insert_special_mts: those that wait, want receipts, are paid by somebody else, or came over SMPP
INSERT INTO mt (id, user_id, customer_id, recipient, sender, status, parts, charge, reply_to, accepted_at, expires_at,
                receipts, release_at, payer_id, asked_sender, service_type)
SELECT * FROM @rows(id text, user_key bigint, customer_key bigint, recipient text, sender text, status int, parts int,
                    charge bigint, reply_to text, accepted_at bigint, expires_at bigint, receipts int, release_at bigint,
                    payer_key bigint, asked text, service text)
WHERE true

-- insert_outbox: accepted messages' places in the queue
INSERT INTO outbox (id, carrier_id, customer_id, recipient, sender, text, alphabet, parts, due_at, valid_until)
SELECT * FROM @rows(id text, carrier_key bigint, customer_key bigint, recipient text, sender text, body text,
                    alphabet text, parts int, due_at bigint, valid_until bigint) WHERE true

-- insert_special_outbox: those of content that the customer coded, and those whose sender a route may replace
INSERT INTO outbox (id, carrier_id, customer_id, recipient, sender, text, alphabet, parts, due_at, valid_until,
                    udh, octets, flash, own_sender)
SELECT * FROM @rows(id text, carrier_key bigint, customer_key bigint, recipient text, sender text, body text,
                    alphabet text, parts int, due_at bigint, valid_until bigint, udh text, octets text, flash boolean,
                    own text)
WHERE true

-- claim_due: what is due at a carrier, the longest waiting first
SELECT id, carrier_id, customer_id, recipient, sender, text, alphabet, parts, due_at, valid_until, attempts, tried,
  udh, octets, flash, own_sender, submitting, duplicate, claimed_at, fence
FROM outbox WHERE carrier_id = :carrier AND due_at <= :now ORDER BY due_at, id LIMIT :most FOR UPDATE SKIP LOCKED

-- claim_due_of: the same for one customer, when more is due than can be taken (fairness)
SELECT id, carrier_id, customer_id, recipient, sender, text, alphabet, parts, due_at, valid_until, attempts, tried,
  udh, octets, flash, own_sender, submitting, duplicate, claimed_at, fence
FROM outbox WHERE carrier_id = :carrier AND customer_id = :customer AND due_at <= :now
ORDER BY due_at, id LIMIT :most FOR UPDATE SKIP LOCKED

-- waiting_after: what is due at a carrier that is down and in nobody's hands, after a place in the queue
SELECT id, carrier_id, customer_id, recipient, sender, text, alphabet, parts, due_at, valid_until, attempts, tried,
  udh, octets, flash, own_sender, submitting, duplicate, claimed_at, fence
FROM outbox WHERE carrier_id = :carrier AND due_at <= :now AND NOT submitting AND (due_at, id) > (:after_due, :after_key)
ORDER BY due_at, id LIMIT :most FOR UPDATE SKIP LOCKED

-- customers_waiting: who has messages at a carrier, after a given customer; a skip scan, a few index steps each
WITH RECURSIVE waiting (customer) AS (
  SELECT min(customer_id) FROM outbox WHERE carrier_id = :carrier AND customer_id > :after
  UNION ALL
  SELECT (SELECT min(customer_id) FROM outbox WHERE carrier_id = :carrier AND customer_id > waiting.customer)
  FROM waiting WHERE waiting.customer IS NOT NULL)
SELECT customer FROM waiting WHERE customer IS NOT NULL LIMIT :most

-- mark_claimed: bytes may leave from here on; the lease ends at due_at
UPDATE outbox SET submitting = TRUE, due_at = :lease, claimed_at = :now, fence = fence + 1, duplicate = r.again
FROM @rows(queue_key text, again boolean) WHERE id = r.queue_key

-- reply_addresses: where else replies to these messages go
SELECT id, reply_to FROM mt WHERE reply_to IS NOT NULL AND id IN (SELECT mt_key FROM @rows(mt_key text))

-- unanswered_to: what the parts went out from that this carrier got for a handset and has not answered
SELECT o.sender FROM outbox o JOIN part p ON p.mt_id = o.id
WHERE o.carrier_id = :carrier AND o.recipient = :recipient AND o.submitting AND p.ref_key IS NULL AND p.status = 10

-- renew_leases: messages that a living process still waits for
UPDATE outbox SET due_at = :lease FROM @rows(queue_key text, held_fence bigint)
WHERE id = r.queue_key AND fence = r.held_fence AND submitting

-- bring_forward: due times that no plan sets, left by a clock that has been set back since
UPDATE outbox SET due_at = CASE WHEN submitting THEN CAST(:lease AS bigint) ELSE CAST(:now AS bigint) END
WHERE due_at > :farthest AND id IN (
  SELECT id FROM outbox WHERE carrier_id = :carrier AND due_at > :farthest ORDER BY due_at LIMIT :most)
RETURNING id

-- lock_queued: fences of these messages, and whether they are still queued
SELECT id, fence FROM outbox WHERE id IN (SELECT queue_key FROM @rows(queue_key text)) ORDER BY id FOR UPDATE

-- lock_idle: whether these messages are in a carrier's hands, or may be
SELECT id, submitting OR duplicate FROM outbox WHERE id IN (SELECT queue_key FROM @rows(queue_key text))
ORDER BY id FOR UPDATE

-- requeue: the message waits again, perhaps for another carrier
UPDATE outbox SET carrier_id = r.carrier, sender = r.sent_from, due_at = r.due, attempts = r.times, tried = r.refused_by,
  submitting = r.in_doubt
FROM @rows(queue_key text, carrier bigint, sent_from text, due bigint, times int, refused_by text, in_doubt boolean)
WHERE id = r.queue_key

-- delete_queued: nothing more is to be sent of these
DELETE FROM outbox WHERE id IN (SELECT queue_key FROM @rows(queue_key text))

-- strays: messages that wait for a carrier which is gone, of one such: a range of outbox_due, whatever else is queued
SELECT id, carrier_id, customer_id, recipient, sender, text, alphabet, parts, due_at, valid_until, attempts, tried,
  udh, octets, flash, own_sender, submitting, duplicate, claimed_at, fence
FROM outbox WHERE carrier_id = (
  SELECT c.id FROM carrier c WHERE c.removed AND (
    SELECT o.id FROM outbox o WHERE o.carrier_id = c.id AND (NOT o.submitting OR o.due_at <= :now)
    ORDER BY o.due_at LIMIT 1) IS NOT NULL
  ORDER BY c.id LIMIT 1)
AND (NOT submitting OR due_at <= :now)
ORDER BY due_at, id LIMIT :most FOR UPDATE SKIP LOCKED

-- next_due: when the next message of a carrier is due
SELECT min(due_at) FROM outbox WHERE carrier_id = :carrier

-- put_parts: what this carrier is about to get; parts it was given before stay as they are
INSERT INTO part (mt_id, number, carrier_id, status)
SELECT mt_key, part_number, carrier, 10 FROM @rows(mt_key text, part_number int, carrier bigint) WHERE true
ON CONFLICT (mt_id, number) DO NOTHING

-- lock_mts: the messages to be moved, in order of id
SELECT id, user_id, customer_id, status, parts, charge, recipient, sender, entry_id, entry_at,
  (SELECT u.final_status_push <> '' FROM user_account u WHERE u.id = mt.user_id),
  CASE WHEN receipts <> 0 AND EXISTS (SELECT 1 FROM smpp_account b WHERE b.user_id = mt.user_id) THEN receipts ELSE 0 END
FROM mt
WHERE id IN (SELECT mt_key FROM @rows(mt_key text)) ORDER BY id FOR UPDATE

-- read_parts: all parts of these messages
SELECT mt_id, number, carrier_id, status, ref, ref_key FROM part
WHERE mt_id IN (SELECT mt_key FROM @rows(mt_key text))

-- set_parts: parts' statuses, and the carrier's ids where they are new
UPDATE part SET status = r.new_status, ref = coalesce(r.new_ref, ref), ref_key = coalesce(r.new_key, ref_key)
FROM @rows(mt_key text, part_number int, new_status int, new_ref text, new_key text)
WHERE mt_id = r.mt_key AND number = r.part_number

-- set_statuses: messages' statuses; finished_at with a final one (asked so that no index of all open ones is walked)
UPDATE mt SET status = r.new_status, finished_at = r.finished
FROM @rows(mt_key text, new_status int, finished bigint) WHERE id = r.mt_key AND coalesce(finished_at, 0) = 0

-- read_payers: the credit accounts that paid for these messages
SELECT m.id, coalesce(m.payer_id, c.credit_account_id) FROM mt m JOIN customer c ON c.id = m.customer_id
WHERE m.id IN (SELECT mt_key FROM @rows(mt_key text))

-- mark_resent: these may reach the handset twice
UPDATE mt SET resent = TRUE WHERE id IN (SELECT mt_key FROM @rows(mt_key text))

-- read_status: one message's owner, recipient and status
SELECT user_id, recipient, status FROM mt WHERE id = :mt_key

-- read_progress: whose a message is, where it stands, and since when that is final
SELECT user_id, status, finished_at FROM mt WHERE id = :mt_key

-- read_record: what an operator may see of a message, and where it waits
SELECT u.username, m.recipient, m.sender, m.status, m.parts, m.charge, m.resent, m.accepted_at, m.release_at, m.expires_at,
  m.finished_at, c.name, o.attempts, o.due_at, o.submitting
FROM mt m LEFT JOIN user_account u ON u.id = m.user_id LEFT JOIN outbox o ON o.id = m.id LEFT JOIN carrier c ON c.id = o.carrier_id
WHERE m.id = :mt_key

-- read_part_records: its parts, with their carriers and these carriers' ids
SELECT p.number, c.name, p.status, p.ref FROM part p JOIN carrier c ON c.id = p.carrier_id
WHERE p.mt_id = :mt_key ORDER BY p.number

-- pending_of_pair: what a user submitted over SMPP to and from these addresses and is not final, after an id
SELECT id FROM mt WHERE user_id = :user_key AND recipient = :recipient AND service_type IS NOT NULL
  AND finished_at IS NULL AND asked_sender = :asked AND (:service = '' OR service_type = :service) AND id > :after
ORDER BY id LIMIT :most

-- expired_mts: messages without a final status whose time is over
SELECT id FROM mt WHERE finished_at IS NULL AND expires_at <= :now ORDER BY expires_at LIMIT :most

-- bring_ends_forward: released messages whose time would end later than any may, left by a clock that has been set back
UPDATE mt SET expires_at = :ends WHERE id IN (
  SELECT id FROM mt WHERE finished_at IS NULL AND expires_at > :farthest AND expires_at < :never
  ORDER BY expires_at LIMIT :most)
RETURNING id

-- finished_mts: messages whose statuses have been kept long enough
SELECT id FROM mt WHERE finished_at < :before ORDER BY finished_at LIMIT :most

-- delete_mts: forgets messages' statuses
DELETE FROM mt WHERE id IN (SELECT mt_key FROM @rows(mt_key text))

-- delete_parts: forgets messages' parts: another carrier gets them, or their time is over
DELETE FROM part WHERE mt_id IN (SELECT mt_key FROM @rows(mt_key text))

-- queue_lengths: how many wait, by carrier
SELECT carrier_id, count(*) FROM outbox GROUP BY carrier_id

-- set_senders: what messages go out from since another carrier has them
UPDATE mt SET sender = r.sent_from FROM @rows(mt_key text, sent_from text) WHERE id = r.mt_key
