-- The tables of the main job. Ids of messages are 24 hex digits, times "_at" microseconds UTC,
-- money 1/1000 credits. Big tables are clustered by their key (WITHOUT ROWID).

CREATE TABLE store_state (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  floor INTEGER NOT NULL DEFAULT 0,              -- contract §3 rule 8: no timestamp at or below it is given out
  directory_version INTEGER NOT NULL DEFAULT 0,  -- counts changes of accounts, numbers, carriers, routes
  clock_accepted INTEGER NOT NULL DEFAULT 0,     -- counts `rejoinder clock accept`
  timeline INTEGER NOT NULL DEFAULT 0            -- PostgreSQL's timeline id when last seen; 0 on SQLite
) STRICT;
INSERT INTO store_state (one) VALUES (1);

CREATE TABLE credit_account (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  owner TEXT NOT NULL,                           -- operator, usage, reseller, customer
  billing TEXT NOT NULL CHECK (billing IN ('pre_paid', 'post_paid')),
  balance INTEGER NOT NULL DEFAULT 0,            -- not kept for operator and usage: every transfer meets them
  CHECK (billing <> 'pre_paid' OR balance >= 0)
) STRICT;
INSERT INTO credit_account (id, owner, billing) VALUES (1, 'operator', 'post_paid'), (2, 'usage', 'post_paid');

CREATE TABLE ledger_entry (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  payer_id INTEGER NOT NULL REFERENCES credit_account (id),
  payee_id INTEGER NOT NULL REFERENCES credit_account (id),
  amount INTEGER NOT NULL CHECK (amount > 0),
  reason TEXT NOT NULL,                          -- credits, free_credits, charge, refund
  message_id TEXT,
  CHECK (payer_id <> payee_id)
) STRICT;

