-- Written once, in PostgreSQL's words; for SQLite the store turns BIGINT into INTEGER and makes the tables STRICT.
-- Instants are milliseconds since 1970-01-01 UTC. Truth values are 0 or 1. JSON and UUIDs are text.

CREATE TABLE reports (
    id            TEXT NOT NULL PRIMARY KEY,  -- UUID v7; the sound file's name begins with it
    source        TEXT NOT NULL,              -- the source's name in the settings
    source_key    TEXT NOT NULL,              -- the message's identity within the source
    mailbox       TEXT,                       -- the mailbox or line it was left on
    caller_number TEXT,                       -- as displayed; NULL = withheld
    caller_name   TEXT,                       -- as displayed
    called_at     BIGINT NOT NULL,            -- when the caller called
    stored_at     BIGINT NOT NULL,            -- when it was safe here
    sound_file    TEXT,                       -- file in the sound folder; NULL = the sound was refused
    sound_sha256  TEXT,                       -- of that file, hex
    sound_bytes   BIGINT,                     -- its size
    sound_name    TEXT,                       -- the file's name at the source
    trouble       TEXT,                       -- why there is no sound
    confirmed_at  BIGINT,                     -- when the source was told that it is safe
    stage         TEXT NOT NULL,              -- transcribe, assess, done
    unheard_at    BIGINT,                     -- when a case opens without a verdict; NULL = judged or opened
    due_at        BIGINT,                     -- when the stage's work is due; NULL = none
    lease_until   BIGINT,                     -- until when a worker has it
    lease_token   TEXT,                       -- that worker's token
    attempt       BIGINT NOT NULL,            -- tries in this stage, counted before the try
    UNIQUE (source, source_key)
);
CREATE INDEX reports_due ON reports (stage, due_at);
CREATE INDEX reports_unheard ON reports (unheard_at);

CREATE TABLE transcripts (
    report_id  TEXT NOT NULL PRIMARY KEY REFERENCES reports (id),  -- whose words
    created_at BIGINT NOT NULL,               -- when they were written down
    took_ms    BIGINT NOT NULL,               -- how long that took
    body       TEXT NOT NULL                  -- domain::transcript::Transcript as JSON
);

CREATE TABLE assessments (
    report_id  TEXT NOT NULL PRIMARY KEY REFERENCES reports (id),  -- of which report
    created_at BIGINT NOT NULL,               -- when it was judged
    verdict    TEXT NOT NULL,                 -- confirmed, incomplete, unclear, not_emergency, ignored
    body       TEXT NOT NULL                  -- domain::assessment::Assessment as JSON
);

CREATE TABLE counters (
    name  TEXT NOT NULL PRIMARY KEY,          -- "cases"
    value BIGINT NOT NULL                     -- the number given last
);
INSERT INTO counters (name, value) VALUES ('cases', 1000);

CREATE TABLE cases (
    id             BIGINT NOT NULL PRIMARY KEY,  -- the number people say
    report_id      TEXT NOT NULL UNIQUE REFERENCES reports (id),  -- the report that opened it
    verdict        TEXT NOT NULL,             -- the newest verdict
    unheard        BIGINT NOT NULL,           -- 1 = opened without a verdict, none came yet
    state          TEXT NOT NULL,             -- open, taken, closed
    opened_at      BIGINT NOT NULL,           -- when it was opened
    began_at       BIGINT NOT NULL,           -- when the escalation began
    steps_begun    BIGINT NOT NULL,           -- steps of the policy begun so far
    rings          BIGINT NOT NULL,           -- rings so far
    taken_by       TEXT,                      -- the technician who has it
    taken_at       BIGINT,                    -- since when
    called_back_at BIGINT,                    -- when the customer was called back
    closed_by      TEXT,                      -- who ended it
    closed_at      BIGINT,                    -- when
    outcome        TEXT,                      -- done, no_emergency, harmless
    due_at         BIGINT,                    -- when the next ring is due; never NULL while open
    lease_until    BIGINT,                    -- until when a worker has it
    lease_token    TEXT,                      -- that worker's token
    attempt        BIGINT NOT NULL            -- tries of this ring
);
CREATE INDEX cases_due ON cases (due_at);

