"""Hearings in the console: what is overdue comes first, a decision that can be appealed against holds nothing, cleared is no guilt."""

from __future__ import annotations

from datetime import date
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from schemas.rulebook.parameters import DatedValue, Parameter
from services.audit.domain.hearing_terms import HearingRule
from services.audit.domain.hearings import Kind, Step
from services.audit.domain.registry import Registry
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


def console(folder: Path, *steps: Step, through: str = "2026-04-12") -> Whole:
    registry = Registry({"type": "mingjian.genesis.v1", "subject": "stack:test", "data": GENESIS})
    registry.steps += steps
    registry.closings.append((9, through))
    return Whole(folder, findings=[row(LATE, least=3, most=3)], registry=registry, rules={"liyujiang": RULE})


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
