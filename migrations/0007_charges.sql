-- Charges that people release or cancel, and what the figures of a year are counted from.

ALTER TABLE charges ADD COLUMN booked_at BIGINT NOT NULL DEFAULT 0;  -- in whose month it counts: the call; once released, the release
ALTER TABLE charges ADD COLUMN released_at BIGINT;    -- when a person released it; stays when it is cancelled afterwards
ALTER TABLE charges ADD COLUMN released_by TEXT;      -- who
ALTER TABLE charges ADD COLUMN cancelled_at BIGINT;   -- when a person cancelled it
ALTER TABLE charges ADD COLUMN cancelled_by TEXT;     -- who
ALTER TABLE charges ADD COLUMN cancel_reason TEXT;    -- why, in his words
ALTER TABLE charges ADD COLUMN objection TEXT;        -- what came up since and a person must look at: refused, split, judged

UPDATE charges SET booked_at = (SELECT called_at FROM reports WHERE reports.id = charges.report_id);
CREATE INDEX charges_booked ON charges (booked_at, case_id);
CREATE INDEX charges_cancelled ON charges (cancelled_at);
CREATE INDEX charges_report ON charges (report_id);

CREATE TABLE charge_steps (
    id        TEXT NOT NULL PRIMARY KEY,      -- UUID v7; what was there before this table: the case's number
    case_id   BIGINT NOT NULL REFERENCES cases (id),  -- of which case's charge
    at        BIGINT NOT NULL,                -- when
    step      TEXT NOT NULL,                  -- proposed, withdrawn, released, cancelled, credited, moved, kept, refused, judged, agreed
    actor     TEXT,                           -- who; NULL = the service
    net_cents BIGINT NOT NULL,                -- the net amount it was about
    detail    TEXT NOT NULL                   -- the reason, or the other case
);
CREATE INDEX charge_steps_case ON charge_steps (case_id);

INSERT INTO charge_steps (id, case_id, at, step, net_cents, detail)
SELECT CAST(case_id AS TEXT), case_id, proposed_at, 'proposed', net_cents, basis FROM charges;

-- The figures outlive the texts: they are counted from these narrow columns.

ALTER TABLE assessments ADD COLUMN stored_at BIGINT;  -- when its report was stored; NULL = a drill's, which counts nowhere
UPDATE assessments SET stored_at =
    (SELECT stored_at FROM reports WHERE reports.id = assessments.report_id AND source <> 'drill');
CREATE INDEX assessments_stored ON assessments (stored_at, verdict, corrected_verdict);

ALTER TABLE transcripts ADD COLUMN sound_ms BIGINT;   -- length of the sound in milliseconds
UPDATE transcripts SET sound_ms = CAST(CAST(body AS JSON) ->> 'sound_ms' AS BIGINT) WHERE body <> '';
CREATE INDEX transcripts_written ON transcripts (created_at, took_ms, sound_ms);

ALTER TABLE cases ADD COLUMN answered_at BIGINT;      -- when somebody first took it or ended it; stays when it is given back
ALTER TABLE cases ADD COLUMN first_called_at BIGINT;  -- when the customer was first called back
UPDATE cases SET answered_at = COALESCE(taken_at, CASE WHEN closed_by IS NULL THEN NULL ELSE closed_at END),
    first_called_at = called_back_at;
CREATE INDEX cases_opened ON cases (opened_at, answered_at, first_called_at, state, outcome, taken_by);
