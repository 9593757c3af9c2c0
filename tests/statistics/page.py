"""The page about the statistical detectors: what they test, and how often they are wrong."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from services.audit.domain.detectors import burst_before_evaluation, copied_findings, heaped_scores, office_silent
from tests.statistics.measure import Seen, rows
from tests.statistics.towns import TOWNS, What

PAGE = Path(__file__).resolve().parents[2] / "docs" / "detectors-statistical.md"
MODULES = {
    "heaped_scores": heaped_scores,
    "copied_findings": copied_findings,
    "burst_before_evaluation": burst_before_evaluation,
    "office_silent": office_silent,
}
_HEAD = """# Statistical detectors: what they test, and how often they are wrong

Made by `python -m tests.statistics` (minutes; `make test-long` measures again), from made-up towns in `tests/statistics`: seeded, with
constants of their own. A statistical sign proposes a check and never a sanction; it names p-value, effect, and the share of clean
populations that give such a finding.

Each test is made once, when its span has ended, with method, population, deduplication and level fixed in code:

| detector | span | tested | held against | level | file |
|---|---|---|---|---|---|
"""
_SAID = {
    "heaped_scores": "year, or several if scores are few | share just above a cut, by office and officer | places where no grade changes",
    "copied_findings": "month | share of near-identical texts, by writer | the other writers, as far as they differ",
    "burst_before_evaluation": "year | entries, passed inspections in the 10 working days before | rest of the year × others' same days",
    "office_silent": "day | working days without an entry, by office | the office's own beginnings and lengths of silence",
}
_METHODS = """
Holm corrects for all units and cuts of a scan (`office_silent`: Bonferroni for a year's days and all offices), so the level is that of
the whole scan: the share of clean towns in which anything at all is found. What the towns are stands in `tests/statistics/towns.py`:

* *clean*: natural heaps, offices and officers that differ, uneven weeks, people who take up an old text now and then;
* *look-alike*: an officer fond of round numbers; one who writes little but standard phrases; a rush in which all take part; slow weeks
  around the long holidays and an office that closes for two days now and then;
* *planted*: one officer of fifteen raises nine of ten scores that fall short by up to 3 (240 scores a year on average, 20 to 60 of them
  near the cut); one writer of twelve copies a third of 15 to 45 texts; one inspector of twelve has 3.5 times as many inspections in the
  last ten working days; an office that seldom misses a day has no entry for 15.

Shares stand with their 95 % interval (Wilson). *Precision*: of all findings in all towns of the line those about the planted one (or that
officer's office). What is missed is mostly small: few scores near the cut, few texts, an inspector with a handful of visits a month.

| detector | clean: any finding | look-alike: any finding | planted: found | planted: anybody else | precision |
|---|---|---|---|---|---|
"""


def page(found: Mapping[tuple[str, What], Seen]) -> str:
    """The whole page."""
    first = [f"| `{name}` | {said} | {MODULES[name].ALPHA:g} | `detectors/{name}.py` |" for name, said in _SAID.items()]
    return _HEAD + "\n".join(first) + "\n" + _METHODS + "\n".join(rows(dict(found))) + "\n" + _tail(found)


def _tail(found: Mapping[tuple[str, What], Seen]) -> str:
    said = [f"`{name}` {MODULES[name].FALSE_ALARMS}" for name in MODULES]
    towns = sum(seen.towns for seen in found.values())
    return (
        f"\n{towns:,} towns of {len(TOWNS)} kinds. `false_alarms` of a finding is the upper end of the interval of its detector's clean "
        f"towns, rounded up: {', '.join(said)}.\n"
    )
