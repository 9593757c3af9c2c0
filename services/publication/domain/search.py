"""Finding a name by its characters, its pinyin or its initials, in a database without trigrams.

A row keeps three texts (``folded``, ``pinyin``, ``initials``) and one array of their single characters and bigrams. A query
asks the array for all bigrams of each of its terms, which an index answers, and rechecks the few rows with LIKE.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from pypinyin import Style, lazy_pinyin

MAX_QUERY = 60
MAX_TERMS = 6


@dataclass(frozen=True, slots=True)
class Index:
    """What a row keeps. ``tokens`` is sorted and without doubles."""

    folded: str
    pinyin: str
    initials: str
    tokens: list[str]


def fold(text: str) -> str:
    """Compatibility forms, case and runs of space don't matter to a person who searches."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _is_han(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff" or "\U00020000" <= character <= "\U0003ffff"


def _grams(text: str) -> set[str]:
    solid = text.replace(" ", "")
    words = text.split()
    return set(solid) | {word[at : at + 2] for word in words for at in range(len(word) - 1)}


def index(*, name: str, others: tuple[str, ...] = ()) -> Index:
    """The search columns of a subject: its name, and what else people look it up by (address, postcode, number)."""
    folded_name = fold(name)
    han = "".join(character for character in folded_name if _is_han(character))
    pinyin = "".join(lazy_pinyin(han, errors="ignore")) if han else ""
    initials = "".join(lazy_pinyin(han, style=Style.FIRST_LETTER, errors="ignore")) if han else ""
    folded = " ".join([folded_name, *(fold(other) for other in others if other)])
    tokens = _grams(folded) | _grams(pinyin) | _grams(initials)
    return Index(folded=folded, pinyin=pinyin, initials=initials, tokens=sorted(tokens))


@dataclass(frozen=True, slots=True)
class Query:
    """``terms``: each must be found. ``tokens``: all must be in the row's array. Empty terms find nothing."""

    terms: tuple[str, ...]
    tokens: list[str]


def query(text: str) -> Query:
    """Read what a person typed. Longer texts than any name are cut, not refused."""
    terms = tuple(fold(text[:MAX_QUERY]).split())[:MAX_TERMS]
    tokens: set[str] = set()
    for term in terms:
        tokens |= _grams(term) if len(term) == 1 else {term[at : at + 2] for at in range(len(term) - 1)}
    return Query(terms=terms, tokens=sorted(tokens))


def like(term: str) -> str:
    """A LIKE pattern that finds ``term`` anywhere, with LIKE's own characters taken literally (escape: backslash)."""
    escaped = term.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
