-- Pushes over SMPP are taken under a lease, as all others: of each handset the first is due. Their targets' own due_at stays
-- NULL: sessions look for themselves.

INSERT INTO push_target (target) SELECT DISTINCT target FROM push WHERE channel = 'smpp';
UPDATE push SET due_at = 0 WHERE channel = 'smpp' AND id IN (
  SELECT min(id) FROM push WHERE channel = 'smpp' GROUP BY target, handset);
DROP INDEX push_line;
CREATE INDEX push_line ON push (target, handset, id) WHERE parked_at IS NULL;
