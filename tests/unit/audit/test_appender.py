"""The writer of the log: crashes at every step in both ways, recovery, damage, two writers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from services.audit.adapters.folder import FolderStore
from services.audit.appender import Appender, spans_of
from services.audit.domain.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from services.audit.domain.frame import Record
from services.audit.domain.verify import Verification
from services.audit.ports import LogDamaged, LogStore, Place, Superseded
from tests.unit.audit.fakes import KEY, VERIFIER, Crash, Fuse, MemoryPlan, MemoryStore, record

pytestmark = pytest.mark.sweep

PLACES = [("a", 0), ("a", 1), ("b", 0)]


@dataclass
class World:
    """Kafka as a dictionary, and what survives a crash of the writer."""

    kafka: dict[Place, list[Record]] = field(default_factory=lambda: {place: [] for place in PLACES})
    fuse: Fuse = field(default_factory=Fuse)
    store: LogStore = None  # type: ignore[assignment]
    plan: MemoryPlan = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        self.store = self.store or MemoryStore(self.fuse)
        self.plan = MemoryPlan(self.fuse)

    def say(self, place: Place, count: int, size: int = 40) -> None:
        self.kafka[place] += [record(*place, len(self.kafka[place]) + number, size) for number in range(count)]

    def writer(self) -> Appender:
        """A new writer, recovered."""
        made = Appender(plan=self.plan, store=self.store, key=KEY)
        head = made.start()
        while made.size < head.planned:
            for span in self.plan.spans(made.size, 3):
                found = self.kafka[span.topic, span.partition][span.first_offset : span.first_offset + span.count]
                made.replay(span, found)
        return made

    def news(self, limit: int) -> Mapping[Place, list[Record]]:
        positions = self.plan.positions()
        found = {place: records[positions.get(place, 0) :][:limit] for place, records in self.kafka.items()}
        return {place: records for place, records in found.items() if records}

    def run(self, writer: Appender, limit: int = 150) -> None:
        while batch := self.news(limit):
            writer.append(batch)
            writer.checkpoint()
        # As the service does when nothing comes: recovered leaves wait for no news.
        writer.checkpoint()

    def verify(self) -> Checkpoint:
        """The log holds every record once."""
        point, _ = open_checkpoint(self.store.read("checkpoint") or b"", VERIFIER)
        check = Verification(point, self.store.read)
        for _ in check.tree():
            pass
        for records in self.kafka.values():
            for one in records:
                check.compare(one)
        check.compared()
        assert check.faults == []
        assert check.next_offsets == {place: len(records) for place, records in self.kafka.items() if records}
        return point


def story(world: World) -> None:
    """Three rounds over several tiles and bundles, one record too long for a leaf."""
    for round_number in range(3):
        for place in PLACES:
            world.say(place, 90 + 40 * round_number)
        if round_number == 1:
            world.say(PLACES[0], 1, 70_000)
        world.run(world.writer())


def test_every_record_becomes_one_leaf() -> None:
    world = World()
    story(world)
    assert world.verify().size == 3 * (90 + 130 + 170) + 1
    assert not [name for name in world.store.files if name.startswith("tile/0/000.p/")], "partial tiles of a full one are dropped"


def steps_of_the_story() -> int:
    world = World()
    story(world)
    return world.fuse.steps


@pytest.mark.parametrize("lost", [True, False], ids=["lost", "happened anyway"])
def test_a_crash_at_every_step_loses_nothing_and_doubles_nothing(lost: bool) -> None:
    whole = World()
    story(whole)
    for at in range(1, steps_of_the_story() + 1):
        world = World(fuse=Fuse(at, lost))
        crashed = False
        rounds = []
        for round_number in range(3):
            for place in PLACES:
                world.say(place, 90 + 40 * round_number)
            if round_number == 1:
                world.say(PLACES[0], 1, 70_000)
            try:
                world.run(world.writer())
            except Crash:
                crashed = True
                world.run(world.writer())
            rounds.append(world.verify().size)
        assert crashed, f"step {at} was reached"
        assert rounds == sorted(rounds)
        assert world.verify().size == whole.verify().size


def test_batches_do_not_change_the_tree_of_one_partition() -> None:
    roots = set()
    for limit in (1, 7, 256, 1000):
        world = World()
        world.say(("a", 0), 600)
        world.run(world.writer(), limit)
        roots.add(world.verify().root)
    assert len(roots) == 1


def test_a_new_log_has_a_checkpoint_of_nothing() -> None:
    world = World()
    world.writer()
    assert world.verify().size == 0


def test_nothing_new_signs_nothing() -> None:
    world = World()
    world.say(("a", 0), 3)
    writer = world.writer()
    world.run(writer)
    note = world.store.read("checkpoint")
    assert writer.checkpoint() is False and world.store.read("checkpoint") == note


def test_holes_in_the_offsets_end_a_span() -> None:
    records = [record("a", 0, offset) for offset in (4, 5, 8, 9, 10, 12)]
    spans = spans_of(100, {("a", 0): records, ("b", 0): [record("b", 0, 0)]})
    assert [(one.first, one.count, one.topic, one.first_offset) for one in spans] == [
        (100, 2, "a", 4),
        (102, 3, "a", 8),
        (105, 1, "a", 12),
        (106, 1, "b", 0),
    ]


def test_a_paused_writer_that_wakes_after_another_took_over_stops() -> None:
    world = World()
    world.say(("a", 0), 5)
    paused = world.writer()
    paused.append(world.news(5))
    other = world.writer()
    world.say(("a", 0), 5)
    with pytest.raises(Superseded):
        paused.checkpoint()
    with pytest.raises(Superseded):
        paused.append({("a", 0): [record("a", 0, 5)]})
    world.run(other)
    assert world.verify().size == 10


def test_a_checkpoint_that_was_put_back_is_put_right() -> None:
    """What a writer can do that slept between the check of its epoch and its rename: an older checkpoint, for a moment."""
    world = World()
    writer = world.writer()
    old = world.store.files["checkpoint"]
    world.say(("a", 0), 5)
    world.run(writer)
    world.store.files["checkpoint"] = old
    assert writer.checkpoint() is True
    assert world.verify().size == 5


def damaged(change: str) -> World:
    world = World()
    for place in PLACES:
        world.say(place, 100)
    world.run(world.writer())
    files = world.store.files
    if change == "tile":
        files["tile/0/001.p/44"] = files["tile/0/001.p/44"][:-1] + b"\0"
    elif change == "bundle":
        files["tile/entries/001.p/44"] = files["tile/entries/001.p/44"][:-1] + b"\0"
    elif change == "missing tile":
        del files["tile/1/000.p/1"]
    elif change == "checkpoint signature":
        files["checkpoint"] = files["checkpoint"].replace(b"unit.test/log ", b"unit.test/log A", 1)
    elif change == "no checkpoint":
        del files["checkpoint"]
    elif change == "old folder":
        files["checkpoint"] = sign_checkpoint(Checkpoint(VERIFIER.name, 0, bytes(32)), VERIFIER, KEY.sign)
    elif change == "old database":
        world.plan.rows.pop()
        world.plan.signed = 0
    return world


@pytest.mark.parametrize(
    "change", ["tile", "bundle", "missing tile", "checkpoint signature", "no checkpoint", "old folder", "old database"]
)
def test_a_writer_refuses_to_sign_on_what_was_not_signed(change: str) -> None:
    world = damaged(change)
    before = dict(world.store.files)
    with pytest.raises(LogDamaged):
        world.writer()
    assert world.store.files == before


class FlippingStore(MemoryStore):
    """Flips a bit of one file between writing and reading back: a bad disk."""

    victim = ""

    def read(self, path: str) -> bytes | None:
        data = super().read(path)
        return data[:-1] + bytes([data[-1] ^ 1]) if data and path == self.victim else data


@pytest.mark.parametrize("victim", ["tile/0/000", "tile/entries/000", "tile/1/000.p/1", "tile/0/001.p/44", "tile/entries/001.p/44"])
def test_a_bit_that_flips_between_writing_and_reading_is_never_signed(victim: str) -> None:
    world = World()
    world.store = FlippingStore(world.fuse)
    writer = world.writer()
    note = world.store.files["checkpoint"]
    world.store.victim = victim
    for place in PLACES:
        world.say(place, 100)
    with pytest.raises(LogDamaged):
        world.run(writer)
    assert world.store.files["checkpoint"] == note


def test_the_same_story_on_a_real_folder(tmp_path: Path) -> None:
    world = World(store=FolderStore(tmp_path / "log", "test"))
    story(world)
    memory = World()
    story(memory)
    assert world.verify() == memory.verify()
    on_disk = {str(one.relative_to(tmp_path / "log")) for one in (tmp_path / "log").rglob("*") if one.is_file()}
    assert on_disk == set(memory.store.files), "the folder holds what the fake holds, and no leftovers"


def test_a_full_disk_stops_the_writer_and_the_next_one_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(store=FolderStore(tmp_path / "log", "test"))
    writer = world.writer()
    world.say(("a", 0), 300)
    real = FolderStore._write_one

    def full(self: FolderStore, path: str, data: bytes) -> None:
        if path.startswith("tile/entries"):
            raise OSError(28, "No space left on device")
        real(self, path, data)

    monkeypatch.setattr(FolderStore, "_write_one", full)
    with pytest.raises(OSError, match="No space"):
        world.run(writer)
    monkeypatch.setattr(FolderStore, "_write_one", real)
    world.run(world.writer())
    assert world.verify().size == 300


def test_what_a_crash_left_is_cleared_away_at_the_next_start(tmp_path: Path) -> None:
    """Temporary files of any process; partial tiles of full ones that a checkpoint covers, and no others."""
    world = World(store=FolderStore(tmp_path / "log", "one"))
    world.say(PLACES[0], 300)
    world.run(world.writer())
    tile = tmp_path / "log" / "tile"
    for folder in ("0/000.p", "entries/000.p"):
        (tile / folder).mkdir()
        (tile / folder / "44").write_bytes(b"an earlier edge")
    (tile / "0" / ".000.99.tmp").write_bytes(b"half a ti")
    (tile / ".checkpoint.99.tmp").write_bytes(b"")
    world.writer()
    assert not [one for one in (tmp_path / "log").rglob(".*")]
    assert sorted(one.relative_to(tile).as_posix() for one in tile.rglob("*.p")) == ["0/001.p", "1/000.p", "entries/001.p"]
    world.verify()


def test_partial_tiles_that_the_checkpoint_still_names_stay(tmp_path: Path) -> None:
    world = World(store=FolderStore(tmp_path / "log", "one"))
    world.say(PLACES[0], 200)
    world.run(world.writer())
    writer = world.writer()
    world.say(PLACES[0], 100)
    writer.append(world.news(1_000))
    fresh = Appender(plan=world.plan, store=world.store, key=KEY)
    fresh.start()
    assert (tmp_path / "log" / "tile" / "0" / "000.p" / "200").exists(), "256 leaves are on disk, 200 are signed"


def test_a_start_that_signs_nothing_says_so() -> None:
    world = World()
    assert world.writer().signed_at_start, "the first checkpoint, of no leaves"
    world.say(PLACES[0], 3)
    world.run(world.writer())
    assert not world.writer().signed_at_start
