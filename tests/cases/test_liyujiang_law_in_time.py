"""R17: the rules in force on the day of the act, unless a later one is milder."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from schemas.rulebook import Rulebook
from services.publication.domain.norms import Norms
from services.rating.domain.fold import Book
from tests.cases.law import Laws, dated, gone, numbered, rule, several, under, value, without_sanction
from tests.cases.ledger import SHOP, Ledger, act, morning, shop

pytestmark = pytest.mark.clause("R17")

HARSHER = rule("c_warned", grade="D")
MILDER = several(gone("c_warned"), without_sanction("violations", "warning"), without_sanction("penalties", "warning"))
JULY = "2025-07-01"


def warned(on: str, *changes: tuple[str, object], served: str | None = "same", score: str = "95") -> Ledger:
    """A shop with a good score that was warned once in 2025, and its evaluation."""
    ledger = under("2010-03-01", *changes)  # type: ignore[arg-type]
    ledger.warned(on, served=served)
    ledger.scored(2025, score)
    ledger.evaluated(2025)
    return ledger


@pytest.mark.clause("三(二)2(1)", "六")
@pytest.mark.parametrize(("on", "grade"), [("2025-06-30", "C"), ("2025-07-01", "D"), ("2025-07-02", "D")])
def test_a_rule_that_became_harsher_judges_what_happened_from_its_day_on(on: str, grade: str) -> None:
    assert grade == warned(on, (JULY, HARSHER)).grade()


def test_the_day_of_the_act_decides_and_not_that_of_its_service() -> None:
    assert ["C", "D"] == [warned(on, (JULY, HARSHER), served="2025-07-05").grade() for on in ("2025-06-30", "2025-07-01")]


@pytest.mark.parametrize("on", ["2025-06-30", "2025-07-01", "2025-07-02"])
def test_a_milder_rule_helps_whoever_acted_before_it(on: str) -> None:
    assert "A" == warned(on, (JULY, MILDER), score="99").grade()


@pytest.mark.parametrize(("until", "grade"), [("2025-12-31", "B"), ("2026-01-01", "C"), ("2026-01-02", "C")])
def test_a_milder_rule_helps_an_evaluation_whose_period_ends_under_it(until: str, grade: str) -> None:
    """In force on the evaluation's date is not enough."""
    assert grade == warned("2025-03-01", (until, MILDER)).grade()


def test_a_milder_rule_in_between_helps_though_a_harsher_one_followed() -> None:
    mild = rule("c_warned", grade="B", all=rule_of("c_warned").all)
    found = under("2010-03-01", ("2025-04-01", several(mild, without_sanction("violations", "warning"))), (JULY, HARSHER))
    found.warned("2025-03-01")
    found.scored(2025, "95")
    found.evaluated(2025)
    assert "B" == found.grade()


def rule_of(id: str):  # type: ignore[no-untyped-def]
    return next(one for one in shop().book.rulebook.rules if one.id == id)


@pytest.mark.parametrize(("on", "grade"), [("2021-12-31", "A"), ("2022-01-01", "B"), ("2022-01-02", "B")])
@pytest.mark.clause("三(二)1(1)", "R3")
def test_a_longer_time_without_a_penalty_does_not_reach_back(on: str, grade: str) -> None:
    ledger = under("2010-03-01", ("2022-01-01", value("clean_of_penalty", 60)))
    ledger.fined(on)
    ledger.scored(2025, "99")
    ledger.evaluated(2025)
    assert grade == ledger.grade()


@pytest.mark.parametrize(("from_day", "grade"), [("2025-12-31", "A"), ("2026-01-01", "B")])
def test_a_shorter_time_without_a_penalty_helps_at_once(from_day: str, grade: str) -> None:
    ledger = under("2010-03-01", (from_day, value("clean_of_penalty", 24)))
    ledger.fined("2023-06-01")
    ledger.scored(2025, "99")
    ledger.evaluated(2025)
    assert grade == ledger.grade()


