-- touch_targets: targets that get something to do, locked in the order they are handed in until the transaction ends
INSERT INTO push_target (target, due_at)
SELECT target_key, due FROM @rows(target_key text, due bigint) WHERE true
ON CONFLICT (target) DO UPDATE SET due_at = (
  CASE WHEN push_target.open_until > excluded.due_at THEN push_target.open_until
       WHEN push_target.due_at < excluded.due_at THEN push_target.due_at ELSE excluded.due_at END)

-- busy_lines: which handsets of these targets have a push that is not done
SELECT target_key, handset_key FROM @rows(target_key text, handset_key text)
WHERE (SELECT p.id FROM push p WHERE p.target = r.target_key AND p.handset = r.handset_key AND p.parked_at IS NULL
       ORDER BY p.id LIMIT 1) IS NOT NULL

-- insert_pushes: what has to be brought to customers, in order; due_at is NULL behind another one of the handset
INSERT INTO push (channel, target, kind, message_id, mt_id, entry_id, user_id, entry_at, handset, address, sender, status, parts,
  charge, queued_at, due_at)
SELECT * FROM @rows(channel text, target text, kind text, message_key text, mt_key text, entry_key text, user_key bigint,
                    entry_stamp bigint, handset text, address text, sender text, status int, parts int, charge bigint, queued bigint,
                    due bigint) WHERE true

-- next_pulled: when something is due of a target that pulls
SELECT min(due_at) FROM push WHERE target = :target AND due_at IS NOT NULL

-- due_pulled: what is due of a target that pulls, locked before; of a handset one
SELECT id, channel, target, kind, message_id, mt_id, entry_id, user_id, entry_at, handset, address, sender, status, parts, charge,
  queued_at, due_at, attempts, parked_at, last_error
FROM push WHERE target = :target AND due_at <= :now ORDER BY due_at, id LIMIT :most

-- delete_pushes: what was brought; gives back whose turn it may now be
DELETE FROM push WHERE id IN (SELECT push_key FROM @rows(push_key bigint)) RETURNING target, handset

-- promote_lines: the next push of each of these handsets is due
UPDATE push SET due_at = :now WHERE due_at IS NULL AND id IN (
  SELECT (SELECT p.id FROM push p WHERE p.target = r.target_key AND p.handset = r.handset_key AND p.parked_at IS NULL
          ORDER BY p.id LIMIT 1)
  FROM @rows(target_key text, handset_key text))

-- settle_targets: when these targets have something to do next
UPDATE push_target SET due_at = (
  SELECT CASE WHEN min(p.due_at) < push_target.open_until THEN push_target.open_until ELSE min(p.due_at) END
  FROM push p WHERE p.target = push_target.target AND p.due_at IS NOT NULL)
WHERE target IN (SELECT target_key FROM @rows(target_key text))

-- push_texts: the mailbox entries that pushes tell of
SELECT id, shown FROM entry WHERE (box_id, timestamp, id) IN (
  SELECT user_key, stamp, entry_key FROM @rows(user_key bigint, stamp bigint, entry_key text))

-- joined_texts: the mailbox entries of messages that had none when their pushes were queued
SELECT m.id, e.shown FROM mt m JOIN entry e ON e.box_id = m.user_id AND e.timestamp = m.entry_at AND e.id = m.entry_id
WHERE m.id IN (SELECT mt_key FROM @rows(mt_key text))

-- forget_target: pushes that nobody pulls any more
DELETE FROM push WHERE target = :target

-- mo_settings: whether a user and its customer have a push for MOs
SELECT u.mo_push <> '', c.mo_push <> '', EXISTS (SELECT 1 FROM smpp_account b WHERE b.user_id = u.id)
FROM user_account u JOIN customer c ON c.id = u.customer_id WHERE u.id = :user_key

-- due_targets: working targets that have something to do, those nobody else has in hand
SELECT target, failures FROM push_target WHERE due_at <= :now AND failures = 0
ORDER BY due_at LIMIT :most FOR UPDATE SKIP LOCKED

-- due_probes: the same of targets whose last try failed
SELECT target, failures FROM push_target WHERE due_at <= :now AND failures > 0
ORDER BY due_at LIMIT :most FOR UPDATE SKIP LOCKED

-- next_due_target: when something is to be done next; the heads of two indexes
SELECT min(due) FROM (
  SELECT min(due_at) AS due FROM push_target WHERE due_at IS NOT NULL AND failures = 0
  UNION ALL
  SELECT min(due_at) FROM push_target WHERE due_at IS NOT NULL AND failures > 0) AS heads

