-- lock_mailboxes: rows of these mailboxes in ascending order of id, held until the end of the transaction (contract §3 rule 3)
SELECT box_id, last, sealed, last_count, last_received, (SELECT floor FROM store_state)
FROM mailbox WHERE box_id IN (SELECT box FROM @rows(box bigint)) ORDER BY box_id FOR UPDATE

-- advance_mailboxes: the highest timestamp given out, how many entries bear it, and the highest given to an MO
UPDATE mailbox SET last = r.new_last, last_count = r.new_count, last_received = r.new_received
FROM @rows(box bigint, new_last bigint, new_count int, new_received bigint) WHERE box_id = r.box

-- seal_mailbox: the highest second answered to a poller (contract §3 rule 5)
UPDATE mailbox SET sealed = :sealed WHERE box_id = :box AND sealed < :sealed

-- read_head: what a poll must know of the mailbox before it reads its page
SELECT last, sealed, last_received FROM mailbox WHERE box_id = :box

-- read_heads: the same of several
SELECT box_id, last, sealed, last_received FROM mailbox WHERE box_id IN (SELECT box FROM @rows(box bigint))

-- read_page: the oldest entries of a box after `since` to the end of the last one's second, joined as they are shown; whether more follow (contract §3 rule 4)
SELECT p.number, p.newest, p.received, p.sent, p.number >= :most AND EXISTS (
  SELECT 1 FROM entry WHERE box_id = :box AND timestamp > p.newest AND timestamp < :ceiling)
FROM (
  SELECT count(*) AS number, max(timestamp) AS newest,
    @bytes[string_agg(shown, ',' @in_order(timestamp, id)) FILTER (WHERE incoming)] AS received,
    @bytes[string_agg(shown, ',' @in_order(timestamp, id)) FILTER (WHERE NOT incoming)] AS sent
  FROM entry WHERE box_id = :box AND timestamp > :since AND timestamp <= COALESCE((
    SELECT timestamp FROM entry WHERE box_id = :box AND timestamp > :since AND timestamp < :ceiling
    ORDER BY timestamp, id LIMIT 1 OFFSET :most - 1), :ceiling - 1)) AS p

-- read_page_received: the same over received messages only, by their own index
SELECT p.number, p.newest, p.received, NULL, p.number >= :most AND EXISTS (
  SELECT 1 FROM entry @by_index(entry_received)
  WHERE box_id = :box AND timestamp > p.newest AND timestamp < :ceiling AND incoming)
FROM (
  SELECT count(*) AS number, max(timestamp) AS newest,
    @bytes[string_agg(shown, ',' @in_order(timestamp, id))] AS received
  FROM entry @by_index(entry_received)
  WHERE incoming AND box_id = :box AND timestamp > :since AND timestamp <= COALESCE((
    SELECT timestamp FROM entry @by_index(entry_received)
    WHERE box_id = :box AND timestamp > :since AND timestamp < :ceiling AND incoming
    ORDER BY timestamp, id LIMIT 1 OFFSET :most - 1), :ceiling - 1)) AS p

-- insert_entries: mailbox rows, at the timestamps given out under the lock
INSERT INTO entry (box_id, timestamp, id, incoming, shown, arrived_at)
SELECT box, stamp, entry_id, inward, body, arrived
FROM @rows(box bigint, stamp bigint, entry_id text, inward boolean, body text, arrived bigint)

-- raise_floor: after a restore nothing at or below this second is given out (contract §3 rule 8)
UPDATE store_state SET floor = :floor WHERE floor < :floor

-- seal_after_restore: mailboxes that stand at or beyond now move a minute on (contract §3 rule 8)
UPDATE mailbox SET sealed = (CASE WHEN last > sealed THEN last ELSE sealed END) + 60
WHERE last >= :now OR sealed >= :now

-- forget_entries: the oldest mailbox rows before the end of retention, a bounded number; mailbox rows stay as they are
DELETE FROM entry WHERE (box_id, timestamp, id) IN (
  SELECT box_id, timestamp, id FROM entry WHERE box_id = :box AND timestamp < :before
  ORDER BY timestamp, id LIMIT :most)
RETURNING box_id

-- boxes_in_order: boxes by id with whether they hold entries older than a moment; a step of a long walk
SELECT box_id, COALESCE((SELECT e.timestamp < :before FROM entry e WHERE e.box_id = m.box_id ORDER BY e.timestamp LIMIT 1), false)
FROM (SELECT box_id FROM mailbox WHERE box_id > :after ORDER BY box_id LIMIT :most) m ORDER BY box_id
