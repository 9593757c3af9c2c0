"""The page about real data, made of the files alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from services.audit.domain.statistics.distributions import wilson
from services.audit.domain.statistics.heaping import ALPHA, WIDTH
from tests.realdata import fda, nyc

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "docs" / "real-data.md"
_HEAD = f"""# What the methods say of real data

Made by `python -m tests.realdata` from published files that lie beside the repository; a test holds it equal where they do. The method
and its constants are those of `services/audit/domain/statistics/heaping.py`; nothing was changed because of what it says here. Its error
rates are measured on made-up populations ([detectors-statistical.md](detectors-statistical.md)).

## New York: scores beside every cut

Restaurants' violation points, where fewer are better; a grade changes at 13|14 (A to B) and, at re-inspections alone, at 27|28 (B to C).
Of each premises, kind of inspection and year the first scored inspection counts. Every cut from {nyc.FROM} to {nyc.TO} is tested as if a
grade changed there.

* *good*, *bad*: scores within {WIDTH} points on either side (1 where the window would reach over a cut of the rulebook);
* *expected*: how many would be on the good side by the placebo cuts; *odds*: odds seen over expected; *z*: in standard errors;
* *p*: one-sided, which is the share of false alarms for this cut alone;
* *adjusted*: by Holm over all cuts of the table: the share of tables of clean scores that would have such a cut anywhere;
* *placebos*: how many of the placebo cuts are as strange or stranger.

A cut right beside a real one is not free of it: what is pushed over 13|14 may come to rest at 12.
"""


def page(folder: Path) -> str:
    """The whole page."""
    return "\n".join([_HEAD, *_new_york(folder), *_fda(folder)]) + "\n"


def _new_york(folder: Path) -> Iterator[str]:
    made = nyc.tables(folder)
    for table in made:
        first, second = table.ranked[:2]
        natural = table.natural
        yield f"### {nyc.KINDS[table.kind].capitalize()}: {table.scores:,} scores"
        yield ""
        yield (
            f"{len(natural.places)} placebo cuts, which vary by τ = {natural.tau2**0.5:.2f} (logits) beyond chance; "
            f"{natural.freedom:.1f} degrees of freedom. First is {_named(first)}, then {_named(second)}."
        )
        yield ""
        yield from (_said(one, len(natural.places)) for one in table.lines if one.last_good in (13, 27))
        yield ""
        yield "| cut | good | bad | expected good | odds | z | p | adjusted | placebos | |"
        yield "|---|---|---|---|---|---|---|---|---|---|"
        for one in table.lines:
            held, tally = one.held, one.held.tally
            name = f"**{_cut(one)}**" if one.real else _cut(one)
            alarm = "stands out" if one.adjusted <= ALPHA else ""
            yield (
                f"| {name} | {tally.good} | {tally.bad} | {held.expected * (tally.good + tally.bad):.1f} | {held.effect:.2f} "
                f"| {held.z:.1f} | {_p(held.p)} | {_p(one.adjusted)} | {held.as_strange} of {held.placebos} | {alarm} |"
            )
        yield ""


def _said(one: nyc.Line, placebos: int) -> str:
    verb = "stands out" if one.adjusted <= ALPHA else "does not stand out"
    grade = "a grade changes here" if one.real else "no grade changes here at these inspections"
    return (
        f"* {_cut(one)} ({grade}) {verb}: {one.held.tally.good} on the good side, {one.held.tally.bad} on the bad; p {_p(one.held.p)}, "
        f"adjusted {_p(one.adjusted)}; {one.held.as_strange} of {placebos} placebo cuts are as strange."
    )


def _named(one: nyc.Line) -> str:
    return f"{_cut(one)} (z {one.held.z:.1f}, adjusted p {_p(one.adjusted)})"


def _cut(one: nyc.Line) -> str:
    return f"{one.last_good}\\|{one.last_good + 1}"


def _p(p: float) -> str:
    return f"{p:.2f}" if p >= 0.095 else f"{p:.3f}" if p >= 0.001 else f"{p:.0e}"


def _fda(folder: Path) -> Iterator[str]:
    found = fda.delays(folder)
    low, high = wilson(found.in_time, found.counted)
    yield "## FDA warning letters: from the letter's date to its posting"
    yield ""
    yield (
        f"{found.letters:,} letters; working days are the product's own arithmetic (`domain/workdays.py`), days off the US federal "
        f"holidays. {len(found.before)} were posted before their date, by the file's own two columns, and are in no other number here:"
    )
    yield ""
    yield "| line | company | letter | posted | days |"
    yield "|---|---|---|---|---|"
    for one in found.before:
        days = (one.posted - one.dated).days
        yield f"| {one.line} | {one.company} | {one.dated} ({one.dated:%a}) | {one.posted} ({one.posted:%a}) | {days} |"
    yield ""
    yield (
        f"Within {fda.TERM} working days: {found.in_time:,} of {found.counted:,}, {found.in_time / found.counted:.1%} (95 % interval "
        f"{low:.1%} to {high:.1%}). Half within {found.quantile(0.5)} working days, 90 % within {found.quantile(0.9)}; the longest took "
        f"{max(found.working)}."
    )
    yield ""
    yield "| working days | letters | share | up to here |"
    yield "|---|---|---|---|"
    so_far = 0
    for first, last in fda.BANDS:
        number = found.band(first, last)
        so_far += number
        span = f"{first}" if first == last else f"{first} and more" if last is None else f"{first}–{last}"
        yield f"| {span} | {number:,} | {number / found.counted:.1%} | {so_far / found.counted:.1%} |"