-- claim_heads: up to eight due pushes of each of these targets, of a handset one
WITH wanted AS (SELECT target_key, room FROM @rows(target_key text, room int))
SELECT id, channel, target, kind, message_id, mt_id, entry_id, user_id, entry_at, handset, address, sender, status, parts, charge,
  queued_at, due_at, attempts, parked_at, last_error
FROM push WHERE id IN (
  SELECT (SELECT p.id FROM push p WHERE p.target = w.target_key AND p.due_at <= :now ORDER BY p.due_at, p.id
          LIMIT 1 OFFSET 0) FROM wanted w WHERE w.room > 0
  UNION ALL
  SELECT (SELECT p.id FROM push p WHERE p.target = w.target_key AND p.due_at <= :now ORDER BY p.due_at, p.id
          LIMIT 1 OFFSET 1) FROM wanted w WHERE w.room > 1
  UNION ALL
  SELECT (SELECT p.id FROM push p WHERE p.target = w.target_key AND p.due_at <= :now ORDER BY p.due_at, p.id
          LIMIT 1 OFFSET 2) FROM wanted w WHERE w.room > 2
  UNION ALL
  SELECT (SELECT p.id FROM push p WHERE p.target = w.target_key AND p.due_at <= :now ORDER BY p.due_at, p.id
          LIMIT 1 OFFSET 3) FROM wanted w WHERE w.room > 3
  UNION ALL
  SELECT (SELECT p.id FROM push p WHERE p.target = w.target_key AND p.due_at <= :now ORDER BY p.due_at, p.id
          LIMIT 1 OFFSET 4) FROM wanted w WHERE w.room > 4
  UNION ALL
  SELECT (SELECT p.id FROM push p WHERE p.target = w.target_key AND p.due_at <= :now ORDER BY p.due_at, p.id
          LIMIT 1 OFFSET 5) FROM wanted w WHERE w.room > 5
  UNION ALL
  SELECT (SELECT p.id FROM push p WHERE p.target = w.target_key AND p.due_at <= :now ORDER BY p.due_at, p.id
          LIMIT 1 OFFSET 6) FROM wanted w WHERE w.room > 6
  UNION ALL
  SELECT (SELECT p.id FROM push p WHERE p.target = w.target_key AND p.due_at <= :now ORDER BY p.due_at, p.id
          LIMIT 1 OFFSET 7) FROM wanted w WHERE w.room > 7) ORDER BY id

-- mark_pushes: they may be spoken of from here on; the lease ends at due_at
UPDATE push SET due_at = :lease, attempts = attempts + 1 FROM @rows(push_key bigint) WHERE id = r.push_key

-- lock_targets: how it went with these targets, in order
SELECT target, failures, failing_since, open_until FROM push_target
WHERE target IN (SELECT target_key FROM @rows(target_key text)) ORDER BY target FOR UPDATE

-- set_targets: how it went with these targets
UPDATE push_target SET failures = r.failed, failing_since = r.since, open_until = r.until_at
FROM @rows(target_key text, failed int, since bigint, until_at bigint) WHERE target = r.target_key

-- retry_pushes: they are tried again; a result under an older claim is void
UPDATE push SET due_at = r.due, last_error = r.word
FROM @rows(push_key bigint, tries int, due bigint, word text)
WHERE id = r.push_key AND attempts = r.tries AND parked_at IS NULL

-- park_pushes: they are tried no more until somebody asks for it
UPDATE push SET due_at = NULL, parked_at = :now, last_error = r.word
FROM @rows(push_key bigint, tries int, word text)
WHERE id = r.push_key AND attempts = r.tries AND parked_at IS NULL RETURNING target, handset

-- lock_stale_targets: targets that have failed since before a moment; nobody queues behind what is about to be parked
SELECT target FROM push_target WHERE failing_since > 0 AND failing_since <= :before ORDER BY target FOR UPDATE

-- park_stale: pushes to targets that have failed for as long as they waited
UPDATE push SET due_at = NULL, parked_at = :now,
  last_error = CASE WHEN last_error = '' THEN 'behind others that failed' ELSE last_error END
WHERE id IN (
  SELECT p.id FROM push_target t JOIN push p ON p.target = t.target
  WHERE t.failing_since > 0 AND t.failing_since <= :before AND p.queued_at <= :before
    AND p.parked_at IS NULL AND p.channel <> 'smpp' LIMIT :most)
