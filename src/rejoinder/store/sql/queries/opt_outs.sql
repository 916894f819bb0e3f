-- any_standing: whether any handset has opted out of anything
SELECT 1 FROM opt_out WHERE lifted_at IS NULL LIMIT 1

-- read_standing: which of these handsets want nothing more from these customers
SELECT customer_id, handset FROM opt_out
WHERE lifted_at IS NULL AND (customer_id, handset) IN (
  SELECT customer, handset_key FROM @rows(customer bigint, handset_key text))

-- begin: handsets opt out; one that has done so stays as it is
INSERT INTO opt_out (customer_id, handset, since, number, mo_id, word)
SELECT customer, handset_key, noted, to_number, mo_key, said
FROM @rows(customer bigint, handset_key text, noted bigint, to_number text, mo_key text, said text) WHERE true
ON CONFLICT (customer_id, handset) WHERE lifted_at IS NULL DO NOTHING
RETURNING id

-- lift: handsets want messages again
UPDATE opt_out SET lifted_at = r.noted, lifted_mo_id = r.mo_key, lifted_word = r.said
FROM @rows(customer bigint, handset_key text, noted bigint, mo_key text, said text)
WHERE lifted_at IS NULL AND customer_id = r.customer AND handset = r.handset_key
RETURNING id

-- list_opt_outs: a customer's, the oldest first, after an id
SELECT id, customer_id, handset, since, number, mo_id, word, lifted_at, lifted_mo_id, lifted_word FROM opt_out
WHERE customer_id = :customer AND id > :after AND (lifted_at IS NULL OR :history = 1)
ORDER BY id LIMIT :most
