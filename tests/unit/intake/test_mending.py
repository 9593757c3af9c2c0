"""What mends an entry: whose it may be, and that what shall stand instead could have been entered so."""

from __future__ import annotations

from typing import Any

import pytest

from services.intake.domain.registry import Registry
from tests import toolkit as kit
from tests.unit.intake.sayings import D, admitted, denied

ENTRY = {"source": kit.OFFICE, "id": "019ce0a1-6700-7b79-8851-c9e49e43487c"}
OTHERS = ENTRY | {"source": kit.OTHER_OFFICE}
ABOUT = {"occurred_on": kit.TODAY, "ground": "wrong_content", "origin": "self_reported", "reason": "样例：笔误"}


def words(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"replacement": {"type": f"mingjian.{kind}.v1", "data": data}}


def mending(kind: str = "entry.retracted", entry: dict[str, Any] = ENTRY, **more: Any) -> dict[str, Any]:
    return kit.signed(kit.event(kind, ABOUT | {"entry": entry} | more), kit.OFFICER)


def undone(entry: dict[str, Any], ground: str) -> dict[str, Any]:
    data = {"occurred_on": kit.TODAY, "document_no": "样例撤1号", "act": entry, "ground": ground, "authority": "样例机关"}
    return kit.signed(kit.event("act.annulled", data), kit.OFFICER)


def test_an_office_mends_what_it_entered_and_nothing_else(registry: Registry) -> None:
    admitted(mending(), registry)
    for one in (mending(entry=OTHERS), mending("entry.corrected", OTHERS, **words("inspection.recorded", kit.inspection()))):
        found = denied(one, registry)
        assert ("entry-of-another-office", 403, D + "/entry/source") == (found.fault.code, found.fault.status, found.fault.field)


def test_of_its_own_motion_an_office_undoes_its_own_acts_a_courts_word_reaches_others(registry: Registry) -> None:
    admitted(undone(ENTRY, "own_motion"), registry)
    admitted(undone(OTHERS, "litigation"), registry)
    found = denied(undone(OTHERS, "own_motion"), registry)
    assert ("entry-of-another-office", D + "/act/source") == (found.fault.code, found.fault.field)


@pytest.mark.parametrize(
    ("kind", "data", "code", "field"),
    [
        ("inspection.recorded", kit.inspection("2027-03-02"), "occurred-in-the-future", "/occurred_on"),
        ("warning.issued", kit.warning(served="2027-03-02"), "served-in-the-future", "/service/served_on"),
        ("score.recorded", kit.score(total="98"), "sum-wrong", "/total"),
        ("inspection.recorded", kit.inspection(kind="made_up"), "replacement-wrong", "/kind"),
    ],
)
def test_what_shall_stand_instead_is_held_to_what_may_be_entered(
    kind: str, data: dict[str, Any], code: str, field: str, registry: Registry
) -> None:
    found = denied(mending("entry.corrected", **words(kind, data)), registry)
    assert (code, D + "/replacement/data" + field) == (found.fault.code, found.fault.field)


def test_a_change_can_not_be_changed_and_other_things_than_facts_stand_for_nothing(registry: Registry) -> None:
    again = denied(mending("entry.corrected", **words("entry.retracted", ABOUT | {"entry": ENTRY})), registry)
    assert ("replacement-of-a-change", D + "/replacement/type") == (again.fault.code, again.fault.field)
    other = denied(mending("entry.corrected", **words("officer.enrolled", {"occurred_on": kit.TODAY})), registry)
    assert ("replacement-type", D + "/replacement/type") == (other.fault.code, other.fault.field)


def test_words_for_another_regime_need_its_grant() -> None:
    clerk = kit.Person("one-regime-clerk", regimes=("liyujiang",))
    registry = kit.enrolled_registry(clerk)
    for regimes, allowed in ((["liyujiang"], True), (["fhrs"], False)):
        data = {"occurred_on": kit.TODAY, "name": "样例药店", "business_kind": "drug_retail", "regimes": regimes}
        one = kit.signed(kit.event("entry.corrected", ABOUT | {"entry": ENTRY} | words("enterprise.registered", data)), clerk)
        if allowed:
            admitted(one, registry)
        else:
            assert "regime-not-granted" == denied(one, registry).fault.code
