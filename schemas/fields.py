"""Field types of the contract and the disclosure class that every field carries.

``public``      may be shown to anyone
``government``  departments and the office itself; a regime may publish more (FHRS: names and addresses)
``private``     never in an event; only as a commitment (``schemas.commitments``)

A field within an object is never more open than the field that holds the object.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from schemas.ids import EVENT_ID, SCHEMES, SOURCE, SubjectError, check_subject

EARLIEST = date(1949, 10, 1)
LATEST = date(2199, 12, 31)
# ASCII digits only: \d would also take the digits of other scripts, which other languages' parsers refuse.
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]{3}|\.[0-9]{6})?Z")
_DECIMAL = re.compile(r"(?!-0(\.0+)?$)-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?")
_DEGREES = re.compile(r"-?(0|[1-9][0-9]{0,2})(\.[0-9]{1,7})?")
# Not in a line of text: control characters, line separators, and the marks that turn reading order round or can't be seen.
_UNFIT = r"\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff"
_LINE = rf"^[^\s{_UNFIT}]([^{_UNFIT}]*[^\s{_UNFIT}])?$"
_PARAGRAPHS = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]+$"


def _iso_date(value: Any) -> Any:
    # pydantic would also read a string of seconds since 1970 as a date.
    if isinstance(value, str):
        if not _DATE.fullmatch(value):
            raise ValueError("a date such as 2026-01-15 is expected")
        return date.fromisoformat(value)
    return value


def _civil(value: date) -> date:
    if not EARLIEST <= value <= LATEST:
        raise ValueError(f"a date between {EARLIEST} and {LATEST} is expected")
    return value


def _instant(value: str) -> str:
    match = _INSTANT.fullmatch(value)
    if not match:
        raise ValueError("an instant in UTC such as 2026-01-15T08:30:00.000Z is expected")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    try:
        _civil(date(year, month, day))
    except ValueError as error:
        raise ValueError(str(error)) from None
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError("a time of day from 00:00:00 to 23:59:59 is expected")
    return value


def _decimal(value: str) -> str:
    if not _DECIMAL.fullmatch(value):
        raise ValueError('a decimal string such as "97.5" is expected: up to 15 digits, up to 4 decimals, no exponent, no -0')
    return value


def _amount(value: str) -> str:
    if value.startswith("-"):
        raise ValueError("an amount can't be negative")
    return value


def _degrees(most: int) -> AfterValidator:
    def within(value: str) -> str:
        if not _DEGREES.fullmatch(value) or abs(Decimal(value)) > most:
            raise ValueError(f'degrees are a decimal string such as "30.1234567" between -{most} and {most}, up to 7 decimals')
        return value

    return AfterValidator(within)


def _subject(value: str) -> str:
    try:
        return check_subject(value)
    except SubjectError as error:
        raise ValueError(f"{error.code}: {error}") from None


_DECIMAL_SCHEMA = {"type": "string", "maxLength": 21, "pattern": r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?$"}


CivilDate = Annotated[date, BeforeValidator(_iso_date), AfterValidator(_civil)]
Instant = Annotated[
    str,
    StringConstraints(max_length=27),
    AfterValidator(_instant),
    WithJsonSchema({"type": "string", "format": "date-time", "maxLength": 27, "pattern": f"^{_INSTANT.pattern}$"}),
]
DecimalText = Annotated[str, StringConstraints(max_length=21), AfterValidator(_decimal), WithJsonSchema(_DECIMAL_SCHEMA)]
Amount = Annotated[
    DecimalText, AfterValidator(_amount), WithJsonSchema({**_DECIMAL_SCHEMA, "pattern": r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?$"})
]
_DEGREES_SCHEMA = WithJsonSchema({"type": "string", "maxLength": 12, "pattern": f"^{_DEGREES.pattern}$"})
Latitude = Annotated[str, StringConstraints(max_length=12), _degrees(90), _DEGREES_SCHEMA]
Longitude = Annotated[str, StringConstraints(max_length=12), _degrees(180), _DEGREES_SCHEMA]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
DashedWord = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_LINE)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=_PARAGRAPHS)]
DocumentNo = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=_LINE)]
ViolationCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
EventId = Annotated[str, StringConstraints(pattern=f"^{EVENT_ID.pattern}$")]
KeyId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Base64Url = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,200}$")]
Pseudonym = Annotated[str, StringConstraints(pattern=r"^officer:[a-z0-9][a-z0-9-]{2,62}$")]
Person = Annotated[str, StringConstraints(pattern=r"^person:[0-9a-f]{32}$")]
Office = Annotated[str, StringConstraints(pattern=f"^{SOURCE.pattern}$")]
Regime = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,40}$")]
SubjectId = Annotated[str, StringConstraints(pattern=r"^(uscc|fhrs|camis|person):[0-9A-Za-z]{1,32}$"), AfterValidator(_subject)]
_SUBJECT = "|".join(f"{scheme}:{pattern.pattern}" for scheme, pattern in SCHEMES.items())
AnySubject = Annotated[
    str,
    StringConstraints(max_length=120),
    AfterValidator(_subject),
    WithJsonSchema({"type": "string", "maxLength": 120, "pattern": f"^({_SUBJECT})$"}),
]
TimeZone = Annotated[str, StringConstraints(max_length=60, pattern=r"^[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}$")]
Points = Annotated[int, Field(ge=0, le=1000)]


def public(**constraints: Any) -> Any:
    """A field anyone may see."""
    return Field(json_schema_extra={"x-disclosure": "public"}, **constraints)


def government(**constraints: Any) -> Any:
    """A field for departments; publication has no right to it."""
    return Field(json_schema_extra={"x-disclosure": "government"}, **constraints)


class Frozen(BaseModel):
    """Unknown fields are refused, nothing is coerced, nothing changes."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def disclosure(model: type[BaseModel]) -> dict[str, str]:
    """Field name → disclosure class. Raises ``LookupError`` for a field that has none."""
    found: dict[str, str] = {}
    for name, info in model.model_fields.items():
        extra = info.json_schema_extra
        if not isinstance(extra, dict) or "x-disclosure" not in extra:
            raise LookupError(f"{model.__name__}.{name} has no disclosure class")
        found[name] = str(extra["x-disclosure"])
    return found
