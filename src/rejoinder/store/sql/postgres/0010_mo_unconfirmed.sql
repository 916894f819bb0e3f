-- MOs of links whose deliveries have no ids: stored, and the carrier is not known to have read that we took them.
-- It may bring these again over its next link. A few seconds' worth of them, and what each lost link left.
CREATE TABLE mo_unconfirmed (
  carrier_id bigint NOT NULL,
  link bigint NOT NULL,                            -- the connection it came over
  number bigint NOT NULL,                          -- as its how-manieth delivery
  digest bigint NOT NULL,                          -- of all that was delivered
  received_at bigint NOT NULL,
  PRIMARY KEY (carrier_id, link, number)
);
CREATE INDEX mo_unconfirmed_digest ON mo_unconfirmed (carrier_id, digest);
