"""The log on object stores: the writer's whole story, crashes around every put, another writer, damage."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from services._bus.settings import NotConfigured
from services.audit.domain.checkpoint import open_checkpoint
from services.audit.ports import LogDamaged, Superseded
from services.audit.proving import prove
from services.audit.wiring import Settings, log_store
from tests.conftest import skip_or_fail
from tests.unit.audit.fakes import VERIFIER, Crash
from tests.unit.audit.test_appender import PLACES, World, story

pytestmark = pytest.mark.sweep
if importlib.util.find_spec("obstore"):
    import obstore
    from obstore.exceptions import BaseError, GenericError

    from services.audit.adapters import objects
    from services.audit.adapters.objects import ObjectStore, StoreUnavailable, open_store


@pytest.fixture(autouse=True)
def there() -> None:
    """The environment was made before obstore was in its lock."""
    if importlib.util.find_spec("obstore") is None:
        skip_or_fail("obstore is not installed: make the environment again from requirements-dev.lock")


@pytest.fixture(params=["memory", "local"])
def objects_of(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """obstore's own store."""
    return obstore.store.MemoryStore() if request.param == "memory" else obstore.store.LocalStore(prefix=tmp_path / "log", mkdir=True)


def held(store: Any) -> dict[str, bytes]:
    names = [one["path"] for page in obstore.list(store) for one in page]
    return {name: bytes(obstore.get(store, name).bytes()) for name in names}


def test_the_same_story_gives_the_same_log_as_in_memory(objects_of: Any) -> None:
    world, plain = World(store=ObjectStore(objects_of)), World()
    story(world)
    story(plain)
    assert world.verify() == plain.verify()
    assert held(objects_of) == plain.store.files  # type: ignore[attr-defined]
    assert prove(300, ObjectStore(objects_of).read, VERIFIER).index == 300


