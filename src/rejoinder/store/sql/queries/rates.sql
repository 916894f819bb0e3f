-- read_rates: the prices under these prefixes
SELECT reseller_id, prefix, price FROM rate
WHERE (reseller_id, prefix) IN (SELECT reseller_key, piece FROM @rows(reseller_key bigint, piece text))

-- any_rates: whether anybody has rates at all
SELECT 1 FROM rate LIMIT 1

-- page_rates: a reseller's rates in order of prefix, from one on
SELECT prefix, price FROM rate WHERE reseller_id = :reseller AND prefix >= :start ORDER BY prefix LIMIT :most

-- put_rates: new prices, and other ones for prefixes that have one
INSERT INTO rate (reseller_id, prefix, price)
SELECT CAST(:reseller AS bigint), piece, cost FROM @rows(piece text, cost bigint) WHERE true
ON CONFLICT (reseller_id, prefix) DO UPDATE SET price = excluded.price

-- drop_rates: rates that count no longer
DELETE FROM rate WHERE reseller_id = :reseller AND prefix IN (SELECT piece FROM @rows(piece text)) RETURNING prefix

-- clear_rates: all of a reseller's
DELETE FROM rate WHERE reseller_id = :reseller RETURNING prefix
