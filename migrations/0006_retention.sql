-- What was kept long enough goes: when each kind was deleted, what is in hand, the proof of it, and who said that something stays.

ALTER TABLE reports ADD COLUMN sound_deleted_at BIGINT;     -- when the sound was deleted; NULL = not yet
ALTER TABLE reports ADD COLUMN text_deleted_at BIGINT;      -- when the words were
ALTER TABLE reports ADD COLUMN number_deleted_at BIGINT;    -- when the number was shortened and the name deleted
ALTER TABLE reports ADD COLUMN metadata_deleted_at BIGINT;  -- when the rest of the call's data was; then only times and verdict are left
ALTER TABLE charges ADD COLUMN proof_deleted_at BIGINT;     -- when its proof was deleted

CREATE TABLE deleting (
    report_id TEXT NOT NULL REFERENCES reports (id),  -- whose data is being deleted: the rows are stripped, the files are not gone yet
    class     TEXT NOT NULL,                  -- sound, text, number, metadata, proof
    why       TEXT NOT NULL,                  -- period, request, restored
    actor     TEXT,                           -- who asked for it; NULL = the service
    files     TEXT NOT NULL,                  -- names in the sound folder, as a JSON list
    marked_at BIGINT NOT NULL,                -- when
    PRIMARY KEY (report_id, class)
);

CREATE TABLE deletions (
    seq    BIGINT NOT NULL PRIMARY KEY,       -- 0, 1, 2 …; 0 holds the salt
    at     BIGINT NOT NULL,                   -- when
    report TEXT NOT NULL,                     -- SHA-256 of salt and report id, hex; in row 0 the salt
    class  TEXT NOT NULL,                     -- sound, text, number, metadata, proof; in row 0 "salt"
    why    TEXT NOT NULL,                     -- period, request, restored
    result TEXT NOT NULL,                     -- deleted, or nothing: there was nothing of it
    chain  TEXT NOT NULL                      -- SHA-256 of the row before's chain and of this row, hex
);
CREATE INDEX deletions_report ON deletions (report);
INSERT INTO counters (name, value) VALUES ('deletions', 0);

CREATE TABLE legal_holds (
    id        TEXT NOT NULL PRIMARY KEY,      -- UUID v7
    report_id TEXT NOT NULL REFERENCES reports (id),  -- of which nothing is deleted meanwhile
    reason    TEXT NOT NULL,                  -- why
    until_at  BIGINT NOT NULL,                -- until when
    made_by   TEXT NOT NULL,                  -- who said so
    made_at   BIGINT NOT NULL,                -- when
    ended_at  BIGINT,                         -- when it was ended before its time; NULL = it was not
    ended_by  TEXT                            -- by whom
);
CREATE INDEX legal_holds_report ON legal_holds (report_id);