CREATE TABLE notices (
    id          TEXT NOT NULL PRIMARY KEY,    -- UUID v7
    report_id   TEXT REFERENCES reports (id), -- about which report
    case_id     BIGINT REFERENCES cases (id), -- about which case
    kind        TEXT NOT NULL,                -- voice, alert, transcript, text
    recipient   TEXT NOT NULL,                -- technician's name or "office"
    chat        BIGINT NOT NULL,              -- Telegram chat
    loud        BIGINT NOT NULL,              -- 1 = rings
    ring        BIGINT NOT NULL,              -- which ring of the escalation, 0 = none
    body        TEXT,                         -- free text
    delivery    TEXT NOT NULL,                -- due, sending, sent, failed, gone
    message     BIGINT,                       -- the message's number at Telegram
    shown       TEXT,                         -- fingerprint of what the phone shows
    repeated    BIGINT NOT NULL,              -- 1 = an earlier try may have arrived
    created_at  BIGINT NOT NULL,              -- when it was planned
    sent_at     BIGINT,                       -- when it arrived
    error       TEXT,                         -- the last failure, without personal data
    version     BIGINT NOT NULL,              -- counts the changes of what it should show
    due_at      BIGINT,                       -- when to send or to look again; NULL = nothing to do
    lease_until BIGINT,                       -- until when a worker has it
    lease_token TEXT,                         -- that worker's token
    attempt     BIGINT NOT NULL               -- tries so far
);
CREATE INDEX notices_due ON notices (due_at);
CREATE INDEX notices_case ON notices (case_id);
CREATE INDEX notices_report ON notices (report_id);

CREATE TABLE events (
    id        TEXT NOT NULL PRIMARY KEY,      -- UUID v7: in the order written
    at        BIGINT NOT NULL,                -- when
    kind      TEXT NOT NULL,                  -- what
    report_id TEXT,                           -- about which report
    case_id   BIGINT,                         -- about which case
    actor     TEXT,                           -- who; NULL = the service
    detail    TEXT NOT NULL                   -- more, in a few words
);
CREATE INDEX events_report ON events (report_id);
CREATE INDEX events_case ON events (case_id);

CREATE TABLE charges (
    case_id     BIGINT NOT NULL PRIMARY KEY REFERENCES cases (id),  -- for which case
    report_id   TEXT NOT NULL REFERENCES reports (id),  -- proven by which report
    proposed_at BIGINT NOT NULL,              -- when
    state       TEXT NOT NULL,                -- proposed; a human releases or cancels
    net_cents   BIGINT NOT NULL,              -- net amount
    gross_cents BIGINT NOT NULL,              -- with VAT
    proof       TEXT NOT NULL                 -- findings with words and seconds, sha256 of the sound, as JSON
);

CREATE TABLE troubles (
    source        TEXT NOT NULL,              -- at which source
    trouble_key   TEXT NOT NULL,              -- which one
    what          TEXT NOT NULL,              -- what is wrong and what to do
    loses_calls   BIGINT NOT NULL,            -- 1 = a caller's message may be lost
    first_seen_at BIGINT NOT NULL,            -- since when
    gone_at       BIGINT,                     -- until when; NULL = still there
    PRIMARY KEY (source, trouble_key)
);

CREATE TABLE workers (
    name    TEXT NOT NULL PRIMARY KEY,        -- which worker
    state   TEXT NOT NULL,                    -- idle, running, failing
    detail  TEXT NOT NULL,                    -- reason or last result, without personal data
    beat_at BIGINT NOT NULL                   -- when it last said so
);

CREATE TABLE marks (
    name  TEXT NOT NULL PRIMARY KEY,          -- "telegram.offset", "telegram.moved.<chat>"
    value BIGINT NOT NULL                     -- its value
);
