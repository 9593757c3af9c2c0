"""Records of some topics, partition by partition in their own order: from Kafka, or from a bundle for auditors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Protocol

from schemas.rulebook import Rulebook, digest, load_all_editions, load_texts
from schemas.topics import TOPICS
from services.audit.adapters import replay_reader
from services.audit.bundles import NoBundle, check_files
from services.audit.domain.frame import FrameError, Record, Stub, decode
from services.audit.domain.manifest import Manifest
from services.audit.domain.tiles import WIDTH
from services.audit.domain.verify import read_bundle, whole_of
from services.audit.regrading import Source
from services.audit.signatures import read_file

_PARTITIONS = {topic.name: topic.partitions for topic in TOPICS}


class Records(Protocol):
    """Where records come from, and which rulebooks lie beside them."""

    def each(self, *topics: str) -> Iterator[Record]:
        """All records of these topics."""

    def editions(self) -> dict[str, Rulebook]:
        """Rulebooks by their digest."""


class FromKafka:
    """As much as Kafka has when reading begins. ``rulebooks``: the folder of those in use.

    Raises ``KafkaError``, ``UnusableCertificates``."""

    def __init__(self, source: Source, rulebooks: Path) -> None:
        self._source, self._rulebooks = source, rulebooks

    def each(self, *topics: str) -> Iterator[Record]:
        """See ``Records``."""
        places = [(topic, number) for topic in topics for number in range(_PARTITIONS[topic])]
        with asyncio.Runner() as runner:
            connection = self._source.connection()
            batches: AsyncGenerator[list[Record], None] = replay_reader.read_through(
                connection, runner.run(replay_reader.bounds(connection, places))
            )
            try:
                while (batch := runner.run(_next(batches))) is not None:
                    yield from batch
            finally:
                runner.run(batches.aclose())

    def editions(self) -> dict[str, Rulebook]:
        """See ``Records``. Raises ``RulebookError``."""
        return {digest(one): one for many in load_all_editions(self._rulebooks).values() for one in many}


async def _next(batches: AsyncGenerator[list[Record], None]) -> list[Record] | None:
    return await anext(batches, None)


class FromBundle:
    """A bundle whose files are those that its manifest names. Raises ``NoBundle``. Whether its log is the signed one is for
    ``mingjian verify --bundle``."""

    def __init__(self, folder: Path) -> None:
        manifest, faults = check_files(folder)
        if manifest is None or faults:
            first = faults[0]
            raise NoBundle(f"{folder}: {first.where}: {first.what}; `mingjian verify --bundle {folder}` lists everything")
        self._folder, self._manifest = folder, manifest

    @property
    def manifest(self) -> Manifest:
        """What the bundle says of itself."""
        return self._manifest

    def each(self, *topics: str) -> Iterator[Record]:
        """See ``Records``. Raises ``NoBundle`` for a leaf that can't be read."""
        size = self._manifest.size
        for index in range((size + WIDTH - 1) // WIDTH):
            for entry in read_bundle(self._file, index, min(WIDTH, size - index * WIDTH)):
                try:
                    found = decode(entry)
                    whole = whole_of(found, self._file) if isinstance(found, Stub) and found.topic in topics else found
                except FrameError as error:
                    raise NoBundle(f"{self._folder}: a leaf of bundle {index} can't be read: {error}") from None
                if isinstance(whole, Record) and whole.topic in topics:
                    yield whole

    def _file(self, path: str) -> bytes | None:
        return read_file(self._folder, path)

    def editions(self) -> dict[str, Rulebook]:
        """See ``Records``. Raises ``RulebookError``."""
        found = {}
        for one in self._manifest.rulebooks:
            own = f"{one.folder}/"
            files = {
                named.path.removeprefix(own): self._file(named.path) or b"" for named in self._manifest.files if named.path.startswith(own)
            }
            found[one.sha256] = load_texts(files, folder=one.regime)
        return found
