"""Personal data in text: numbers that lead to a person and must not be kept for ever.

What is looked for
1. numbers of resident identity cards (GB 11643-1999: region, date of birth, check character), also split or in full-width digits;
   permanent residence cards of foreigners have the same form and begin with 9; the numbers of 15 digits from before 1999, which
   have no check character, in running text alone: the numbers of old licences and of papers look the same;
2. mobile and landline telephone numbers of China and of the United Kingdom, and of North America where they are written as such.

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

from schemas.ids import ENTERPRISE_SCHEMES, SubjectError, check_subject

Kind = Literal["identity", "telephone"]

# Fields whose texts are decimal numbers by their type. A test holds this against the models.
NUMBERS = frozenset({"amount", "maximum", "points", "registered_capital", "total"})
# Fields that hold the number of a paper or a code: these are made of region, date and serial number like an identity number.
_PAPERS = re.compile(r"[a-z_]*_(no|numbers|ref)|code|item|violations?|corrected")
# Whoever has an identity number in a document's number is grown up; a date of the last years is the document's own.
_GROWN_UP = 14

_MANY_DIGITS = re.compile(r"(?:\d[^\d]{0,3}){7}")
_HARMLESS = re.compile(
    r"[0-9a-f]{32}|[0-9a-f]{64}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|person:[0-9a-f]{32}"
    rf"|[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(?:T[0-9:.]{{8,15}}Z)?|(?:{'|'.join(ENTERPRISE_SCHEMES)}):[0-9]{{1,8}}"
)
_BETWEEN = r"(?:[\-.·_/,|、\u2010-\u2015]|\s)"
_RUN = re.compile(rf"[0-9]+[Xx]?(?:{_BETWEEN}{{1,3}}[0-9]+[Xx]?)*(?:{_BETWEEN}{{1,3}}[Xx](?![0-9A-Za-z]))?")
_GROUP = re.compile(r"[0-9]+[Xx]?|[Xx]")
_PROVINCES = frozenset("11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83".split())
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_MOBILE = re.compile(r"(?:00)?(?:86)?(1[3-9][0-9]{9})")
_MOBILE_SPLITS = frozenset({(11,), (3, 4, 4), (3, 8), (4, 3, 4), (1,) * 11})
_LETTER = re.compile(r"[A-Za-z]$")
# A number of eleven digits before a unit of money is an amount where it is round, or named as one: nobody is fined 13800138000 yuan.
_MONEY = re.compile(r"\s?[元万亿円]")
_AMOUNT = re.compile(r"(?:款|额|资本|资产|价|值|计|币|[¥￥$]|RMB|CNY)[:： 为共是约]{0,3}$")
_ROUND = re.compile(r"0000(?:\.0+)?$")
# What stands before the number of a licence or of a paper in running text.
_NUMBERED = re.compile(r"(?:号|号码|编码|[Nn]o\.?|[Nn]umber)[:： 为是]{0,3}$")
_PERSONS = re.compile(r"(?:身份|证件)[证]?(?:号码?|号)[:： 为是]{0,3}$")
_OLD_SPLITS = frozenset({(15,), (6, 6, 3)})
_LANDLINE = re.compile(
    r"(?<![0-9A-Za-z])(?:(?:(?:\+|00)86[ -]?|86[ -])\(?0?|\(?0)(?:10|2[0-9]|[3-9][0-9]{2})\)?(?:[ -]|(?<=\)))"
    r"[2-9][0-9]{2,3}[ -]?[0-9]{4}(?![0-9])"
)
_LANDLINE_UNSPLIT = re.compile(r"(?<![0-9A-Za-z.])0(?:10|2[0-9]|[3-9][0-9]{2})[2-9][0-9]{6,7}(?![0-9])")
_CALLED = re.compile(
    r"(?:电话|座机|手机|联系方式|致电|[Tt]el(?:ephone)?|[Pp]hone|[Mm]obile)[.:： 号码为是]{0,6}\(?[0-9][0-9 ()-]{5,13}[0-9](?![0-9])"
)
_UK_MOBILE = re.compile(r"(?<![0-9A-Za-z])(?:(?:\+|00)44[ -]?(?:\(0\))?|0)7[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{3}(?![0-9])")
_UK_LANDLINE = re.compile(
    r"(?<![0-9A-Za-z])(?:(?:\+|00)44[ -]?(?:\(0\)[ -]?)?[12][0-9]{1,3}[ -]?[0-9]{3,4}[ -]?[0-9]{3,4}"
    r"|\(?0(?:2[0-9][ )-]{1,2}[0-9]{4}[ -][0-9]{4}|1[0-9]{2,4}[ )-]{1,2}[0-9]{3}[ -]?[0-9]{3,4}))(?![0-9])"
    r"|(?<![0-9A-Za-z./-])01[1-9][0-9]{8}(?![0-9])"
)
_AMERICAN = re.compile(
    r"(?<![0-9A-Za-z])(?:(?:\+1[ .-]?)?\([2-9][0-9]{2}\) ?|\+1[ .-]?[2-9][0-9]{2}[ .-]?)[2-9][0-9]{2}[ .-]?[0-9]{4}(?![0-9])"
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


def is_old_identity_number(number: str) -> bool:
    """True for 15 digits with a region and a date of birth in 1900 … 1999."""
    if len(number) != 15 or not number.isdigit() or number[:2] not in _PROVINCES:
        return False
    try:
        date(1900 + int(number[6:8]), int(number[8:10]), int(number[10:12]))
    except ValueError:
        return False
    return True


def _is_enterprise(text: str) -> bool:
    """True for ``uscc:`` and a credit code with its check character."""
    try:
        return text.startswith("uscc:") and check_subject(text) == text
    except SubjectError:
        return False


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


def _may_hold(text: str) -> bool:
    """False for most texts, at little cost: those that can't hold a number of seven digits."""
    return not text.isascii() or (len(text) > 6 and _MANY_DIGITS.search(text) is not None)


