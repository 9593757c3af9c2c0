"""Mutual TLS with Kafka, on a real broker that asks for a client's certificate."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from schemas.topics import PARTS
from services._bus.consumer import PositionedConsumer
from services._bus.kafka import Connection, Unavailable, UnusableCertificates
from services._bus.producer import Outgoing, Producer
from tests.integration.intake_desk import Desk, event, signed
from tests.integration.publication_service import until
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
        found = []
        async with asyncio.timeout(20):
            while not found:
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


def test_the_services_and_verify_go_by_mutual_tls(broker_stack: TlsBroker) -> None:
    """From a signed event to its leaf, every connection with Kafka by TLS."""
    stack = broker_stack.stack
    desk = Desk.of(stack)
    stack.start_services(["rating", "publication", "audit"])
    registered = {"occurred_on": "2020-01-01", "name": "Made-up Café", "business_kind": "restaurant", "regimes": ["fhrs"]}
    assert desk.post(signed(event("enterprise.registered", "fhrs:1", registered), desk.key)).status_code == 201
    env = stack.service_env("audit")
    command = [sys.executable, "-m", "services.audit.cli", "verify", "--json"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    found = json.loads(done.stdout)
    assert (found["verified"], found["pending"]) == (True, 0) and found["size"] > 4
    until(lambda: httpx.get(f"{stack.ports.url('publication')}/api/v1/subjects/fhrs:1", timeout=10).status_code == 200 or None)
    until(lambda: httpx.get(f"{stack.ports.url('rating')}/status", timeout=10).json()["counts"]["facts"] == 1 or None)
    without = subprocess.run(
        command, env={**env, "MINGJIAN_KAFKA_TLS_DIR": str(broker_stack.stranger)}, capture_output=True, timeout=60, check=False
    )
    assert without.returncode != 0


def test_certificates_that_can_not_be_used_are_named(tmp_path: Path) -> None:
    with pytest.raises(UnusableCertificates, match=str(tmp_path)):
        Connection.of("127.0.0.1:9092", tmp_path)
    for name in ("ca.crt", "user.crt", "user.key"):
        (tmp_path / name).write_text("not a certificate")
    with pytest.raises(UnusableCertificates, match=str(tmp_path)):
        Connection.of("127.0.0.1:9092", tmp_path)
