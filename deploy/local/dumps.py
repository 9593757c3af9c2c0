"""A dump of the product's database, taken while everything runs, and loaded into a new cluster: the wheel's pg_dump and pg_restore."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from deploy.local.account import wheel_programs
from deploy.local.errors import LocalStackError


def dump(dsn: str, target: Path) -> None:
    """The whole database as of one instant. ``dsn``: the administrator's. Raises LocalStackError."""
    _run("pg_dump", dsn, ["--format=custom", f"--file={target}"], f"PostgreSQL could not be dumped to {target}")


def load(dsn: str, source: Path) -> None:
    """All of it or nothing, into a database whose roles and empty schemas are there. Raises LocalStackError."""
    options = ["--clean", "--if-exists", "--exit-on-error", "--single-transaction", str(source)]
    _run("pg_restore", dsn, options, f"PostgreSQL did not take {source}")


def is_new(dsn: str) -> bool:
    """True where no service has made a table yet."""
    with psycopg.connect(dsn, connect_timeout=10) as connection:
        row = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname IN ('intake', 'publication', 'audit')").fetchone()
    return row == (0,)


def _run(program: str, dsn: str, options: list[str], otherwise: str) -> None:
    given = conninfo_to_dict(dsn)
    # A password never stands in a command line, which everybody on this host can read.
    env = {**os.environ, "PGPASSWORD": str(given.get("password", "")), "PGCONNECT_TIMEOUT": "10"}
    where = [f"--host={given.get('host', '')}", f"--port={given.get('port', 5432)}", f"--username={given.get('user', '')}"]
    argv = [str(wheel_programs() / program), *where, "--no-password", f"--dbname={given.get('dbname', '')}", *options]
    done = subprocess.run(argv, capture_output=True, text=True, env=env, stdin=subprocess.DEVNULL)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if "error" in line] or done.stderr.splitlines()[-1:] or ["no reason given"]
        raise LocalStackError(f"{otherwise}: {said[0]}")
