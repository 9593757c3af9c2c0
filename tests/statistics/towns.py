"""Made-up towns for each statistical detector: clean, with an innocent look-alike, and with something planted. Seeded; own constants.

Each function feeds a fold and says who was planted (office or officer), '' where nothing was."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Literal

from services.audit.domain.detectors.burst_before_evaluation import BurstBeforeEvaluation
from services.audit.domain.detectors.copied_findings import CopiedFindings
from services.audit.domain.detectors.heaped_scores import HeapedScores
from services.audit.domain.detectors.office_silent import OfficeSilent
from tests.statistics import texts
from tests.statistics.fold import DEPARTMENT, Fold, editions, working_days
from tests.statistics.scores import CUTS, Push, population

What = Literal["clean", "innocent", "planted"]
Town = Callable[[What, int], tuple[Fold, str]]
_BOOKS = editions()
_NEW_YEAR = [date(2025, 1, 28) + timedelta(days=one) for one in range(8)]
_AUTUMN = [date(2025, 10, 1) + timedelta(days=one) for one in range(8)]
OFF = (*_NEW_YEAR, *_AUTUMN)
_PUSHED = {"marks": 90, "habits": 90, "faults": -13}


def heaped(kind: str) -> Town:
    """Scores of a year. Planted: one officer raises most that fall short of a cut by up to 3. Innocent: one is fond of round numbers
    and another is mild."""

    def town(what: What, seed: int) -> tuple[Fold, str]:
        rng = Random(f"heaped {kind} {seed}")
        who = f"o{rng.randrange(3)}-{rng.randrange(5)}"
        push = Push(who, _PUSHED[kind], 0.9, 3) if what == "planted" else None
        made = population(kind, rng, each=240, push=push)
        if what == "innocent":
            made.officers[who] = _round(made.officers[who], rng)
        fold = Fold(HeapedScores(_BOOKS))
        fold.close(date(2025, 1, 1))
        number = 0
        for officer, scores in made.officers.items():
            for score in scores.elements():
                number += 1
                _score(fold, kind, score, f"9{number:017d}", made.office_of[officer], officer)
        fold.close(date(2025, 12, 31))
        return fold, f"officer:{who}" if what == "planted" else ""

    assert set(CUTS) >= {kind}
    return town


def _round(scores: object, rng: Random) -> object:
    found = type(scores)()  # type: ignore[operator]
    for score in scores.elements():  # type: ignore[attr-defined]
        found[5 * round(score / 5) if rng.random() < 0.5 else score] += 1
    return found


def _score(fold: Fold, kind: str, score: int, subject: str, office: str, officer: str) -> None:
    day = date(2025, 6, 2)
    if kind == "faults":
        points = [{"component": "violation_points", "points": str(-score)}]
        data = {"kind": "initial", "regime": "nyc", "component_scores": points}
        fold.enter("inspection.recorded", data, subject=subject, office=office, officer=officer, day=day)
    else:
        data = {"regime": "liyujiang", "year": 2025, "total": str(score), "final": True}
        fold.enter("score.recorded", data, subject=subject, office=office, officer=officer, day=day)


def copied(what: What, seed: int) -> tuple[Fold, str]:
    """A month of remarks of 12 officers, each of whom takes up an old text now and then. Planted: one copies a third. Innocent: one
    writes mostly what everybody writes."""
    rng = Random(f"copied {seed}")
    fold, who = Fold(CopiedFindings()), rng.randrange(12)
    for officer in range(12):
        habit = min(0.1, rng.gammavariate(1.0, 0.012))
        share = 0.35 if what == "planted" and officer == who else habit
        own: list[str] = []
        for number in range(round(rng.uniform(15, 45))):
            if what == "innocent" and officer == who and rng.random() < 0.6:
                text = texts.with_standard_phrases("", rng)
            elif own and rng.random() < share:
                text = texts.with_standard_phrases(texts.copied(rng.choice(own[-5:]), rng), rng)
            else:
                own.append(texts.remark(rng))
                text = texts.with_standard_phrases(own[-1], rng)
            day = working_days(2025, OFF)[60 + rng.randrange(20)]
            data = {"kind": "routine", "mode": "on_site", "items": [{"code": "G-1", "result": "fail", "remark": text}]}
            _enter(fold, data, subject=f"{officer:02d}{number:04d}", office=f"o{officer % 3}", officer=f"made-{officer:02d}", day=day)
    fold.close(date(2025, 4, 30))
    return fold, f"officer:made-{who:02d}" if what == "planted" else ""


def _enter(fold: Fold, data: dict[str, object], *, subject: str, office: str, officer: str, day: date) -> None:
    fold.enter("inspection.recorded", data, subject=subject, office=office, officer=officer, day=day)


def burst(what: What, seed: int) -> tuple[Fold, str]:
    """A year of inspections of 12 officers, uneven by weeks. Planted: one passes three times as many before the period's end. Innocent:
    all have twice as many then."""
    rng = Random(f"burst {seed}")
    fold = Fold(BurstBeforeEvaluation(), (("liyujiang", "2025-01-01", "2025-12-31", "2026-01-15"),), OFF)
    who = rng.randrange(12)
    days = working_days(2025, OFF)
    common = [math.exp(rng.gauss(0, 0.2)) for _ in range(54)]
    rate = [0.4 * math.exp(rng.gauss(0, 0.4)) for _ in range(12)]
    weeks = [[math.exp(rng.gauss(0, 0.25)) for _ in range(54)] for _ in range(12)]
    number = 0
    for at, day in enumerate(days):
        week = day.isocalendar().week
        for officer in range(12):
            mean = rate[officer] * common[week] * weeks[officer][week]
            ending = at >= len(days) - 10
            mean *= 2.0 if ending and what == "innocent" else 3.5 if ending and what == "planted" and officer == who else 1.0
            for _ in range(_poisson(mean, rng)):
                number += 1
                fault = rng.random() < 0.3
                data = {"kind": "routine", "items": [{"code": "G-1", "result": "fail" if fault else "pass"}]}
                _enter(fold, data, subject=f"{number:06d}", office=f"o{officer % 3}", officer=f"made-{officer:02d}", day=day)
        fold.close(day)
    return fold, f"officer:made-{who:02d}" if what == "planted" else ""


def silent(what: What, seed: int) -> tuple[Fold, str]:
    """Two years of eight offices, busy and seldom, with weaker weeks. Planted: one that has an entry on most days has none for 15
    working days. Innocent: all are slow around the long holidays, and one takes two days off now and then."""
    rng = Random(f"silent {seed}")
    fold, who = Fold(OfficeSilent(frozenset({"inspection.recorded"})), off=OFF), rng.randrange(4)
    days = [*working_days(2024), *working_days(2025, OFF)]
    rate = [rng.uniform(1.5, 6) if office < 4 else rng.uniform(0.15, 1.2) for office in range(8)]
    begin = rng.randrange(300, len(days) - 40)
    slow = {day + timedelta(days=one) for day in OFF for one in range(-4, 5)}
    weak = [[rng.choice((0.4, 1.0, 1.0, 1.3)) for _ in range(120)] for _ in range(8)]
    for at, day in enumerate(days):
        for office in range(8):
            mean = rate[office] * weak[office][at // 5]
            if what == "innocent":
                mean *= 0.4 if day in slow else 0.0 if office == who and at % 40 in (7, 8) else 1.0
            if what == "planted" and office == who and begin <= at < begin + 15:
                mean = 0.0
            for number in range(_poisson(mean, rng)):
                data = {"kind": "routine"}
                _enter(fold, data, subject=f"{at:04d}{office}{number:02d}", office=f"o{office}", officer=f"made-{office:02d}", day=day)
        fold.close(day)
    return fold, f"{DEPARTMENT}/o{who}" if what == "planted" else ""


def _poisson(mean: float, rng: Random) -> int:
    number, waited = 0, rng.expovariate(1.0)
    while waited < mean:
        number += 1
        waited += rng.expovariate(1.0)
    return number


TOWNS: dict[str, Town] = {
    "heaped_scores, deductions of a standard": heaped("marks"),
    "heaped_scores, judged as a whole": heaped("habits"),
    "heaped_scores, points for faults": heaped("faults"),
    "copied_findings": copied,
    "burst_before_evaluation": burst,
    "office_silent": silent,
}
