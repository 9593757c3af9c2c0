"""The two times of a question: as of which day, as known at which instant. What can't be asked is said with what to ask instead."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Query
from pydantic import Field

from schemas.fields import LATEST
from schemas.times import instant, milliseconds
from services._bus.problems import Problem
from services.publication.domain.knowledge import Silence
from services.publication.domain.registry import GO_LIVE
from services.publication.domain.vocabulary import Vocabulary
from services.publication.web import dates

_DAY = r"^[12][0-9]{3}-[01][0-9]-[0-3][0-9]$"
_INSTANT = r"^[12][0-9]{3}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\.[0-9]{3})?Z$"

_Day = Annotated[str, Field(max_length=60, json_schema_extra={"format": "date", "pattern": _DAY, "examples": ["2026-01-15"]})]
_Moment = Annotated[
    str, Field(max_length=60, json_schema_extra={"format": "date-time", "pattern": _INSTANT, "examples": ["2026-01-15T08:30:00.000Z"]})
]
AsOf = Annotated[
    _Day | None,
    Query(
        description="civil date in the regime's time zone: the grade that held on this day. By default the day of `known_at`. "
        "A day after that of `known_at` was still to come and is refused."
    ),
]
KnownAt = Annotated[
    _Moment | None,
    Query(
        description="instant in UTC: from what was known by then (`known_from` of the facts). By default the newest fact that was read. "
        "An answer to a `known_at` in the past never changes; one in the future is refused."
    ),
]
KnownFirst = Annotated[_Moment, Query(description="the earlier instant, in UTC; one in the future is refused")]
KnownLater = Annotated[_Moment | None, Query(description="the later instant, in UTC; by default the newest fact that was read")]


@dataclass(frozen=True, slots=True)
class Asked:
    """``known_ms``: epoch ms; ``pinned``: it was given, so that the answer stays what it is."""

    as_of: date | None
    known_ms: int
    pinned: bool

    @property
    def known_at(self) -> str:
        """As the contract writes it."""
        return instant(self.known_ms)


def day(text: str | None, field: str = "as_of") -> date | None:
    """The day of a parameter. Raises ``Problem`` 422."""
    if text is None:
        return None
    try:
        if not re.match(_DAY, text):
            raise ValueError("form")
        return date.fromisoformat(text)
    except ValueError:
        raise Problem(
            422,
            "day",
            zh=f"{field} 不是存在的日期。",
            en=f"{field} is not a day that exists.",
            field=field,
            value=text,
            remedy_zh="请写成 2026-01-15 这样的日期。",
            remedy_en="Write a day such as 2026-01-15.",
        ) from None


def moment(text: str | None, field: str = "known_at") -> int | None:
    """The instant of a parameter, epoch ms. Raises ``Problem`` 422."""
    if text is None:
        return None
    try:
        if not re.match(_INSTANT, text):
            raise ValueError("form")
        return milliseconds(text)
    except ValueError:
        raise Problem(
            422,
            "instant",
            zh=f"{field} 不是存在的时刻。",
            en=f"{field} is not an instant that exists.",
            field=field,
            value=text,
            remedy_zh="请写成世界时（UTC），如 2026-01-15T08:30:00.000Z。",
            remedy_en="Write an instant in UTC such as 2026-01-15T08:30:00.000Z.",
        ) from None


def by(given: int | None, *, newest_ms: int | None, now_ms: int, field: str = "known_at") -> tuple[int, bool]:
    """The instant to answer by, and whether it was given. ``newest_ms``: of the newest fact read; on a simulated clock it may lie ahead
    of the wall's. Raises ``Problem`` 422 for one that has not come."""
    if given is None:
        return newest_ms if newest_ms is not None else now_ms, False
    last = max(now_ms, newest_ms or 0)
    if given > last:
        raise Problem(
            422,
            "known-at-future",
            zh=f"{field} 还没有到；那时会知道什么，现在还不知道。",
            en=f"{field} has not come yet: what will be known then is not known now.",
            field=field,
            value=instant(given),
            remedy_zh=f"请给出不晚于 {instant(last)} 的时刻，或去掉该参数。",
            remedy_en=f"Give an instant no later than {instant(last)}, or leave the parameter out.",
        )
    return given, True


def not_later_than(as_of: date | None, today: date, known_at: str) -> None:
    """Refuse a day that had not come at the instant by which is asked. ``today``: that instant's day. Raises ``Problem`` 422."""
    if as_of is not None and as_of > today:
        raise Problem(
            422,
            "as-of-future",
            zh=f"截至 {known_at}，{as_of} 还没有到，那一天的等级还不能确定。",
            en=f"At {known_at} the day {as_of} was still to come; which grade holds on it is not certain.",
            field="as_of",
            value=as_of.isoformat(),
            remedy_zh=f"请给出不晚于 {today} 的日期，或给出更晚的得知时刻（known_at）。",
            remedy_en=f"Give a day no later than {today}, or a later instant (known_at).",
            latest_as_of=today.isoformat(),
        )


@dataclass(frozen=True)
class Zones:
    """The time zone in which a regime's days are counted: its rulebook's, else the stack's."""

    vocabulary: Vocabulary
    stack: ZoneInfo

    def of(self, regime: str) -> ZoneInfo:
        """Of a regime."""
        book = self.vocabulary.book(regime)
        return book.zone if book is not None else self.stack

    def day(self, regime: str, ms: int) -> date:
        """The civil day of an instant there."""
        return min(dates.civil(ms, self.of(regime)), LATEST)

    def today(self, regimes: Iterable[str], ms: int) -> date:
        """The day of an instant that has come in all of these regimes' zones."""
        return min((self.day(regime, ms) for regime in regimes), default=dates.civil(ms, self.stack))


def go_lives(registry: Sequence[Mapping[str, Any]], *, at_ms: int) -> dict[str, date]:
    """By regime the day from which it is live, by what was declared up to an instant, the last word counting."""
    found = {}
    for row in registry:
        if row["type"] == GO_LIVE and row["known_ms"] <= at_ms:
            found[row["data"].get("regime") or row["subject"].partition(":")[2]] = date.fromisoformat(row["data"]["occurred_on"])
    return found


_SILENCES: Mapping[Silence, tuple[str, str]] = {
    "before-go-live": (
        "这一时刻在该制度启用之前。启用前补录的旧材料没有入库时刻可言，不能按“当时所知”查询；请给出启用之后的时刻。",
        "The instant lies before the regime went live. What was brought in before that has no instant at which it was known; ask by a "
        "later one.",
    ),
    "before-first-record": (
        "到这一时刻为止，登记系统里还没有任何相应的等级；请给出更晚的时刻。",
        "By this instant the register held no such grade of anyone; ask by a later one.",
    ),
    "not-known-yet": (
        "到这一时刻为止，还没有关于该主体的等级；请给出更晚的时刻。",
        "By this instant nothing was known that rates the subject; ask by a later one.",
    ),
    "day-to-come": (
        "按该制度的时区，到这一时刻为止，这一天还没有到；请给出更早的日期。",
        "In the regime's time zone the day was still to come at this instant; ask for an earlier day.",
    ),
    "no-grade-on-day": (
        "按当时所知，这一天没有等级或状态：它早于已知的最早一段。",
        "As known then, the day has neither grade nor status: it lies before the first stretch that is known.",
    ),
}


def unanswered(regime: str | None, why: Silence) -> dict[str, Any]:
    """Why there is no answer, in both languages. ``regime`` None: under none."""
    zh, en = _SILENCES[why]
    return {"regime": regime, "reason": why, "detail_zh": zh, "detail_en": en}
