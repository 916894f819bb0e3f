-- MOs of links whose deliveries have no ids: stored, and the carrier is not known to have read that we took them.
-- It may bring these again over its next link. A few seconds' worth of them, and what each lost link left.
CREATE TABLE mo_unconfirmed (
  carrier_id INTEGER NOT NULL,
  link INTEGER NOT NULL,                            -- the connection it came over
  number INTEGER NOT NULL,                          -- as its how-manieth delivery
  digest INTEGER NOT NULL,                          -- of all that was delivered
  received_at INTEGER NOT NULL,
  PRIMARY KEY (carrier_id, link, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX mo_unconfirmed_digest ON mo_unconfirmed (carrier_id, digest);
