-- The public projection. Everything here is of disclosure class public, save sample_story, which exists on made-up towns only.
-- depends:

CREATE TABLE stack (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    sample boolean NOT NULL,
    clock_mode text NOT NULL,
    time_zone text NOT NULL,
    fingerprint text NOT NULL,
    UNIQUE (one, sample)
);

-- Where each partition is read next, kept in the same transaction as what was read. known_ms: running maximum of record time.
CREATE TABLE partition_position (
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    known_ms bigint NOT NULL,
    PRIMARY KEY (topic, partition)
);

-- head: the last sequence number given out. floor: numbers up to it can't be resumed from. revision: counts effective batches.
CREATE TABLE sequence_state (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    head bigint NOT NULL DEFAULT 0,
    floor bigint NOT NULL DEFAULT 0,
    revision bigint NOT NULL DEFAULT 0
);
INSERT INTO sequence_state DEFAULT VALUES;

CREATE TABLE registry_event (
    "offset" bigint PRIMARY KEY,
    type text NOT NULL,
    event_id text NOT NULL,
    subject text NOT NULL,
    known_ms bigint NOT NULL,
    data jsonb NOT NULL
);

CREATE TABLE subject (
    id text COLLATE "C" PRIMARY KEY,
    name text,
    business_kind text,
    address text,
    postcode text,
    district text,
    business_type text,
    local_ref text,
    licence_numbers text[] NOT NULL DEFAULT '{}',
    regimes text[] NOT NULL DEFAULT '{}',
    registered_on date,
    operating_since date,
    operation text,
    closed_on date,
    closed_reason text,
    folded text NOT NULL DEFAULT '',
    pinyin text NOT NULL DEFAULT '',
    initials text NOT NULL DEFAULT '',
    tokens text[] NOT NULL DEFAULT '{}',
    revision bigint NOT NULL
);
CREATE INDEX subject_tokens ON subject USING gin (tokens);
CREATE INDEX subject_district ON subject (district, id);

-- copy is the same for every copy of one event, so that only the first copy, the one with the lowest offset, stays.
CREATE TABLE fact (
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    copy uuid NOT NULL UNIQUE,
    subject text COLLATE "C" NOT NULL,
    type text NOT NULL,
    event_id uuid NOT NULL,
    event_hash text NOT NULL,
    occurred_on date,
    served_on date,
    received_at text NOT NULL,
    known_ms bigint NOT NULL,
    shown_on date NOT NULL,
    data jsonb NOT NULL,
    PRIMARY KEY (partition, "offset")
);
CREATE INDEX fact_timeline ON fact (subject, shown_on DESC, "offset" DESC);
CREATE INDEX fact_event ON fact (event_id);

-- One row for every change, in the order the public was told. id is the derived id, so a record sent again finds its row.
CREATE TABLE change (
    seq bigint PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    type text NOT NULL,
    subject text COLLATE "C" NOT NULL,
    regime text NOT NULL,
    grade text,
    status text NOT NULL,
    in_force_from date,
    corrected_to date,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    known_ms bigint NOT NULL,
    time text NOT NULL,
    data jsonb NOT NULL
);
CREATE INDEX change_subject ON change (subject, regime, seq);
CREATE INDEX change_known ON change (known_ms, seq);

CREATE TABLE grade (
    regime text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    seq bigint NOT NULL REFERENCES change (seq),
    grade text,
    status text NOT NULL,
    in_force_from date,
    known_ms bigint NOT NULL,
    PRIMARY KEY (regime, subject)
);
CREATE INDEX grade_by_grade ON grade (regime, grade, subject);
CREATE INDEX grade_by_subject ON grade (subject);
CREATE INDEX grade_known ON grade (known_ms);

CREATE TABLE list_member (
    list text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    regime text NOT NULL,
    grade text NOT NULL,
    since date NOT NULL,
    clause text NOT NULL,
    change_id uuid NOT NULL,
    known_ms bigint NOT NULL,
    PRIMARY KEY (list, subject)
);
CREATE INDEX list_member_subject ON list_member (subject, regime);

CREATE TABLE list_change (
    id uuid PRIMARY KEY,
    list text NOT NULL,
    subject text COLLATE "C" NOT NULL,
    regime text NOT NULL,
    entered boolean NOT NULL,
    grade text,
    "on" date NOT NULL,
    known_ms bigint NOT NULL
);
CREATE INDEX list_change_list ON list_change (list, known_ms);

-- Records to send, written with the effect that caused them and removed once the broker has acknowledged them.
CREATE TABLE outbox (
    n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    key bytea,
    value bytea NOT NULL,
    headers jsonb NOT NULL,
    record_ms bigint NOT NULL
);

-- Numbers and publications of an earlier build: a rebuild gives each change its old number and publishes nothing twice.
CREATE TABLE kept_sequence (id uuid PRIMARY KEY, seq bigint NOT NULL UNIQUE);
CREATE TABLE kept_publication (id uuid PRIMARY KEY);

-- Details of a finding are for departments. The foreign key lets them stand only where genesis says that all of it is made up.
CREATE TABLE sample_story (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    sample boolean NOT NULL DEFAULT true CHECK (sample),
    weight integer NOT NULL,
    finding uuid NOT NULL,
    subject text NOT NULL,
    story jsonb NOT NULL,
    FOREIGN KEY (one, sample) REFERENCES stack (one, sample)
);

-- The API reads with a role of its own: SELECT on what pages and answers show, and nothing else.
GRANT USAGE ON SCHEMA publication TO mj_publication_read;
GRANT SELECT ON stack, partition_position, sequence_state, registry_event, subject, fact, change, grade, list_member, list_change,
    sample_story TO mj_publication_read;
