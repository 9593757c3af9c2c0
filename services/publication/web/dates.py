"""Days, instants and sizes as people read them: 2026年1月15日 周四 / 2026-01-15 (Thu)."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from schemas.times import instant

_ZH = "一二三四五六日"
_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def day(value: date | str | None, lang: str) -> str:
    """A civil date with its weekday; an em dash where there is none."""
    if value is None:
        return "—"
    one = date.fromisoformat(value) if isinstance(value, str) else value
    if lang == "zh":
        return f"{one.year}年{one.month}月{one.day}日 周{_ZH[one.weekday()]}"
    return f"{one.isoformat()} ({_EN[one.weekday()]})"


_ISO = re.compile(r"(?<![0-9-])([0-9]{4})-([0-9]{2})-([0-9]{2})(?![0-9-])")


def in_text(text: str, lang: str) -> str:
    """A sentence with its dates as people of that language write them; an English one keeps its ISO dates."""
    return _ISO.sub(lambda found: f"{found[1]}年{int(found[2])}月{int(found[3])}日", text) if lang == "zh" else text


def moment(value: str | int, lang: str, zone: ZoneInfo) -> str:
    """An instant (text of the contract, or epoch ms) in the stack's time zone, to the second."""
    text = instant(value) if isinstance(value, int) else value
    local = datetime.fromisoformat(text).astimezone(zone)
    return f"{day(local.date(), lang)} {local:%H:%M:%S}"


def clock(value: int, zone: ZoneInfo) -> str:
    """The time of day of an instant (epoch ms), to the minute."""
    return f"{datetime.fromisoformat(instant(value)).astimezone(zone):%H:%M}"


def number(value: int) -> str:
    """A count with its thousands apart: a comma in both languages."""
    return f"{value:,}"


def percent(part: int, whole: int) -> str:
    """A share to one decimal, for showing beside its count."""
    return f"{100 * part / whole:.1f}%" if whole else "0%"


def civil(value: int, zone: ZoneInfo) -> date:
    """The civil date of an instant (epoch ms)."""
    return datetime.fromisoformat(instant(value)).astimezone(zone).date()


def day_bounds(value: date, zone: ZoneInfo) -> tuple[int, int]:
    """First instant of a civil day and of the next one, epoch ms."""
    start, end = (datetime(one.year, one.month, one.day, tzinfo=zone) for one in (value, value + timedelta(days=1)))
    return int(start.timestamp() * 1000), int(end.timestamp() * 1000)


def age(seconds: float, lang: str) -> str:
    """How long ago, in steps coarse enough that a page doesn't change with every look."""
    for size, zh, en in ((86_400, "天", "d"), (3_600, "小时", "h"), (60, "分钟", "min")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {zh}前" if lang == "zh" else f"{count} {en} ago"
    return "不到 1 分钟前" if lang == "zh" else "under 1 min ago"
