-- touch_targets: targets that get something to do, locked in the order they are handed in until the transaction ends
INSERT INTO push_target (target, due_at)
SELECT target_key, due FROM @rows(target_key text, due bigint) WHERE true
ON CONFLICT (target) DO UPDATE SET due_at = (
  CASE WHEN push_target.open_until > excluded.due_at THEN push_target.open_until
       WHEN push_target.due_at < excluded.due_at THEN push_target.due_at ELSE excluded.due_at END)

-- busy_lines: which handsets of these targets have a push that is not done
SELECT DISTINCT target, handset FROM push
WHERE parked_at IS NULL AND channel <> 'smpp' AND (target, handset) IN (
  SELECT target_key, handset_key FROM @rows(target_key text, handset_key text))

-- insert_pushes: what has to be brought to customers, in order; due_at is NULL behind another one of the handset
INSERT INTO push (channel, target, kind, message_id, mt_id, entry_id, user_id, entry_at, handset, address, sender, status, parts,
  charge, queued_at, due_at)
SELECT * FROM @rows(channel text, target text, kind text, message_key text, mt_key text, entry_key text, user_key bigint,
                    entry_stamp bigint, handset text, address text, sender text, status int, parts int, charge bigint, queued bigint,
                    due bigint) WHERE true

-- pulled_pushes: what a target that pulls has not acknowledged, in order
SELECT id, channel, target, kind, message_id, mt_id, entry_id, user_id, entry_at, handset, address, sender, status, parts, charge,
  queued_at, due_at, attempts, parked_at, last_error
FROM push WHERE target = :target AND id > :after AND channel = 'smpp' ORDER BY id LIMIT :most

-- delete_pushes: what was brought; gives back whose turn it may now be
DELETE FROM push WHERE id IN (SELECT push_key FROM @rows(push_key bigint)) RETURNING target, handset, channel

-- promote_lines: the next push of each of these handsets is due
UPDATE push SET due_at = :now WHERE due_at IS NULL AND id IN (
  SELECT (SELECT p.id FROM push p WHERE p.target = r.target_key AND p.handset = r.handset_key AND p.parked_at IS NULL
          AND p.channel <> 'smpp' ORDER BY p.id LIMIT 1)
  FROM @rows(target_key text, handset_key text))

-- settle_targets: when these targets have something to do next
UPDATE push_target SET due_at = (
  SELECT CASE WHEN min(p.due_at) < push_target.open_until THEN push_target.open_until ELSE min(p.due_at) END
  FROM push p WHERE p.target = push_target.target AND p.due_at IS NOT NULL)
WHERE target IN (SELECT target_key FROM @rows(target_key text))

-- push_texts: the mailbox entries that pushes tell of
SELECT id, shown FROM entry WHERE (user_id, timestamp, id) IN (
  SELECT user_key, stamp, entry_key FROM @rows(user_key bigint, stamp bigint, entry_key text))

-- forget_target: pushes that nobody pulls any more
DELETE FROM push WHERE target = :target

-- mo_settings: whether a user and its customer have a push for MOs
SELECT u.mo_push <> '', c.mo_push <> '', EXISTS (SELECT 1 FROM smpp_account b WHERE b.user_id = u.id)
FROM user_account u JOIN customer c ON c.id = u.customer_id WHERE u.id = :user_key
