-- Whose turn it is: out of hours before in hours, short before long, and whoever waited long enough before everybody.

ALTER TABLE reports ADD COLUMN turn_at BIGINT;  -- place in the queue, the earliest goes first; NULL = as stored_at
