"""``docs/detectors.md``: what each detector says of itself, and what was measured (``measured.json``). Nothing in it is written by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from services.audit.domain.detectors.model import Declared
from tests.detection.intervals import clopper_pearson
from tests.detection.measuring import ANSWERS, detectors
from tests.detection.truth import Tally

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "docs" / "detectors.md"
MEASURED = Path(__file__).with_name("measured.json")

HEAD = """# Detectors

Made by `python -m tests.detection`; a test holds it equal to what the detectors declare. A finding is a finding until a hearing decided
it. Whatever proposes a *check* is never a ground for a sanction.

## What is found of what was planted

`mingjian sample --falsify` sows falsehoods and innocent look-alikes; it imports nothing of the audit service. Here each town goes through
intake's own judging and then, in memory, through all detectors as the nightly run has them. *Found* counts planted matters with a finding
about them, *right* the findings that are about something planted, *accused* the look-alikes that a finding is about, *strays* all findings
in towns in which nothing was planted. In brackets: 95 % intervals by Clopper and Pearson.
"""
_TABLE = """
| kind sown | detector | planted | found (recall) | findings | right (precision) | look-alikes | accused | strays |
|---|---|---|---|---|---|---|---|---|
"""


def page(measured: Mapping[str, Any]) -> str:
    """The whole page."""
    return HEAD + "".join(_measured(measured)) + "\n## What they declare\n" + "".join(_declared(one.declared) for one in detectors())


def read() -> dict[str, Any]:
    """What was measured last."""
    found: dict[str, Any] = json.loads(MEASURED.read_text(encoding="utf-8"))
    return found


def _measured(measured: Mapping[str, Any]) -> Iterator[str]:
    size, seeds = measured["size"], measured["seeds"]
    yield f"\nSeeds {seeds['both'][0]} to {seeds['both'][-1]}, on which nothing was tried out while generator and detectors were written. "
    many = {choice: len(some) for choice, some in seeds.items()}
    yield f"Towns of {size['enterprises']} enterprises and {size['years']} years, each of another seed: {many['both']} with falsehoods "
    yield f"and look-alikes, {many['lookalikes']} with look-alikes alone, {many['clean']} with neither; {measured['entries']:,} entries "
    yield f"looked at, {measured['scans']:,} scans on record.\n"
    yield "A town of this size has few scores and quiet offices: what the statistical ones find in larger populations, and how often they "
    yield "are wrong there, stands in [detectors-statistical.md](detectors-statistical.md).\n"
    for exact, words in ((True, "Exact ones"), (False, "Statistical ones: they propose a check, never a sanction")):
        rows = [row for kind, answer in ANSWERS.items() if answer.exact == exact for row in _row(kind, answer.detector, measured["towns"])]
        if rows:
            yield f"\n### {words}\n" + _TABLE + "".join(rows)


def _row(kind: str, detector: str, towns: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    if kind not in towns["both"]:
        return
    both, alike, clean = (Tally(**towns[choice].get(kind, {})) for choice in ("both", "lookalikes", "clean"))
    findings, looked, accused = both.true + both.false, both.lookalikes + alike.lookalikes, both.accused + alike.accused
    told = f" ({both.explained + alike.explained} with their explanation supported)" if accused else ""
    cells = (
        *(f"`{kind}`", f"`{detector}`", both.planted, _share(both.found, both.planted), findings, _share(both.true, findings)),
        *(looked, _share(accused, looked) + told, alike.false + clean.false),
    )
    yield f"| {' | '.join(map(str, cells))} |\n"


def _share(hits: int, of: int) -> str:
    if not of:
        return "–"
    low, high = clopper_pearson(hits, of)
    return f"{hits} ({_percent(hits / of)}; {_percent(low)}–{_percent(high)})"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}".removesuffix(".0") + " %"


def _declared(one: Declared) -> str:
    clause = " · ".join(filter(None, (one.clause, *one.readings)))
    period = f", over each {one.period}" if one.period else ""
    lines = [
        f"\n### `{one.kind}` · {one.zh} · {one.en}\n",
        f"\nVersion {one.version}; about: {one.about}{period}; proposes: {one.proposes}; {clause}.\n",
        f"\n{one.rests_on_en}\n",
        "\nInnocent explanations:\n\n",
        *(f"- `{word.code}` {word.zh} · {word.en}\n" for word in one.explanations),
        f"\nWhat ends it: {one.clears_zh} · {one.clears_en}\n",
    ]
    return "".join(lines)


def kinds_without_detector() -> Sequence[str]:
    """Kinds that are sown and that no detector is for; what a row of the table would hide."""
    have = {one.declared.kind for one in detectors()} | {"late_entry"}
    return [kind for kind, answer in ANSWERS.items() if answer.detector not in have]
