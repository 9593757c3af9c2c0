"""A rulebook that can't rate some subject: no fact is lost, no other regime and no other subject held up, nothing forgotten.

The broken book gives a rule a grade that doesn't exist. It stands for a fault of the code: its digest is the activated one, so
that a worker with the whole book is the same stack with the fault mended.
"""

from __future__ import annotations

import orjson
import pytest

from schemas import topics
from services.rating.adapters.health import Progress
from services.rating.domain.fold import Book, decide
from services.rating.domain.subject import Subject
from services.rating.handlers import Rater
from services.rating.partition import PartitionState
from services.rating.ports import Record
from tests.cases.ledger import Ledger, book, without_approval
from tests.unit.rating.test_rater import SUBJECTS, Disk, grades, record, run

WHOLE = without_approval(book("liyujiang"))


def broken(whole: Book, rule: str = "d_money") -> Book:
    """A book that fails where ``rule`` holds."""
    rules = tuple(one.model_copy(update={"grade": "Z"}) if one.id == rule else one for one in whole.rulebook.rules)
    return Book(whole.rulebook.model_copy(update={"rules": rules}), whole.sha256, whole.zone)


def second() -> Book:
    """The same rules as another regime."""
    header = WHOLE.rulebook.header.model_copy(update={"regime": "other"})
    return Book.of(WHOLE.rulebook.model_copy(update={"header": header}))


OTHER = second()


def life(subject: str, *, fined: bool) -> Ledger:
    ledger = Ledger(subject=subject)
    ledger.enter("rulebook.activated", {**ledger.facts[0].data, "occurred_on": "2005-01-01", "regime": "other", "sha256": OTHER.sha256})
    ledger.registered("2022-05-01", regimes=["liyujiang", "other"])
    ledger.started("2022-05-01")
    if fined:
        ledger.fined("2023-05-01")
        ledger.inspected("2023-06-01", found=("GSP-01",))
    ledger.scored(2023, "95")
    ledger.evaluated(2023)
    ledger.warned("2024-03-01")
    return ledger


def records(*ledgers: Ledger) -> list[Record]:
    """One partition; control events are the first one's."""
    entries = sorted((fact.stamp, number, fact.offset) for number, one in enumerate(ledgers) for fact in one.facts)
    found: list[Record] = []
    for _, number, offset in entries:
        fact = ledgers[number].facts[offset]
        if number == 0 or fact.name not in ("rulebook.activated", "evaluation.closed"):
            found.append(record(len(found), ledgers[number].subject, fact.name, fact.data, id=fact.id, at=fact.stamp))
    return found


LOG = records(life(SUBJECTS[0], fined=False), life(SUBJECTS[1], fined=True), life(SUBJECTS[2], fined=False))


def told(disk: Disk, *, subject: str | None = None, regime: str | None = None) -> dict[str, bytes]:
    found = {id: orjson.loads(value)["event"] for id, value in grades(disk).items()}
    return {
        id: grades(disk)[id] for id, one in found.items() if subject in (None, one["subject"]) and regime in (None, one["data"]["regime"])
    }


def untold_rows(disk: Disk) -> list[bytes]:
    return [key for _, key in disk.rows if key.startswith(b"untold/")]


@pytest.fixture(scope="module")
def undisturbed() -> Disk:
    disk = Disk()
    run(disk, LOG, batch=50, books={"liyujiang": WHOLE, "other": OTHER})
    assert not untold_rows(disk)
    return disk


@pytest.mark.parametrize("batch", [1, 4, 50])
def test_what_one_regime_cannot_tell_of_one_subject_everything_else_is_told_of(undisturbed: Disk, batch: int) -> None:
    disk = Disk()
    rater = run(disk, LOG, batch=batch, books={"liyujiang": broken(WHOLE), "other": OTHER})
    assert told(undisturbed, regime="other") == told(disk, regime="other")
    for subject in (SUBJECTS[0], SUBJECTS[2]):
        assert told(undisturbed, subject=subject) == told(disk, subject=subject) != {}
    owed = [{"regime": "liyujiang", "subjects": 1, "partitions": [3]}]
    assert owed == rater.untold()
    assert [f"untold/liyujiang#{SUBJECTS[1]}".encode()] == untold_rows(disk)
    assert rater.counts.untold == 5 and rater.counts.quarantined == 5
    reasons = [orjson.loads(one.value)["reason"] for one in disk.messages if one.topic == topics.QUARANTINE]
    assert all("by liyujiang" in one for one in reasons)


