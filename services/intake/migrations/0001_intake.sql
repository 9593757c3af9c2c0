-- Intake keeps each admitted event before it goes to Kafka, and where its first copy was found after it came back.
-- depends:

CREATE TABLE submission (
    seq bigint GENERATED ALWAYS AS IDENTITY,
    source text NOT NULL,
    id uuid NOT NULL,
    event_hash bytea NOT NULL CHECK (length(event_hash) = 32),
    topic text NOT NULL,
    key text NOT NULL,
    type text NOT NULL,
    value bytea NOT NULL,
    received_ms bigint NOT NULL,
    traceparent text,
    PRIMARY KEY (source, id)
);
CREATE UNIQUE INDEX submission_in_order ON submission (seq);

-- Can be built again from Kafka. Apart from submission, so that entering one doesn't write the envelope a second time.
CREATE TABLE first_copy (
    source text NOT NULL,
    id uuid NOT NULL,
    event_hash bytea NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    received_ms bigint NOT NULL,
    known_ms bigint NOT NULL,
    PRIMARY KEY (source, id)
);

CREATE TABLE control_copy (
    source text NOT NULL,
    id uuid NOT NULL,
    partition integer NOT NULL,
    sent boolean NOT NULL DEFAULT false,
    PRIMARY KEY (source, id, partition)
);
CREATE INDEX control_copy_unsent ON control_copy (source, id) WHERE NOT sent;

CREATE TABLE partition_position (
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    known_ms bigint NOT NULL,
    PRIMARY KEY (topic, partition)
);

CREATE TABLE refusal (
    seq bigint GENERATED ALWAYS AS IDENTITY,
    key_id text NOT NULL,
    event_hash bytea NOT NULL,
    reason text NOT NULL,
    source text NOT NULL,
    value bytea NOT NULL,
    received_ms bigint NOT NULL,
    sent boolean NOT NULL DEFAULT false,
    PRIMARY KEY (key_id, event_hash, reason)
);
CREATE INDEX refusal_unsent ON refusal (seq) WHERE NOT sent;

-- Simulated stacks only: true once the clock has been told to go on at wall speed.
CREATE TABLE simulated_clock (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    by_itself boolean NOT NULL DEFAULT false
);
INSERT INTO simulated_clock DEFAULT VALUES;

-- Encrypted under a key that the database never sees. Deleting a row leaves its commitment unlinkable.
CREATE TABLE vault.private_value (
    source text NOT NULL,
    id uuid NOT NULL,
    field text NOT NULL,
    key text NOT NULL,
    nonce bytea NOT NULL,
    box bytea NOT NULL,
    PRIMARY KEY (source, id, field)
);
