-- The list of what came in: what it filters on, shows and finds, beside the truth and written in the same transactions.

CREATE TABLE inbox (
    place      BIGINT NOT NULL PRIMARY KEY,   -- where it stands in the list: 256 * called_at, and up to the next that is free
    report_id  TEXT NOT NULL UNIQUE REFERENCES reports (id),  -- which report; drills have no row
    source     TEXT NOT NULL,                 -- where it came in
    verdict    TEXT,                          -- the report's own; NULL = none yet
    state      TEXT NOT NULL,                 -- waiting, none (no case), or the case's: open, taken, closed
    technician TEXT,                          -- who has the case, or who closed it
    case_id    BIGINT REFERENCES cases (id)   -- the case it opened or joined
);
CREATE INDEX inbox_counts ON inbox (verdict, state, source, technician, place);
-- In the order of the list, and with all that is counted in them: no row has to be fetched.
CREATE INDEX inbox_state ON inbox (state, place, verdict, source, technician);
CREATE INDEX inbox_technician ON inbox (technician, place, verdict, state, source);
CREATE INDEX inbox_case ON inbox (case_id);

CREATE TABLE inbox_shown (
    place    BIGINT NOT NULL PRIMARY KEY REFERENCES inbox (place),  -- whose line
    sound_ms BIGINT,                          -- length of the recording
    company  TEXT,                            -- as read out of the message
    contact  TEXT,                            -- as read out of the message
    callback TEXT,                            -- the number to call back on, E.164
    opening  TEXT                             -- the first words
);

-- only sqlite:
-- One row a report, its rowid is the place. The words come folded and each once, so nothing is left to the tokenizer. Short
-- beginnings have lists of their own: else those of all words that begin so are merged while somebody types.
CREATE VIRTUAL TABLE inbox_words USING fts5 (words, tokenize = 'ascii', detail = 'none', columnsize = 0, prefix = '2 3 4');
-- What is taken out of the index is gone from the file, not only marked.
INSERT INTO inbox_words (inbox_words, rank) VALUES ('secure-delete', 1);
-- only postgres:
CREATE TABLE inbox_words (
    place BIGINT NOT NULL PRIMARY KEY,        -- whose words
    words TSVECTOR NOT NULL                   -- folded, each once, without positions
);
CREATE INDEX inbox_words_words ON inbox_words USING GIN (words) WITH (fastupdate = off);
-- end

CREATE TABLE inbox_due (
    report_id TEXT NOT NULL PRIMARY KEY REFERENCES reports (id)  -- stored before there was a list, or refused by it: it is caught up
);
INSERT INTO inbox_due (report_id) SELECT id FROM reports WHERE source <> 'drill';
