"""PostgreSQL for ``verify``: every service's tables as they were at one instant, by a role that may read these and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

SERVICES = ("audit", "intake", "publication")
# One table of each that is there once the service has run.
_MARK = {"audit": "log_head", "intake": "first_copy", "publication": "change"}
_ITERSIZE = 2_000


class NotReadable(Exception):
    """PostgreSQL can't be asked; the message says where and why, and nothing of the address but host and port."""


class Stored:
    """One snapshot, from ``open`` to ``close``; what is written later is not seen. Every method raises ``NotReadable``."""

    def __init__(self, connection: psycopg.Connection[Any], where: str) -> None:
        self._connection, self._where = connection, where
        self._cursors = 0
        self.services: list[str] = []

    @staticmethod
    def open(dsn: str) -> Stored:
        """Connect and take the snapshot."""
        try:
            parts = urlsplit(dsn.strip())
            where = f"{parts.hostname}:{parts.port or 5432}"
        except ValueError:
            raise NotReadable("what names PostgreSQL is no address of the form postgresql://user:password@host:port/database") from None
        try:
            connection = psycopg.connect(dsn.strip(), application_name="mingjian-verify", connect_timeout=10)
        except psycopg.Error as error:
            # The library's own words may repeat parts of the address.
            reason = "it refuses the role or its password" if "authentication" in str(error) else type(error).__name__
            raise NotReadable(f"PostgreSQL at {where} can't be asked ({reason})") from None
        found = Stored(connection, where)
        try:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            found.services = [name for name in SERVICES if found._is_there(name)]
        except psycopg.Error as error:
            connection.close()
            raise found._unreadable(error) from None
        return found

    def _is_there(self, service: str) -> bool:
        question = (
            "SELECT has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') FROM pg_catalog.pg_class c "
            "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s"
        )
        row = self._connection.execute(question, (service, _MARK[service])).fetchone()
        if row is not None and not row[0]:
            words = f"the role may not read {service}'s tables: start that service once, its migrations give the right to mj_verify"
            raise NotReadable(f"PostgreSQL at {self._where}: {words}")
        return row is not None

    def _unreadable(self, error: psycopg.Error) -> NotReadable:
        return NotReadable(f"PostgreSQL at {self._where}: {error.diag.message_primary or type(error).__name__}")

    def ask(self, question: str | sql.Composed, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of an answer."""
        try:
            return self._connection.execute(question, values).fetchall()
        except psycopg.Error as error:
            raise self._unreadable(error) from None

    def stream(self, question: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of an answer, some thousands in memory at a time; several may be read beside each other."""
        self._cursors += 1
        try:
            with self._connection.cursor(name=f"verify_{self._cursors}") as cursor:
                cursor.itersize = _ITERSIZE
                cursor.execute(question, values)
                yield from cursor
        except psycopg.Error as error:
            raise self._unreadable(error) from None

    def close(self) -> None:
        """Let the snapshot go."""
        self._connection.close()
