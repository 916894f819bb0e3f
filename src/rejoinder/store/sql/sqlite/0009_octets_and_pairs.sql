-- Parts of long MOs keep their user data: a pair that a handset cut between two parts is only whole in it.

ALTER TABLE mo_part ADD COLUMN octets TEXT NOT NULL DEFAULT '';    -- hex, without the header; empty: the text is all
ALTER TABLE mo_part ADD COLUMN alphabet TEXT NOT NULL DEFAULT '';  -- what they are written in

-- What a customer submitted over SMPP can be called back by its pair of addresses: as they were given, also where the
-- pool or a route chose what it went out from. NULL: it came by another door.
ALTER TABLE mt ADD COLUMN service_type TEXT;
ALTER TABLE mt ADD COLUMN asked_sender TEXT NOT NULL DEFAULT '';
CREATE INDEX mt_pair ON mt (user_id, recipient, id) WHERE service_type IS NOT NULL AND finished_at IS NULL;
