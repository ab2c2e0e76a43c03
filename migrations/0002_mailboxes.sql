-- More ways in: e-mail, several sources that see one message, messages that join a case, what sources remember.

ALTER TABLE reports ADD COLUMN medium TEXT NOT NULL DEFAULT 'voicemail';  -- voicemail, email, fax
ALTER TABLE reports ADD COLUMN twin TEXT;           -- identity at its source that outlives the key; NULL = the key is all
ALTER TABLE reports ADD COLUMN longest_s BIGINT;    -- the mailbox ends a recording after so many seconds; NULL = unknown
CREATE INDEX reports_twin ON reports (source, twin);
CREATE INDEX reports_sound ON reports (sound_sha256);

CREATE TABLE sightings (
    source       TEXT NOT NULL,               -- the source that saw a known message once more
    source_key   TEXT NOT NULL,               -- its identity there
    report_id    TEXT NOT NULL REFERENCES reports (id),  -- the report it is
    seen_at      BIGINT NOT NULL,             -- when
    confirmed_at BIGINT,                      -- when that source was told that it is safe
    PRIMARY KEY (source, source_key)
);
CREATE INDEX sightings_report ON sightings (report_id);

CREATE TABLE mails (
    report_id  TEXT NOT NULL PRIMARY KEY REFERENCES reports (id),  -- which written report
    sender     TEXT,                          -- address, lower case
    reply_to   TEXT,                          -- where an answer goes
    message_id TEXT,                          -- without brackets
    subject    TEXT NOT NULL,                 -- decoded
    body       TEXT NOT NULL,                 -- the readable text
    headers    TEXT NOT NULL,                 -- [[name, value], ...] as JSON
    automatic  BIGINT NOT NULL,               -- 1 = a machine wrote it
    file       TEXT NOT NULL,                 -- the mail as it came, in the sound folder
    sha256     TEXT NOT NULL,                 -- of that file, hex
    bytes      BIGINT NOT NULL                -- its size
);
CREATE INDEX mails_sender ON mails (sender);

CREATE TABLE joins (
    report_id TEXT NOT NULL PRIMARY KEY REFERENCES reports (id),  -- the later report
    case_id   BIGINT NOT NULL REFERENCES cases (id),  -- the case it joined
    why       TEXT NOT NULL,                  -- same_message, same_trouble
    joined_at BIGINT NOT NULL                 -- when
);
CREATE INDEX joins_case ON joins (case_id);

CREATE TABLE memory (
    source TEXT NOT NULL,                     -- which source remembers
    name   TEXT NOT NULL,                     -- what ("imap.validity")
    value  TEXT NOT NULL,                     -- its value
    PRIMARY KEY (source, name)
);

CREATE TABLE watched (
    source        TEXT NOT NULL PRIMARY KEY,  -- which source
    reached_at    BIGINT,                     -- when its mailbox last answered
    arrived_at    BIGINT,                     -- when it last brought something new
    failing_since BIGINT,                     -- since when it cannot be reached; NULL = it can
    failures      BIGINT NOT NULL,            -- tries since then
    next_try_at   BIGINT,                     -- when the next try is due
    why           TEXT                        -- the last failure
);

CREATE TABLE receipts (
    report_id   TEXT NOT NULL PRIMARY KEY REFERENCES reports (id),  -- which mail is answered
    address     TEXT NOT NULL,                -- to whom
    day         TEXT NOT NULL,                -- the firm's calendar day, 2026-11-21
    state       TEXT NOT NULL,                -- due, sending, sent, failed
    due_at      BIGINT,                       -- when to try; NULL = nothing to do
    sent_at     BIGINT,                       -- when the mail server took it
    error       TEXT,                         -- the last failure
    lease_until BIGINT,                       -- until when a worker has it
    lease_token TEXT,                         -- that worker's token
    attempt     BIGINT NOT NULL,              -- tries so far
    UNIQUE (address, day)
);
CREATE INDEX receipts_due ON receipts (due_at);
