"""Mutual TLS with Kafka, on a real broker that asks for a client's certificate."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.topics import PARTS
from services._bus.consumer import PositionedConsumer
from services._bus.kafka import Connection, Unavailable, UnusableCertificates
from services._bus.producer import Outgoing, Producer
from tests.integration.tls_broker import TlsBroker, tls_broker


@pytest.fixture(scope="module")
def broker_stack() -> Iterator[TlsBroker]:
    with pytest.MonkeyPatch.context() as patch, tls_broker(patch) as broker:
        yield broker


def test_rows_go_and_come_by_mutual_tls(broker_stack: TlsBroker) -> None:
    connection = Connection.of(broker_stack.bootstrap, broker_stack.user)

    async def work() -> list[bytes | None]:
        out, reader = Producer(connection, client_id="test"), PositionedConsumer(connection, client_id="test")
        await out.send([Outgoing(PARTS, b"k", b"v", partition=0)])
        await reader.start()
        await reader.assign({(PARTS, 0): 0})
        found = await reader.poll()
        await reader.stop()
        await out.stop()
        return [one.value for one in found]

    assert [b"v"] == asyncio.run(work())


def test_without_a_certificate_or_with_a_strangers_there_is_no_way_in(broker_stack: TlsBroker) -> None:
    async def work(connection: Connection) -> None:
        with pytest.raises(Unavailable):
            await Producer(connection, client_id="test", limit_s=5.0).start()
        with pytest.raises(Unavailable):
            await PositionedConsumer(connection, client_id="test", limit_s=5.0).start()

    asyncio.run(work(Connection.of(broker_stack.bootstrap)))
    asyncio.run(work(Connection.of(broker_stack.bootstrap, broker_stack.stranger)))


def test_certificates_that_can_not_be_used_are_named(tmp_path: Path) -> None:
    with pytest.raises(UnusableCertificates, match=str(tmp_path)):
        Connection.of("127.0.0.1:9092", tmp_path)
    for name in ("ca.crt", "user.crt", "user.key"):
        (tmp_path / name).write_text("not a certificate")
    with pytest.raises(UnusableCertificates, match=str(tmp_path)):
        Connection.of("127.0.0.1:9092", tmp_path)
