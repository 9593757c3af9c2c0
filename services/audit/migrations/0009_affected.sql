-- An effect is on somebody's grades: the subject's, or a whole's that it is a part of. depends: 0008_console

ALTER TABLE finding ADD COLUMN affected text GENERATED ALWAYS AS (data_of(value) ->> 'affected') STORED;
