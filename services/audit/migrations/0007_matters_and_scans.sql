-- Findings name their matter; scans and effects stand beside them, and are sent in the same way. depends: 0006_replay_run

-- type: the event's; matter: what the last one of the same type takes the place of; retracted: it says that there is none any more.
ALTER TABLE finding ADD COLUMN type text NOT NULL DEFAULT 'mingjian.finding.raised.v1', ADD COLUMN matter text,
    ADD COLUMN retracted boolean NOT NULL DEFAULT false;
UPDATE finding SET retracted = true WHERE kind = 'late_entry_retracted';
CREATE INDEX finding_matter ON finding (matter);
