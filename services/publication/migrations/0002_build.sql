-- A build is one filling of these tables: a new one may number and word things otherwise, so tags and positions name theirs.
-- depends: 0001_projection

ALTER TABLE sequence_state ADD COLUMN build uuid NOT NULL DEFAULT gen_random_uuid();
-- A rebuild numbers what the old build never had only when it takes its place: a change and the grade that it gave move together.
ALTER TABLE grade ALTER CONSTRAINT grade_seq_fkey DEFERRABLE INITIALLY IMMEDIATE;
