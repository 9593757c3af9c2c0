"""A pack of a matter that was heard: what the one fold of hearings says stands in it, and its effect follows from it again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import orjson
import pytest

from schemas.canonical import trusted_canonical_bytes
from schemas.envelope import open_record
from services.audit.evidence.archive import unpack
from services.audit.evidence.verifying import Trust, Verified, verify
from tests import hearing as h
from tests import toolkit as kit
from tests.cases.ledger import Ledger
from tests.cases.test_late_entries_effect import known_on, town_shop
from tests.unit.audit.packed import PackWorld, packed

FOUND = {"intent": "on_purpose", "grade_affected": True, "consequence": "referral_for_accountability", "clause": "五(三) ¶4"}
OTHER = kit.new_id("a matter of somebody else")
Events = list[dict[str, Any]]


def found_on_purpose(matter: str) -> Events:
    return h.on_matter(matter, h.notified(), h.replied(statement="文书由他人送达 <b>"), h.decided(**FOUND))


def appealed_and(matter: str, decision: dict[str, Any], outcome: str, **more: Any) -> Events:
    (appeal,) = h.on_matter(matter, h.appealed(decision))
    return [appeal, *h.on_matter(matter, h.decided_on(appeal, outcome=outcome, **more))]


def effect_of(files: dict[str, bytes]) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(files["effect.json"])["event"]["data"]
    return said


def checked(world: PackWorld, finding: str | None = None) -> tuple[Verified, dict[str, bytes]]:
    made = packed(world, finding).data
    return verify(made, Trust()), unpack(made)


def test_purpose_leads_to_a_referral_and_is_worked_out_again() -> None:
    found, files = checked(PackWorld(hearing=found_on_purpose))
    assert [] == found.wrong
    assert "referral_for_accountability" == effect_of(files)["consequence"]["kind"]
    page = files["report.html"].decode()
    assert "移送追责" in page and "Referral for accountability".lower() in page.lower()
    assert "The decision is not final yet." not in page, "the last day to appeal was over by the close"
    assert "found to be on purpose" in page and "认定故意" in page
    assert "&lt;b&gt;" in page and "文书由他人送达 <b>" not in page


def _told_as(kind: str, clause: str | None) -> Any:
    """Audit signs another consequence than its hearing gave."""

    def told(value: bytes) -> bytes:
        said = orjson.loads(value)
        if said["event"]["type"].endswith("finding.assessed.v1"):
            said["event"]["data"]["consequence"] |= {"kind": kind, "clause": clause}
        return trusted_canonical_bytes(said)

    return told


def test_a_consequence_that_the_hearing_does_not_lead_to_is_refused() -> None:
    """Neither a referral without purpose, nor none with it: the steps in the pack decide, and not that one of them speaks of purpose."""
    never = checked(PackWorld(told=_told_as("referral_for_accountability", "五(三) ¶4")))[0]
    assert {"effect.json"} == {one.where for one in never.wrong}
    hushed = checked(PackWorld(told=_told_as("circulated_criticism", "五(三) ¶3"), hearing=found_on_purpose))[0]
    said = [one.what for one in hushed.wrong]
    assert "consequence.kind is told as 'circulated_criticism'; the records lead to 'referral_for_accountability'" in said

    def set_aside(matter: str) -> Events:
        steps = found_on_purpose(matter)
        return [*steps, *appealed_and(matter, steps[2], "remitted")]

    still = checked(PackWorld(told=_told_as("referral_for_accountability", "五(三) ¶4"), hearing=set_aside))[0]
    assert "effect.json" in {one.where for one in still.wrong}


def test_who_was_cleared_is_told_first_and_nothing_is_proposed() -> None:
    def cleared(matter: str) -> Events:
        steps = found_on_purpose(matter)
        others = h.on_matter(OTHER, h.notified())
        return [*steps, *others, *appealed_and(matter, steps[2], "cleared")]

    found, files = checked(PackWorld(hearing=cleared))
    assert [] == found.wrong
    assert re.search(r"1 of the registry's first \d+ records are left out as steps of other hearings", found.checks[-1].said)
    kinds = [one["event"]["type"].split(".")[2] for one in json.loads(files["hearing.json"])]
    assert ["notified", "replied", "decided", "appealed", "decided"] == kinds
    assert OTHER.encode() not in b"".join(files.values())
    assert ("none", None) == tuple(effect_of(files)["consequence"][name] for name in ("kind", "clause"))
    page = files["report.html"].decode()
    assert page.index("不成立，已澄清") < page.index("逾期9个工作日") < page.index("发现了什么")
    assert page.index("The finding does not stand") < page.index("What was found")
    assert "若经认定" not in page and "were it confirmed" not in page
    assert "Cleared in the hearing" in page and "不对任何人提出后果" in page


def test_cleared_since_the_assessment_the_report_says_so_and_the_effect_stays_what_was_told() -> None:
    steps: Events = []

    def before(matter: str) -> Events:
        steps[:] = found_on_purpose(matter)
        return steps

    world = PackWorld(hearing=before, since=lambda matter: appealed_and(matter, steps[2], "cleared"))
    found, files = checked(world)
    assert [] == found.wrong
    assert "referral_for_accountability" == effect_of(files)["consequence"]["kind"]
    page = files["report.html"].decode()
    row = page[page.index("What the rules would have") :].partition("</tr>")[0]
    assert "none" in row and "Cleared in the hearing" in row and "referral" not in row


def test_a_void_decision_is_shown_as_void_and_decides_nothing() -> None:
    """The report asked the steps by themselves, and told the last one that has an outcome."""

    def heard(matter: str) -> Events:
        steps = h.on_matter(
            matter, h.notified(), h.replied(), h.decided(), h.decided(by=h.OTHER_DECIDER, outcome="cleared", intent="not_examined")
        )
        return [*steps, *h.on_matter(matter, h.decided(by=h.AUDITOR, **FOUND))]

    found, files = checked(PackWorld(hearing=heard))
    assert [] == found.wrong
    page = files["report.html"].decode()
    english = page[page.index('<section id="en"') :]
    assert "): confirmed</b>" in english and "does not stand" not in english
    assert "a decision or an appeal stood already" in english and "Changes nothing: " in english
    assert "circulated_criticism" == effect_of(files)["consequence"]["kind"]


def test_of_two_who_were_heard_each_has_an_own_part() -> None:
    other = kit.COLLEAGUE.pseudonym

    def heard(matter: str) -> Events:
        first = h.on_matter(matter, h.notified(), h.replied(), h.decided(outcome="cleared", intent="not_examined"))
        return [*first, *h.on_matter(matter, h.notified(other), h.replied(other, by=kit.COLLEAGUE), h.decided(other))]

    found, files = checked(PackWorld(hearing=heard))
    assert [] == found.wrong
    page = files["report.html"].decode()
    english = page[page.index('<section id="en"') :]
    for officer, outcome in ((h.HEARD, "cleared"), (other, "confirmed")):
        assert re.search(rf'{outcome}</b> · <span class="code">{officer}</span>', english), officer
    assert "does not stand" not in english


def two_warnings() -> list[Ledger]:
    """Which made days wrong only together (see the cases of late entries)."""
    ledger = town_shop(approving=True)
    ledger.warned("2024-03-01", term="2024-03-15")
    ledger.warned("2024-05-06")
    ledger.facts[-2:] = [known_on(one, date(2024, 7, 1)) for one in ledger.facts[-2:]]
    ledger.approved("D", "2024-07-03")
    ledger.fined("2024-09-02", known="2024-09-20")
    return [ledger]


@pytest.fixture
def together() -> Iterator[PackWorld]:
    def heard(*matters: str) -> Events:
        cleared = h.on_matter(matters[0], h.notified(), h.replied(), h.decided(outcome="cleared", intent="not_examined"))
        # The fine's hearing has nothing to do with the warnings.
        return [*cleared, *h.on_matter(matters[2], h.notified(), h.replied())]

    yield PackWorld(hearing=heard, lives=two_warnings)


def test_what_was_cleared_of_another_goes_along_where_both_moved_a_grade_together(together: PackWorld) -> None:
    late = [one for one in (open_record(record.value).event for record in together.findings()) if one["data"].get("late")]
    first, second, fine = [one["id"] for one in sorted(late, key=lambda one: one["data"]["late"]["deadline"])]
    found, files = checked(together, second)
    assert [] == found.wrong
    effect = effect_of(files)
    assert [[first, second]] == [sorted(one["matters"], key=[first, second, fine].index) for one in effect["joint"]]
    assert "none" == effect["consequence"]["kind"], "with who was cleared it counts against nobody"
    assert "hearing.json" not in files, "nobody was heard on this one"
    steps = [json.loads(line)["record"]["value"]["event"] for line in files["records/registry.jsonl"].splitlines()]
    assert {first} == {one["data"]["matter"] for one in steps if one["type"].startswith("mingjian.finding.")}
    # Of the fine, which moved grades by itself, no step of the others is in the pack.
    found, files = checked(together, fine)
    assert [] == found.wrong
    steps = [json.loads(line)["record"]["value"]["event"] for line in files["records/registry.jsonl"].splitlines()]
    assert {fine} == {one["data"]["matter"] for one in steps if one["type"].startswith("mingjian.finding.")}


def test_without_what_was_cleared_of_the_other_the_effect_is_not_what_was_told(together: PackWorld) -> None:
    """So it has to go along: a pack that leaves it out shows another answer."""
    from services.audit.evidence import again
    from services.audit.evidence.contents import inputs_in

    late = [one for one in (open_record(record.value).event for record in together.findings()) if one["data"].get("late")]
    second = sorted(late, key=lambda one: one["data"]["late"]["deadline"])[1]["id"]
    inputs = inputs_in(checked(together, second)[1])
    assert () == again.effects(inputs)[0].differs
    kept = [one for one in inputs.records["records/registry.jsonl"] if not str(one.event.get("type")).startswith("mingjian.finding.")]
    without = inputs_in(checked(together, second)[1])
    without.records["records/registry.jsonl"][:] = kept  # type: ignore[index]
    assert any("consequence" in one for one in again.effects(without)[0].differs)