@pytest.mark.parametrize(("from_day", "grade"), [("2025-12-31", "A"), ("2026-01-01", "B"), ("2026-01-02", "B")])
@pytest.mark.clause("三(二)1(1)", "R1")
def test_score_bands_are_those_of_the_years_edition_never_the_milder(from_day: str, grade: str) -> None:
    ledger = under("2010-03-01", (from_day, value("score_exemplary", 97)))
    ledger.scored(2025, "97")
    ledger.evaluated(2025)
    assert grade == ledger.grade()
    ledger.scored(2026, "97")
    ledger.evaluated(2026)
    assert "A" == ledger.grade()


@pytest.mark.clause("三(二)3(1)", "R6")
@pytest.mark.parametrize(("second", "grade"), [("2025-06-30", "C"), ("2025-07-01", "D"), ("2025-07-02", "D")])
def test_what_is_counted_goes_by_the_law_of_the_last_act(second: str, grade: str) -> None:
    """From three in succession to two: whoever offends again under the new law knows it, though the first act was before it."""
    ledger = Ledger()
    before = value("succession_count", 3)(ledger.book.rulebook)
    ledger = Ledger(activated=False)
    ledger.book = Book.of(before)
    ledger.activate()
    Laws(ledger, (JULY, value("succession_count", 2)))
    ledger.opened()
    ledger.warned("2025-02-01", term="2025-02-20")
    ledger.warned(second)
    ledger.scored(2025, "95")
    ledger.evaluated(2025)
    assert grade == ledger.grade()


@pytest.mark.clause("五(四) ¶4", "R11")
@pytest.mark.parametrize(
    ("decided", "served", "grade"),
    [
        ("2025-06-30", "2025-06-30", "D"),
        ("2025-06-30", "2025-07-01", "B"),
        ("2025-07-01", "2025-07-01", "B"),
    ],
)
def test_a_lowering_goes_by_the_law_of_its_effect_and_stays(decided: str, served: str, grade: str) -> None:
    """Fines lower at once no more from July on; what was lowered before stays until the evaluation."""
    ledger = under("2010-03-01", (JULY, rule("d_money", at=("evaluation",))))
    ledger.scored(2024, "95")
    ledger.evaluated(2024)
    ledger.fined(decided, served=served)
    assert grade == ledger.grade("2025-12-31")


@pytest.mark.clause("五(四) ¶4")
@pytest.mark.parametrize(("decided", "grade"), [("2025-06-30", "B"), ("2025-07-01", "D")])
def test_a_rule_that_lowers_at_once_does_not_reach_back(decided: str, grade: str) -> None:
    ledger = Ledger(activated=False)
    ledger.book = Book.of(rule("d_money", at=("evaluation",))(shop().book.rulebook))
    ledger.activate()
    Laws(ledger, (JULY, rule("d_money", at=("evaluation", "immediate"))))
    ledger.opened()
    ledger.scored(2024, "95")
    ledger.evaluated(2024)
    ledger.fined(decided, served="2025-07-03")
    assert grade == ledger.grade("2025-07-03")


@pytest.mark.clause("五(四) ¶4", "R7")
@pytest.mark.parametrize(("decided", "grade"), [("2025-06-30", "C"), ("2025-07-01", "D"), ("2025-07-02", "D")])
def test_a_penalty_of_another_department_lowers_by_the_steps_of_its_day(decided: str, grade: str) -> None:
    ledger = under("2010-03-01", (JULY, value("lowering_steps", 2)))
    ledger.scored(2024, "95")
    ledger.evaluated(2024)
    ledger.other_department(decided, served="2025-07-10")
    assert grade == ledger.grade("2025-07-10")


@pytest.mark.clause("三(三)", "R4")
@pytest.mark.parametrize(("on", "status"), [("2025-06-30", "new"), ("2025-07-01", "C")])
def test_a_new_enterprise_is_graded_by_the_law_of_its_violation(on: str, status: str) -> None:
    ledger = Ledger(activated=False)
    ledger.book = Book.of(several(MILDER, gone("c_new_violation"))(shop().book.rulebook))
    ledger.activate()
    restored = shop().book.rulebook
    Laws(ledger, (JULY, lambda book: restored))
    ledger.opened("2025-03-01")
    ledger.warned(on, served="2025-07-05")
    assert status == ledger.grade("2025-07-05")


