"""What the servers are given and what is said of them: no password in a sentence, none where it isn't needed, and no Maven that stays."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psycopg
import pytest

from deploy.local import jars, kafka, roles
from deploy.local.errors import LocalStackError

SECRET = "S3cret-half"


@pytest.mark.parametrize(
    "dsn",
    [
        f"postgresql://admin:first@{SECRET}@127.0.0.1:9/",
        f"postgresql://admin:first/{SECRET}@127.0.0.1:9/",
        f"postgresql://admin:100%{SECRET}@127.0.0.1:9/",
        f"postgresql//admin:{SECRET}@127.0.0.1:9/",
        f"host=127.0.0.1 password={SECRET} another word",
        f"host=127.0.0.1 port={SECRET}",
    ],
)
def test_an_address_that_can_not_be_is_refused_without_repeating_it(tmp_path: Path, dsn: str) -> None:
    with pytest.raises(LocalStackError, match="MINGJIAN_POSTGRES is no address of the form") as caught:
        roles.ensure_roles(dsn, tmp_path)
    said = f"{caught.value} {caught.value.__cause__}"
    assert SECRET not in said and "first" not in said


def test_a_server_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(LocalStackError, match=r"PostgreSQL at 127\.0\.0\.1:9 did not make roles and schemas \(no answer") as caught:
        roles.ensure_roles(f"postgresql://admin:{SECRET}@127.0.0.1:9/", tmp_path)
    assert SECRET not in str(caught.value) and caught.value.__cause__ is None


def test_what_a_server_itself_says_is_passed_on() -> None:
    refused = (
        'connection failed: connection to server at "127.0.0.1", port 5432 failed: FATAL:  password authentication failed for user "x"'
    )
    assert roles._reason(psycopg.OperationalError(refused)) == 'password authentication failed for user "x"'


def test_kafka_gets_nothing_that_is_about_postgresql(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MINGJIAN_POSTGRES", f"postgresql://admin:{SECRET}@db.example/")
    monkeypatch.setenv("PGPASSWORD", SECRET)
    monkeypatch.setattr(kafka, "find_java", lambda: "/usr/bin/java")
    env = kafka.spec(tmp_path, tmp_path).env
    assert env["PATH"] == os.environ["PATH"]
    assert not any(SECRET in value for value in env.values())


def test_a_start_that_is_given_up_ends_maven_and_what_maven_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    maven = tmp_path / "mvn"
    maven.write_text(f"#!/bin/sh\nsleep 600 &\necho $! > {begun}.new\nmv {begun}.new {begun}\nwait\n")
    maven.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    began = time.monotonic()
    with pytest.raises(LocalStackError, match="given up"):
        jars.ensure_jars(tmp_path / "libs", go_on=lambda: not begun.exists())
    assert time.monotonic() - began < 60
    child = Path("/proc") / begun.read_text().strip() / "stat"
    while child.exists() and child.read_text().rpartition(")")[2].split()[0] not in "ZX":
        assert time.monotonic() - began < 60
        time.sleep(0.05)
