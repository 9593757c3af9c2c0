"""The yearly report on how entries are managed (五(三) ¶2, R16), in two editions."""
