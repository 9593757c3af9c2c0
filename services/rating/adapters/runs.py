"""faust's consumer, handing facts on by the run instead of one by one.

faust makes a message, two tasks and an acknowledgement of each record; for a worker that takes facts in batches anyway that costs
more than reading them. Its transport is made to be extended: here what one fetch brought of a partition becomes a few messages whose
value is a run of records, and all else (flow control, buffers, rebalances, commits) is faust's own and does what it does, for fewer
messages. Changelogs come as before.

A run's message has the offset of its last record, so with it all before it is acknowledged. That is right because an agent takes a
partition's runs one after the other, and because the live driver reads what is missing before a run, whoever forgot it, before it
works the run off. So no gaps are kept, and what may be committed is what follows the newest acknowledged run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from faust import Schema
from faust.transport.consumer import RecordMap
from faust.transport.drivers import aiokafka
from faust.types import TP, ConsumerMessage, Message
from faust.types.app import AppT
from faust.types.transports import ConsumerT

from schemas import topics
from services.rating.adapters.kafka import record_of
from services.rating.ports import Record

# Records in one message; a batch takes several messages, of whichever partitions.
RUN = 250


class Run(list[Record]):
    """Records of one partition, by offset; at least one."""


class RunConsumer(aiokafka.Consumer):
    """Facts in runs."""

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> RecordMap:
        found = await super()._getmany(active_partitions, timeout)
        return {place: list(_runs(some)) if place.topic == topics.FACTS else some for place, some in found.items()}

    def _to_message(self, tp: TP, record: Any) -> ConsumerMessage:
        if not isinstance(record, Run):
            return super()._to_message(tp, record)
        last = record[-1]
        return ConsumerMessage(
            tp.topic,
            last.partition,
            last.offset,
            last.timestamp / 1000.0,
            0,
            None,
            last.key,
            record,
            None,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """From one run's last offset to the next one's there is always a gap."""

    def _new_offset(self, tp: TP) -> int | None:
        acknowledged = self._acked[tp]
        if not acknowledged:
            return None
        newest: int = max(acknowledged)
        acknowledged.clear()
        self._acked_index[tp].clear()
        return newest + 1


class RunTransport(aiokafka.Transport):
    """faust's transport with that consumer."""

    Consumer: ClassVar[type[ConsumerT]] = RunConsumer


class Untouched(Schema):
    """Keys and values as they are: whoever takes a run decodes it."""

    def loads_key(self, app: AppT, message: Message, **how: Any) -> Any:
        return message.key

    def loads_value(self, app: AppT, message: Message, **how: Any) -> Any:
        return message.value


def _runs(records: Sequence[Any]) -> Iterator[Run]:
    for start in range(0, len(records), RUN):
        yield Run(map(record_of, records[start : start + RUN]))
