"""Hearings in the console: what is overdue comes first, a decision that can be appealed against holds nothing, cleared is no guilt."""

from __future__ import annotations

from datetime import date
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from schemas.rulebook.parameters import DatedValue, Parameter
from services._cli.commands.findings import _told
from services._cli.telling import finding_line
from services.audit.domain.hearing_terms import HearingRule
from services.audit.domain.hearings import Kind, Step
from services.audit.domain.registry import Registry
from tests.effects import assessed
from tests.integration.audit.world import GENESIS
from tests.unit.audit.console_desk import Whole, row
from tests.unit.audit.test_console import LATE

MATTER, OFFICER = LATE["data"]["matter"], "officer:tester"


def term(name: str, days: int) -> Parameter:
    value = DatedValue(value=days, clause="五(三) ¶4", in_force_from=date(2005, 1, 1), published_on=None, checked_on=date(2026, 1, 1))
    title = {"zh": "期限", "en": "Term"}
    return Parameter.model_validate({"name": name, "unit": "working_days", "title": title, "set_by": "operator", "values": (value,)})


RULE = HearingRule("liyujiang", "1", *(term(f"{name}_working_days", 10) for name in ("reply", "decision", "appeal", "appeal_decision")))


def step(offset: int, kind: Kind, day: str, signer: str = "officer:auditor", **data: Any) -> Step:
    said = {"service": {"served_on": day}, "entries": [], "concerns": [OFFICER], "reply_by": "2026-04-15", **data}
    on = date.fromisoformat(day)
    return Step(offset, "/s", f"step-{offset}", kind, OFFICER, MATTER, LATE["id"], signer, on, on, said)


NOTICE = step(1, "notified", "2026-04-01")
REPLY = step(2, "replied", "2026-04-03", OFFICER, replied_by=OFFICER, statement="<b>offline</b>", waived=False)
DECISION: dict[str, Any] = {"decided_by": "officer:decider", "instance": "first"}
CLEARED = step(3, "decided", "2026-04-10", "officer:decider", **DECISION, outcome="cleared", reasons="r")
CONFIRMED = step(3, "decided", "2026-04-10", "officer:decider", **DECISION, outcome="confirmed", appeal_by="2026-05-08")


def console(folder: Path, *steps: Step, through: str = "2026-04-12", told: str = "circulated_criticism") -> Whole:
    """``told``: the consequence that is on record."""
    registry = Registry({"type": "mingjian.genesis.v1", "subject": "stack:test", "data": GENESIS})
    registry.steps += steps
    registry.closings.append((9, through))
    effect = assessed(LATE, days=3, least=3)
    effect["data"]["consequence"] |= {"kind": told, "clause": "五(三) ¶4", "why_zh": "所记录的理由", "why_en": "as on record"}
    effects = {MATTER: [effect]}
    return Whole(folder, findings=[row(LATE, least=3, most=3)], effects=effects, registry=registry, rules={"liyujiang": RULE})


@pytest.mark.parametrize(
    ("steps", "through", "state", "words"),
    [
        ([], "2026-04-12", "Open", None),
        ([NOTICE], "2026-04-12", "In hearing", "Reply: 2026-04-15 (Wed)"),
        ([NOTICE], "2026-06-30", "In hearing", "Decision: 2026-04-29 (Wed) overdue"),
        ([NOTICE, REPLY], "2026-04-12", "In hearing", "Decision: 2026-04-17 (Fri)"),
        ([NOTICE, REPLY, CONFIRMED], "2026-04-12", "In hearing", "Appeal: 2026-05-08 (Fri)"),
        ([NOTICE, REPLY, CONFIRMED], "2026-05-08", "Confirmed", None),
        ([NOTICE, REPLY, CLEARED], "2026-04-12", "Cleared", None),
    ],
)
def test_where_a_matter_stands_and_what_is_due(steps: list[Step], through: str, state: str, words: str | None, tmp_path: Path) -> None:
    pages = console(tmp_path, *steps, through=through)
    page = pages.text(f"/findings/{LATE['id']}?lang=en")
    assert f">{state}</span>" in page
    listed = " ".join(unescape(pages.text("/hearings?lang=en")).replace("<b>", "").replace("</b>", "").split())
    assert (words or "") in listed
    assert (OFFICER in listed) == bool(steps)


def test_a_cleared_finding_is_shown_as_cleared_and_nowhere_as_guilt(tmp_path: Path) -> None:
    """Not among what stands, unless it is asked for; there and on its page, in both languages, it is cleared."""
    pages = console(tmp_path, NOTICE, REPLY, CLEARED)
    pages.text("/findings")
    assert pages.rows.wanted is not None and pages.rows.wanted.without == [MATTER]
    for lang, cleared, confirmed in (("zh", "已澄清", "已认定"), ("en", "Cleared", "Confirmed")):
        listed = pages.text(f"/findings?state=cleared&lang={lang}")
        assert pages.rows.wanted.within == [MATTER]
        page = pages.text(f"/findings/{LATE['id']}?lang={lang}")
        for text in (listed, page, pages.text(f"/hearings?lang={lang}")):
            assert f'class="state cleared">{cleared}</span>' in text
            assert f">{confirmed}</span>" not in text


