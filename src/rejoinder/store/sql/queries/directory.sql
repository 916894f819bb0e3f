-- find_user: a user with everything a call needs to know of its customer and reseller
SELECT u.id, u.username, u.password_hash, u.password_expired, u.activated,
  u.blocked OR c.blocked OR s.blocked, u.disabled OR c.disabled OR s.disabled,
  u.source_address, u.customer_id, c.credit_account_id, c.rotation, c.reseller_id,
  u.allow_ip, c.prefixes, u.swapping_source_address_allowed
FROM user_account u JOIN customer c ON c.id = u.customer_id JOIN reseller s ON s.id = c.reseller_id
WHERE u.username = :username

-- find_smpp_account: what a bind under this name may do, and whose it is
SELECT b.user_id, u.username, b.system_id, b.password_hash, b.enabled, u.idempotent_reference, b.max_binds,
  b.window_size, b.throughput, b.allow_ip, b.long_mo, b.default_alphabet, b.origin_tag
FROM smpp_account b JOIN user_account u ON u.id = b.user_id WHERE b.system_id = :system_id

-- find_reseller: a reseller as a log-in meets it
SELECT id, name, password_hash, blocked, disabled FROM reseller WHERE name = :reseller_name

-- directory_version: changes with every change of accounts, numbers, senders, carriers and routes
SELECT directory_version, clock_accepted FROM store_state

-- bump_directory: tells running servers that they must look again
UPDATE store_state SET directory_version = directory_version + 1

-- accept_clock: tells running servers to believe the wall clock
UPDATE store_state SET clock_accepted = clock_accepted + 1

-- list_pool: the reply pool
SELECT number FROM number WHERE customer_id IS NULL AND user_id IS NULL ORDER BY number

-- list_routes: all routes of carriers that are there
SELECT r.prefix, r.carrier_id, r.priority, r.on_unknown, c.name, r.weight, r.sender
FROM route r JOIN carrier c ON c.id = r.carrier_id WHERE NOT c.removed ORDER BY r.prefix, r.priority, r.carrier_id

-- list_carriers: all carriers that are there
SELECT id, name, kind, settings FROM carrier WHERE NOT removed ORDER BY name

-- may_send_as: whether a user may use this sender: its own number, its customer's, or an allowed name (* is all)
SELECT 1 FROM number WHERE number = :sender AND (user_id = :user_key OR customer_id = :customer)
UNION ALL
SELECT 1 FROM sender WHERE customer_id = :customer AND name IN (:sender, '*')
LIMIT 1

-- put_carrier_states: how the carriers stand, for the command line, which is another process
INSERT INTO carrier_state (carrier_id, state, window_size, in_flight, rate, last_error, seen_at)
SELECT * FROM @rows(carrier bigint, word text, room int, busy int, pace float8, fault text, seen bigint)
WHERE true
ON CONFLICT (carrier_id) DO UPDATE SET state = excluded.state, window_size = excluded.window_size,
  in_flight = excluded.in_flight, rate = excluded.rate, last_error = excluded.last_error, seen_at = excluded.seen_at
