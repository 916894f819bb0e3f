-- Pushes of final statuses and MOs to customers, and the settings that say where they go.

ALTER TABLE user_account ADD COLUMN final_status_push TEXT NOT NULL DEFAULT '';  -- JSON, see flow/push_settings.py; '': none
ALTER TABLE user_account ADD COLUMN mo_push TEXT NOT NULL DEFAULT '';
ALTER TABLE customer ADD COLUMN mo_push TEXT NOT NULL DEFAULT '';
ALTER TABLE number ADD COLUMN mo_push TEXT NOT NULL DEFAULT '';

ALTER TABLE push RENAME TO push_before;

CREATE TABLE push (
  id INTEGER PRIMARY KEY AUTOINCREMENT,          -- the order in which they were queued
  channel TEXT NOT NULL,                         -- web, mail; smpp: pulled by sessions, never due
  target TEXT NOT NULL,                          -- whose setting or which server; what a breaker and an order belong to
  kind TEXT NOT NULL,                            -- mo, status
  message_id TEXT NOT NULL,                      -- of the MO, or of the MT whose status became final
  mt_id TEXT NOT NULL,                           -- the MT an MO answers, '' for none
  entry_id TEXT NOT NULL,                        -- where the text stands: user_id's mailbox, entry_at, entry_id
  user_id INTEGER NOT NULL,
  entry_at INTEGER NOT NULL,
  handset TEXT NOT NULL,
  address TEXT NOT NULL,                         -- a replyTo; '': as the target's setting says when it is sent
  sender TEXT NOT NULL,                          -- our side: what the MT went out from, what the MO was sent to
  status INTEGER NOT NULL,
  parts INTEGER NOT NULL,
  charge INTEGER NOT NULL,
  queued_at INTEGER NOT NULL,
  due_at INTEGER,                                -- NULL: behind another of its handset, parked, or pulled
  attempts INTEGER NOT NULL DEFAULT 0,           -- counts claims; what an older one reports is void
  parked_at INTEGER,
  last_error TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX push_head ON push (target, due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX push_line ON push (target, handset, id) WHERE parked_at IS NULL AND channel <> 'smpp';
CREATE INDEX push_age ON push (target, queued_at) WHERE parked_at IS NULL AND channel <> 'smpp';
CREATE INDEX push_order ON push (target, id);
CREATE INDEX push_parked ON push (id) WHERE parked_at IS NOT NULL;
CREATE INDEX push_parked_age ON push (parked_at) WHERE parked_at IS NOT NULL;

CREATE TABLE push_target (
  target TEXT PRIMARY KEY,
  due_at INTEGER,                                -- of its first push, but not before the breaker allows; NULL: nothing waits
  failures INTEGER NOT NULL DEFAULT 0,           -- of the server, one after the other
  failing_since INTEGER NOT NULL DEFAULT 0,      -- 0: it works
  open_until INTEGER NOT NULL DEFAULT 0          -- the breaker: nothing is tried before
) STRICT, WITHOUT ROWID;
CREATE INDEX push_target_due ON push_target (due_at) WHERE due_at IS NOT NULL AND failures = 0;
CREATE INDEX push_target_probe ON push_target (due_at) WHERE due_at IS NOT NULL AND failures > 0;
CREATE INDEX push_target_failing ON push_target (failing_since) WHERE failing_since > 0;

INSERT INTO push (channel, target, kind, message_id, mt_id, entry_id, user_id, entry_at, handset, address, sender, status, parts,
  charge, queued_at, due_at)
SELECT CASE WHEN lower(target) LIKE 'mailto:%' THEN 'mail' ELSE 'web' END, 'before:' || user_id || ':' || substr(target, 1, 200),
  'mo', id, mt_id, id, user_id, timestamp, handset, target, '', 0, 0, 0, due_at, due_at FROM push_before ORDER BY timestamp, id;
UPDATE push SET due_at = NULL WHERE EXISTS (
  SELECT 1 FROM push e WHERE e.target = push.target AND e.handset = push.handset AND e.id < push.id);
INSERT INTO push_target (target, due_at) SELECT target, min(due_at) FROM push GROUP BY target;
DROP TABLE push_before;
