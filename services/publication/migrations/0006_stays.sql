-- A stay of an act suspends the publication of what rests on the act (R18, ADR 0036). Which act is stayed on which days, and which change
-- of a grade rests on it, follow from facts and changes. Whether a suspension runs is asked on the day of the answer: nothing is turned
-- over at midnight. The API's role reads grades through the views below and has no right to what lies behind them.
-- depends: 0005_read_by_verify

-- Of a lifting the copy of the stay that it names: liftings of one office lift its own stays alone. Null in rows of before.
ALTER TABLE fact ADD COLUMN lifts uuid;
CREATE INDEX fact_stay ON fact (subject) WHERE type = 'mingjian.stay.ordered.v1';
CREATE INDEX change_rests_on ON change USING gin (jsonb_path_query_array(data, '$.decisive_events[*].id'));

-- One row for every entry of an act (all entries of its decision) and every stay of it, as both stand now. last: null while it is open.
CREATE TABLE stayed_act (
    act_partition integer NOT NULL,
    act_offset bigint NOT NULL,
    act_id uuid NOT NULL,
    subject text COLLATE "C" NOT NULL,
    stay_partition integer NOT NULL,
    stay_offset bigint NOT NULL,
    stay_id uuid NOT NULL,
    ordered_on date,
    from_day date NOT NULL,
    last date,
    known_ms bigint NOT NULL,
    PRIMARY KEY (act_partition, act_offset, stay_partition, stay_offset)
);
CREATE INDEX stayed_act_subject ON stayed_act (subject);

-- Instants, from_ms included and to_ms not, at which the change numbered seq isn't told; those of one change are disjoint. They are first
-- instants of civil days in the regime's zone. The stay is the one that lasts longest of those that run then.
CREATE TABLE suspension (
    seq bigint NOT NULL REFERENCES change (seq) DEFERRABLE INITIALLY IMMEDIATE,
    subject text COLLATE "C" NOT NULL,
    regime text NOT NULL,
    from_ms bigint NOT NULL,
    to_ms bigint,
    since date NOT NULL,
    until date,
    stay_subject text COLLATE "C" NOT NULL,
    stay_partition integer NOT NULL,
    stay_offset bigint NOT NULL,
    stay_id uuid NOT NULL,
    ordered_on date,
    PRIMARY KEY (seq, from_ms)
);
CREATE INDEX suspension_subject ON suspension (subject, regime);

-- The stack's clock, epoch ms: on a simulated one the newest instant that was read, else the service's own clock.
CREATE VIEW clock AS
SELECT CASE WHEN stack.clock_mode = 'simulated' AND read.ms IS NOT NULL THEN read.ms ELSE GREATEST(wall.ms, read.ms) END AS ms
FROM (SELECT COALESCE(
        NULLIF(current_setting('mingjian.now_ms', true), '')::bigint, floor(extract(epoch FROM now()) * 1000)::bigint) AS ms) AS wall
CROSS JOIN (SELECT max(known_ms) AS ms FROM partition_position WHERE topic = 'mingjian.facts.v1' AND next_offset > 0) AS read
LEFT JOIN stack ON stack.one;

-- The suspensions that run now, and how an answer tells of each.
CREATE VIEW running AS
SELECT suspension.*, jsonb_build_object('since', since, 'until', until, 'reading', 'R18', 'event', jsonb_build_object(
    'type', 'mingjian.stay.ordered.v1', 'id', stay_id, 'subject', stay_subject, 'occurred_on', ordered_on,
    'topic', 'mingjian.facts.v1', 'partition', stay_partition, 'offset', stay_offset)) AS told
FROM suspension
WHERE from_ms <= (SELECT ms FROM clock) AND (to_ms IS NULL OR (SELECT ms FROM clock) < to_ms);

-- Whether a stay was ever known to suspend anything: until then readers of the stream needn't be told that nothing is suspended.
CREATE VIEW ever_suspended AS SELECT EXISTS (SELECT FROM suspension) AS ever;

