"""Intake's own schema, by yoyo. Applying it again does nothing; two processes at once wait for each other."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from yoyo import get_backend, read_migrations

FOLDER = Path(__file__).resolve().parent.parent / "migrations"


def migrate(dsn: str) -> None:
    """Bring the schema up to date. ``dsn``: a PostgreSQL URI of its owner, whose search path begins with it."""
    backend = get_backend(urlunsplit(("postgresql+psycopg", *urlsplit(dsn)[1:])))
    try:
        migrations = read_migrations(str(FOLDER))
        with backend.lock():
            backend.apply_migrations(backend.to_apply(migrations))
    finally:
        backend.connection.close()
