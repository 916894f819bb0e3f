-- hold_user: a user's row, so that its codes are counted one call at a time
SELECT id FROM user_account WHERE id = :user_key FOR UPDATE

-- count_codes: how many codes a user was sent since a moment
SELECT count(*) FROM activation_code WHERE user_id = :user_key AND made_at > :since

-- insert_code: a new code; the newest is the one that counts
INSERT INTO activation_code (user_id, code_hash, made_at, expires_at)
VALUES (:user_key, :code_hash, :made_at, :expires_at) RETURNING id

-- delete_code: a code that was not sent
DELETE FROM activation_code WHERE id = :code_key

-- delete_codes: codes that count for nothing any more
DELETE FROM activation_code WHERE user_id = :user_key AND made_at <= :before

-- newest_code: the code that counts
SELECT id, code_hash, expires_at, tries FROM activation_code WHERE user_id = :user_key ORDER BY id DESC LIMIT 1

-- count_try: one more try, if any is left
UPDATE activation_code SET tries = tries + 1 WHERE id = :code_key AND tries < :most RETURNING tries
