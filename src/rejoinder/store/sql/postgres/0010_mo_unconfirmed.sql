-- MOs of links whose deliveries have no ids: stored, and the carrier is not known to have read that we took them.
-- Of links that live it is a few seconds' worth, of each lost one what was in doubt when it ended.

CREATE TABLE mo_unconfirmed (
  carrier_id bigint NOT NULL,
  link bigint NOT NULL,                            -- the connection it came over
  number bigint NOT NULL,                          -- as its how-manieth delivery
  digest bigint NOT NULL,                          -- of all that was delivered
  received_at bigint NOT NULL,
  PRIMARY KEY (carrier_id, link, number)
);

-- The same of links that are no more: the carrier may bring these again. A table of its own, so that whatever there is of the
-- other, looking one up costs the same.
CREATE TABLE mo_lost (
  carrier_id bigint NOT NULL,
  digest bigint NOT NULL,
  link bigint NOT NULL,
  number bigint NOT NULL,
  received_at bigint NOT NULL,
  PRIMARY KEY (carrier_id, digest, link, number)
);
