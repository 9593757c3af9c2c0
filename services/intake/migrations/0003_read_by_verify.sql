-- `mingjian verify` holds these against the log, by a role that may read them and nothing else; of the vault it may read nothing.
-- depends: 0002_fact

GRANT USAGE ON SCHEMA intake TO mj_verify;
GRANT SELECT ON submission, first_copy, refusal, partition_position TO mj_verify;
