-- Of several messages to one handset whose answers were lost a receipt may mean any: they are looked up by the handset.
CREATE INDEX outbox_unanswered ON outbox (carrier_id, recipient) WHERE submitting;
