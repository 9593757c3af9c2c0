"""The offices' list: the newest of each duty, in whatever order copies come; the file driver says the same of a day."""

from __future__ import annotations

from datetime import date

import orjson
import pytest

from schemas.envelope import derived_bytes
from services.rating.bulk import fold_lines, owed, rate, row
from services.rating.owed import Owed, is_late
from tests.cases.ledger import OFFICE
from tests.cases.offices import OTHER, Bureau, graded
from tests.unit.rating.streams import stream

Entries = list[tuple[int, int, bytes, bytes, list[tuple[str, bytes]]]]


def rechecked() -> Bureau:
    """One re-check overdue and made later, one that is still open, and a visit that another office owes."""
    ledger = graded("D", "四(三)1")
    ledger.adopted("四(三)2", "2025-02-01", office=OTHER)
    ledger.case_closed("2025-03-10")
    ledger.day_closed("2025-04-22")
    ledger.rechecked("2025-04-23")
    ledger.case_closed("2025-05-10")
    return ledger


def entries(ledger: Bureau) -> Entries:
    told = [one.event for one in ledger.told() if one.event["type"].startswith("mingjian.duty.")]
    return [(at, 0, b"", derived_bytes(one), []) for at, one in enumerate(told)]


def opened(given: Entries) -> Owed:
    found = Owed()
    found.take(given)
    return found


def test_each_duty_stands_as_it_was_told_last_the_first_due_first() -> None:
    found = opened(entries(rechecked())).found()
    assert [("performed", True), ("open", False), ("open", False)] == [(one["data"]["state"], is_late(one["data"])) for one in found]
    assert sorted(one["data"]["due_on"] for one in found) == [one["data"]["due_on"] for one in found]


def test_it_can_be_asked_by_office_state_and_subject() -> None:
    found = opened(entries(rechecked()))
    assert [OTHER] == [one["data"]["office"] for one in found.found(office=OTHER)]
    assert 2 == len(found.found(office=OFFICE)) and [] == found.found(subject="uscc:other") == found.found(regime="other")
    assert ["open"] * 2 == [one["data"]["state"] for one in found.found(states=frozenset(("open",)))]


def test_what_is_told_again_behind_what_followed_it_changes_nothing() -> None:
    given = entries(rechecked())
    assert opened(given).found() == opened([*given, *given[:3]]).found()


def test_what_never_was_a_duty_is_not_listed() -> None:
    ledger = graded("D", "四(三)1")
    ledger.retracted(ledger.case_closed("2025-03-10"), "2025-03-20")
    assert [] == opened(entries(ledger)).found()


def test_a_record_that_tells_of_no_duty_is_refused() -> None:
    event = {"type": "mingjian.grade.determined.v1", "data": {}}
    with pytest.raises(ValueError, match="nothing that is told of a duty"):
        opened([(0, 0, b"", orjson.dumps({"event": event}), [])])


def test_the_file_driver_says_what_is_owed_on_a_day() -> None:
    ledger = rechecked()
    folded = fold_lines([one.value for one in stream([ledger])], ledger.book)
    day = date(2025, 7, 1)
    [(subject, found)] = rate(folded, ledger.book, as_of=day)
    said = row(subject, found, owed(folded, ledger.book, subject, day), ledger.book)["duties"]
    assert [("performed", "2025-04-22"), ("overdue", "2025-06-23"), ("open", "2025-12-31")] == [
        (one["state"], one["due_on"]) for one in said
    ]
    assert {"duty", "office", "clause", "set_by_operator", "provisional", "needed", "events"} <= said[0].keys()
    orjson.dumps(said)