CREATE TABLE reseller (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  password_hash TEXT NOT NULL,
  credit_account_id INTEGER NOT NULL REFERENCES credit_account (id),
  free_credits INTEGER NOT NULL DEFAULT 0 CHECK (free_credits >= 0),
  default_customer_billing TEXT NOT NULL,
  require_activation INTEGER NOT NULL DEFAULT 0,
  blocked INTEGER NOT NULL DEFAULT 0,
  disabled INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE customer (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  reseller_id INTEGER NOT NULL REFERENCES reseller (id),
  name TEXT NOT NULL,
  credit_account_id INTEGER NOT NULL REFERENCES credit_account (id),
  rotation TEXT NOT NULL DEFAULT 'max_rotation',
  integration_id TEXT NOT NULL DEFAULT '',
  contact_name TEXT NOT NULL DEFAULT '',
  email TEXT NOT NULL DEFAULT '',
  phone_number TEXT NOT NULL DEFAULT '',
  blocked INTEGER NOT NULL DEFAULT 0,
  disabled INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  UNIQUE (reseller_id, name)
) STRICT;

CREATE TABLE user_account (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  customer_id INTEGER NOT NULL REFERENCES customer (id),
  username TEXT NOT NULL UNIQUE,
  password_hash TEXT NOT NULL,
  password_expired INTEGER NOT NULL DEFAULT 0,
  activated INTEGER NOT NULL DEFAULT 1,
  blocked INTEGER NOT NULL DEFAULT 0,
  disabled INTEGER NOT NULL DEFAULT 0,
  source_address TEXT NOT NULL DEFAULT '',
  swapping_source_address_allowed INTEGER NOT NULL DEFAULT 0,
  email TEXT NOT NULL DEFAULT '',
  phone_number TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX user_by_customer ON user_account (customer_id, id);

CREATE TABLE number (
  number TEXT PRIMARY KEY,
  customer_id INTEGER REFERENCES customer (id),
  user_id INTEGER REFERENCES user_account (id),
  inbox_user_id INTEGER REFERENCES user_account (id),
  CHECK (customer_id IS NULL OR user_id IS NULL)  -- neither: a number of the reply pool
) STRICT, WITHOUT ROWID;
CREATE INDEX number_pool ON number (number) WHERE customer_id IS NULL AND user_id IS NULL;

CREATE TABLE sender (
  customer_id INTEGER NOT NULL REFERENCES customer (id),
  name TEXT NOT NULL,
  PRIMARY KEY (customer_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE carrier (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  settings TEXT NOT NULL,                        -- a JSON object of strings
  removed INTEGER NOT NULL DEFAULT 0             -- its parts and receipts still name it
) STRICT;
CREATE UNIQUE INDEX carrier_name ON carrier (name) WHERE NOT removed;

CREATE TABLE route (
  prefix TEXT NOT NULL,
  carrier_id INTEGER NOT NULL REFERENCES carrier (id),
  priority INTEGER NOT NULL DEFAULT 0,           -- the lower is tried first
  on_unknown TEXT NOT NULL DEFAULT 'resend' CHECK (on_unknown IN ('resend', 'fail')),
  PRIMARY KEY (prefix, carrier_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE mailbox (
  user_id INTEGER PRIMARY KEY REFERENCES user_account (id),
  last INTEGER NOT NULL DEFAULT 0,               -- highest timestamp given out
  sealed INTEGER NOT NULL DEFAULT 0,             -- highest second answered
  last_count INTEGER NOT NULL DEFAULT 0          -- messages that bear `last`
) STRICT;

CREATE TABLE entry (
  user_id INTEGER NOT NULL,
  timestamp INTEGER NOT NULL,
  id TEXT NOT NULL,
  incoming INTEGER NOT NULL,
  shown TEXT NOT NULL,                           -- the JSON object that allMessages shows, encoded once
  arrived_at INTEGER NOT NULL,
  PRIMARY KEY (user_id, timestamp, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX entry_received ON entry (user_id, timestamp, id) WHERE incoming;

CREATE TABLE mt (
  id TEXT PRIMARY KEY,
  user_id INTEGER NOT NULL,
  customer_id INTEGER NOT NULL,
  recipient TEXT NOT NULL,
  sender TEXT NOT NULL,
  status INTEGER NOT NULL,
  parts INTEGER NOT NULL,
  charge INTEGER NOT NULL,
  reply_to TEXT,
  resent INTEGER NOT NULL DEFAULT 0,             -- sent again after an unknown outcome: a possible duplicate
  accepted_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  finished_at INTEGER                            -- set with the final status
) STRICT, WITHOUT ROWID;
CREATE INDEX mt_open ON mt (expires_at) WHERE finished_at IS NULL;
CREATE INDEX mt_finished ON mt (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE outbox (
  id TEXT PRIMARY KEY,
  carrier_id INTEGER NOT NULL,
  customer_id INTEGER NOT NULL,
  recipient TEXT NOT NULL,
  sender TEXT NOT NULL,
  text TEXT NOT NULL,
  alphabet TEXT NOT NULL,
  parts INTEGER NOT NULL,
  due_at INTEGER NOT NULL,                       -- while submitting: the end of the lease
  valid_until INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  tried TEXT NOT NULL DEFAULT '',
  submitting INTEGER NOT NULL DEFAULT 0,         -- bytes may have left and no answer is stored
  duplicate INTEGER NOT NULL DEFAULT 0,
  claimed_at INTEGER NOT NULL DEFAULT 0,
  fence INTEGER NOT NULL DEFAULT 0               -- counts claims; an answer under an older one is void
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_due ON outbox (carrier_id, due_at, id);
CREATE INDEX outbox_fair ON outbox (carrier_id, customer_id, due_at, id);

CREATE TABLE part (
  mt_id TEXT NOT NULL,
  number INTEGER NOT NULL,                       -- from 1; 0 is a message given whole
  carrier_id INTEGER NOT NULL,
  status INTEGER NOT NULL,
  ref TEXT,                                      -- the carrier's id, as it gave it
  ref_key TEXT,                                  -- the same, folded for looking up
  PRIMARY KEY (mt_id, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX part_ref ON part (carrier_id, ref_key) WHERE ref_key IS NOT NULL;

CREATE TABLE reply_pair (
  handset TEXT NOT NULL,
  number TEXT NOT NULL,
  user_id INTEGER NOT NULL,
  mt_id TEXT NOT NULL,                           -- the latest message on this pair
  conversation INTEGER NOT NULL,
  used_at INTEGER NOT NULL,
  PRIMARY KEY (handset, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX reply_pair_age ON reply_pair (used_at);

CREATE TABLE conversation (
  user_id INTEGER NOT NULL,
  handset TEXT NOT NULL,
  number TEXT NOT NULL,
  mt_id TEXT NOT NULL,                           -- the latest message of this user to that handset
  used_at INTEGER NOT NULL,
  PRIMARY KEY (user_id, handset)
) STRICT, WITHOUT ROWID;
CREATE INDEX conversation_age ON conversation (used_at);

CREATE TABLE client_reference (
  user_id INTEGER NOT NULL,
  reference TEXT NOT NULL,
  mt_id TEXT NOT NULL,
  digest TEXT NOT NULL,                          -- of recipient and text
  at INTEGER NOT NULL,
  PRIMARY KEY (user_id, reference)
) STRICT, WITHOUT ROWID;
CREATE INDEX client_reference_age ON client_reference (at);

CREATE TABLE receipt_unmatched (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  carrier_id INTEGER NOT NULL,
  ref TEXT NOT NULL,
  ref_key TEXT NOT NULL,
  status INTEGER NOT NULL,
  recipient TEXT,
  sender TEXT,
  received_at INTEGER NOT NULL
) STRICT;
CREATE INDEX receipt_unmatched_ref ON receipt_unmatched (carrier_id, ref_key);
CREATE INDEX receipt_unmatched_recipient ON receipt_unmatched (carrier_id, recipient);
CREATE INDEX receipt_unmatched_age ON receipt_unmatched (received_at);

CREATE TABLE mo_seen (
  carrier_id INTEGER NOT NULL,
  ref TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  PRIMARY KEY (carrier_id, ref)
) STRICT, WITHOUT ROWID;
CREATE INDEX mo_seen_age ON mo_seen (received_at);

CREATE TABLE mo_part (
  carrier_id INTEGER NOT NULL,
  sender TEXT NOT NULL,
  recipient TEXT NOT NULL,
  reference INTEGER NOT NULL,
  total INTEGER NOT NULL,
  number INTEGER NOT NULL,
  text TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  PRIMARY KEY (carrier_id, sender, recipient, reference, total, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX mo_part_age ON mo_part (received_at);

CREATE TABLE mo_parked (
  id TEXT PRIMARY KEY,
  carrier_id INTEGER NOT NULL,
  sender TEXT NOT NULL,
  recipient TEXT NOT NULL,
  text TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE push (
  id TEXT PRIMARY KEY,                           -- the MO's id; one push per MO and target
  user_id INTEGER NOT NULL,
  target TEXT NOT NULL,
  mt_id TEXT NOT NULL,
  handset TEXT NOT NULL,
  due_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  timestamp INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX push_due ON push (due_at);
