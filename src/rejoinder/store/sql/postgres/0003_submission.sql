-- What more a message may be: ready-made content from other doors, parts of a customer's long message, scheduled.

ALTER TABLE mt ADD COLUMN receipts INTEGER NOT NULL DEFAULT 0;     -- which the customer asked for: SMPP's registered_delivery
ALTER TABLE mt ADD COLUMN release_at BIGINT NOT NULL DEFAULT 0;    -- scheduled: until then it waits; 0: it never did
ALTER TABLE mt ADD COLUMN entry_id TEXT COLLATE "C";               -- the mailbox entry's id and timestamp, where they
ALTER TABLE mt ADD COLUMN entry_at BIGINT;                         -- are not the message's own id and that id's second

ALTER TABLE outbox ADD COLUMN udh TEXT NOT NULL DEFAULT '';        -- hex: a user data header the customer wrote
ALTER TABLE outbox ADD COLUMN octets TEXT NOT NULL DEFAULT '';     -- hex: user data that `text` cannot say
ALTER TABLE outbox ADD COLUMN flash BOOLEAN NOT NULL DEFAULT FALSE;

ALTER TABLE outbox ADD COLUMN own_sender TEXT NOT NULL DEFAULT '';   -- the user's own, where routes may replace it

CREATE TABLE mt_joining (                                          -- parts of customers' long messages that are in no mailbox yet
  user_id BIGINT NOT NULL,
  recipient TEXT COLLATE "C" NOT NULL,
  asked_sender TEXT COLLATE "C" NOT NULL,                          -- as the customer gave it; empty: the pool chose `sender`
  reference BIGINT NOT NULL,
  total INTEGER NOT NULL,
  number INTEGER NOT NULL,
  mt_id TEXT COLLATE "C" NOT NULL,
  sender TEXT COLLATE "C" NOT NULL,
  alphabet TEXT NOT NULL,
  octets TEXT NOT NULL,                                            -- hex: the part's user data
  arrived_at BIGINT NOT NULL,
  PRIMARY KEY (user_id, recipient, asked_sender, reference, total, number)
);
CREATE INDEX mt_joining_age ON mt_joining (arrived_at);

CREATE TABLE mt_scheduled (                                        -- accepted and charged, in no queue and no mailbox before its time
  mt_id TEXT COLLATE "C" PRIMARY KEY,
  user_id BIGINT NOT NULL,
  release_at BIGINT NOT NULL,
  draft TEXT NOT NULL                                              -- the draft as JSON
);
CREATE INDEX mt_scheduled_due ON mt_scheduled (release_at, mt_id);

ALTER TABLE customer ADD COLUMN prefixes TEXT NOT NULL DEFAULT '';  -- numbers it may send to begin so, by blanks; empty: all
ALTER TABLE route ADD COLUMN sender TEXT NOT NULL DEFAULT '';       -- stands for the user's own, where the user allows that

CREATE TABLE rate (                              -- what a part costs a reseller's customers; the longest prefix counts
  reseller_id BIGINT NOT NULL REFERENCES reseller (id),
  prefix TEXT COLLATE "C" NOT NULL,
  price BIGINT NOT NULL CHECK (price >= 0),      -- 1/1000 credit
  PRIMARY KEY (reseller_id, prefix)
);
