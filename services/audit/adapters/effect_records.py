"""Findings, registry and single partitions of facts, on Kafka or in a bundle for auditors: what an entry's effect is worked out from."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

from schemas.rulebook import RulebookError, digest, load_texts
from schemas.topics import FACTS, FINDINGS, PARTITIONS, PARTS, REGISTRY
from services._bus.kafka import Connection
from services.audit.adapters import replay_reader
from services.audit.adapters.scan_bundle import BundleScan
from services.audit.domain.frame import Record
from services.audit.domain.manifest import Manifest
from services.audit.domain.replay import Book, books_of
from services.audit.ports import Place
from services.audit.signatures import read_file


class KafkaEffects:
    """Read up to where Kafka ends when it is asked. Raises ``KafkaError``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def findings(self) -> list[Record]:
        """Everything that audit found, partition by partition."""
        return self._all([(FINDINGS, number) for number in range(PARTITIONS)])

    def registry(self) -> list[Record]:
        """The registry, by offset."""
        return self._all([(REGISTRY, 0)])

    def parts(self) -> list[Record]:
        """What parts say of wholes."""
        return self._all([(PARTS, number) for number in range(PARTITIONS)])

    def facts(self, partition: int) -> Iterator[Sequence[Record]]:
        """One partition of facts, by offset, in batches."""
        with asyncio.Runner() as runner:
            spans = runner.run(replay_reader.bounds(self._connection, [(FACTS, partition)]))
            batches = replay_reader.read_through(self._connection, spans)
            while (some := runner.run(_next(batches))) is not None:
                yield some

    def _all(self, places: Sequence[Place]) -> list[Record]:
        async def read() -> list[Record]:
            spans = await replay_reader.bounds(self._connection, places)
            return [one async for some in replay_reader.read_through(self._connection, spans) for one in some]

        return sorted(asyncio.run(read()), key=lambda one: (one.partition, one.offset))


async def _next(batches: AsyncIterator[list[Record]]) -> list[Record] | None:
    return await anext(batches, None)


class BundleEffects:
    """The same of a bundle's folder. Raises ``OSError``, ``ValueError`` for leaves that can't be read."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self._folder, self._manifest = folder, manifest
        self._scan = BundleScan(folder, manifest.size, topics=(FACTS, REGISTRY, FINDINGS, PARTS))

    def findings(self) -> list[Record]:
        """See ``KafkaEffects``."""
        return [one for number in range(PARTITIONS) for one in self._scan.of((FINDINGS, number))]

    def registry(self) -> list[Record]:
        """See ``KafkaEffects``."""
        return self._scan.registry()

    def parts(self) -> list[Record]:
        """See ``KafkaEffects``."""
        return [one for number in range(PARTITIONS) for one in self._scan.of((PARTS, number))]

    def facts(self, partition: int) -> Iterator[Sequence[Record]]:
        """See ``KafkaEffects``."""
        while found := self._scan.more([partition]):
            yield found[partition]

    def books(self) -> dict[str, Book]:
        """The rulebooks that lie in it, of each regime the one activated last first. Raises ``RulebookError``, ``ValueError``."""
        editions: dict[str, list] = {}
        for one in self._manifest.rulebooks:
            own = f"{one.folder}/"
            names = [file.path for file in self._manifest.files if file.path.startswith(own)]
            found = load_texts({name.removeprefix(own): read_file(self._folder, name) or b"" for name in names}, folder=one.regime)
            if digest(found) != one.sha256:
                raise RulebookError(
                    "digest", file=one.folder, line=1, what=f"its digest is not {one.sha256}", remedy="Get the bundle from its source again"
                )
            editions.setdefault(one.regime, []).append(found)
        return books_of(editions)
