"""The UK Food Hygiene Rating Scheme's published CSV → events of the regime ``fhrs``.

Source: the Food Standards Agency's open data, one file for each local authority, UTF-8 with or without a byte order mark,
one row a premises with its latest rating. What a row says becomes

1. ``enterprise.registered`` with what is published about the premises. A register without founding dates: ``occurred_on`` is absent.
2. for a rating 0–5, ``inspection.recorded`` on the rating's date with the three component scores where they are given, and
   the official value as ``published_outcome``: evidence to compare with, never an input to a grade;
3. for AwaitingInspection, Exempt and the like, ``enterprise.status.declared``.

The same row always gives the same bytes: ids are UUIDv5 of the row's key and content, ``time`` is midnight UTC of the
rating's date, or ``UNDATED`` where the row has none. Nothing is guessed: a row that can't be read is refused with its line.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from schemas.canonical import canonical_bytes
from services.intake.importers.rows import (
    CHANNEL,
    NotThisFormat,
    Refused,
    RefusedRow,
    Row,
    event,
    records,
    within_length,
    without_mark,
)

__all__ = ["CHANNEL", "COLUMNS", "OFFICER", "REGIME", "SCHEME", "NotFhrs", "Refused", "RefusedRow", "Row", "office_of", "read"]

REGIME = "fhrs"
SCHEME = "fhrs"
OFFICER = "officer:fhrs-import"
# The national scheme's first month: rows without a date need some fixed instant, so that the same row stays the same event.
UNDATED = "2010-11-01T00:00:00.000Z"

COLUMNS = (
    "FHRSID",
    "LocalAuthorityBusinessID",
    "BusinessName",
    "BusinessType",
    "AddressLine1",
    "AddressLine2",
    "AddressLine3",
    "AddressLine4",
    "PostCode",
    "RatingValue",
    "RatingDate",
    "LocalAuthorityName",
    "Hygiene",
    "Structural",
    "ConfidenceInManagement",
    "NewRatingPending",
)
_COMPONENTS = (("Hygiene", "hygiene"), ("Structural", "structural"), ("ConfidenceInManagement", "confidence_in_management"))
_STATUSES = {
    "AwaitingInspection": "awaiting_inspection",
    "AwaitingPublication": "awaiting_publication",
    "Exempt": "exempt",
    "SensitivePremises": "sensitive_premises",
}
_KINDS = {
    "Restaurant/Cafe/Canteen": "restaurant",
    "Takeaway/sandwich shop": "restaurant",
    "Pub/bar/nightclub": "restaurant",
    "Other catering premises": "restaurant",
    "Mobile caterer": "restaurant",
    "Retailers - other": "food_retail",
    "Retailers - supermarkets/hypermarkets": "food_retail",
}
_PREMISES = re.compile(r"[1-9][0-9]{0,11}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class NotFhrs(NotThisFormat):
    """The file is not in this format; the message says which columns are missing."""


def office_of(authority: str) -> str:
    """``City of Westminster`` → ``/departments/city-of-westminster/offices/fhrs-import``. Raises ``RefusedRow``."""
    slug = re.sub(r"[^a-z0-9]+", "-", authority.lower()).strip("-")[:40].rstrip("-")
    if not slug:
        raise RefusedRow("LocalAuthorityName is empty")
    return f"/departments/{slug}/offices/fhrs-import"


def read(lines: Iterable[str]) -> Iterator[Row | Refused]:
    """Every data row of the file, accepted or refused. ``lines`` are text lines as from ``open(newline="")``.

    Raises ``NotFhrs`` when the header lacks a column. An id that comes again with other content is refused: which of two
    results holds is not for an importer to choose."""
    reader = csv.DictReader(without_mark(lines), strict=True)
    header = reader.fieldnames or []
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise NotFhrs(f"not an FHRS file: the header lacks {', '.join(missing)}")
    seen: dict[str, tuple[int, bytes]] = {}
    for found in records(reader, "FHRSID"):
        if isinstance(found, Refused):
            yield found
            continue
        number, row = found
        premises = row["FHRSID"].strip()
        try:
            taken = _row(number, row)
            content = canonical_bytes(list(taken.events))
            line, before = seen.setdefault(premises, (number, content))
            if before != content:
                raise RefusedRow(f"FHRSID {premises} stands in line {line} with other content")
            yield taken
        except RefusedRow as error:
            yield Refused(number, premises, str(error))


def _row(line: int, row: dict[str, str]) -> Row:
    field = {name: (row[name] or "").strip() for name in COLUMNS}
    if not _PREMISES.fullmatch(field["FHRSID"]):
        raise RefusedRow(f"FHRSID {field['FHRSID']!r} is not a number")
    subject = f"fhrs:{field['FHRSID']}"
    office = office_of(field["LocalAuthorityName"])
    rated_on = _rating_date(field["RatingDate"])
    time = f"{rated_on.isoformat()}T00:00:00.000Z" if rated_on else UNDATED
    kind, data = _outcome(field, rated_on)
    events = (
        event("enterprise.registered", office=office, subject=subject, time=time, data=_registration(field)),
        event(kind, office=office, subject=subject, time=time, data=data),
    )
    return Row(line, subject, office, events)


def _rating_date(text: str) -> date | None:
    if not text:
        return None
    try:
        if not _DATE.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise RefusedRow(f"RatingDate {text!r} is not a date such as 2023-05-12") from None


def _registration(field: dict[str, str]) -> dict[str, Any]:
    if not field["BusinessName"]:
        raise RefusedRow("BusinessName is empty")
    address = ", ".join(part for number in (1, 2, 3, 4) if (part := field[f"AddressLine{number}"]))
    data: dict[str, Any] = {
        "name": field["BusinessName"],
        "business_kind": _KINDS.get(field["BusinessType"], "other"),
        "regimes": [REGIME],
        "entered_by": OFFICER,
        "district": field["LocalAuthorityName"],
    }
    given = {
        "address": address,
        "postcode": field["PostCode"],
        "business_type": field["BusinessType"],
        "local_ref": field["LocalAuthorityBusinessID"],
    }
    data |= {name: value for name, value in given.items() if value}
    return within_length(data)


def _outcome(field: dict[str, str], rated_on: date | None) -> tuple[str, dict[str, Any]]:
    value = field["RatingValue"]
    if value in _STATUSES:
        data: dict[str, Any] = {"regime": REGIME, "status": _STATUSES[value], "entered_by": OFFICER}
        if rated_on:
            data["occurred_on"] = rated_on.isoformat()
        return "enterprise.status.declared", data
    if value not in {"0", "1", "2", "3", "4", "5"}:
        raise RefusedRow(f"RatingValue {value!r} is neither 0 to 5 nor one of {', '.join(_STATUSES)}")
    if rated_on is None:
        raise RefusedRow(f"RatingValue is {value} but RatingDate is empty")
    data = {
        "occurred_on": rated_on.isoformat(),
        "kind": "routine",
        "mode": "on_site",
        "regime": REGIME,
        "published_outcome": value,
        "entered_by": OFFICER,
    }
    scores = [{"component": word, "points": _points(column, field[column])} for column, word in _COMPONENTS if field[column]]
    if scores and len(scores) < len(_COMPONENTS):
        raise RefusedRow(f"only {len(scores)} of the {len(_COMPONENTS)} component scores are given")
    if scores:
        data["component_scores"] = scores
    if field["NewRatingPending"].upper() == "TRUE":
        data["outcome_pending"] = True
    return "inspection.recorded", data


def _points(column: str, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", text):
        raise RefusedRow(f"{column} {text!r} is not a score")
    return int(text)
