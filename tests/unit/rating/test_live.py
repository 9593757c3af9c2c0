"""The live driver leaves the process for whatever is wrong, and the probes tell a worker that hangs from one that waits."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Sequence
from types import SimpleNamespace

import pytest

from services._bus.kafka import RecordsGone, Unavailable
from services._bus.telemetry import Telemetry
from services.rating.adapters.health import Answers, Progress, serve
from services.rating.adapters.live import EXIT_FAULT, EXIT_UNAVAILABLE, Live
from services.rating.handlers import Rater
from services.rating.ports import Message, Record, Row
from tests.cases.ledger import book, without_approval


class Gone(Exception):
    """The process was left."""


class Facts:
    """Has nothing but an error."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def read(self, partition: int, *, first: int, last: int) -> AsyncIterator[Sequence[Record]]:
        raise self.error
        yield []


class Sink:
    """Takes everything."""

    async def write(self, rows: Sequence[Row], messages: Sequence[Message]) -> None:
        return


def live(error: Exception, codes: list[int]) -> Live:
    def leave(code: int) -> None:
        codes.append(code)
        raise Gone

    rows = SimpleNamespace(rows=SimpleNamespace(generation=1, partitions={}))
    return Live(
        Rater({"liyujiang": without_approval(book("liyujiang"))}),
        chunks=rows,  # type: ignore[arg-type]
        heads=rows,  # type: ignore[arg-type]
        sink=Sink(),
        facts=Facts(error),
        leave=leave,
        telemetry=Telemetry.silent(),
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Unavailable("timeout"), EXIT_UNAVAILABLE),
        (RecordsGone("facts/3: offset 0 is gone"), EXIT_FAULT),
        (KeyError("subject"), EXIT_FAULT),
        (ValueError("no envelope"), EXIT_FAULT),
    ],
)
def test_what_can_not_be_caught_up_with_ends_the_process_as_a_batch_would(error: Exception, code: int) -> None:
    """A warning every second would be the same fault, unseen."""
    codes: list[int] = []
    with pytest.raises(Gone):
        asyncio.run(live(error, codes).catch_up(3, 10))
    assert codes == [code]


def progress() -> Progress:
    return Progress(5_000, 60.0, 30.0, 300.0, watched_at=1_000.0)


def test_a_worker_that_nothing_wakes_is_hung_after_minutes() -> None:
    one = progress()
    assert one.hung(1_300.0) is None
    assert one.hung(1_301.0) == "nothing has looked at Kafka for 301 s"


def test_a_worker_is_hung_when_its_own_facts_lie_still_for_minutes() -> None:
    one = progress()
    for now in (1_000.0, 1_200.0, 1_301.0):
        one.watched_at = now
        one.saw(ends={0: 10, 1: 10}, committed={0: 10, 1: int(now)}, now=now)
        one.owns({0: 4}, now)
    assert one.hung(1_301.0) == "6 facts behind and nothing moved for 301 s"
    one.owns({0: 5}, 1_301.0)
    assert one.hung(1_301.0) is None


@pytest.mark.parametrize("case", ["worked off", "another's", "excused", "newly mine"])
def test_a_worker_that_has_nothing_of_its_own_to_do_is_not_hung(case: str) -> None:
    one = progress()
    for now in (1_000.0, 1_301.0):
        one.watched_at = now
        one.saw(ends={0: 10, 1: 10}, committed={}, now=now)
        done = {"worked off": {0: 10}, "another's": {}, "excused": {0: 4}, "newly mine": {0: 4} if now > 1_300 else {1: 4}}[case]
        one.owns(done, now)
        if case == "excused":
            one.excused(now)
    assert one.hung(1_301.0) is None


@pytest.mark.parametrize(("why", "code"), [(None, 200), ("nothing moved", 503)])
def test_livez_says_no_where_the_worker_is_hung(why: str | None, code: int) -> None:
    server = serve("127.0.0.1", 0, Answers(status=dict, reason=lambda: None, hung=lambda: why))
    try:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/livez", timeout=10) as answer:
                found, body = answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            found, body = error.code, json.load(error)
    finally:
        server.shutdown()
        server.server_close()
    assert (found, body) == (code, {"ready": why is None, "reasons": [] if why is None else [why]})
