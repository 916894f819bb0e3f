-- Users that bind to our SMPP server: one name and password each, apart from those of the HTTP API.

CREATE TABLE smpp_account (
  user_id BIGINT PRIMARY KEY REFERENCES user_account (id),
  system_id TEXT COLLATE "C" NOT NULL UNIQUE,
  password_hash TEXT NOT NULL,
  max_binds INTEGER NOT NULL,
  window_size INTEGER NOT NULL,                  -- submits under way on one bind
  throughput INTEGER NOT NULL,                   -- messages a second over all binds; 0: no limit
  allow_ip TEXT NOT NULL DEFAULT '',             -- networks, separated by blanks; empty: from anywhere
  enabled BOOLEAN NOT NULL DEFAULT TRUE,
  long_mo TEXT NOT NULL DEFAULT 'parts',         -- parts, payload: how a long MO goes out
  default_alphabet TEXT NOT NULL DEFAULT 'gsm',  -- gsm, iso-8859-1: what data_coding 0 means
  origin_tag INTEGER NOT NULL DEFAULT 0          -- the TLV that names, in an MO, the message it answers; 0: none
);

-- A repeated user_message_reference is the same message (contract: clientRef).
ALTER TABLE user_account ADD COLUMN idempotent_reference BOOLEAN NOT NULL DEFAULT FALSE;
