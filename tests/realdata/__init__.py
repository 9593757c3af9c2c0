"""What the methods say of published data that nobody here made. ``python -m tests.realdata`` writes ``docs/real-data.md``."""
