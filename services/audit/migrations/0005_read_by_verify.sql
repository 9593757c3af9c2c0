-- `mingjian verify` holds these against the log, by a role that may read them and nothing else. depends: 0004_event_names

GRANT USAGE ON SCHEMA audit TO mj_verify;
GRANT SELECT ON log_head, log_plan, log_position, log_event, detector_position, finding TO mj_verify;
