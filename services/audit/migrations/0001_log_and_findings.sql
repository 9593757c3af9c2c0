-- The log's plan, and what the detectors keep. depends:

-- One row: who may write (epoch), how many leaves are planned, how many are under a signed checkpoint.
CREATE TABLE log_head (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    epoch bigint NOT NULL DEFAULT 0,
    planned bigint NOT NULL DEFAULT 0,
    signed bigint NOT NULL DEFAULT 0 CHECK (signed <= planned)
);
INSERT INTO log_head DEFAULT VALUES;

-- Leaves first … first + count - 1 are the records first_offset … first_offset + count - 1 of the partition.
CREATE TABLE log_plan (
    first bigint PRIMARY KEY,
    count integer NOT NULL CHECK (count > 0),
    topic text NOT NULL,
    partition integer NOT NULL,
    first_offset bigint NOT NULL,
    epoch bigint NOT NULL,
    UNIQUE (topic, partition, first_offset)
);

-- The first offset of each partition that is not planned; follows from log_plan, kept for speed, in the same transaction.
CREATE TABLE log_position (
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    PRIMARY KEY (topic, partition)
);

-- Where the detectors read next; moves in the transaction of what they found.
CREATE TABLE detector_position (
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    PRIMARY KEY (topic, partition)
);

-- The calendars as each partition of facts has them: a control copy takes effect at its own place.
CREATE TABLE calendar (
    partition integer NOT NULL,
    year integer NOT NULL,
    event_id text NOT NULL,
    record_offset bigint NOT NULL,
    days_off date[] NOT NULL,
    make_up_days date[] NOT NULL,
    PRIMARY KEY (partition, event_id)
);

CREATE TABLE subject_regimes (
    subject text PRIMARY KEY,
    regimes text[] NOT NULL
);

-- Verdicts that a calendar still to come may change. judged: how many verdicts were given; late: the last one.
CREATE TABLE open_verdict (
    event_id text NOT NULL,
    source text NOT NULL,
    regime text NOT NULL,
    partition integer NOT NULL,
    record_offset bigint NOT NULL,
    fact jsonb NOT NULL,
    registry_offset bigint NOT NULL,
    judged integer NOT NULL,
    late boolean NOT NULL,
    PRIMARY KEY (event_id, source, regime)
);
CREATE INDEX open_verdict_partition ON open_verdict (partition);

-- Findings, each written in the transaction that moves the detectors' position, then sent to Kafka until read back from there.
-- sequence: order of finding, for pages. superseded: a later verdict on the same fact stands.
CREATE TABLE finding (
    id text PRIMARY KEY,
    sequence bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    kind text NOT NULL,
    about text NOT NULL,
    office text,
    subject text,
    regime text,
    event_id text,
    record_key bytea NOT NULL,
    value bytea NOT NULL,
    traceparent text,
    superseded boolean NOT NULL DEFAULT false,
    read_back boolean NOT NULL DEFAULT false
);
CREATE INDEX finding_unsent ON finding (sequence) WHERE NOT read_back;
CREATE INDEX finding_event ON finding (event_id);
