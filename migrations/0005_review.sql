-- What people correct, the examples they keep for the rules, and the words the recogniser should know.

CREATE TABLE corrections (
    id        TEXT NOT NULL PRIMARY KEY,      -- UUID v7: in the order made
    report_id TEXT NOT NULL REFERENCES reports (id),  -- of which report
    at        BIGINT NOT NULL,                -- when
    actor     TEXT NOT NULL,                  -- who
    what      TEXT NOT NULL,                  -- transcript, company, contact, callback, description, verdict
    before    TEXT,                           -- what stood there; NULL = nothing
    after     TEXT,                           -- what stands there from then on; NULL = nothing
    reason    TEXT                            -- why, where a verdict was set by hand
);
CREATE INDEX corrections_report ON corrections (report_id);

-- The row's own verdict and body stay as the service judged it.
ALTER TABLE assessments ADD COLUMN corrected_verdict TEXT;  -- after the corrections; NULL = there is none
ALTER TABLE assessments ADD COLUMN corrected_body TEXT;     -- domain::assessment::Assessment as JSON; NULL = there is none

CREATE TABLE examples (
    id         TEXT NOT NULL PRIMARY KEY,     -- UUID v7
    report_id  TEXT,                          -- made of which report; NULL = made anonymous
    made_at    BIGINT NOT NULL,               -- when
    made_by    TEXT NOT NULL,                 -- by whom
    anonymised BIGINT NOT NULL,               -- 1 = names and numbers are invented
    record     TEXT NOT NULL                  -- assess::bench::Record as JSON: a message with its labels
);
CREATE INDEX examples_report ON examples (report_id);

CREATE TABLE vocabulary (
    id         TEXT NOT NULL PRIMARY KEY,     -- UUID v7
    kind       TEXT NOT NULL,                 -- customer, contact, product, place
    word       TEXT NOT NULL,                 -- as it is written
    added_at   BIGINT NOT NULL,               -- when
    added_by   TEXT NOT NULL,                 -- by whom
    removed_at BIGINT,                        -- when it was taken off the list; NULL = it stands there
    removed_by TEXT                           -- by whom
);
CREATE INDEX vocabulary_word ON vocabulary (word);
