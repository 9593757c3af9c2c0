"""Personal data in text: numbers that lead to a person and must not be kept for ever.

What is looked for
1. numbers of resident identity cards (GB 11643-1999: region, date of birth, check character), also split or in full-width digits;
   permanent residence cards of foreigners have the same form and begin with 9;
2. mobile and landline telephone numbers of China, mobile and landline numbers of the United Kingdom.

Credit codes, hashes, ids, dates, instants and amounts are not numbers of persons and are left alone. A number that is an
identity number by region, date and check character is taken for one even where it might be something else: what is written
into the register can't be taken out again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Literal

from stdnum.cn import uscc
from stdnum.exceptions import ValidationError

Kind = Literal["identity", "telephone"]

# Fields whose values are numbers by their type: amounts, scores, coordinates. A test holds this against the models.
NUMBERS = frozenset({"accuracy_m", "amount", "lat", "lon", "maximum", "points", "registered_capital", "size", "total", "year"})
# Fields that hold the number of a paper: such numbers are made of region, date and serial number like an identity number.
_PAPERS = re.compile(r"(^|_)(no|numbers|ref|code)$")
# Whoever has an identity number in a document's number is grown up; a date of the last years is the document's own.
_GROWN_UP = 14

_MANY_DIGITS = re.compile(r"(?:\d[^\d]{0,3}){7}")
_HARMLESS = re.compile(
    r"[0-9a-f]{32}|[0-9a-f]{64}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|person:[0-9a-f]{32}"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.]{8,15}Z)?|(?:uscc|fhrs|camis):[0-9A-Z]{1,18}"
)
_TOKENS = re.compile(r"[0-9]+[Xx]?(?:(?:[ \-.·_/\u2010-\u2015]|\s){1,2}[0-9]+[Xx]?)*")
_PROVINCES = frozenset("11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83".split())
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_MOBILE = re.compile(r"(?:00)?(?:86)?(1[3-9][0-9]{9})")
_MOBILE_SPLITS = frozenset({(11,), (3, 4, 4), (3, 8), (7, 4), (4, 3, 4), (1,) * 11})
_LANDLINE = re.compile(r"(?<![0-9])(?:\+?86[ -]?)?\(?0(?:10|2[0-9]|[3-9][0-9]{2})\)?(?:[ -]|(?<=\)))[2-9][0-9]{2,3}[ -]?[0-9]{4}(?![0-9])")
_LANDLINE_UNSPLIT = re.compile(r"(?<![0-9A-Za-z])0(?:10|2[0-9]|[3-9][0-9]{2})[2-9][0-9]{6,7}(?![0-9])")
_CALLED = re.compile(
    r"(?:电话|座机|手机|联系方式|致电|[Tt]el(?:ephone)?|[Pp]hone|[Mm]obile)[.:： 号码为是]{0,6}\(?[0-9][0-9 ()-]{5,13}[0-9](?![0-9])"
)
_UK_MOBILE = re.compile(r"(?<![0-9A-Za-z])(?:(?:\+|00)44[ -]?(?:\(0\))?|0)7[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{3}(?![0-9])")
_UK_LANDLINE = re.compile(
    r"(?<![0-9A-Za-z])(?:(?:\+|00)44[ -]?(?:\(0\)[ -]?)?[12][0-9]{1,3}[ -]?[0-9]{3,4}[ -]?[0-9]{3,4}"
    r"|\(?0(?:2[0-9][ )-]{1,2}[0-9]{4}[ -][0-9]{4}|1[0-9]{2,4}[ )-]{1,2}[0-9]{3}[ -]?[0-9]{3,4}))(?![0-9])"
)


def is_identity_number(number: str, today: date) -> bool:
    """True for 18 characters with a region, a date of birth up to ``today`` and the right check character."""
    if len(number) != 18 or not number[:17].isdigit() or (number[:2] not in _PROVINCES and number[0] != "9"):
        return False
    year, month, day = int(number[6:10]), int(number[10:12]), int(number[12:14])
    try:
        if not date(1880, 1, 1) <= date(year, month, day) <= today:
            return False
    except ValueError:
        return False
    check = _CHECKS[sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number, strict=False)) % 11]
    if number[17].upper() != check:
        return False
    return number[0] != "9" or not _is_credit_code(number)


def _is_credit_code(number: str) -> bool:
    try:
        uscc.validate(number)
    except ValidationError:
        return False
    return True


def plain(text: str) -> str:
    """Compatibility forms made plain: full-width digits and letters, digits of other scripts; invisible characters dropped."""
    if text.isascii():
        return text
    folded = unicodedata.normalize("NFKC", text).replace("×", "X")
    return "".join(
        str(unicodedata.digit(one)) if one.isdecimal() and not one.isascii() else one for one in folded if unicodedata.category(one) != "Cf"
    )


def find(text: str, today: date, *, paper: bool = False) -> Kind | None:
    """What of a person the text seems to hold, or None. ``paper``: the text is the number of a document."""
    if not (_MANY_DIGITS.search(text) or not text.isascii()) or _HARMLESS.fullmatch(text):
        return None
    text = plain(text)
    if not _MANY_DIGITS.search(text):
        return None
    for match in _TOKENS.finditer(text):
        if kind := _in_run(match[0], today, paper):
            return kind
    if _UK_MOBILE.search(text):
        return "telephone"
    if paper:
        return None
    if any(form.search(text) for form in (_LANDLINE, _LANDLINE_UNSPLIT, _CALLED, _UK_LANDLINE)):
        return "telephone"
    return None


def _in_run(run: str, today: date, paper: bool) -> Kind | None:
    """Look through neighbouring groups of digits for those that together make one number."""
    groups = re.findall(r"[0-9]+[Xx]?", run)
    born = date(today.year - _GROWN_UP, today.month, 1) if paper else today
    for start in range(len(groups)):
        taken = ""
        for end in range(start, len(groups)):
            taken += groups[end]
            if len(taken) > 18:
                break
            if len(taken) == 18 and is_identity_number(taken, born):
                return "identity"
            if 11 <= len(taken) <= 15 and (match := _MOBILE.fullmatch(taken)):
                lead = len(taken) - 11
                lengths = [len(one) for one in groups[start : end + 1]]
                while lead and lengths[0] <= lead:
                    lead -= lengths.pop(0)
                lengths[0] -= lead
                if match[1] and tuple(lengths) in _MOBILE_SPLITS:
                    return "telephone"
    return None


def strings(value: Any, where: str = "", name: str = "") -> Iterator[tuple[str, str, str]]:
    """(JSON pointer, name of the nearest key, text) of every text within ``value`` that could hold a person's number."""
    if isinstance(value, str):
        if name not in NUMBERS:
            yield where, name, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from strings(item, f"{where}/{key}", key)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from strings(item, f"{where}/{index}", name)


def search(value: Any, today: date, where: str = "") -> tuple[str, Kind] | None:
    """The first place (JSON pointer) within ``value`` that seems to hold personal data, and of which kind."""
    for pointer, name, text in strings(value, where):
        if kind := find(text, today, paper=bool(_PAPERS.search(name))):
            return pointer, kind
    return None