@pytest.mark.parametrize("batch", [1, 4, 50])
def test_no_fact_is_lost_and_the_mended_worker_tells_all_that_was_owed(undisturbed: Disk, batch: int) -> None:
    disk = Disk()
    run(disk, LOG, batch=batch, books={"liyujiang": broken(WHOLE), "other": OTHER})
    assert PartitionState.load(3, _rows(disk, "chunks"), ()).facts(SUBJECTS[1]) == undisturbed.state().facts(SUBJECTS[1])
    assert len(grades(disk)) < len(grades(undisturbed))
    rater = run(disk, LOG, batch=batch, books={"liyujiang": WHOLE, "other": OTHER})
    assert grades(undisturbed) == grades(disk)
    assert ([], []) == (rater.untold(), untold_rows(disk))


def _rows(disk: Disk, table: str) -> list[tuple[bytes, bytes]]:
    return [(key, value) for (of, key), value in disk.rows.items() if of == table]


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_crash_at_any_write_forgets_nobody_who_is_owed(undisturbed: Disk, cut: int) -> None:
    books = {"liyujiang": broken(WHOLE), "other": OTHER}
    disk = Disk(torn_at=cut)
    with pytest.raises(ConnectionError):
        run(disk, LOG, batch=3, books=books)
    assert 1 == run(disk, LOG, batch=3, books=books).untold()[0]["subjects"]
    run(disk, LOG, batch=3, books={"liyujiang": WHOLE, "other": OTHER})
    assert grades(undisturbed) == grades(disk) and not untold_rows(disk)


def test_a_worker_that_is_still_broken_starts_all_the_same() -> None:
    disk, books = Disk(), {"liyujiang": broken(WHOLE), "other": OTHER}
    run(disk, LOG, batch=9, books=books)
    before = len(disk.messages)
    assert 1 == run(disk, LOG, batch=9, books=books).untold()[0]["subjects"]
    assert len(disk.messages) == before


def test_a_refused_regime_is_made_up_for_whatever_one_subject_brings(undisturbed: Disk) -> None:
    disk = Disk()
    run(disk, LOG, batch=9, books={"other": OTHER})
    rater = run(disk, LOG, batch=9, books={"liyujiang": broken(WHOLE), "other": OTHER})
    assert ([], 1) == (rater.refusals(), rater.untold()[0]["subjects"])
    assert told(undisturbed, subject=SUBJECTS[0]) == told(disk, subject=SUBJECTS[0])
    run(disk, LOG, batch=9, books={"liyujiang": WHOLE, "other": OTHER})
    assert grades(undisturbed) == grades(disk)


def test_a_standing_that_can_be_worked_out_again_settles_what_was_owed() -> None:
    ledger = life(SUBJECTS[1], fined=True)
    ledger.closed("2024-05-01")
    disk = Disk()
    rater = run(disk, records(ledger), batch=4, books={"liyujiang": broken(WHOLE)})
    assert ([], []) == (rater.untold(), untold_rows(disk))
    last = orjson.loads([one for one in disk.messages if one.topic == topics.GRADES][-1].value)["event"]["data"]
    assert ("closed", None) == (last["status"], last["previous_status"])


def test_who_asks_for_one_subject_hears_of_the_fault() -> None:
    ledger = life(SUBJECTS[1], fined=True)
    state = PartitionState(3)
    list(Rater({}).work(state, records(ledger)[:2]))
    fine = next(one for one in ledger.facts if one.name == "penalty.decided")
    subject = Subject(ledger.subject, 3)
    for fact in ledger.facts[2:4]:
        subject.apply(fact)
    with pytest.raises(KeyError, match="Z"):
        decide(subject, state.controls, {"liyujiang": broken(WHOLE)}, fine)


def test_readiness_names_the_regimes_and_how_many_subjects() -> None:
    progress = Progress(ready_lag=5, stalled_after_s=60, lost_after_s=30, hung_after_s=300, watched_at=0, assigned=True)
    progress.saw(ends={0: 3}, committed={0: 3}, now=1.0)
    assert progress.reason([], [], 2.0) is None
    reason = progress.reason([], [{"regime": "liyujiang", "subjects": 2, "partitions": [3]}], 2.0)
    assert reason is not None and "liyujiang (2)" in reason


def test_what_breaks_the_fold_when_it_comes_again_leaves_nothing_half_folded_behind() -> None:
    ledger = Ledger(subject=SUBJECTS[0])
    ledger.opened("2022-05-01")
    ledger.scored(2023, "95")
    ledger.evaluated(2023)
    good = records(ledger)
    # It names no regimes: the fold takes it for the registration and then breaks.
    bad = record(1, ledger.subject, "enterprise.registered", {"occurred_on": "2001-01-01"}, id="0190a5d0-0000-7000-8000-00000000000b", at=9)
    moved = [Record(one.partition, one.offset + 1, one.timestamp, one.key, one.value, one.headers) for one in good[1:]]
    log, disk = [good[0], bad, *moved], Disk()
    run(disk, log, batch=10)
    before = grades(disk)
    disk.acknowledged = 0
    run(disk, log, batch=10)
    assert before == grades(disk) and before
