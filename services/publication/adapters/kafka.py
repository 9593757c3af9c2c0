"""Kafka for publication: reading by position, and writing what the outbox holds."""

from __future__ import annotations

from schemas.topics import MAX_MESSAGE_BYTES
from services._bus import quarantine
from services._bus.consumer import PositionedConsumer
from services._bus.kafka import Connection
from services._bus.producer import Outgoing, Producer
from services.publication.ports import Record

CLIENT = "mingjian-publication"
BATCH = 1_000


def records(connection: Connection) -> PositionedConsumer:
    """``Records`` on Kafka, not connected yet."""
    return PositionedConsumer(connection, client_id=CLIENT, max_records=BATCH, fetch_bytes=4 * MAX_MESSAGE_BYTES)


def sender(connection: Connection) -> Producer:
    """``Sender`` on Kafka, not connected yet."""
    return Producer(connection, client_id=CLIENT)


def quarantined(record: Record, reason: str) -> Outgoing:
    """A record that can't be read, whole, with the reason."""
    return quarantine.quarantined(record.topic, record, service="publication", reason=reason)