@pytest.mark.clause("三(二)1")
@pytest.mark.parametrize(("on", "status"), [("2025-06-30", "B"), ("2025-07-01", "closed")])
def test_an_end_is_one_by_the_law_of_the_day_on_which_it_came(on: str, status: str) -> None:
    def no_end(book: Rulebook) -> Rulebook:
        statuses = [one.model_copy(update={"causes": ("deregistered",)}) if one.status == "closed" else one for one in book.statuses]
        return book.model_copy(update={"statuses": tuple(statuses)})

    ledger = Ledger(activated=False)
    whole = shop().book.rulebook
    ledger.book = Book.of(no_end(whole))
    ledger.activate()
    Laws(ledger, (JULY, lambda book: whole))
    ledger.opened()
    ledger.scored(2024, "95")
    ledger.evaluated(2024)
    ledger.closed(on)
    assert status == ledger.grade("2025-07-02")


@pytest.mark.parametrize(("on", "grade"), [("2025-06-30", "C"), ("2025-07-01", "D"), ("2025-07-02", "D")])
def test_a_dated_value_inside_an_edition_is_law_in_time_as_well(on: str, grade: str) -> None:
    """Approvals: one revoked is E from July on; as D before."""
    ledger = shop()
    ledger = Ledger(activated=False)
    base = value("succession_count", 3)(shop().book.rulebook)
    ledger.book = Book.of(dated(base, "succession_count", 2, JULY))
    ledger.activate()
    ledger.opened()
    ledger.warned("2025-02-01", term="2025-02-20")
    ledger.warned(on)
    ledger.scored(2025, "95")
    ledger.evaluated(2025)
    assert grade == ledger.grade()


@pytest.mark.parametrize(
    ("name", "to", "harsher", "milder"),
    [("acts_judged_by", "act_day", "C", "B"), ("acts_judged_by", "judging_day", "D", "B"), ("milder_law_later", False, "C", "C")],
)
def test_a_bureau_decides_otherwise_by_two_parameters(name: str, to: object, harsher: str, milder: str) -> None:
    choose = value(name, to)
    assert harsher == warned("2025-03-01", (JULY, several(choose, HARSHER))).grade()
    assert milder == warned("2025-03-01", (JULY, several(choose, MILDER))).grade()


def test_the_explanation_says_by_which_law_an_act_was_judged() -> None:
    found = warned("2025-03-01", (JULY, HARSHER)).now()
    assert found is not None and found.by is not None
    (said,) = [one for one in found.reasons if one.rule == "law_in_time"]
    assert ("六", "Judged by the rules of the day on which it happened (2026.1, from 2005-01-01): W-2025-03-01.") == (said.clause, said.en)
    assert "R17" in found.readings and "2026.2" == found.by.rulebook.version
    found = warned("2025-03-01", (JULY, MILDER)).now()
    assert found is not None
    (said,) = [one for one in found.reasons if one.rule == "law_in_time"]
    assert "Judged by a later rule that is milder (2026.2, from 2025-07-01): W-2025-03-01." == said.en
    # Where no other law comes into it nothing is said of it.
    found = warned("2025-08-01", (JULY, HARSHER)).now()
    assert found is not None and "law_in_time" not in [one.rule for one in found.reasons]


@pytest.mark.clause("五(四) ¶3", "R8")
def test_what_is_judged_by_an_earlier_law_waits_for_approval_like_everything_else() -> None:
    ledger = under("2010-03-01", (JULY, rule("d_money", grade="E")), approving=True)
    ledger.fined("2025-06-30", served="2025-07-02")
    ledger.scored(2025, "95")
    ledger.evaluated(2025)
    assert ("C", "D") == (ledger.grade(), ledger.proposed())
    ledger.approved("D", "2026-01-20")
    assert "D" == ledger.grade()


def test_days_that_an_earlier_edition_rated_are_corrected_by_that_edition() -> None:
    """A fine of June, entered in August under the second edition: June is D by the first one, and the events name it."""
    ledger = under("2010-03-01", (JULY, rule("d_money", at=("evaluation",))))
    ledger.scored(2024, "95")
    ledger.evaluated(2024)
    ledger.day_closed("2025-07-20")
    ledger.fined("2025-06-10", known="2025-08-01")
    told = ledger.told()
    assert [("2025-06-10", "2025-07-31", "B", "D")] == _of_2025(ledger)
    first, second = Book.of(ledger.book.editions[1]).sha256, ledger.book.sha256
    by = [(one.event["type"].split(".")[2], one.event["data"]["grade"], one.event["data"]["rulebook"]["sha256"]) for one in told]
    assert [("determined", "B", first), ("determined", "D", first), ("corrected", "D", first)] == by[-3:] and second not in {
        one[2] for one in by
    }


