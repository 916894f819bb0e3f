-- lock_mailboxes: rows of these mailboxes in ascending order of id, held until the end of the transaction (contract §3 rule 3)
SELECT user_id, last, sealed, last_count, (SELECT floor FROM store_state)
FROM mailbox WHERE user_id IN (SELECT user_key FROM @rows(user_key bigint)) ORDER BY user_id FOR UPDATE

-- advance_mailboxes: the highest timestamp given out, and how many messages bear it
UPDATE mailbox SET last = r.new_last, last_count = r.new_count
FROM @rows(user_key bigint, new_last bigint, new_count int) WHERE user_id = r.user_key

-- seal_mailbox: the highest second answered to a poller (contract §3 rule 5)
UPDATE mailbox SET sealed = :sealed WHERE user_id = :user_key AND sealed < :sealed

-- read_head: what a poll must know of the mailbox before it reads its page
SELECT last, sealed FROM mailbox WHERE user_id = :user_key

-- read_page: the oldest messages of a mailbox after `since`, one range scan
SELECT timestamp, incoming, shown FROM entry
WHERE user_id = :user_key AND timestamp > :since AND timestamp < :ceiling
ORDER BY timestamp, id LIMIT :most

-- read_page_received: the same over received messages only, by their own index
SELECT timestamp, incoming, shown FROM entry
WHERE user_id = :user_key AND timestamp > :since AND timestamp < :ceiling AND incoming
ORDER BY timestamp, id LIMIT :most

-- insert_entries: mailbox rows, at the timestamps given out under the lock
INSERT INTO entry (user_id, timestamp, id, incoming, shown, arrived_at)
SELECT user_key, stamp, entry_id, inward, body, arrived
FROM @rows(user_key bigint, stamp bigint, entry_id text, inward boolean, body text, arrived bigint)

-- raise_floor: after a restore nothing at or below this second is given out (contract §3 rule 8)
UPDATE store_state SET floor = :floor WHERE floor < :floor

-- seal_after_restore: mailboxes that stand at or beyond now move a minute on (contract §3 rule 8)
UPDATE mailbox SET sealed = (CASE WHEN last > sealed THEN last ELSE sealed END) + 60
WHERE last >= :now OR sealed >= :now

-- forget_entries: the oldest mailbox rows before the end of retention, a bounded number; mailbox rows stay as they are
DELETE FROM entry WHERE (user_id, timestamp, id) IN (
  SELECT user_id, timestamp, id FROM entry WHERE user_id = :user_key AND timestamp < :before
  ORDER BY timestamp, id LIMIT :most)
RETURNING user_id

-- mailbox_owners: users in ascending order with whether they have messages older than a moment; a step of a long walk
SELECT user_id, COALESCE((SELECT e.timestamp < :before FROM entry e WHERE e.user_id = m.user_id ORDER BY e.timestamp LIMIT 1), false)
FROM (SELECT user_id FROM mailbox WHERE user_id > :after ORDER BY user_id LIMIT :most) m ORDER BY user_id
