-- show_reseller: resellers with what they have
SELECT s.id, s.name, s.password_hash, s.credit_account_id, s.free_credits, s.default_customer_billing,
  s.require_activation, s.blocked, s.disabled, s.created_at, a.billing, a.balance
FROM reseller s JOIN credit_account a ON a.id = s.credit_account_id

-- show_customer: customers with their reseller's name and what they have
SELECT c.id, c.name, c.reseller_id, s.name AS reseller, c.credit_account_id, c.rotation, c.prefixes, c.integration_id,
  c.contact_name, c.email, c.phone_number, c.blocked, c.disabled, c.created_at, c.mo_push, a.billing, a.balance
FROM customer c JOIN reseller s ON s.id = c.reseller_id JOIN credit_account a ON a.id = c.credit_account_id

-- show_user: users with the names of their customer and reseller
SELECT u.id, u.username AS name, u.username, u.customer_id, c.name AS customer, c.reseller_id, s.name AS reseller,
  u.password_expired, u.activated, u.blocked, u.disabled, u.source_address, u.swapping_source_address_allowed,
  u.email, u.phone_number, u.allow_ip, u.created_at, u.idempotent_reference, u.mo_push, u.final_status_push, b.system_id AS smpp_system_id
FROM user_account u JOIN customer c ON c.id = u.customer_id JOIN reseller s ON s.id = c.reseller_id
LEFT JOIN smpp_account b ON b.user_id = u.id

-- show_smpp_account: what users bind to the SMPP server with
SELECT b.user_id AS id, u.username AS name, b.user_id, u.username, b.system_id, b.enabled, b.max_binds, b.window_size,
  b.throughput, b.allow_ip, b.long_mo, b.default_alphabet, b.origin_tag
FROM smpp_account b JOIN user_account u ON u.id = b.user_id

-- show_number: numbers with the names of those who own them and who takes their unprovoked MOs
SELECT n.number AS id, n.number AS name, n.number, n.customer_id, n.user_id, n.inbox_user_id, n.mo_push,
  c.name AS customer, s.name AS reseller, u.username, i.username AS inbox
FROM number n LEFT JOIN customer c ON c.id = n.customer_id LEFT JOIN reseller s ON s.id = c.reseller_id
LEFT JOIN user_account u ON u.id = n.user_id LEFT JOIN user_account i ON i.id = n.inbox_user_id

-- show_sender: names that customers may send under
SELECT s.name || '/' || c.name || '/' || n.name AS id, n.name, n.customer_id, c.name AS customer, s.name AS reseller
FROM sender n JOIN customer c ON c.id = n.customer_id JOIN reseller s ON s.id = c.reseller_id

-- show_carrier: carriers that are there, and how each stood when a server last said so
SELECT c.id, c.name, c.kind, c.settings, s.state, s.window_size, s.in_flight, s.rate, s.last_error, s.seen_at,
  (SELECT count(*) FROM outbox o WHERE o.carrier_id = c.id) AS queue
FROM carrier c LEFT JOIN carrier_state s ON s.carrier_id = c.id WHERE NOT c.removed

-- show_route: routes of carriers that are there
SELECT r.prefix || '/' || c.name AS id, r.prefix AS name, r.prefix, r.carrier_id, c.name AS carrier, r.priority,
  r.weight, r.on_unknown, r.sender
FROM route r JOIN carrier c ON c.id = r.carrier_id WHERE NOT c.removed

-- open_boxes: a user's two boxes, made with the user and never recomputed (contract §3 rule 2)
INSERT INTO mailbox (box_id, user_id) SELECT box, owner FROM @rows(box bigint, owner bigint) WHERE true

-- remove_routes: a carrier's routes go with it
DELETE FROM route WHERE carrier_id = :carrier

-- remove_carrier: parts and receipts still name it, so the row stays
UPDATE carrier SET removed = TRUE WHERE id = :carrier
