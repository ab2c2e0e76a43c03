-- A recording is heard a second time, by a larger model: what it heard stands beside the first transcript.

CREATE TABLE hearings (
    report_id   TEXT NOT NULL PRIMARY KEY REFERENCES reports (id),  -- whose recording
    stage       TEXT NOT NULL,                -- listen, judge, done, given_up
    body        TEXT,                         -- domain::transcript::Transcript as JSON; NULL = not heard (yet), or deleted
    heard_at    BIGINT,                       -- when it was heard
    took_ms     BIGINT,                       -- how long that took
    verdict     TEXT,                         -- what it says by itself; NULL = not judged
    counts      BIGINT NOT NULL,              -- 1 = its words are shown and judged, 0 = those of the first hearing
    due_at      BIGINT,                       -- when the stage's work is due; NULL = none
    lease_until BIGINT,                       -- until when a worker has it
    lease_token TEXT,                         -- that worker's token
    attempt     BIGINT NOT NULL               -- tries in this stage, counted before the try
);
CREATE INDEX hearings_due ON hearings (stage, due_at);
