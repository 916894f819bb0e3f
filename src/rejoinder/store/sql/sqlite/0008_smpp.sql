-- Several carriers per prefix share messages by weight; how each carrier's link stands, for the command line.

ALTER TABLE route ADD COLUMN weight INTEGER NOT NULL DEFAULT 1 CHECK (weight BETWEEN 1 AND 1000);

CREATE TABLE carrier_state (
  carrier_id INTEGER PRIMARY KEY,
  state TEXT NOT NULL,                           -- up, down, or what is wrong
  window_size INTEGER NOT NULL,                     -- messages that may be under way now; less than set while throttled
  in_flight INTEGER NOT NULL,
  rate REAL NOT NULL,                             -- parts a second that it accepted lately
  last_error TEXT NOT NULL,
  seen_at INTEGER NOT NULL                         -- written anew every few seconds while a server runs
) STRICT;
