-- A change is known from when its cause was (the cause's own known_from), not from when rating or this projection came to it. Changes
-- told before causes said so are taken at the time of the record that caused them.
-- depends: 0002_build

ALTER TABLE change ADD COLUMN cause_offset bigint, ADD COLUMN cause_known_ms bigint;
UPDATE change SET
    cause_offset = (data #>> '{cause,offset}')::bigint,
    cause_known_ms = floor(extract(epoch FROM COALESCE(data #>> '{cause,known_from}', time)::timestamptz) * 1000)::bigint;
ALTER TABLE change ALTER COLUMN cause_offset SET NOT NULL, ALTER COLUMN cause_known_ms SET NOT NULL;
-- The newest of a subject that was known at an instant, and whether rating has come past an instant in a partition.
CREATE INDEX change_newest ON change (regime, subject COLLATE "C", cause_offset DESC, seq DESC);
CREATE INDEX change_cause ON change (regime, cause_known_ms, partition);
