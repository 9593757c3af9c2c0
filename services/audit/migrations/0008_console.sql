-- What pages of findings sort and filter by, taken from the events themselves. depends: 0007_matters_and_scans

-- Reading text as UTF-8 doesn't depend on anything that changes, which the function of PostgreSQL doesn't promise.
CREATE FUNCTION data_of(value bytea) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS 'SELECT pg_catalog.convert_from(value, ''UTF8'')::jsonb #> ''{event,data}''';

-- days_least, days_most: of an effect, the days with another grade than supposed; concerns: of a finding, the officers' pseudonyms.
ALTER TABLE finding
    ADD COLUMN days_least integer GENERATED ALWAYS AS ((data_of(value) ->> 'least')::integer) STORED,
    ADD COLUMN days_most integer GENERATED ALWAYS AS ((data_of(value) ->> 'most')::integer) STORED,
    ADD COLUMN concerns jsonb GENERATED ALWAYS AS (data_of(value) -> 'concerns') STORED;
