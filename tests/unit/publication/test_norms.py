"""R17: what a higher norm forbids to publish is dated data: the day before, on it, the day after."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from schemas.rulebook import DatedValue, Parameter, Rulebook, Texts
from schemas.rulebook.in_time import Override
from services.publication.domain.norms import Norms
from services.publication.domain.vocabulary import Vocabulary
from services.publication.web.answering import Tags
from tests.cases.ledger import SHOP, act, book

FROM = date(2026, 3, 1)


def _parameter(name: str, unit: Any, *values: tuple[date, Any]) -> Parameter:
    dated = tuple(
        DatedValue(value=value, clause="六", in_force_from=day, published_on=None, checked_on=date(2026, 11, 28)) for day, value in values
    )
    return Parameter(name=name, unit=unit, title=Texts(zh="样例", en="Sample"), values=dated)


def _overridden(until: date | None = None) -> Rulebook:
    plan = book("liyujiang").rulebook
    override = Override(
        name="warnings_hidden",
        title=Texts(zh="警告不公示", en="Warnings are not published"),
        norm=Texts(zh="样例上位规定", en="A sample of a higher norm"),
        clause="六",
        in_force="hides",
        sanctions="hidden_sanctions",
        lists="hidden_lists",
    )
    first = date(2005, 1, 1)
    ends = ((until, False),) if until else ()
    parameters = (
        _parameter("hides", "flag", (FROM, True), *ends),
        _parameter("hidden_sanctions", "words", (first, ("warning", "criticism"))),
        _parameter("hidden_lists", "words", (first, ("seriously_discredited",))),
    )
    return plan.model_copy(update={"parameters": (*plan.parameters, *parameters), "overrides": (override,)})


def _at(day: date) -> int:
    """The first minute of a day in China, epoch ms."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000) - 8 * 3_600_000 + 60_000


WARNING = ("mingjian.warning.issued.v1", {"violation": "GSP-07"})
FINE = ("mingjian.penalty.decided.v1", {"acts": [act("fine")]})
BOTH = ("mingjian.penalty.decided.v1", {"acts": [act("criticism"), act("fine")]})
CRITICISM = ("mingjian.penalty.decided.v1", {"acts": [act("criticism")]})
INSPECTION = ("mingjian.inspection.recorded.v1", {"violations": ["GSP-07"]})


@pytest.mark.parametrize(("later", "hidden"), [(-1, False), (0, True), (1, True)])
def test_a_warning_is_no_longer_published_from_the_day_on(later: int, hidden: bool) -> None:
    norms = Norms([_overridden()], lambda: _at(FROM + timedelta(days=later)))
    assert hidden == norms.hides(SHOP, *WARNING) == norms.hides(SHOP, *CRITICISM) == norms.hides_list("seriously_discredited")
    assert not any(norms.hides(SHOP, *one) for one in (FINE, BOTH, INSPECTION))
    assert not norms.hides("fhrs:1", *WARNING) and not norms.hides_list("exemplary")


@pytest.mark.parametrize(("later", "hidden"), [(-1, True), (0, False), (1, False)])
def test_a_norm_that_ends_forbids_no_more(later: int, hidden: bool) -> None:
    until = date(2026, 9, 1)
    assert hidden == Norms([_overridden(until)], lambda: _at(until + timedelta(days=later))).hides(SHOP, *WARNING)


def test_lists_and_facts_are_asked_on_the_day_of_the_answer() -> None:
    now = [_at(FROM - timedelta(days=1))]
    vocabulary = Vocabulary([_overridden()], now_ms=lambda: now[0])
    rows = [{"type": name, "data": data} for name, data in (WARNING, FINE)]
    tags = Tags("1", vocabulary.norms.mark)
    before = (len(vocabulary.lists), vocabulary.list("seriously_discredited") is None, len(vocabulary.shown(SHOP, rows)), tags.norms())
    now[0] = _at(FROM)
    after = (len(vocabulary.lists), vocabulary.list("seriously_discredited") is None, len(vocabulary.shown(SHOP, rows)), tags.norms())
    assert (2, False, 2) == before[:3] and (1, True, 1) == after[:3]
    # An answer kept from the day before has another tag.
    assert before[3] != after[3]


def test_without_overrides_nothing_is_hidden() -> None:
    norms = Norms([book("liyujiang").rulebook], lambda: _at(FROM))
    assert ([], "") == (norms.in_force(), norms.mark()) and not norms.hides(SHOP, *WARNING)
