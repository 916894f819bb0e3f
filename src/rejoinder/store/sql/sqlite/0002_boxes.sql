-- Two boxes a user (contract §3 rule 2, §8): id +user_id holds its messages, -user_id the final statuses of its MTs.

CREATE TABLE box (
  box_id INTEGER PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES user_account (id),
  last INTEGER NOT NULL DEFAULT 0,               -- highest timestamp given out
  sealed INTEGER NOT NULL DEFAULT 0,             -- highest second answered
  last_count INTEGER NOT NULL DEFAULT 0,         -- entries that bear `last`
  last_received INTEGER NOT NULL DEFAULT 0,      -- highest timestamp given to an MO: `messages` need look no further
  CHECK (user_id = abs(box_id))
) STRICT;
INSERT INTO box (box_id, user_id, last, sealed, last_count, last_received)
  SELECT user_id, user_id, last, sealed, last_count,
    COALESCE((SELECT max(e.timestamp) FROM entry e WHERE e.user_id = m.user_id AND e.incoming), 0)
  FROM mailbox m;
INSERT INTO box (box_id, user_id) SELECT -id, id FROM user_account;
DROP TABLE mailbox;
ALTER TABLE box RENAME TO mailbox;
ALTER TABLE entry RENAME COLUMN user_id TO box_id;