RETURNING target, handset

-- targets_ahead: targets after one, in order, and whether anything of theirs was noted while the clock stood ahead
SELECT t.target, coalesce(t.failing_since > :ahead OR t.open_until > :farthest
  OR (SELECT max(p.queued_at) FROM push p WHERE p.target = t.target AND p.parked_at IS NULL AND p.channel <> 'smpp') > :ahead
  OR (SELECT max(p.due_at) FROM push p WHERE p.target = t.target AND p.due_at IS NOT NULL) > :farthest, FALSE)
FROM push_target t WHERE t.target > :after ORDER BY t.target LIMIT :most

-- bring_queued_forward: a target's pushes that were queued while the clock stood ahead wait from now
UPDATE push SET queued_at = :now, due_at = CASE WHEN due_at IS NULL THEN NULL
    WHEN attempts = 0 THEN CAST(:now AS bigint) ELSE CAST(:later AS bigint) END
WHERE id IN (
  SELECT id FROM push WHERE target = :target AND parked_at IS NULL AND channel <> 'smpp' AND queued_at > :ahead
  ORDER BY queued_at LIMIT :most)
RETURNING id

-- bring_due_forward: a target's pushes that are due later than any plan says
UPDATE push SET due_at = :later WHERE id IN (
  SELECT id FROM push WHERE target = :target AND due_at > :farthest ORDER BY due_at LIMIT :most)
RETURNING id

-- push_settings: what is set for these targets
WITH wanted AS (SELECT kind, owner FROM @rows(kind text, owner text))
SELECT kind, owner, CASE kind
  WHEN 'status user' THEN (SELECT u.final_status_push FROM user_account u WHERE u.id = CAST(owner AS BIGINT))
  WHEN 'mo user' THEN (SELECT u.mo_push FROM user_account u WHERE u.id = CAST(owner AS BIGINT))
  WHEN 'mo customer' THEN (SELECT c.mo_push FROM customer c WHERE c.id = CAST(owner AS BIGINT))
  WHEN 'mo number' THEN (SELECT n.mo_push FROM number n WHERE n.number = owner) END
FROM wanted

-- list_pushes: pushes in the order in which they were queued, after an id
SELECT id, channel, target, kind, message_id, mt_id, entry_id, user_id, entry_at, handset, address, sender, status, parts, charge,
  queued_at, due_at, attempts, parked_at, last_error
FROM push WHERE id > :after ORDER BY id LIMIT :most

-- list_parked_pushes: the parked ones alone
SELECT id, channel, target, kind, message_id, mt_id, entry_id, user_id, entry_at, handset, address, sender, status, parts, charge,
  queued_at, due_at, attempts, parked_at, last_error
FROM push WHERE id > :after AND parked_at IS NOT NULL ORDER BY id LIMIT :most

-- parked_lines: whose these parked pushes are, and of which handsets
SELECT DISTINCT target, handset FROM push WHERE parked_at IS NOT NULL AND id IN (SELECT push_key FROM @rows(push_key bigint))

-- replay_pushes: parked pushes start anew, in their handsets' lines
UPDATE push SET parked_at = NULL, attempts = 0, queued_at = :now, last_error = ''
FROM @rows(push_key bigint) WHERE id = r.push_key AND parked_at IS NOT NULL RETURNING target

-- push_counts: how many wait to be brought, are parked, wait to be pulled; each counted on an index alone
SELECT (SELECT count(*) FROM push WHERE parked_at IS NULL AND channel <> 'smpp'),
  (SELECT count(*) FROM push WHERE parked_at IS NOT NULL), (SELECT count(*) FROM push)

-- open_breakers: how many targets are not tried at the moment
SELECT count(*) FROM push_target WHERE open_until > :now

-- forget_parked_pushes: parked pushes that nobody asked for
DELETE FROM push WHERE id IN (SELECT id FROM push WHERE parked_at < :before ORDER BY parked_at LIMIT :most) RETURNING id

-- forget_targets: targets that nothing waits for
DELETE FROM push_target WHERE target IN (
  SELECT t.target FROM push_target t WHERE t.due_at IS NULL AND NOT EXISTS (SELECT 1 FROM push p WHERE p.target = t.target)
  LIMIT :most)
  AND due_at IS NULL
RETURNING target
