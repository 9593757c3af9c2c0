"""Instants, lists and values in sentences of findings, in Chinese and English; days are written by ``domain.dates``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from services.audit.domain.detectors.model import Shown, Sign

# The contract's size of a value (schemas.fields.Name).
_LONGEST = 200


def local_day(ms: int, time_zone: str) -> date:
    """The civil day of an instant (epoch ms)."""
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(ZoneInfo(time_zone)).date()


def clock(instant: str, time_zone: str) -> str:
    """09:30 of an instant of the contract, in the office's time."""
    return datetime.fromisoformat(instant).astimezone(ZoneInfo(time_zone)).strftime("%H:%M")


def zh_list(words: Iterable[str]) -> str:
    return "、".join(words)


def en_list(words: Iterable[str]) -> str:
    """a, b and c"""
    found = list(words)
    return " and ".join(filter(None, (", ".join(found[:-1]), found[-1]))) if found else ""


def value(text: object) -> str:
    """Anything as a value that a finding may carry."""
    words = " ".join(str(text).split()) or "-"
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"


def ended(sign: Sign, why: Iterable[Shown], zh: str, en: str) -> Sign:
    """What ends the matter of a sign. ``why``: the records by which it is none, or none any more."""
    return replace(sign, zh=zh, en=en, shown=(*sign.shown, *why), supported=frozenset(), retracted=True)
