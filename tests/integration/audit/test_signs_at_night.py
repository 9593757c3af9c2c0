"""Detectors on a real stack: what the nightly run finds stands on Kafka, in the log and in PostgreSQL, once; a run that is killed leaves
nothing half."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from deploy.local.stack import CHECKOUT
from schemas.topics import FACTS, FINDINGS, PARTITIONS, REGISTRY
from tests.integration.audit.world import AuditWorld, Say, fact, genesis
from tests.stack_fixtures import temporary_stack
from tests.toolkit import score

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]
_WAIT_S = 240


class Night(AuditWorld):
    """The audit service alone, and a registry whose days close when the test says so."""

    number = 100
    registry = 1

    def wrong_score(self, day: str) -> None:
        """A score that doesn't add up."""
        self.number += 1
        received = f"{day}T08:00:00.000Z"
        self.say(
            [fact(self.number, "score.recorded", score("96.5", occurred_on=day), received=received, channel="feed", registry_offset=0)]
        )

    def close_day(self, day: str) -> int:
        """The original, and a copy in every partition of facts; returns its offset."""
        self.number += 1
        value = fact(
            self.number, "day.closed", {"through": day}, received=f"{day}T16:00:05.000Z", subject="stack:test", registry_offset=0
        ).value
        self.say([Say(REGISTRY, value, b"stack:test")])
        self.say([Say(FACTS, value, b"control", partition) for partition in range(PARTITIONS)])
        self.registry += 1
        return self.registry - 1

    def ran_after(self, day: str) -> None:
        self.until(lambda: (last := self.state()["grades"]["last"]) is not None and last["day"] == day, _WAIT_S)

    def told(self, type: str) -> list[dict[str, Any]]:
        return [one["data"] for one in self.findings() if one["type"] == f"mingjian.{type}.v1"]

    def rows(self, question: str) -> list[Any]:
        with psycopg.connect(self.stack.admin_dsn) as connection:
            return connection.execute(question).fetchall()  # type: ignore[call-overload]

    def verified(self) -> dict[str, Any]:
        """What ``mingjian verify`` says of findings."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("MINGJIAN_")}
        env |= {"MINGJIAN_HOME": str(self.stack.home), "MINGJIAN_PORT_BASE": str(self.stack.ports.base), "MINGJIAN_LANG": "en"}
        command = [sys.executable, "-m", "services._cli.main", "verify", "--json"]
        done = subprocess.run(command, env=env, cwd=CHECKOUT, capture_output=True, text=True, timeout=240, check=False)
        said: dict[str, Any] = json.loads(done.stdout)
        return said

    def run(self, offset: int, day: str) -> subprocess.Popen[bytes]:
        """The nightly run by itself."""
        command = [sys.executable, "-m", "services.audit.nightly", str(offset), day]
        return subprocess.Popen(command, env=self.env, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    with temporary_stack() as stack:
        stack.start_servers("simulated")
        made = Night(stack)
        made.say([genesis()])
        made.wrong_score("2026-03-02")
        made.close_day("2026-03-02")
        made.start()
        yield made
        made.close()


def test_what_is_found_stands_on_kafka_in_the_log_and_in_postgresql(night: Night) -> None:
    night.ran_after("2026-03-02")
    night.until(lambda: len(night.told("finding.raised")) >= 2 and night.told("scan.ran"), _WAIT_S)
    [found] = [one for one in night.told("finding.raised") if one["kind"] == "deductions_wrong"]
    assert {"name": "total", "value": "96.5", "bound": "97.5"} in found["values"]
    assert [("deductions_wrong", 1, 1)] == [
        (one["detector"], one["looked_at"], one["hits"]) for one in night.told("scan.ran") if one["detector"] == "deductions_wrong"
    ]
    types = {dict(one.headers)["ce_type"] for one in night.read(FINDINGS)}
    assert {b"mingjian.finding.raised.v1", b"mingjian.scan.ran.v1"} == types
    night.until(lambda: night.rows("SELECT count(*) FROM audit.finding WHERE NOT read_back") == [(0,)], _WAIT_S)
    said = night.verified()
    assert [] == [one for one in said["faults"] if one["code"] == "finding"]
    assert "audit" in said["postgres"]


@pytest.mark.parametrize("column", ["matter", "type", "retracted", "subject"])
def test_verify_holds_each_column_against_what_was_sent(night: Night, column: str) -> None:
    other = "NOT retracted" if column == "retracted" else "'other'"
    with psycopg.connect(night.stack.admin_dsn) as connection:
        where = "kind = 'deductions_wrong' AND about = 'entry'"
        [(kept,)] = connection.execute(f"SELECT {column} FROM audit.finding WHERE {where}").fetchall()  # noqa: S608
        connection.execute(f"UPDATE audit.finding SET {column} = {other} WHERE {where}")  # noqa: S608
    try:
        assert [True] == ["edited" in one["what"] for one in night.verified()["faults"] if one["code"] == "finding"]
    finally:
        with psycopg.connect(night.stack.admin_dsn) as connection:
            connection.execute(f"UPDATE audit.finding SET {column} = %s WHERE {where}", [kept])  # noqa: S608


def test_a_second_night_adds_nothing(night: Night) -> None:
    before = sorted(one["id"] for one in night.findings())
    night.close_day("2026-03-03")
    night.ran_after("2026-03-03")
    time.sleep(2)
    assert before == sorted(one["id"] for one in night.findings())


def _said_last(process: subprocess.Popen[bytes]) -> bytes:
    """Its last line. Standard input stays open: the run ends with whoever started it."""
    assert process.stdout is not None
    return process.stdout.read().splitlines()[-1]


def test_a_run_that_is_killed_leaves_nothing_half(night: Night) -> None:
    """It is held where it writes, in the middle of its transaction."""
    night.kill()
    night.wrong_score("2026-03-04")
    offset = night.close_day("2026-03-04")
    before = night.rows("SELECT count(*) FROM audit.finding")
    with psycopg.connect(night.stack.admin_dsn) as connection:
        connection.execute("LOCK TABLE audit.finding IN EXCLUSIVE MODE")
        process = night.run(offset, "2026-03-04")
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'mingjian-audit-nightly'"
        night.until(lambda: night.rows(waiting) == [(1,)], _WAIT_S)
        process.kill()
        process.wait(30)
    night.until(lambda: night.rows(waiting) == [(0,)])
    assert before == night.rows("SELECT count(*) FROM audit.finding")
    assert [] == night.rows(f"SELECT day FROM audit.replay_run WHERE registry_offset = {offset}")  # noqa: S608 (a number)
    again = night.run(offset, "2026-03-04")
    assert b'"on_record":true' in _said_last(again)
    found = "SELECT count(*) FROM audit.finding WHERE kind = 'deductions_wrong' AND about = 'entry'"
    assert [(2,)] == night.rows(found)
    once_more = night.run(offset, "2026-03-04")
    assert b'"on_record":false' in _said_last(once_more)
    assert [(2,)] == night.rows(found)
