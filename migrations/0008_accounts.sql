-- The people at the page: accounts, their second factors, one-time links, sessions. Secrets are kept as hashes only, or sealed.

CREATE TABLE accounts (
    id          TEXT NOT NULL PRIMARY KEY,    -- UUID v7
    name        TEXT NOT NULL UNIQUE,         -- as typed at the log-in
    role        TEXT NOT NULL,                -- admin, reviewer, technician
    technician  TEXT UNIQUE,                  -- who of the settings this is; NULL = nobody of them
    password    TEXT,                         -- Argon2id, PHC format; NULL = none is set
    totp        TEXT,                         -- the seed of the time codes, sealed; NULL = none
    totp_step   BIGINT,                       -- the last step whose code was used: none counts twice
    disabled_at BIGINT,                       -- since when it may do nothing; NULL = it may
    created_at  BIGINT NOT NULL,              -- when it was made
    seen_at     BIGINT                        -- when somebody was last inside by it, to the minute; NULL = never
);

CREATE TABLE recovery_codes (
    code_sha256 TEXT NOT NULL PRIMARY KEY,    -- SHA-256 of the code, hex
    account_id  TEXT NOT NULL REFERENCES accounts (id)  -- whose second factor it stands in for, once
);
CREATE INDEX recovery_codes_account ON recovery_codes (account_id);

CREATE TABLE links (
    token_sha256 TEXT NOT NULL PRIMARY KEY,   -- SHA-256 of the link's token, hex
    account_id   TEXT NOT NULL REFERENCES accounts (id),  -- whose it is
    purpose      TEXT NOT NULL,               -- enter (a technician's log-in), begin (set a password)
    made_at      BIGINT NOT NULL,             -- when it was made
    until_at     BIGINT NOT NULL              -- until when it is valid; used, its row is gone
);
CREATE INDEX links_account ON links (account_id);

CREATE TABLE sessions (
    id           TEXT NOT NULL PRIMARY KEY,   -- UUID v7, for lists; opens nothing
    token_sha256 TEXT NOT NULL UNIQUE,        -- SHA-256 of the cookie's token, hex
    account_id   TEXT NOT NULL REFERENCES accounts (id),  -- whose it is
    stage        TEXT NOT NULL,               -- second (a factor is missing), enrol (one must be set up), full
    created_at   BIGINT NOT NULL,             -- when it began
    seen_at      BIGINT NOT NULL,             -- when it was used last, to the minute
    proved_at    BIGINT NOT NULL,             -- when its owner last proved who he is
    browser      TEXT NOT NULL,               -- what the browser calls itself, shortened
    address      TEXT NOT NULL                -- from where it began
);
CREATE INDEX sessions_account ON sessions (account_id);
