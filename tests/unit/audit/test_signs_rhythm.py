"""Silence, bursts and heaps, fed day by day: what is told when, what speaks for it, what ends it."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import pytest

from services.audit.domain.detectors.burst_before_evaluation import BurstBeforeEvaluation
from services.audit.domain.detectors.heaped_scores import HeapedScores
from services.audit.domain.detectors.model import Scanned
from services.audit.domain.detectors.office_silent import LEAST_DAYS, OfficeSilent
from services.audit.domain.late import Outage, activities_of
from services.audit.domain.statistics.bunching import BLOCK, blocks
from services.audit.domain.statistics.populations import Spans
from services.audit.domain.statistics.texts import groups, own_words, phrases, shingles, similarity
from tests.statistics import towns
from tests.statistics.fold import DEPARTMENT, Fold, working_days
from tests.statistics.scores import Push, population

AUTUMN = [date(2025, 10, 1) + timedelta(days=one) for one in range(8)]


def _office(fold: Fold, days: list[date], *, silent: range = range(0), kind: str = "routine") -> None:
    """An office that enters something on every working day but those of ``silent`` (indices), beside one that enters always."""
    for at, day in enumerate(days):
        for office in ("steady", *(() if at in silent else ("other",))):
            for number in range(3):
                data = {"kind": kind, "items": []}
                fold.enter("inspection.recorded", data, subject=f"{at}{number}", office=office, officer=f"made-{office}", day=day)
        fold.close(day)


def test_an_office_that_falls_silent_is_told_once_and_its_end_takes_the_signs_place() -> None:
    days = working_days(2025)
    fold = Fold(OfficeSilent(frozenset({"inspection.recorded"})))
    _office(fold, days[:150], silent=range(120, 140))
    first, last = fold.signs()
    assert (f"{DEPARTMENT}/other", first.matter) == (first.office, last.matter)
    assert f"silent since {days[120]}" == first.matter
    assert ("20", True) == (last.values[0][1], "came again" in last.en)
    assert int(first.values[0][1]) < 20


def test_an_office_that_only_approves_is_expected_to_enter_nothing() -> None:
    fold = Fold(OfficeSilent(frozenset({"inspection.recorded"})))
    for at, day in enumerate(working_days(2025)[:200]):
        if at < 100 or at >= 160:
            fold.enter("grade.approved", {"grade": "A"}, subject="s", office="bureau", officer="made-b", day=day)
        fold.close(day)
    assert [] == fold.signs()


def test_whatever_an_office_enters_ends_its_silence() -> None:
    days = working_days(2025)[:200]
    fold = Fold(OfficeSilent(frozenset({"inspection.recorded"})))
    for at, day in enumerate(days):
        kind = "inspection.recorded" if at < 100 else "score.recorded"
        fold.enter(kind, {"kind": "routine"}, subject=f"{at}", office="one", officer="made-1", day=day)
        fold.close(day)
    assert [] == fold.signs()


def test_activities_are_the_rulebooks() -> None:
    found = activities_of(one for many in towns._BOOKS.values() for one in many)
    assert {"inspection.recorded", "penalty.decided", "document.served"} <= found
    assert not {"score.recorded", "grade.approved", "enterprise.changed"} & found


def test_two_days_without_an_entry_are_no_silence() -> None:
    fold = Fold(OfficeSilent(frozenset({"inspection.recorded"})))
    _office(fold, working_days(2025)[:150], silent=range(120, 122))
    assert [] == fold.signs()


def test_nothing_is_said_before_a_rhythm_is_known() -> None:
    fold = Fold(OfficeSilent(frozenset({"inspection.recorded"})))
    _office(fold, working_days(2025)[: LEAST_DAYS - 1], silent=range(20, LEAST_DAYS))
    assert [] == fold.signs()


def test_days_off_are_no_silence_and_a_declared_outage_speaks_for_one() -> None:
    off = [date(2025, 8, 1) + timedelta(days=one) for one in range(30)]
    fold = Fold(OfficeSilent(frozenset({"inspection.recorded"})), off=off)
    days = working_days(2025, off)
    fold.registry.outages.append((0, Outage("2025-09-15T00:00:00.000Z", "2025-09-17T00:00:00.000Z", f"{DEPARTMENT}/other")))
    begin = days.index(date(2025, 9, 10))
    _office(fold, days[: begin + 25], silent=range(begin, begin + 25))
    [sign] = fold.signs()
    assert f"silent since {days[begin]}" == sign.matter
    assert "outage" in sign.supported


def test_every_working_day_has_its_scan_once_an_office_is_known() -> None:
    fold = Fold(OfficeSilent(frozenset({"inspection.recorded"})))
    _office(fold, working_days(2025)[:100])
    assert [100 - LEAST_DAYS + 1, 0] == [len(fold.scans()), sum(one.hits for one in fold.scans())]


def _busy(fold: Fold, *, last: int, special: bool = False, everybody: bool = False) -> None:
    """Six officers with an inspection every other day; in the last ten working days of the year one has ``last`` a day."""
    days = working_days(2025)
    for at, day in enumerate(days):
        for officer in range(6):
            rush = at >= len(days) - BLOCK and (everybody or officer == 0)
            for number in range(last if rush else (at + officer) % 2):
                data = {"kind": "special" if rush and special else "routine", "items": [{"code": "G", "result": "pass"}]}
                subject = f"{at}{officer}{number}"
                fold.enter("inspection.recorded", data, subject=subject, office=f"o{officer % 3}", officer=f"made-{officer}", day=day)
        fold.close(day)


ANNOUNCED = (("liyujiang", "2025-01-01", "2025-12-31", "2026-01-15"),)


def test_a_burst_before_the_periods_end_is_found_for_who_made_it() -> None:
    fold = Fold(BurstBeforeEvaluation(), ANNOUNCED)
    _busy(fold, last=4)
    officers = {one for sign in fold.signs() for one in sign.concerns}
    assert {"officer:made-0"} == officers
    [sign] = [sign for sign in fold.signs() if sign.concerns and sign.values[0][0] == "entries"]
    assert "40" == sign.values[0][1]
    assert {"announced"} == sign.supported
    assert 12 == len(sign.shown)
    [scan] = fold.scans()
    assert ("0.05", len(fold.signs())) == (scan.alpha, scan.hits)


def test_a_campaign_of_special_inspections_speaks_for_a_burst() -> None:
    fold = Fold(BurstBeforeEvaluation(), ANNOUNCED)
    _busy(fold, last=4, special=True)
    assert all("special_campaign" in sign.supported for sign in fold.signs())
    assert fold.signs()


def test_a_rush_in_which_all_take_part_is_none() -> None:
    fold = Fold(BurstBeforeEvaluation(), ANNOUNCED)
    _busy(fold, last=4, everybody=True)
    assert [] == fold.signs()


def test_without_an_announced_evaluation_nothing_is_tested() -> None:
    fold = Fold(BurstBeforeEvaluation())
    _busy(fold, last=4)
    assert ([], [0]) == (fold.signs(), [one.units for one in fold.scans()])


def test_blocks_are_whole_and_the_first_ends_with_the_date() -> None:
    days = list(range(57))
    found = blocks(days, 33)
    assert range(24, 34) == found[0]
    assert all(len(one) == BLOCK for one in found)
    assert len({day for one in found for day in one}) == BLOCK * len(found)
    assert [] == blocks(days, BLOCK - 2)


@pytest.mark.parametrize(
    ("length", "closings", "ended"),
    [
        ("month", ["2026-01-30", "2026-01-31", "2026-02-01"], [None, "2026-01-01", None]),
        ("month", ["2026-01-30", "2026-02-02", "2026-02-28"], [None, "2026-01-01", "2026-02-01"]),
        ("year", ["2025-12-30", "2026-01-02", "2026-12-30", "2026-12-31"], [None, "2025-01-01", None, "2026-01-01"]),
    ],
)
def test_a_span_ends_once_with_its_last_day_or_the_first_close_behind_it(length: str, closings: list[str], ended: list[str | None]) -> None:
    spans = Spans(length)  # type: ignore[arg-type]
    assert ended == [first.isoformat() if (first := spans.ended(date.fromisoformat(one))) else None for one in closings]


def test_texts_are_near_identical_whatever_their_numbers() -> None:
    one = "".join(phrases(["二楼货架第3排养护记录缺少三天，负责人解释刚换班次"]))
    other = "".join(phrases(["二楼货架第7排养护记录缺少三天，负责人解释刚换班次。"]))
    different = "".join(phrases(["收银处处方登记字迹不清，店员称当天人手不足，现场拍照取证"]))
    assert 1.0 == similarity(shingles(one), shingles(other))
    assert [[0, 2]] == groups([one, different, other])


def test_only_free_text_is_text() -> None:
    data = {"document_no": "样例〔2026〕1号", "note": "甲", "items": [{"code": "G-1", "remark": "乙"}], "kind": "routine"}
    assert ["甲", "乙"] == list(own_words(data))


def test_an_officer_who_pushes_scores_over_the_cut_is_named_with_office_and_evidence() -> None:
    fold, who = towns.heaped("faults")("planted", 2)
    [sign] = [one for one in fold.signs() if one.concerns]
    assert ((who,), "nyc", "13") == (sign.concerns, sign.regime, next(value for name, value, _ in sign.values if name == "cut"))
    assert sign.shown and all(one.role == "just_good" for one in sign.shown)
    assert sign.tested is not None and float(sign.tested.adjusted) <= 0.05
    assert {one.code for one in HeapedScores.declared.explanations} >= sign.supported


def test_a_second_score_of_a_year_and_an_interim_one_do_not_count() -> None:
    fold = Fold(HeapedScores(towns._BOOKS))
    for final, total in ((False, "89"), (True, "90"), (True, "98")):
        data = {"regime": "liyujiang", "year": 2025, "total": total, "final": final}
        fold.enter("score.recorded", data, subject="91", office="o", officer="made-0", day=date(2025, 6, 2))
    [pool] = fold.detector._pools.values()  # type: ignore[attr-defined]
    assert {90: 1} == dict(pool.scores.whole)


def test_too_few_scores_wait_for_the_next_year_s_and_are_tested_once() -> None:
    made = population("faults", Random(7), each=240, push=Push("o1-2", -13, 0.9, 3))
    scores = [(who, score) for who, some in made.officers.items() for score in some.elements()]
    Random(8).shuffle(scores)
    fold = Fold(HeapedScores(towns._BOOKS))
    fold.close(date(2024, 1, 1))
    for year, some in ((2024, scores[:60]), (2025, scores[60:])):
        for number, (who, score) in enumerate(some):
            data = {"kind": "initial", "regime": "nyc", "component_scores": [{"component": "violation_points", "points": str(-score)}]}
            names = {"subject": f"{year}-{number}", "office": made.office_of[who], "officer": who}
            fold.enter("inspection.recorded", data, **names, day=date(year, 6, 3))
        fold.close(date(year, 12, 31))
    fold.close(date(2026, 12, 31))
    assert [0, len(scores[60:]), 0] == [one.looked_at if one.units else 0 for one in fold.told if isinstance(one, Scanned)]
    [sign] = [one for one in fold.signs() if one.concerns]
    assert ("officer:o1-2",) == sign.concerns and "o1-2 at" in sign.en and "2024–2025: " in sign.en
    # Each score of both years is in the population that was tested.
    assert sign.tested is not None and sum(made.officers["o1-2"].values()) == sign.tested.population