@dataclass
class Failing:
    """Counts puts and deletes, and fails at one: before it happened (``lost``) or after it did."""

    at: int
    lost: bool
    how: Callable[[], Exception]
    steps: int = 0
    real: dict[str, Callable[..., Any]] = field(default_factory=dict)

    def wrap(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        real = getattr(obstore, name)

        def act(*given: Any, **more: Any) -> Any:
            self.steps += 1
            if self.steps != self.at:
                return real(*given, **more)
            if not self.lost:
                real(*given, **more)
            raise self.how()

        monkeypatch.setattr(objects.obstore, name, act)


@pytest.mark.parametrize("lost", [True, False], ids=["lost", "happened anyway"])
def test_a_failure_at_every_put_and_delete_loses_nothing_and_doubles_nothing(lost: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def played(failing: Failing) -> int:
        world = World(store=ObjectStore(store := obstore.store.MemoryStore()))
        with monkeypatch.context() as patched:
            for name in ("put", "delete"):
                failing.wrap(name, patched)
            sizes = []
            for _ in range(2):
                for place in PLACES:
                    world.say(place, 130)
                world.say(PLACES[0], 1, 70_000)
                try:
                    world.run(world.writer())
                except (StoreUnavailable, Crash):
                    world.store = ObjectStore(store)
                    world.run(world.writer())
                sizes.append(world.verify().size)
        assert sizes == [391, 782]
        return failing.steps

    steps = played(Failing(0, lost, Crash))
    assert steps > 15
    for at in range(1, steps + 1):
        failing = Failing(at, lost, Crash if at % 2 else lambda: GenericError("the store is not there"))
        assert played(failing) >= at


def test_a_put_whose_answer_was_lost_is_found_to_have_happened(objects_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What obstore itself tries again meets its own first try."""
    real = obstore.put

    def twice(*given: Any, **more: Any) -> Any:
        real(*given, **more)
        return real(*given, **more)

    world = World(store=ObjectStore(objects_of))
    writer = world.writer()
    monkeypatch.setattr(objects.obstore, "put", twice)
    world.say(PLACES[0], 300)
    world.run(writer)
    assert world.verify().size == 300


def test_a_writer_that_slept_can_not_put_its_checkpoint_over_a_later_one(objects_of: Any) -> None:
    world = World(store=ObjectStore(objects_of))
    world.say(PLACES[0], 5)
    slept = world.writer()
    slept.append(world.news(5))
    other = World(kafka=world.kafka, store=ObjectStore(objects_of))
    other.plan = world.plan

    def publish_late(epoch: int, size: int, act: Callable[[], None]) -> None:
        """It was asked for its epoch before it slept, and acts when it wakes."""
        other.say(PLACES[0], 5)
        other.run(other.writer())
        act()

    world.plan.publish, kept = publish_late, world.plan.publish  # type: ignore[method-assign]
    original = type(world.plan).publish
    other.plan = _Through(world.plan, original)  # type: ignore[assignment]
    with pytest.raises(Superseded):
        slept.checkpoint()
    world.plan.publish = kept  # type: ignore[method-assign]
    assert open_checkpoint(ObjectStore(objects_of).read("checkpoint") or b"", VERIFIER)[0].size == 10


class _Through:
    """A plan's own methods, ``publish`` as its class has it."""

    def __init__(self, plan: Any, publish: Any) -> None:
        self._plan, self._publish = plan, publish

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plan, name)

    def publish(self, epoch: int, size: int, act: Callable[[], None]) -> None:
        self._publish(self._plan, epoch, size, act)


def test_a_readers_look_at_the_checkpoint_frees_no_writer(objects_of: Any) -> None:
    writer, reader = ObjectStore(objects_of), ObjectStore(objects_of)
    writer.write([("checkpoint", b"one")])
    obstore.put(objects_of, "checkpoint", b"another writer's")
    assert reader.read("checkpoint") == b"another writer's"
    with pytest.raises(Superseded):
        writer.write([("checkpoint", b"two")])
    assert reader.read("checkpoint") == b"another writer's"


def test_the_first_checkpoint_of_two_writers_is_one(objects_of: Any) -> None:
    one, two = ObjectStore(objects_of), ObjectStore(objects_of)
    assert one.read("checkpoint") is None and two.read("checkpoint") is None
    one.write([("checkpoint", b"one")])
    with pytest.raises(Superseded):
        two.write([("checkpoint", b"two")])


def test_what_never_changes_is_never_replaced(objects_of: Any) -> None:
    store = ObjectStore(objects_of)
    store.write([("tile/0/000", b"a"), ("tile/entries/000", b"b")])
    store.write([("tile/0/000", b"a")])
    with pytest.raises(LogDamaged, match="tile/0/000"):
        store.write([("tile/0/000", b"c"), ("tile/0/001", b"d")])
    assert store.read("tile/0/000") == b"a"


def test_partial_tiles_go_and_nothing_else(objects_of: Any) -> None:
    store = ObjectStore(objects_of)
    names = ["tile/0/000", "tile/0/000.p/3", "tile/0/000.p/200", "tile/0/001.p/3", "tile/0/x000/000.p/1"]
    store.write([(name, name.encode()) for name in names])
    assert store.leftovers() == ["tile/0/000"]
    store.remove_partials("tile/0/000")
    store.remove_partials("tile/0/000")
    assert sorted(held(objects_of)) == ["tile/0/000", "tile/0/001.p/3", "tile/0/x000/000.p/1"] and store.leftovers() == []


def test_bytes_that_read_back_otherwise_are_damage(objects_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    store = ObjectStore(objects_of)
    monkeypatch.setattr(ObjectStore, "_get", lambda self, path: (b"flipped", "e"))
    for path in ("checkpoint", "tile/0/000"):
        with pytest.raises((LogDamaged, Superseded)):
            store.write([(path, b"written")])


@pytest.mark.parametrize("call", ["read", "write", "leftovers", "remove_partials"])
def test_a_store_that_is_away_is_told_as_such(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise GenericError("no answer")

    for name in ("get", "put", "list", "delete"):
        monkeypatch.setattr(objects.obstore, name, away)
    store = ObjectStore(obstore.store.MemoryStore())
    given: dict[str, tuple[Any, ...]] = {"read": ("tile/0/000",), "write": ([("tile/0/000", b"")],), "remove_partials": ("tile/0/000",)}
    with pytest.raises(StoreUnavailable):
        getattr(store, call)(*given.get(call, ()))
    assert issubclass(GenericError, BaseError)


@pytest.mark.parametrize("url", ["file:///tmp/log", "memory:///", "log", "nothing://here"])
def test_an_address_that_names_no_object_store_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        open_store(url)


def test_the_storage_is_chosen_by_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dsn = tmp_path / "dsn"
    dsn.write_text("postgresql://nowhere")
    env = {"MINGJIAN_HOME": str(tmp_path), "MINGJIAN_KAFKA": "nowhere:1", "MINGJIAN_DSN_FILE": str(dsn)}
    assert type(log_store(Settings.from_env(env))).__name__ == "FolderStore"
    named = Settings.from_env(env | {"MINGJIAN_LOG_STORE": "s3://bucket/log"})
    assert isinstance(log_store(named), ObjectStore)
    with pytest.raises(NotConfigured, match="MINGJIAN_LOG_STORE"):
        log_store(Settings.from_env(env | {"MINGJIAN_LOG_STORE": "file:///tmp/log"}))
