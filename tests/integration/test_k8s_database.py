"""The statements that prepare PostgreSQL on Kubernetes, run on a real server: they work, and no role sees another's rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from deploy.local.roles import ROLES
from deploy.local.stack import Stack
from tests.unit.k8s.build import build

DATABASE = "mingjian_k8s"
K8S = Path(__file__).resolve().parents[2] / "deploy" / "k8s" / "base"


def _own_names(statement: str) -> str:
    """Roles belong to the whole server, which other tests use too."""
    return statement.replace("mj_", "mjk_").replace("DATABASE mingjian", f"DATABASE {DATABASE}")


@pytest.fixture(scope="module")
def prepared(servers: Stack) -> Iterator[str]:
    """DSN of the administrator in a database that the manifest's statements have prepared; roles have the password ``x``."""
    cluster = next(one for one in build(K8S) if one["kind"] == "Cluster")
    statements = cluster["spec"]["bootstrap"]["initdb"]["postInitApplicationSQL"]
    dsn = make_conninfo(servers.admin_dsn, dbname=DATABASE)
    roles = [sql.Identifier(role.replace("mj_", "mjk_")) for role in ROLES]
    with psycopg.connect(servers.admin_dsn, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(DATABASE)))
        with psycopg.connect(dsn, autocommit=True) as admin:
            for statement in statements:
                admin.execute(_own_names(statement))
            for role in roles:  # what the operator does from ``managed``
                admin.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD 'x'").format(role))
        yield dsn
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(DATABASE)))
        for role in roles:
            server.execute(sql.SQL("DROP ROLE {}").format(role))


def _as(dsn: str, role: str) -> psycopg.Connection:
    return psycopg.connect(make_conninfo(dsn, user=role.replace("mj_", "mjk_"), password="x"), autocommit=True)


@pytest.mark.parametrize("role", [role for role, schemas in ROLES.items() if schemas])
def test_a_role_owns_its_schemas_and_is_shut_out_of_the_others(prepared: str, role: str) -> None:
    with _as(prepared, role) as connection:
        assert connection.execute("SHOW search_path").fetchone() == (ROLES[role][0],)
        for schema in ROLES[role]:
            table = sql.Identifier(schema, "own")
            connection.execute(sql.SQL("CREATE TABLE {} (one int)").format(table))
            connection.execute(sql.SQL("DROP TABLE {}").format(table))
        for schema in {name for schemas in ROLES.values() for name in schemas} - set(ROLES[role]):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(sql.SQL("CREATE TABLE {} (one int)").format(sql.Identifier(schema, "other")))


@pytest.mark.parametrize("role", sorted(ROLES))
def test_nobody_writes_into_public(prepared: str, role: str) -> None:
    with _as(prepared, role) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("CREATE TABLE public.anywhere (one int)")
