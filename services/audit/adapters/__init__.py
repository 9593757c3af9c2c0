"""Audit's ways to the outside: folder, PostgreSQL, Kafka, rulebook files."""
