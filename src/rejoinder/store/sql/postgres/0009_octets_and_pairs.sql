-- Parts of long MOs keep their user data: a pair that a handset cut between two parts is only whole in it.

ALTER TABLE mo_part ADD COLUMN octets TEXT NOT NULL DEFAULT '';    -- hex, without the header; empty: the text is all
ALTER TABLE mo_part ADD COLUMN alphabet TEXT NOT NULL DEFAULT '';  -- what they are written in
