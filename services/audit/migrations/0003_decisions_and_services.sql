-- Decisions and the services that became known by themselves: each waits for the other. depends: 0002_clocks_and_first_copies

-- fact: what a verdict needs of the decision's event; document: its id.
CREATE TABLE decision (
    partition integer NOT NULL,
    subject text NOT NULL,
    document text NOT NULL,
    source text NOT NULL,
    record_offset bigint NOT NULL,
    fact jsonb NOT NULL,
    registry_offset bigint NOT NULL,
    PRIMARY KEY (partition, subject, document, source)
);

CREATE TABLE service (
    partition integer NOT NULL,
    subject text NOT NULL,
    document text NOT NULL,
    served_on date NOT NULL,
    PRIMARY KEY (partition, subject, document)
);
