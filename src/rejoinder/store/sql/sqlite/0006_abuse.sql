-- Who may log in from where, and which handsets want nothing more from a customer.

ALTER TABLE user_account ADD COLUMN allow_ip TEXT NOT NULL DEFAULT '';  -- networks, by commas; empty: all

CREATE TABLE opt_out (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  customer_id INTEGER NOT NULL REFERENCES customer (id),
  handset TEXT NOT NULL,
  since INTEGER NOT NULL,
  number TEXT NOT NULL DEFAULT '',             -- the number of ours that it wrote to; empty: noted by the operator
  mo_id TEXT,                                    -- the evidence; no reference: mailboxes end before it does
  word TEXT NOT NULL DEFAULT '',                 -- as the handset wrote it
  lifted_at INTEGER,                            -- null while it stands
  lifted_mo_id TEXT,
  lifted_word TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX opt_out_standing ON opt_out (customer_id, handset) WHERE lifted_at IS NULL;
CREATE INDEX opt_out_handset ON opt_out (handset, customer_id);
