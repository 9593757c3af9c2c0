-- Where events stand in the log, by name. depends: 0003_decisions_and_services

-- name: the first 16 bytes of SHA-256(source, newline, id). Written in the transaction that plans the leaf; every copy has a row.
CREATE TABLE log_event (
    name bytea NOT NULL,
    leaf bigint NOT NULL,
    PRIMARY KEY (name, leaf)
);