def test_a_step_is_told_with_who_signed_it_and_its_words_are_no_markup(tmp_path: Path) -> None:
    page = console(tmp_path, NOTICE, REPLY, step(4, "replied", "2026-04-04", "officer:another", replied_by=OFFICER)).text(
        f"/findings/{LATE['id']}?lang=en"
    )
    assert "&lt;b&gt;offline" in page and "<b>offline" not in page
    assert "/log/positions/mingjian.registry.v1/0/2?lang=en" in page
    assert "Changes nothing: it was not signed by the one whom it names" in page


ON_PURPOSE = step(
    3, "decided", "2026-04-10", "officer:decider", **DECISION, outcome="confirmed", intent="on_purpose", appeal_by="2026-05-08"
)
APPEAL = step(4, "appealed", "2026-04-20", OFFICER, appealed_by=OFFICER, decision="step-3", grounds="g")
ON_APPEAL: dict[str, Any] = {"decided_by": "officer:second", "instance": "appeal", "appeal": "step-4", "reasons": "r"}
SENT_BACK = step(5, "decided", "2026-05-10", "officer:second", **ON_APPEAL, outcome="remitted")
SET_RIGHT = step(5, "decided", "2026-05-10", "officer:second", **ON_APPEAL, outcome="cleared")
REFERRED = "referral_for_accountability"


@pytest.mark.parametrize(
    ("told", "steps", "kind", "why"),
    [
        ("circulated_criticism", [], "circulated_criticism", "as on record"),
        ("circulated_criticism", [NOTICE, REPLY, CONFIRMED], "circulated_criticism", "as on record"),
        ("circulated_criticism", [NOTICE, REPLY, CLEARED], "none", "Cleared in the hearing"),
        (REFERRED, [NOTICE, REPLY, ON_PURPOSE], REFERRED, "as on record"),
        (REFERRED, [NOTICE, REPLY, ON_PURPOSE, APPEAL], REFERRED, "as on record"),
        (REFERRED, [NOTICE, REPLY, ON_PURPOSE, APPEAL, SENT_BACK], "none", "no longer holds"),
        (REFERRED, [NOTICE, REPLY, ON_PURPOSE, APPEAL, SET_RIGHT], "none", "Cleared in the hearing"),
    ],
)
def test_the_consequence_is_shown_as_the_hearing_stands(told: str, steps: list[Step], kind: str, why: str, tmp_path: Path) -> None:
    """Before the next night puts it on record: on the page, and for programs."""
    pages = console(tmp_path, *steps, told=told)
    english = unescape(pages.text(f"/findings/{LATE['id']}?lang=en"))
    section = english[english.index('id="effect"') : english.index('id="explanations"')]
    words = {"none": "None", "circulated_criticism": "Circulated criticism", REFERRED: "Referral for accountability"}
    assert {words[kind]} == {word for word in words.values() if f"<b>{word}</b>" in section}
    assert why in section and ("as on record" in section) == (why == "as on record")
    assert ("五(三) ¶4" in section) == (kind != "none")
    said = pages.get(f"/api/v1/findings/{LATE['id']}").json()
    assert [kind] == [one["kind"] for one in said["consequences"]]
    assert [told] == [one["data"]["consequence"]["kind"] for one in said["effects"]], "what is on record stays there"
    assert said["cleared"] == (said["state"] == "cleared") == why.startswith("Cleared")


def test_a_cleared_page_begins_with_it_and_says_nothing_as_if_it_stood(tmp_path: Path) -> None:
    for lang, cleared, heading, supposed in (
        ("zh", "这一发现不成立", "逾期 8 个工作日录入", "若经认定"),
        ("en", "the finding does not stand", "Entered 8 working days after the deadline", "were it confirmed"),
    ):
        page = unescape(console(tmp_path, NOTICE, REPLY, CLEARED).text(f"/findings/{LATE['id']}?lang={lang}"))
        assert page.index(cleared) < page.index(LATE["data"][f"detail_{lang}"])
        assert heading not in page and supposed not in page
        standing = unescape(console(tmp_path, NOTICE, REPLY, CONFIRMED).text(f"/findings/{LATE['id']}?lang={lang}"))
        assert heading in standing and supposed in standing and cleared not in standing


def test_purpose_is_told_with_the_decision_that_found_it(tmp_path: Path) -> None:
    page = console(tmp_path, NOTICE, REPLY, ON_PURPOSE, told=REFERRED).text(f"/findings/{LATE['id']}?lang=en")
    assert "confirmed · found to be on purpose" in " ".join(page[page.index('id="hearing"') :].split())


@pytest.mark.parametrize(("steps", "cleared"), [([NOTICE, REPLY, CONFIRMED], False), ([NOTICE, REPLY, CLEARED], True)])
def test_on_the_command_line_too(steps: list[Step], cleared: bool, tmp_path: Path) -> None:
    found = console(tmp_path, *steps).get(f"/api/v1/findings/{LATE['id']}").json()
    for language, word, consequence in (("en", "cleared", "circulated criticism"), ("zh", "已澄清", "通报批评")):
        lines = list(_told(found, language))
        assert (consequence in "\n".join(lines)) == (not cleared)
        assert ({"en": "proposed: none", "zh": "建议：无"}[language] in lines) == cleared
        assert (word in lines[0].lower()) == cleared
        assert finding_line(found, language).startswith(word) == cleared
