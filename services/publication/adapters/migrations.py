"""The schema's migrations, by yoyo. Applying them again does nothing; two processes at once wait for each other."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from yoyo import get_backend, read_migrations

FOLDER = Path(__file__).resolve().parent.parent / "migrations"


def migrate(dsn: str, *, schema: str = "publication") -> None:
    """Bring ``schema`` up to date. ``dsn``: a PostgreSQL URI of its owner."""
    parts = urlsplit(dsn)
    query = "&".join(part for part in (parts.query, f"options={quote(f'-c search_path={schema}')}") if part)
    backend = get_backend(urlunsplit(("postgresql+psycopg", parts.netloc, parts.path, query, "")))
    try:
        migrations = read_migrations(str(FOLDER))
        with backend.lock():
            backend.apply_migrations(backend.to_apply(migrations))
    finally:
        backend.connection.close()
