-- Two boxes a user (contract §3 rule 2, §8): id +user_id holds its messages, -user_id the final statuses of its MTs.

ALTER TABLE mailbox RENAME TO mailbox_of_one;
CREATE TABLE mailbox (
  box_id BIGINT PRIMARY KEY,
  user_id BIGINT NOT NULL REFERENCES user_account (id),
  last BIGINT NOT NULL DEFAULT 0,                -- highest timestamp given out
  sealed BIGINT NOT NULL DEFAULT 0,              -- highest second answered
  last_count INTEGER NOT NULL DEFAULT 0,         -- entries that bear `last`
  last_received BIGINT NOT NULL DEFAULT 0,       -- highest timestamp given to an MO: `messages` need look no further
  CHECK (user_id = abs(box_id))
) WITH (fillfactor = 50);                        -- room for the next version of a row beside it: no index is touched
INSERT INTO mailbox (box_id, user_id, last, sealed, last_count, last_received)
  SELECT user_id, user_id, last, sealed, last_count,
    COALESCE((SELECT max(e.timestamp) FROM entry e WHERE e.user_id = m.user_id AND e.incoming), 0)
  FROM mailbox_of_one m;
INSERT INTO mailbox (box_id, user_id) SELECT -id, id FROM user_account;
DROP TABLE mailbox_of_one;
ALTER TABLE entry RENAME COLUMN user_id TO box_id;
