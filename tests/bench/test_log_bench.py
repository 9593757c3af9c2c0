"""The log's bench measures what it says: entries of their size, every record once, a delay for each."""

from __future__ import annotations

from services.audit.appender import Appender
from services.audit.domain.frame import entry_of
from tests.bench import log
from tests.unit.audit.fakes import KEY, Fuse, MemoryPlan, MemoryStore


def writer() -> Appender:
    fuse = Fuse()
    made = Appender(plan=MemoryPlan(fuse), store=MemoryStore(fuse), key=KEY)
    made.start()
    return made


def test_entries_have_the_size_that_was_asked_for() -> None:
    batch = log.Source(log.ENTRY_BYTES).take(50)
    assert {len(entry_of(one)[0]) for some in batch.values() for one in some} == {log.ENTRY_BYTES}
    assert sorted(one.offset for some in batch.values() for one in some) == sorted([*range(4)] * 12 + [4, 4])


def test_every_record_is_appended_once_and_has_its_delays() -> None:
    made, source = writer(), log.Source(log.ENTRY_BYTES)
    per_second, cpu = log.as_fast_as_it_goes(made, source, 700)
    assert made.size == 700 and per_second > 0 and cpu > 0
    integrated, published = log.at_a_rate(made, source, 200.0, 0.5, 0.01)
    assert made.size == 800 and len(integrated) == len(published) == 100
    assert all(0 <= one <= other for one, other in zip(integrated, published, strict=True))
    log.grown(made, source, 1_000)
    assert made.signed == 1_000


def test_quantiles_are_in_milliseconds() -> None:
    assert log.quantile([0.001, 0.003, 0.002], 0.5) == 2 and log.quantile([0.001] * 99 + [0.5], 0.99) == 500
