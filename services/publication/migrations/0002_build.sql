-- A build is one filling of these tables: a new one may number and word things otherwise, so tags and positions name theirs.
-- depends: 0001_projection

ALTER TABLE sequence_state ADD COLUMN build uuid NOT NULL DEFAULT gen_random_uuid();
