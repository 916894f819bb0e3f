-- Where one customer's messages are all that the statistics have seen, a plan for any customer would look for the others' ones
-- among all that wait, a million of them for each claim. They are to count as many customers', whatever ANALYZE finds.
ALTER TABLE outbox ALTER COLUMN customer_id SET (n_distinct = 1000);
