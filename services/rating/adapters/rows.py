"""faust tables whose rows go to the changelog of a *given* partition.

faust sends a table's change to the partition of the event that happens to be current, which is wrong as soon as events are taken
in batches, or to the partition of the row's own key, which is wrong for a chunk of a subject's facts. Here the caller names the
partition, sends the row itself and waits for it; faust does what it is good at: assigning changelogs along with the facts,
and reading them back before the first fact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from faust import Table
from faust.stores.memory import Store
from faust.types import TP, EventT
from faust.types.tables import CollectionT


class RowStore(Store):
    """Rows by partition. ``generation`` rises whenever a recovery is complete: what was made from the rows is then stale."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.partitions: dict[int, dict[bytes, bytes]] = {}
        self.generation = 0

    def put(self, partition: int, key: bytes, value: bytes | None) -> None:
        """Keep a row that the changelog has, or drop it."""
        rows = self.partitions.setdefault(partition, {})
        if value is None:
            rows.pop(key, None)
        else:
            rows[key] = value

    def apply_changelog_batch(self, batch: Iterable[EventT], to_key: Callable[[Any], Any], to_value: Callable[[Any], Any]) -> None:
        """Rows as recovery reads them, bytes as they are."""
        for event in batch:
            message = event.message
            self.put(message.partition, message.key, message.value)

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """Forget partitions that others have now."""
        mine = {tp.partition for tp in active_tps}
        for partition in [one for one in self.partitions if one not in mine]:
            del self.partitions[partition]
        self.generation += 1

    def _clear(self) -> None:
        self.partitions.clear()


class RowTable(Table):
    """A table of bytes, changed only through its store."""

    def _new_store(self) -> RowStore:
        return RowStore("rows://", self.app, self, table_name=self.name, key_type=bytes, value_type=bytes)

    @property
    def rows(self) -> RowStore:
        """The store."""
        store = self.data
        assert isinstance(store, RowStore)
        return store


def row_table(app: Any, name: str, partitions: int) -> RowTable:
    """Declare a table with its changelog in an app."""
    table = RowTable(
        app, name=name, partitions=partitions, key_type=bytes, value_type=bytes, use_partitioner=True, recovery_buffer_size=1000
    )
    app.tables.add(table)
    assert isinstance(table, CollectionT)
    return table