-- Of a suspended change its number, its days and its cause are told; grade, status and reasons are not. Where a later change says what
-- was before it, that isn't told either.
CREATE VIEW shown_change AS
SELECT change.seq, change.id, change.type, change.subject, change.regime,
    CASE WHEN running.seq IS NULL THEN change.grade END AS grade,
    CASE WHEN running.seq IS NULL THEN change.status ELSE 'publication_suspended' END AS status,
    change.in_force_from, change.corrected_to, change.partition, change."offset", change.known_ms, change.cause_offset,
    change.cause_known_ms, change.time,
    CASE
        WHEN running.seq IS NOT NULL THEN jsonb_build_object(
            'regime', change.regime, 'grade', NULL, 'status', 'publication_suspended', 'in_force_from', change.in_force_from,
            'moment', change.data -> 'moment', 'clauses', '[]'::jsonb, 'reasons', '[]'::jsonb, 'decisive_events', '[]'::jsonb,
            'readings', '[]'::jsonb, 'rulebook', change.data -> 'rulebook', 'cause', change.data -> 'cause', 'suspended', running.told)
            || CASE WHEN change.corrected_to IS NULL THEN '{}' ELSE jsonb_build_object('corrected_to', change.corrected_to) END
        WHEN EXISTS (SELECT FROM running) AND EXISTS (
            SELECT FROM running AS hidden JOIN change AS before ON before.seq = hidden.seq
            WHERE hidden.subject = change.subject AND hidden.regime = change.regime AND hidden.seq <> change.seq
            AND before.grade IS NOT DISTINCT FROM change.data ->> 'previous_grade'
            AND (before.grade IS NOT NULL OR before.status = change.data ->> 'previous_status'))
        THEN change.data || '{"previous_grade": null, "previous_status": "publication_suspended"}'
        ELSE change.data
    END AS data,
    running.told AS suspended
FROM change LEFT JOIN running ON running.seq = change.seq;

-- Of which days a change is, and when it was known: never kept back, and read in the order of its index.
CREATE VIEW change_times AS
SELECT seq, subject, regime, in_force_from, corrected_to, cause_known_ms, cause_offset FROM change;

CREATE VIEW shown_grade AS
SELECT grade.regime, grade.subject, grade.seq,
    CASE WHEN running.seq IS NULL THEN grade.grade END AS grade,
    CASE WHEN running.seq IS NULL THEN grade.status ELSE 'publication_suspended' END AS status,
    CASE WHEN running.seq IS NULL THEN grade.in_force_from END AS in_force_from,
    grade.known_ms, running.told AS suspended
FROM grade LEFT JOIN running ON running.seq = grade.seq;

-- To stand on a list tells the grade: who is on it by a suspended one isn't shown there, nor how they came onto it.
CREATE VIEW shown_member AS
SELECT list_member.* FROM list_member WHERE NOT EXISTS (
    SELECT FROM grade JOIN running ON running.seq = grade.seq
    WHERE grade.subject = list_member.subject AND grade.regime = list_member.regime);

CREATE VIEW shown_list_change AS
SELECT list_change.* FROM list_change WHERE NOT EXISTS (
    SELECT FROM running WHERE running.subject = list_change.subject AND running.regime = list_change.regime);

-- What a part told its whole: stretches with a grade of the part that is suspended.
CREATE VIEW shown_part AS
SELECT part.id, part.parent, part.part, part.regime, part.cause_known_ms, part.cause_offset,
    CASE WHEN EXISTS (SELECT FROM running WHERE running.subject = part.part AND running.regime = part.regime) THEN (
        SELECT COALESCE(jsonb_agg(
            CASE WHEN EXISTS (
                SELECT FROM running JOIN change ON change.seq = running.seq
                WHERE running.subject = part.part AND running.regime = part.regime
                AND change.grade IS NOT DISTINCT FROM stretch ->> 'grade'
                AND (change.grade IS NOT NULL OR change.status = stretch ->> 'status'))
            THEN stretch || '{"grade": null, "status": "publication_suspended"}' ELSE stretch END ORDER BY place), '[]'::jsonb)
        FROM jsonb_array_elements(part.stretches) WITH ORDINALITY AS each (stretch, place))
    ELSE part.stretches END AS stretches
FROM part;

REVOKE SELECT ON change, grade, list_member, list_change, part FROM mj_publication_read;
GRANT SELECT ON running, ever_suspended, change_times, shown_change, shown_grade, shown_member, shown_list_change, shown_part TO mj_publication_read;
