"""The witness's memory through crashes at every write, sync and rename: lost, and happened anyway."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audit.domain.checkpoint import open_checkpoint
from services.audit.witness.domain.judging import Refused
from services.audit.witness.handlers import Witness
from services.audit.witness.ports import StateLost
from tests.unit.audit.fakes import Crash
from tests.unit.audit.witness.world import WITNESS_KEY, CrashingDisk, Log, witness

LOG = Log()
FORK = Log(fork=4, branch=" rewritten")


class Book:
    """Every cosignature that was given out, in order, and whether it may have been."""

    def __init__(self) -> None:
        self.roots: dict[int, bytes] = {}
        self.last = 0

    def enter(self, note: bytes, line: bytes) -> None:
        point, signers = open_checkpoint(note + line, LOG.key, [WITNESS_KEY])
        assert signers[-1].key == WITNESS_KEY
        assert self.roots.setdefault(point.size, point.root) == point.root, f"two roots cosigned for {point.size} leaves"
        assert point.size >= self.last, f"went back from {self.last} to {point.size}"
        self.last = point.size


def ask(asked: Witness, book: Book, log: Log, size: int) -> bool:
    """As a log asks: from nothing, then from the size that it is told."""
    old = 0
    for _ in range(3):
        try:
            line = asked.add_checkpoint(log.request(old, size))
        except Refused as refused:
            if refused.size is None or refused.size > size:
                return False
            old = refused.size
            continue
        book.enter(log.note(size), line)
        return True
    return False


def story(asked: Witness, book: Book, begin: int = 0) -> None:
    """The log grows; its operator tries now and then to have another branch cosigned."""
    for number, (log, size) in enumerate([(LOG, 3), (LOG, 6), (FORK, 6), (FORK, 8), (LOG, 6), (LOG, 9), (FORK, 9)]):
        if number >= begin:
            ask(asked, book, log, size)


def steps() -> int:
    disk = CrashingDisk()
    asked = witness(disk, LOG)
    began = disk.steps
    story(asked, Book())
    assert disk.steps - began == 4 * 5, "four times kept, each by open, write, sync, rename, sync"
    return disk.steps


@pytest.mark.parametrize("lost", [True, False], ids=["lost", "happened anyway"])
def test_a_crash_at_every_step_forgets_no_answer(lost: bool) -> None:
    whole = Book()
    story(witness(CrashingDisk(), LOG), whole)
    fresh = CrashingDisk()
    witness(fresh, LOG)
    for at in range(fresh.steps + 1, steps() + 1):
        for after in (LOG, FORK):
            disk = CrashingDisk(at=at, lost=lost)
            book = Book()
            with pytest.raises(Crash):
                story(witness(disk, LOG), book)
            disk.power_cut()
            again = witness(disk, LOG, fresh=False)
            assert again.kept(LOG.origin).latest.size >= book.last, f"step {at}: what was answered is not kept"
            # Whoever comes first after the crash: the log as it was, or its other branch.
            ask(again, book, after, 9)
            story(again, book)
            if after is LOG:
                assert book.roots[9] == whole.roots[9]


@pytest.mark.parametrize("lost", [True, False], ids=["lost", "happened anyway"])
def test_a_crash_while_a_log_begins_to_be_followed_is_never_taken_for_a_new_log(lost: bool) -> None:
    for at in range(1, 6):
        disk = CrashingDisk(at=at, lost=lost)
        with pytest.raises(Crash):
            witness(disk, LOG)
        disk.power_cut()
        again = witness(disk, LOG, fresh=False)
        try:
            assert again.kept(LOG.origin).note is None
        except StateLost:
            continue


CRASH = st.tuples(st.integers(1, 5), st.booleans(), st.booleans())


@given(st.lists(st.tuples(st.sampled_from([LOG, FORK]), st.integers(0, 12), st.one_of(st.none(), CRASH)), max_size=12))
def test_whatever_is_asked_and_whenever_it_crashes_one_root_a_size_and_never_back(
    asks: list[tuple[Log, int, tuple[int, bool, bool] | None]],
) -> None:
    """A crash is after so many steps, the last one lost or not, of the process alone or of the machine."""
    disk, book = CrashingDisk(), Book()
    asked = witness(disk, LOG)
    for log, size, crash in asks:
        if crash:
            disk.at, disk.lost = disk.steps + crash[0], crash[1]
        try:
            ask(asked, book, log, size)
        except Crash:
            if crash and crash[2]:
                disk.power_cut()
            asked = witness(disk, LOG, fresh=False)
        disk.at = None
    disk.lost = True
    disk.power_cut()
    assert witness(disk, LOG, fresh=False).kept(LOG.origin).latest.size >= book.last


def test_what_a_killed_process_renamed_is_synced_before_it_is_cosigned() -> None:
    """The new process sees the name; the disk may not have it yet."""
    disk, book = CrashingDisk(), Book()
    asked = witness(disk, LOG)
    disk.at, disk.lost = disk.steps + 4, False  # after the rename, before the folder is synced
    with pytest.raises(Crash):
        ask(asked, book, LOG, 6)
    disk.at, disk.lost = None, True
    assert ask(witness(disk, LOG, fresh=False), book, LOG, 6)
    disk.power_cut()
    assert witness(disk, LOG, fresh=False).kept(LOG.origin).latest.size == 6


def test_the_model_itself_loses_what_was_not_synced() -> None:
    """So that the tests above can fail: a witness that answers before it syncs is caught."""

    class Hasty(CrashingDisk):
        def sync_names(self) -> None:
            return

    disk, book = Hasty(), Book()
    states_disk = CrashingDisk()
    witness(states_disk, LOG)
    disk.seen, disk.durable = dict(states_disk.seen), dict(states_disk.seen)
    asked = witness(disk, LOG, fresh=False)
    ask(asked, book, LOG, 6)
    disk.power_cut()
    assert witness(disk, LOG, fresh=False).kept(LOG.origin).latest.size < book.last
