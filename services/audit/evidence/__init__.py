"""The evidence pack: one zip about one finding that anyone checks with the package alone. See docs/adr/0035 and docs/evidence-pack.md."""
