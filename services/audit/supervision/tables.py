"""The report as JSON and CSV, both editions."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from services.audit.domain.consequence import holds
from services.audit.domain.disclosed import LEAST, PEOPLE, Outside, outside
from services.audit.domain.found import FATES, Scan
from services.audit.domain.hearings import SILENT
from services.audit.domain.supervision import DELAYS, Row, Told, Year

_OFFICE = (
    "entries",
    "migrated",
    "with_term",
    "in_time",
    "late",
    "late_cleared",
    "excused",
    "worst",
    "moved",
    "least",
    "most",
    "unassessed",
)

_SCAN = tuple(Scan.__dataclass_fields__)
_EFFECT = ("least", "most", "stands_least", "stands_most", "evaluations", "consequence")
_MATTER = (
    *("matter", "finding", "kind", "about", "office", "officers", "subject", "raised_on", "became", "hearing", "outcome"),
    *("working_days_late", *_EFFECT),
)


def as_json(year: Year, *, edition: str, sample: bool) -> dict[str, Any]:
    """All figures of an edition. Shares are numbers from 0 to 1; what an outside edition doesn't give is null."""
    head = {
        "report": "supervision of entry management",
        "clause": "五(三) ¶2",
        "reading": "R16",
        "edition": edition,
        "year": year.year,
        "through": year.through.isoformat() if year.through else None,
        "sample": sample,
    }
    if edition == "outside":
        rows, whole = outside(year)
        rule = {"least": LEAST, "people": PEOPLE}
        return head | {
            "rule": rule,
            "offices": [asdict(one) for one in rows],
            "all": asdict(whole),
            "scans": _scans(year.scans, hits=False),
        }
    return head | {
        "delay_classes_working_days": [*DELAYS, None],
        "unsigned": year.unsigned,
        "unreadable": year.unreadable,
        "provisional": year.provisional,
        "offices": [_row(one) for one in year.offices],
        "officers": [_row(one) for one in year.officers],
        "matters": [_matter(one) for one in year.matters],
        "scans": _scans(year.scans, hits=True),
    }


def _row(one: Row) -> dict[str, Any]:
    named = {"office": one.office} | ({"officer": one.officer} if one.officer else {})
    fates = {kind: {fate: counted[fate] for fate in FATES} for kind, counted in sorted(one.fates.items())}
    return named | {name: getattr(one, name) for name in _OFFICE} | {"share": one.share, "delays": list(one.delays), "findings": fates}


def _matter(one: Told) -> dict[str, Any]:
    matter, effect = one.matter, asdict(one.matter.assessed) if one.matter.assessed else None
    if effect is not None and not holds(effect["consequence"], one.hearing.word if one.hearing else SILENT):
        effect["consequence"] = "none"
    return {
        "matter": matter.matter,
        "finding": matter.findings[-1],
        "kind": matter.kind,
        "about": matter.about,
        "office": matter.office,
        "officers": list(one.officers),
        "subject": matter.subject_of,
        "raised_on": matter.raised_on.isoformat(),
        "became": one.fate,
        "hearing": one.hearing.standing if one.hearing else None,
        "outcome": one.hearing.outcome if one.hearing else None,
        "working_days_late": one.late.working_days if one.late and one.fate not in ("cleared", "retracted") else None,
        "effect": effect,
    }


def _scans(scans: Iterable[Scan], *, hits: bool) -> list[dict[str, Any]]:
    found = []
    for one in scans:
        row = asdict(one) | {"first": one.first.isoformat(), "through": one.through.isoformat()}
        found.append(row if hits else {name: value for name, value in row.items() if name != "hits"})
    return found


def as_csv(year: Year, *, edition: str) -> dict[str, str]:
    """File name → text. Heads are the JSON's names; a number that is not given is empty."""
    if edition == "outside":
        rows, whole = outside(year)
        names = list(Outside.__dataclass_fields__)
        table = [[_cell(getattr(one, name)) for name in names] for one in (*rows, whole)]
        heads = [name for name in _SCAN if name != "hits"]
        return {"offices.csv": _text(names, table), "scans.csv": _of(_scans(year.scans, hits=False), heads)}
    scans = _scans(year.scans, hits=True)
    heads = ["office", "officer", *_OFFICE, "share", *(f"delay_{one}" for one in (*DELAYS, "more")), *FATES]
    table = [
        [one.office, one.officer or "", *(getattr(one, name) for name in _OFFICE), _cell(one.share), *one.delays, *map(one.total, FATES)]
        for one in (*year.offices, *year.officers)
    ]
    return {"offices.csv": _text(heads, table), "findings.csv": _of(map(_flat, year.matters), _MATTER), "scans.csv": _of(scans, _SCAN)}


def _flat(one: Told) -> dict[str, Any]:
    row = _matter(one)
    effect = row.pop("effect") or {}
    return row | {"officers": " ".join(row["officers"])} | {name: effect.get(name) for name in _EFFECT}


def _of(rows: Iterable[dict[str, Any]], heads: Sequence[str]) -> str:
    return _text(heads, [[_cell(row[name]) for name in heads] for row in rows])


def _cell(value: Any) -> Any:
    if isinstance(value, tuple):
        return " ".join(value)
    return "" if value is None else f"{value:.4f}" if isinstance(value, float) else value


def _text(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows(rows)
    return out.getvalue()
