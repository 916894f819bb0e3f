-- read_pairs: which numbers these handsets were written from, and when last
SELECT handset, number, user_id, mt_id, conversation, used_at FROM reply_pair
WHERE handset IN (SELECT handset_key FROM @rows(handset_key text))

-- read_conversations: the numbers under which these users talk with these handsets
SELECT user_id, handset, number, mt_id FROM conversation
WHERE (user_id, handset) IN (SELECT user_key, handset_key FROM @rows(user_key bigint, handset_key text))

-- put_pairs: the latest message on each pair
INSERT INTO reply_pair (handset, number, user_id, mt_id, conversation, used_at, reply_to)
SELECT handset_key, pair_number, user_key, mt_key, talk, used, address
FROM @rows(handset_key text, pair_number text, user_key bigint, mt_key text, talk boolean, used bigint, address text)
WHERE true
ON CONFLICT (handset, number) DO UPDATE SET user_id = excluded.user_id, mt_id = excluded.mt_id,
  conversation = excluded.conversation, used_at = excluded.used_at, reply_to = excluded.reply_to

-- put_conversations: the latest message of a user to a handset, and the number they talk under
INSERT INTO conversation (user_id, handset, number, mt_id, used_at, reply_to)
SELECT user_key, handset_key, talk_number, mt_key, used, address
FROM @rows(user_key bigint, handset_key text, talk_number text, mt_key text, used bigint, address text) WHERE true
ON CONFLICT (user_id, handset) DO UPDATE SET number = excluded.number, mt_id = excluded.mt_id, used_at = excluded.used_at,
  reply_to = excluded.reply_to

-- read_matches: the pairs of (handset, number) that these MOs came on, with what their matching needs
SELECT p.handset, p.number, p.user_id, u.customer_id, coalesce(c.mt_id, p.mt_id),
  CASE WHEN c.mt_id IS NULL THEN p.reply_to ELSE c.reply_to END,
  u.mo_push <> '', k.mo_push <> '', EXISTS (SELECT 1 FROM smpp_account b WHERE b.user_id = u.id)
FROM reply_pair p JOIN user_account u ON u.id = p.user_id JOIN customer k ON k.id = u.customer_id
LEFT JOIN conversation c ON p.conversation AND c.user_id = p.user_id AND c.handset = p.handset
WHERE (p.handset, p.number) IN (SELECT handset_key, pair_number FROM @rows(handset_key text, pair_number text))

-- read_numbers: whose these numbers are, who takes what no message of ours provoked, and who has a push for MOs
SELECT n.number, n.customer_id, n.user_id, CASE WHEN n.user_id IS NULL THEN u.id END, u.customer_id,
  coalesce(u.mo_push <> '', FALSE), coalesce(k.mo_push <> '', FALSE), n.mo_push <> '',
  EXISTS (SELECT 1 FROM smpp_account b WHERE b.user_id = u.id)
FROM number n
LEFT JOIN user_account u ON u.id = coalesce(n.user_id, n.inbox_user_id, (
  SELECT i.id FROM user_account i WHERE i.customer_id = n.customer_id AND i.activated AND NOT i.blocked AND NOT i.disabled
  ORDER BY i.id LIMIT 1))
LEFT JOIN customer k ON k.id = u.customer_id
WHERE n.number IN (SELECT number_key FROM @rows(number_key text))

-- read_references: messages these users already sent under these references
SELECT c.user_id, c.reference, c.mt_id, c.digest, m.recipient, m.status
FROM client_reference c JOIN mt m ON m.id = c.mt_id
WHERE c.at > :since AND (c.user_id, c.reference) IN (
  SELECT user_key, reference_key FROM @rows(user_key bigint, reference_key text))

-- put_references: references of accepted messages
INSERT INTO client_reference (user_id, reference, mt_id, digest, at)
SELECT user_key, reference_key, mt_key, new_digest, new_at
FROM @rows(user_key bigint, reference_key text, mt_key text, new_digest text, new_at bigint) WHERE true
ON CONFLICT (user_id, reference) DO UPDATE SET mt_id = excluded.mt_id, digest = excluded.digest, at = excluded.at

-- forget_references: references after their 24 hours
DELETE FROM client_reference WHERE (user_id, reference) IN (
  SELECT user_id, reference FROM client_reference WHERE at < :before ORDER BY at LIMIT :most)
RETURNING user_id

-- forget_pairs: pairs whose messages are out of every mailbox
DELETE FROM reply_pair WHERE (handset, number) IN (
  SELECT handset, number FROM reply_pair WHERE used_at < :before ORDER BY used_at LIMIT :most)
RETURNING user_id

-- forget_conversations: conversations whose messages are out of every mailbox
DELETE FROM conversation WHERE (user_id, handset) IN (
  SELECT user_id, handset FROM conversation WHERE used_at < :before ORDER BY used_at LIMIT :most)
RETURNING user_id