def find(text: str, today: date, *, paper: bool = False) -> Kind | None:
    """What of a person the text seems to hold, or None. ``paper``: the text is the number of a document."""
    if not _may_hold(text) or _HARMLESS.fullmatch(text) or _is_enterprise(text):
        return None
    text = plain(text)
    if not _MANY_DIGITS.search(text):
        return None
    for match in _RUN.finditer(text):
        groups = _GROUP.findall(match[0])
        if _identity_within(groups, _grown_up(today) if paper else today):
            return "identity"
        before, amount = text[: match.start()], _is_amount(text, match)
        if not paper and not amount and _old_identity(groups, before):
            return "identity"
        # "GZ13812345678" is a number of some paper; in running text it may as well be "tel13812345678".
        lettered = paper and _LETTER.search(before)
        if not lettered and not amount and _mobile_within(groups):
            return "telephone"
    # What a paper's number looks like is no sign, what is said before it is.
    forms = (_CALLED,) if paper else (_UK_MOBILE, _LANDLINE, _LANDLINE_UNSPLIT, _CALLED, _UK_LANDLINE, _AMERICAN)
    return "telephone" if any(form.search(text) for form in forms) else None


def _is_amount(text: str, match: re.Match[str]) -> bool:
    """True for a sum of money by what stands round it."""
    if not _MONEY.match(text, match.end()):
        return False
    return bool(_ROUND.search(match[0]) or _AMOUNT.search(text, 0, match.start()))


def _old_identity(groups: list[str], before: str) -> bool:
    """True for a number of 15 digits on its own that nothing before it calls a licence's or a paper's."""
    if tuple(map(len, groups)) not in _OLD_SPLITS or not is_old_identity_number("".join(groups)):
        return False
    return bool(_PERSONS.search(before)) or not (_NUMBERED.search(before) or _LETTER.search(before))


def _grown_up(today: date) -> date:
    return date(today.year - _GROWN_UP, 12, 31)


def _identity_within(groups: list[str], latest: date) -> bool:
    """True where neighbouring groups of digits together make an identity number."""
    for start in range(len(groups)):
        taken = ""
        for group in groups[start:]:
            taken += group
            if len(taken) >= 18:
                break
        if len(taken) == 18 and is_identity_number(taken, latest):
            return True
    return False


def _mobile_within(groups: list[str]) -> bool:
    """True where neighbouring groups make a mobile number, in a way that people split them."""
    lengths = [len(group) for group in groups]
    for start in range(len(groups)):
        for split in _MOBILE_SPLITS:
            if tuple(lengths[start + 1 : start + len(split)]) != split[1:]:
                continue
            number = "".join(groups[start : start + len(split)])
            if _MOBILE.fullmatch(number) and len(groups[start]) - split[0] in (0, 2, 4):
                return True
    return False


def strings(value: Any, where: str = "", name: str = "") -> Iterator[tuple[str, str, str]]:
    """(JSON pointer, name of the nearest key, text) of every text within ``value`` that could hold a person's number. A key is a
    text, too; its pointer is the object's, so that nothing repeats it."""
    if isinstance(value, str):
        if name not in NUMBERS:
            yield where, name, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield where, "", key
            yield from strings(item, f"{where}/{key}", key)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from strings(item, f"{where}/{index}", name)


def _any(value: Any, today: date, name: str) -> bool:
    """Whether ``search`` would find something."""
    if isinstance(value, str):
        return _may_hold(value) and name not in NUMBERS and find(value, today, paper=bool(_PAPERS.fullmatch(name))) is not None
    if isinstance(value, Mapping):
        for key, item in value.items():
            if _may_hold(key) and find(key, today) or not isinstance(item, int) and _any(item, today, key):
                return True
        return False
    return isinstance(value, list | tuple) and any(_any(item, today, name) for item in value)


def search(value: Any, today: date, where: str = "") -> tuple[str, Kind] | None:
    """The first place (JSON pointer) within ``value`` that seems to hold personal data, and of which kind."""
    # Twice, for hardly any event holds some: places are named only where one has to be told.
    if not _any(value, today, ""):
        return None
    for pointer, name, text in strings(value, where):
        if kind := find(text, today, paper=bool(_PAPERS.fullmatch(name))):
            return pointer, kind
    return None
