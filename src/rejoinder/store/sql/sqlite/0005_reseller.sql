-- Resellers' calls, activation of users, statements of accounts.

-- Whether a customer's name exists under another reseller (contract 300 or 420).
CREATE INDEX customer_by_name ON customer (name);

-- A statement pages through an account's movements; the operator's and the usage account (1, 2) have none.
CREATE INDEX ledger_paid ON ledger_entry (payer_id, at, id) WHERE payer_id > 2;
CREATE INDEX ledger_received ON ledger_entry (payee_id, at, id) WHERE payee_id > 2;

-- Where somebody else than the message's customer paid: an activation code is its reseller's.
ALTER TABLE mt ADD COLUMN payer_id INTEGER;

CREATE TABLE activation_code (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL REFERENCES user_account (id),
  code_hash TEXT NOT NULL,
  made_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0                   -- counted before the code is looked at
) STRICT;
CREATE INDEX activation_code_of ON activation_code (user_id, id);
