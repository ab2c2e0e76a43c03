-- The right person, and not letting go: roster, second ways, hand-over, notes, and what watches the watch itself.

ALTER TABLE cases ADD COLUMN eta_at BIGINT;         -- by when the taker calls the customer back; NULL = nobody has it
ALTER TABLE cases ADD COLUMN reminded_at BIGINT;    -- when he was reminded of that
ALTER TABLE cases ADD COLUMN handing_to TEXT;       -- who is asked to take it over
ALTER TABLE cases ADD COLUMN handing_until BIGINT;  -- until when he may accept
ALTER TABLE cases ADD COLUMN reason TEXT;           -- why it is no emergency: a word, or "other:" and free text

-- What was taken before times were kept is asked for silently, not rung.
UPDATE cases SET called_back_at = COALESCE(called_back_at, taken_at) WHERE state = 'taken';

ALTER TABLE notices ADD COLUMN channel TEXT NOT NULL DEFAULT 'telegram';  -- telegram, or a channel's name in the settings
ALTER TABLE notices ADD COLUMN wanted_at BIGINT;    -- when it should have gone out; NULL = created_at
ALTER TABLE notices ADD COLUMN second_at BIGINT;    -- when the recipient's other ways begin unless somebody answers
ALTER TABLE notices ADD COLUMN menu TEXT;           -- which menu is open under it: eta, reason, hand
CREATE INDEX notices_second ON notices (second_at);
CREATE INDEX notices_chat ON notices (chat, message);
CREATE INDEX notices_busy ON notices (chat, lease_until);

CREATE TABLE consents (
    id      TEXT NOT NULL PRIMARY KEY,        -- UUID v7; the newest of a case counts
    case_id BIGINT NOT NULL REFERENCES cases (id),  -- in which case
    given   BIGINT NOT NULL,                  -- 1 = agreed on the phone, 0 = refused
    actor   TEXT NOT NULL,                    -- the technician who asked
    at      BIGINT NOT NULL                   -- when
);
CREATE INDEX consents_case ON consents (case_id);

ALTER TABLE charges ADD COLUMN basis TEXT NOT NULL DEFAULT 'spoken';  -- spoken, or phone: what a technician recorded

CREATE TABLE notes (
    id         TEXT NOT NULL PRIMARY KEY,     -- UUID v7
    case_id    BIGINT NOT NULL REFERENCES cases (id),  -- on which case
    author     TEXT NOT NULL,                 -- the technician
    at         BIGINT NOT NULL,               -- when
    body       TEXT,                          -- what he wrote; NULL = he spoke
    file_id    TEXT,                          -- his voice at Telegram, while it is still to be fetched
    length_s   BIGINT,                        -- its length
    sound_file TEXT,                          -- file in the sound folder, once fetched
    due_at     BIGINT,                        -- when to fetch it; NULL = nothing to do
    attempt    BIGINT NOT NULL                -- tries so far
);
CREATE INDEX notes_case ON notes (case_id);
CREATE INDEX notes_due ON notes (due_at);

CREATE TABLE phones (
    technician TEXT NOT NULL PRIMARY KEY,     -- name in the settings
    chat       BIGINT NOT NULL,               -- his private chat with the bot
    user_id    BIGINT NOT NULL,               -- his number at Telegram
    paired_at  BIGINT NOT NULL                -- when the invitation was used
);

CREATE TABLE invites (
    code_sha256 TEXT NOT NULL PRIMARY KEY,    -- of the one-time code, hex
    technician  TEXT NOT NULL,                -- whom it pairs
    made_at     BIGINT NOT NULL,              -- when
    until_at    BIGINT NOT NULL,              -- not valid from then on
    used_at     BIGINT                        -- when it was used; NULL = not yet
);

CREATE TABLE roster_changes (
    id         TEXT NOT NULL PRIMARY KEY,     -- UUID v7
    kind       TEXT NOT NULL,                 -- override, absence
    technician TEXT NOT NULL,                 -- who has duty instead, or who is away
    replaces   TEXT,                          -- whose duty it is without the change
    from_at    BIGINT NOT NULL,               -- from
    until_at   BIGINT NOT NULL,               -- to, not included
    state      TEXT NOT NULL,                 -- asked, active, refused, withdrawn, lapsed
    made_by    TEXT NOT NULL,                 -- who made it
    made_at    BIGINT NOT NULL                -- when
);
CREATE INDEX roster_changes_until ON roster_changes (until_at);

CREATE TABLE feeds (
    name       TEXT NOT NULL PRIMARY KEY,     -- the feed's name in the settings
    body       TEXT,                          -- the newest calendar that could be read
    fetched_at BIGINT,                        -- when
    tried_at   BIGINT NOT NULL,               -- when it was last tried
    error      TEXT                           -- the last failure; NULL = none
);

CREATE TABLE ready (
    technician  TEXT NOT NULL,                -- whose shift begins
    shift_at    BIGINT NOT NULL,              -- when it begins
    asked_at    BIGINT NOT NULL,              -- when he was asked whether he is ready
    reminded_at BIGINT,                       -- when he was asked again, loudly
    ready_at    BIGINT,                       -- when he tapped
    told_at     BIGINT,                       -- when others were told that he did not
    told        TEXT,                         -- who they are: a JSON list of names
    PRIMARY KEY (technician, shift_at)
);

CREATE TABLE paths (
    name          TEXT NOT NULL PRIMARY KEY,  -- telegram, or a channel's name
    ok_at         BIGINT,                     -- when it last worked
    checked_at    BIGINT,                     -- when it was last tried
    failing_since BIGINT,                     -- since when it does not; NULL = it does
    down_at       BIGINT,                     -- since when people are told so; NULL = it counts as up
    error         TEXT,                       -- the last failure, without personal data
    refusing      BIGINT NOT NULL             -- 1 = it was a refusal to tell somebody
);

CREATE TABLE drills (
    id         TEXT NOT NULL PRIMARY KEY,     -- UUID v7; also in the recording's name
    source     TEXT NOT NULL,                 -- through which source it travels
    begun_at   BIGINT NOT NULL,               -- when the recording was laid down
    until_at   BIGINT NOT NULL,               -- when it must have arrived
    report_id  TEXT,                          -- the report it became
    arrived_at BIGINT,                        -- when its notice stood in the chat
    failed_at  BIGINT,                        -- when it was given up and people were told
    why        TEXT                           -- how far it came
);
