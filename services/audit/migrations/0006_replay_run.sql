-- Every grade worked out again after a day closed: one row a run, written together with what it found. depends: 0005_read_by_verify

-- registry_offset: where the day.closed stands; day: through which day; digest: of all events that the facts lead to; found: findings that
-- no run before it had; the others are counts, see services.audit.regrading.
CREATE TABLE replay_run (
    registry_offset bigint PRIMARY KEY,
    day text NOT NULL,
    ended_at timestamptz NOT NULL DEFAULT now(),
    seconds double precision NOT NULL,
    digest text NOT NULL,
    facts bigint NOT NULL,
    events bigint NOT NULL,
    compared bigint NOT NULL,
    differences bigint NOT NULL,
    copies_missing bigint NOT NULL,
    found bigint NOT NULL,
    pending bigint NOT NULL,
    reworded bigint NOT NULL,
    untold bigint NOT NULL,
    unjudged text[] NOT NULL
);
