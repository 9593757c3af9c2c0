-- What later events may ask of a fact: whether it is there, and whether it is the year's final score.
-- depends: 0001_intake

CREATE TABLE fact (
    subject text NOT NULL,
    id uuid NOT NULL,
    source text NOT NULL,
    final text,
    PRIMARY KEY (subject, id, source)
);
CREATE INDEX fact_final ON fact (subject, final) WHERE final IS NOT NULL;

-- Built from Kafka, like the first copies: everything is read once more.
DELETE FROM partition_position;
