-- hold: messages that are accepted and wait for their time
INSERT INTO mt_scheduled (mt_id, user_id, release_at, draft)
SELECT * FROM @rows(mt_key text, user_key bigint, release_time bigint, content text) WHERE true

-- due: messages whose time has come, the longest waiting first, with their users' names
SELECT s.mt_id, s.user_id, s.release_at, s.draft, u.username
FROM mt_scheduled s JOIN user_account u ON u.id = s.user_id
WHERE s.release_at <= :now ORDER BY s.release_at, s.mt_id LIMIT :most

-- next_release: when the next scheduled message is to be released
SELECT min(release_at) FROM mt_scheduled

-- read_held: these messages, as far as they still wait; read under their messages' locks
SELECT mt_id, user_id, release_at, draft FROM mt_scheduled WHERE mt_id IN (SELECT mt_key FROM @rows(mt_key text))

-- change_held: another time or content of waiting messages
UPDATE mt_scheduled SET release_at = r.release_time, draft = r.content
FROM @rows(mt_key text, release_time bigint, content text) WHERE mt_id = r.mt_key

-- drop_held: messages that wait no longer
DELETE FROM mt_scheduled WHERE mt_id IN (SELECT mt_key FROM @rows(mt_key text))

-- reprice_mt: a waiting message has another content, time or price
UPDATE mt SET parts = :parts, charge = :charge, receipts = :receipts, release_at = :release_time WHERE id = :mt_key

-- release_mts: messages that are on their way now; their 49 hours begin
UPDATE mt SET sender = r.sent_from, expires_at = r.expires
FROM @rows(mt_key text, sent_from text, expires bigint) WHERE id = r.mt_key
