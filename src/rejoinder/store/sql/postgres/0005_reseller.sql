-- Resellers' calls, activation of users, statements of accounts.

-- Whether a customer's name exists under another reseller (contract 300 or 420).
CREATE INDEX customer_by_name ON customer (name);

-- A statement pages through an account's movements; the operator's and the usage account (1, 2) have none.
CREATE INDEX ledger_paid ON ledger_entry (payer_id, at, id) WHERE payer_id > 2;
CREATE INDEX ledger_received ON ledger_entry (payee_id, at, id) WHERE payee_id > 2;
