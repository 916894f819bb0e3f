-- lock_credits: balances of these credit accounts in ascending order of id, held until the end of the transaction
SELECT id, billing, balance FROM credit_account
WHERE id IN (SELECT account_key FROM @rows(account_key bigint)) ORDER BY id FOR UPDATE

-- add_balances: moves balances; the CHECK refuses a pre-paid one below 0
UPDATE credit_account SET balance = balance + r.amount
FROM @rows(account_key bigint, amount bigint) WHERE id = r.account_key

-- insert_ledger: transfers, payer to payee
INSERT INTO ledger_entry (at, payer_id, payee_id, amount, reason, message_id)
SELECT CAST(:at AS bigint), payer, payee, sum_moved, why, message
FROM @rows(payer bigint, payee bigint, sum_moved bigint, why text, message text)

-- insert_credit_account: a new account with nothing on it
INSERT INTO credit_account (owner, billing) VALUES (:owner, :billing) RETURNING id

-- set_billing: how an account pays from now on
UPDATE credit_account SET billing = :billing WHERE id = :account_key

-- read_balance: one account's billing and balance
SELECT billing, balance FROM credit_account WHERE id = :account_key

-- ledger_differences: accounts whose kept balance is not what the ledger sums to
SELECT a.id, a.owner, a.balance,
  CAST(coalesce((SELECT sum(amount) FROM ledger_entry WHERE payee_id = a.id), 0)
     - coalesce((SELECT sum(amount) FROM ledger_entry WHERE payer_id = a.id), 0) AS bigint) AS computed
FROM credit_account a WHERE a.owner IN ('reseller', 'customer') AND a.balance <>
    coalesce((SELECT sum(amount) FROM ledger_entry WHERE payee_id = a.id), 0)
  - coalesce((SELECT sum(amount) FROM ledger_entry WHERE payer_id = a.id), 0)
ORDER BY a.id

-- ledger_overcharges: messages whose charges less refunds are more than their price
SELECT m.id FROM mt m JOIN ledger_entry e ON e.message_id = m.id
GROUP BY m.id, m.charge
HAVING sum(CASE e.reason WHEN 'charge' THEN e.amount WHEN 'reduction' THEN -e.amount ELSE 0 END) <> m.charge
  OR sum(CASE WHEN e.reason = 'refund' THEN e.amount ELSE 0 END) > m.charge

-- ledger_counts: how many transfers there are over how many accounts
SELECT (SELECT count(*) FROM ledger_entry), (SELECT count(*) FROM credit_account WHERE owner IN ('reseller', 'customer'))

-- balance_before: what an account's movements sum to before a moment
SELECT CAST(
    coalesce((SELECT sum(amount) FROM ledger_entry
      WHERE payee_id = :account_key AND payee_id > 2 AND at < :moment), 0)
  - coalesce((SELECT sum(amount) FROM ledger_entry
      WHERE payer_id = :account_key AND payer_id > 2 AND at < :moment), 0) AS bigint)

-- movements: a page of what came (+) and went (-) before a moment and after a place, in order of time
SELECT at, id, moved, reason, message_id FROM (
  SELECT * FROM (
    SELECT at, id, amount AS moved, reason, message_id FROM ledger_entry
    WHERE payee_id = :account_key AND payee_id > 2 AND (at, id) > (:after_at, :after_id) AND at < :before
    ORDER BY at, id LIMIT :most) AS came
  UNION ALL
  SELECT * FROM (
    SELECT at, id, -amount AS moved, reason, message_id FROM ledger_entry
    WHERE payer_id = :account_key AND payer_id > 2 AND (at, id) > (:after_at, :after_id) AND at < :before
    ORDER BY at, id LIMIT :most) AS went) AS page
ORDER BY at, id LIMIT :most
