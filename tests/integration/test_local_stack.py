"""The embedded stack: starts, survives, stops, and keeps the services apart."""

from __future__ import annotations

import psycopg
import pytest

from deploy.local.stack import Stack


def test_each_service_reaches_its_own_schema(servers: Stack) -> None:
    """A service's DSN opens its schema and can make tables there."""
    for role, schema in (("mj_intake", "intake"), ("mj_intake", "vault"), ("mj_publication", "publication"), ("mj_audit", "audit")):
        with psycopg.connect(servers.dsn(role)) as connection:
            connection.execute(f"CREATE TABLE {schema}.probe (one int)")  # noqa: S608
            connection.rollback()
