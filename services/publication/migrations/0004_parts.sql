-- What parts tell of themselves as parts of a whole, each record whole; the newest known of a part decides. And of a subject that is rated
-- by its parts the causes lie in several partitions: of changes the newest is the one whose cause was known last. Of a subject of one
-- partition that is the order of the offsets.
-- depends: 0003_known

CREATE TABLE part (
    id uuid PRIMARY KEY,
    parent text COLLATE "C" NOT NULL,
    part text COLLATE "C" NOT NULL,
    regime text NOT NULL,
    cause_known_ms bigint NOT NULL,
    cause_offset bigint NOT NULL,
    stretches jsonb NOT NULL
);
CREATE INDEX part_of_parent ON part (parent, regime, part, cause_known_ms DESC, cause_offset DESC);
CREATE INDEX part_by_itself ON part (part, regime, parent, cause_known_ms DESC, cause_offset DESC);
GRANT SELECT ON part TO mj_publication_read;

DROP INDEX change_newest;
CREATE INDEX change_newest ON change (regime, subject COLLATE "C", cause_known_ms DESC, cause_offset DESC, seq DESC);
