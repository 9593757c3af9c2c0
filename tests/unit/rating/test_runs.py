"""faust's consumer with facts in runs: nothing of a fetch is left out, and only what is acknowledged is committed."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.structs import ConsumerRecord
from faust.transport.drivers import aiokafka
from faust.types import TP

from schemas import topics
from services.rating.adapters.app import BATCH, FaustSettings, build_app
from services.rating.adapters.runs import RUN, Run, RunConsumer, RunTransport, Untouched

FACTS, ROWS = TP(topics.FACTS, 3), TP(topics.changelog("chunks"), 3)


def record(place: TP, offset: int) -> ConsumerRecord:
    return ConsumerRecord(
        place.topic, place.partition, offset, 1_790_000_000_123 + offset, 0, b"key", b"%d" % offset, None, 3, 3, [("ce_id", b"1")]
    )


@pytest.fixture
def consumer() -> RunConsumer:
    """Without a thread or a connection."""
    one = RunConsumer.__new__(RunConsumer)
    one.app = SimpleNamespace(consumer_generation_id=7)
    one._acked, one._acked_index = defaultdict(list), defaultdict(set)
    return one


def fetched(consumer: RunConsumer, monkeypatch: pytest.MonkeyPatch, found: dict[TP, list]) -> Any:
    async def getmany(self: Any, active: Any, timeout: float) -> Any:
        return found

    monkeypatch.setattr(aiokafka.Consumer, "_getmany", getmany)
    return asyncio.run(consumer._getmany(None, 1.0))


@pytest.mark.parametrize("count", [1, RUN - 1, RUN, RUN + 1, BATCH])
def test_every_fetched_fact_is_in_one_run_in_order_and_changelogs_come_as_before(
    consumer: RunConsumer, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    rows = [record(ROWS, 0), record(ROWS, 1)]
    found = fetched(consumer, monkeypatch, {FACTS: [record(FACTS, 40 + at) for at in range(count)], ROWS: rows})
    assert found[ROWS] == rows
    messages = [consumer._to_message(FACTS, run) for run in found[FACTS]]
    taken = [one for message in messages for one in message.value]
    assert [one.offset for one in taken] == list(range(40, 40 + count))
    assert [(one.timestamp, one.value, one.headers) for one in taken[:1]] == [(1_790_000_000_163, b"40", (("ce_id", b"1"),))]
    assert max(len(message.value) for message in messages) <= RUN
    for message in messages:
        assert (message.offset, message.tp, message.generation_id) == (message.value[-1].offset, FACTS, 7)


def test_what_follows_the_newest_acknowledged_run_is_committed_once(consumer: RunConsumer) -> None:
    assert consumer._new_offset(FACTS) is None
    consumer._acked[FACTS] += [289, 539]
    consumer._acked_index[FACTS] |= {289, 539}
    assert consumer._new_offset(FACTS) == 540
    assert consumer._new_offset(FACTS) is None
    # The same offset may be acknowledged again after a rebalance.
    assert not consumer._acked_index[FACTS]


def test_the_app_reads_by_that_consumer_and_decodes_nothing() -> None:
    app, _, _ = build_app(FaustSettings(bootstrap="127.0.0.1:1", datadir=".", instance="rating-test"))  # type: ignore[arg-type]
    assert isinstance(app.transport, RunTransport)
    assert app.transport.Consumer is RunConsumer
    run = Run([])
    message = SimpleNamespace(key=b"key", value=run)
    schema = Untouched(key_serializer="raw", value_serializer="raw", allow_empty=True)
    assert schema.loads_value(app, message, loads=None) is run  # type: ignore[arg-type]
    assert schema.loads_key(app, message) == b"key"  # type: ignore[arg-type]