def _of_2025(ledger: Ledger) -> list[tuple[str, str, str | None, str | None]]:
    return [one for one in ledger.corrected() if one[0] >= "2025"]


def test_the_grade_before_is_named_across_a_change_of_edition() -> None:
    ledger = under("2010-03-01", (JULY, value("lowering_steps", 2)))
    ledger.scored(2024, "95")
    ledger.evaluated(2024)
    ledger.other_department("2025-07-10")
    last = ledger.determined()[-1].event["data"]
    assert ("D", "B", "2026.2") == (last["grade"], last["previous_grade"], last["rulebook"]["version"])


@pytest.mark.parametrize(("from_day", "span"), [("2025-06-11", []), ("2025-06-10", [("2025-06-10", "2025-07-31", "D", "B")])])
def test_an_activation_dated_back_rates_the_days_since_again(from_day: str, span: list[tuple[str, str, str, str]]) -> None:
    ledger = shop()
    laws = Laws(ledger)
    laws.editions.append(numbered(rule("d_money", at=("evaluation",))(laws.editions[0]), 2))
    ledger.scored(2024, "95")
    ledger.evaluated(2024)
    ledger.fined("2025-06-10")
    laws.enact(1, from_day, on="2025-08-01")
    ledger.book = Book.of(laws.editions[1], laws.editions[0])
    assert span == _of_2025(ledger)


def test_an_edition_that_is_not_held_is_refused_from_its_day_on() -> None:
    ledger = shop()
    ledger.scored(2024, "95")
    ledger.evaluated(2024)
    ledger.activate(sha256="c" * 64, in_force_from=JULY, on="2025-02-01")
    ledger.fined("2025-03-01")
    assert ["B", "D", "D", None, None] == [ledger.grade(on) for on in ("2025-02-28", "2025-03-01", "2025-06-30", JULY, "2025-07-02")]
    # One that follows doesn't make up for it: what happened in between would be judged by rules that nobody has.
    ledger.activate(in_force_from="2025-09-01", on="2025-02-02")
    assert None is ledger.grade("2025-09-02")
    # An activation by mistake that another one of the same date replaces was never in force.
    ledger.activate(in_force_from=JULY, on="2025-02-03")
    assert "D" == ledger.grade("2025-09-02")


@pytest.mark.clause("四(二)3")
@pytest.mark.parametrize(("later", "hidden"), [(-1, False), (0, True), (1, True)])
def test_what_a_higher_norm_forbids_is_not_published_from_its_day_on(later: int, hidden: bool) -> None:
    """The grade that a warning gave stays; the record of the warning is no longer shown. As shipped no norm is named."""
    plain = shop().book.rulebook
    forbidden = dated(plain, "slight_penalties_not_published", True, "2026-03-01")
    now = morning(date(2026, 3, 1) + timedelta(days=later))
    told = {"warning.issued": {}, "announcement.made": {}, "penalty.decided": {"acts": [act("criticism")]}}
    for name, data in told.items():
        assert hidden == Norms([forbidden], lambda: now).hides(SHOP, f"mingjian.{name}.v1", data)
        assert not Norms([plain], lambda: now).hides(SHOP, f"mingjian.{name}.v1", data)
    assert not Norms([forbidden], lambda: now).hides(SHOP, "mingjian.penalty.decided.v1", {"acts": [act("criticism"), act("fine")]})
    assert "C" == warned("2025-03-01").grade()


def test_two_acts_of_one_year_are_each_judged_by_their_own_law() -> None:
    ledger = under("2010-03-01", (JULY, HARSHER))
    ledger.warned("2025-03-01", violation="GSP-01")
    ledger.penalised("2025-08-01", act("criticism", violation="GSP-02"))
    ledger.scored(2025, "95")
    ledger.evaluated(2025)
    found = ledger.now()
    assert found is not None and "C" == found.grade
    assert {"c_warned", "law_in_time"} <= {one.rule for one in found.reasons}
