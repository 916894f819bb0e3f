-- parts_by_ref: the parts that a carrier's ids may mean, the newest message's first
SELECT ref_key, ref, mt_id, number, status, (SELECT m.recipient FROM mt m WHERE m.id = part.mt_id) FROM part
WHERE carrier_id = :carrier AND ref_key IN (SELECT key FROM @rows(key text)) ORDER BY mt_id DESC, number

-- keep_unmatched: receipts for ids we do not know yet (a receipt may precede the submit's answer)
INSERT INTO receipt_unmatched (carrier_id, ref, ref_key, status, recipient, sender, received_at)
SELECT * FROM @rows(carrier bigint, ref text, ref_key text, status int, recipient text, sender text, received_at bigint)
WHERE true

-- unmatched_by_ref: kept receipts of a carrier under these keys, oldest first
SELECT id, ref_key, ref, status, sender, recipient FROM receipt_unmatched
WHERE carrier_id = :carrier AND ref_key IN (SELECT key FROM @rows(key text)) ORDER BY id

-- unmatched_to: kept receipts to a recipient since a moment, for a message whose answer was lost
SELECT id, ref_key, ref, status, sender FROM receipt_unmatched
WHERE carrier_id = :carrier AND recipient = :recipient AND received_at >= :since ORDER BY id

-- delete_unmatched: kept receipts that found their part
DELETE FROM receipt_unmatched WHERE id IN (SELECT receipt_key FROM @rows(receipt_key bigint))

-- forget_unmatched: kept receipts after their 72 hours
DELETE FROM receipt_unmatched WHERE id IN (
  SELECT id FROM receipt_unmatched WHERE received_at < :before ORDER BY received_at LIMIT :most)
RETURNING id
