"""New York City's published restaurant inspections (DOHMH, NYC open data) → events of the regime ``nyc``.

Source: the city's data set of inspection results as CSV: one row a *violation*, so an inspection repeats; column names in any case, with
spaces or underscores; days as ``MM/DD/YYYY`` or ISO. The rows of one premises, day and type are one inspection. What they say becomes

1. ``enterprise.registered`` once for each premises (CAMIS), without a day, for none is published;
2. ``inspection.recorded`` for each inspection, with its points, the violations cited, whether it closed the premises or let them
   open again, and the official letter as ``published_outcome``: evidence to compare with, never an input to a grade. P and Z say
   that the grade is pending: a fact that only the authority knows;
3. nothing more for 1900-01-01, which stands for premises that have not been inspected yet.

Inspections come in the order of their days. Their ``time``, which is the filing date, is noon UTC of their day, the same civil day
there; registrations have ``UNDATED``. Nothing is guessed: a row that can't be read is refused with its line.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from schemas.fields import EARLIEST, LATEST
from services.intake.importers.rows import (
    NotThisFormat,
    Refused,
    RefusedRow,
    Row,
    event,
    records,
    within_length,
    without_mark,
)

REGIME = "nyc"
SCHEME = "camis"
OFFICER = "officer:nyc-import"
OFFICE = "/departments/nyc-health/offices/nyc-import"
COMPONENT = "violation_points"
# The month in which letters began: registrations need some fixed instant, so that the same premises stay the same event.
UNDATED = "2010-07-01T12:00:00.000Z"
NOT_INSPECTED = date(1900, 1, 1)

COLUMNS = (
    "camis",
    "dba",
    "boro",
    "building",
    "street",
    "zipcode",
    "cuisine_description",
    "inspection_date",
    "action",
    "violation_code",
    "score",
    "grade",
    "inspection_type",
)
# Programmes whose initial and re-inspections are for grading.
_GRADED = ("cycle inspection", "pre-permit (operational)")
_BEFORE_OPENING = "pre-permit (non-operational)"
_KINDS = {
    "initial inspection": "initial",
    "re-inspection": "recheck",
    "reopening inspection": "reopening",
    "compliance inspection": "special",
    "second compliance inspection": "special",
    "limited inspection": "special",
}
_LETTERS = ("A", "B", "C", "N", "P", "Z")
_PENDING = ("P", "Z")
_GRADES = {"": None, "not yet graded": "N", "grade pending": "Z", **{letter.lower(): letter for letter in _LETTERS}}
_PREMISES = re.compile(r"[0-9]{8}")
_SCORE = re.compile(r"([0-9]{1,3})(\.0)?")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_ISO = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})([T ][0-9:.]+Z?)?")
_AMERICAN = re.compile(r"([0-9]{1,2}/[0-9]{1,2}/[0-9]{4})( [0-9]{1,2}:[0-9]{2}(:[0-9]{2})?( [AP]M)?)?", re.IGNORECASE)
_MOST_VIOLATIONS = 50


class NotNyc(NotThisFormat):
    """The file is not in this format; the message says which columns are missing."""


@dataclass
class _Group:
    """An inspection, or the registration alone (``on`` None), with the lines that tell of it."""

    line: int
    subject: str
    on: date | None
    type: str
    kind: str
    said: dict[str, Any]
    codes: set[str] = field(default_factory=set)
    more: list[int] = field(default_factory=list)


@dataclass
class _Register:
    """The premises so far: number → line of the first row and what it says of them."""

    premises: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    groups: dict[tuple[str, date | None, str], _Group] = field(default_factory=dict)


def read(lines: Iterable[str]) -> Iterator[Row | Refused]:
    """Every data row of the file, accepted or refused. ``lines`` are text lines as from ``open(newline="")``.

    Raises ``NotNyc`` when the header lacks a column. A row that contradicts an earlier one of the same inspection or of the same
    premises is refused: which of two results holds is not for an importer to choose."""
    reader = csv.DictReader(without_mark(lines), strict=True)
    reader.fieldnames = [_column(name) for name in reader.fieldnames or []]
    missing = [name for name in COLUMNS if name not in reader.fieldnames]
    if missing:
        raise NotNyc(f"not a file of New York City's restaurant inspections: the header lacks {', '.join(missing)}")
    register = _Register()
    for found in records(reader, "camis"):
        if isinstance(found, Refused):
            yield found
            continue
        number, row = found
        try:
            _take(register, number, {name: row[name].strip() for name in COLUMNS})
        except RefusedRow as error:
            yield Refused(number, row["camis"].strip(), str(error))
    yield from _rows(register)


def _column(name: str) -> str:
    """``INSPECTION DATE`` and ``inspection_date`` are one column."""
    return re.sub(r"[ _]+", "_", name.strip().lower())


def _take(register: _Register, line: int, row: dict[str, str]) -> None:
    """Enter a row. Raises ``RefusedRow`` and leaves the register as it was."""
    if not _PREMISES.fullmatch(row["camis"]):
        raise RefusedRow(f"CAMIS {row['camis']!r} is not a number of eight digits")
    registration = _registration(row)
    on = _day(row["inspection_date"])
    said = {} if on is None else _said(row)
    kind = "" if on is None else _kind(row["inspection_type"])
    code = row["violation_code"]
    if code and not _CODE.fullmatch(code):
        raise RefusedRow(f"VIOLATION CODE {code!r} is not a code")
    first, known = register.premises.get(row["camis"], (line, registration))
    if known != registration:
        raise RefusedRow(f"CAMIS {row['camis']} stands in line {first} with other premises")
    key = (row["camis"], on, _words(row["inspection_type"]) if on else "")
    group = register.groups.get(key)
    if group is None:
        group = _Group(line, f"{SCHEME}:{row['camis']}", on, key[2], kind, said)
    elif group.said != said:
        raise RefusedRow(f"the same inspection stands in line {group.line} with another action, score or grade")
    elif len(group.codes | {code}) > _MOST_VIOLATIONS:
        raise RefusedRow(f"the same inspection has more than {_MOST_VIOLATIONS} violations")
    else:
        group.more.append(line)
    if code and on:
        group.codes.add(code)
    register.premises.setdefault(row["camis"], (line, registration))
    register.groups[key] = group


def _rows(register: _Register) -> Iterator[Row]:
    """By day, what was not inspected yet first; premises are registered with the first of their rows. What lets them open again
    comes last on its day."""
    registered: set[str] = set()
    groups = register.groups.values()
    for group in sorted(groups, key=lambda one: (one.on or NOT_INSPECTED, one.said.get("closure") == "lifted", one.line)):
        camis = group.subject.partition(":")[2]
        events = []
        if camis not in registered:
            registered.add(camis)
            data = register.premises[camis][1]
            events.append(event("enterprise.registered", office=OFFICE, subject=group.subject, time=UNDATED, data=data))
        if group.on:
            events.append(_inspection(group, group.on))
        yield Row(group.line, group.subject, OFFICE, tuple(events), tuple(group.more))


def _inspection(group: _Group, on: date) -> dict[str, Any]:
    data = {"occurred_on": on.isoformat(), "kind": group.kind, "mode": "on_site", "regime": REGIME, "entered_by": OFFICER, **group.said}
    if group.codes:
        data["violations"] = sorted(group.codes)
    key = f"{group.subject} inspection.recorded {on} {group.type}"
    return event("inspection.recorded", office=OFFICE, subject=group.subject, time=f"{on}T12:00:00.000Z", data=data, row_key=key)


def _registration(row: dict[str, str]) -> dict[str, Any]:
    if not row["dba"]:
        raise RefusedRow("DBA is empty")
    given = {
        "district": "" if row["boro"] in ("0", "Missing") else row["boro"],
        "address": " ".join(part for part in (row["building"], row["street"]) if part),
        "postcode": row["zipcode"],
        "business_type": row["cuisine_description"],
    }
    data = {"name": _spaced(row["dba"]), "business_kind": "restaurant", "regimes": [REGIME], "entered_by": OFFICER}
    return within_length(data | {name: _spaced(value) for name, value in given.items() if value})


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _words(text: str) -> str:
    return _spaced(text).lower()


def _day(text: str) -> date | None:
    """None for premises that have not been inspected yet."""
    try:
        if match := _ISO.fullmatch(text):
            on = date.fromisoformat(match[1])
        elif match := _AMERICAN.fullmatch(text):
            on = datetime.strptime(match[1], "%m/%d/%Y").date()
        else:
            raise ValueError
    except ValueError:
        raise RefusedRow(f"INSPECTION DATE {text!r} is not a date such as 05/12/2023 or 2023-05-12") from None
    if on == NOT_INSPECTED:
        return None
    if not EARLIEST <= on <= LATEST:
        raise RefusedRow(f"INSPECTION DATE {text!r} lies outside {EARLIEST} to {LATEST}")
    return on


def _kind(text: str) -> str:
    """Only initial and re-inspections of two programmes are for grading; within them every word must be known."""
    programme, slash, kind = (part.strip() for part in _words(text).partition("/"))
    if not programme or not kind:
        raise RefusedRow(f"INSPECTION TYPE {text!r} is not a programme and a kind")
    if programme in _GRADED:
        if kind not in _KINDS:
            raise RefusedRow(f"INSPECTION TYPE {text!r}: {kind!r} is none of {', '.join(_KINDS)}")
        return _KINDS[kind]
    return "licensing" if programme == _BEFORE_OPENING else "special"


def _said(row: dict[str, str]) -> dict[str, Any]:
    """What every row of an inspection says alike: points, letter, closure."""
    said: dict[str, Any] = {}
    if row["score"]:
        match = _SCORE.fullmatch(row["score"])
        if match is None:
            raise RefusedRow(f"SCORE {row['score']!r} is not a number of points")
        said["component_scores"] = [{"component": COMPONENT, "points": int(match[1])}]
    if row["grade"].lower() not in _GRADES:
        raise RefusedRow(f"GRADE {row['grade']!r} is none of {', '.join(_LETTERS)}")
    if letter := _GRADES[row["grade"].lower()]:
        said["published_outcome"] = letter
        said |= {"outcome_pending": True} if letter in _PENDING else {}
    if closure := _closure(row):
        said["closure"] = closure
    return said


def _closure(row: dict[str, str]) -> str | None:
    action = _words(row["action"])
    if "re-closed" in action:
        return "kept"
    if "re-opened" in action or "reopened" in action:
        return "lifted"
    if "closed by" in action:
        # Closed at the inspection that was to let them open: they were closed before.
        return "kept" if _words(row["inspection_type"]).endswith("reopening inspection") else "ordered"
    if action and "violations were" not in action:
        raise RefusedRow(f"ACTION {row['action'][:80]!r} is not known")
    return None
