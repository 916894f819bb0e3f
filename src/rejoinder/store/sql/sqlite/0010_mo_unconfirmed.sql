-- MOs of links whose deliveries have no ids: stored, and the carrier is not known to have read that we took them.
-- Of links that live it is a few seconds' worth, of each lost one what was in doubt when it ended.

CREATE TABLE mo_unconfirmed (
  carrier_id INTEGER NOT NULL,
  link INTEGER NOT NULL,                            -- the connection it came over
  number INTEGER NOT NULL,                          -- as its how-manieth delivery
  digest INTEGER NOT NULL,                          -- of all that was delivered
  received_at INTEGER NOT NULL,
  PRIMARY KEY (carrier_id, link, number)
) STRICT, WITHOUT ROWID;

-- The same of links that are no more: the carrier may bring these again. A table of its own, so that whatever there is of the
-- other, looking one up costs the same.
CREATE TABLE mo_lost (
  carrier_id INTEGER NOT NULL,
  digest INTEGER NOT NULL,
  link INTEGER NOT NULL,
  number INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  PRIMARY KEY (carrier_id, digest, link, number)
) STRICT, WITHOUT ROWID;
