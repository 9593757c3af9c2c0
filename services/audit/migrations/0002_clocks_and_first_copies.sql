-- The partitions' clocks, and which events were seen. depends: 0001_log_and_findings

-- high, last: the latest and the last record time in ms, null before the first; apart: the last first copy was too far from intake's time.
ALTER TABLE detector_position ADD COLUMN high bigint, ADD COLUMN last bigint, ADD COLUMN apart boolean NOT NULL DEFAULT false;

-- Every event that was read, by a hash of its place, source and id, with a hash of its record: of copies the first one counts.
CREATE TABLE seen (
    name bytea PRIMARY KEY,
    content bytea NOT NULL
);
