-- `mingjian verify` holds these against the log, by a role that may read them and nothing else.
-- depends: 0004_parts

GRANT USAGE ON SCHEMA publication TO mj_verify;
GRANT SELECT ON partition_position, fact, change, grade, list_member, list_change, outbox TO mj_verify;
