"""The paths of grades of an effect as a picture: what was shown, what would have been, and the days between which they differ.

Plain SVG with its own fonts and colours, no script, no link: it prints, and it reads in a browser without anything else. Each stretch has
its grade in letters, so colour tells nothing alone. Numbers have two decimals at most, so the bytes are the same everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from html import escape
from typing import Any

_WIDTH, _LEFT, _ROW, _BAR, _TOP = 960, 230, 46, 28, 34
# From the best to the worst, by the letters' order; light enough for black letters on all of them.
_FILLS = ("#cfe8d5", "#dfeccb", "#f6e7b4", "#f3cfae", "#ecb8b3", "#d9c6e6")
_NONE = "#eceff1"
ROWS = {
    "shown": ("实际显示", "as shown"),
    "no_approval": ("假设", "supposed"),
    "soonest": ("假设 · 当日批准", "supposed, approved at once"),
    "as_long": ("假设 · 批准同样快慢", "supposed, approved as slowly"),
    "never": ("假设 · 未批准", "supposed, not approved"),
}
STATUS = {
    "not_rated": ("不评级", "not rated"),
    "new": ("新开办", "new"),
    "closed": ("已终止", "closed"),
    "rated": ("", ""),
}
_WHAT = {"grade": ("等级", "grade"), "list": ("名单", "list"), "measure": ("措施", "measure"), "benefit": ("优惠", "benefit")}


def paths(effect: Mapping[str, Any]) -> str:
    """The picture of a ``finding.assessed``'s data."""
    first, to = date.fromisoformat(effect["from_day"]), date.fromisoformat(effect["to_day"])
    span = max(1, (to - first).days + 1)
    rows = [("shown", effect["shown"]), *((one["approvals"], one["path"]) for one in effect["supposed"])]
    grades = sorted({one["grade"] for _, path in rows for one in path if one["grade"]})
    fills = {grade: _FILLS[_shade(grade, number)] for number, grade in enumerate(grades)}
    wrong = [one for one in effect["wrong"] if one["what"] == "grade"]
    height = _TOP + _ROW * len(rows) + (_ROW if wrong else 0) + 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="100%" role="img" '
        "font-family=\"-apple-system, 'Segoe UI', 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif\" font-size=\"14\">",
        f"<title>{escape(f'{first} – {to}: 等级路径 · paths of grades')}</title>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        *_months(first, to, span, height),
    ]
    for number, (name, path) in enumerate(rows):
        top = _TOP + number * _ROW
        parts += [_label(top, *ROWS.get(name, (name, name))), *_path(path, first, to, span, top, fills)]
    if wrong:
        top = _TOP + len(rows) * _ROW
        parts += [_label(top, "等级有别之日", "days that differ"), *_wrong(wrong, first, to, span, top)]
    return "\n".join([*parts, "</svg>", ""])


def _shade(grade: str, number: int) -> int:
    """By the letter, so that a grade has its colour in every picture; where grades are no letters, in their order."""
    letter = ord(grade) - ord("A") if len(grade) == 1 else number
    return min(max(letter, 0), len(_FILLS) - 1)


def _x(day: date, first: date, span: int) -> float:
    return round(_LEFT + (_WIDTH - _LEFT - 12) * (day - first).days / span, 2)


def _months(first: date, to: date, span: int, height: int) -> Iterator[str]:
    """A thin line at the beginning of months, and their names where there is room."""
    day, last = first, -1000.0
    while day <= to:
        if day.day == 1 or day == first:
            x = _x(day, first, span)
            yield f'<line x1="{x}" y1="20" x2="{x}" y2="{height - 20}" stroke="#c9d1d6" stroke-width="1"/>'
            if x - last > 76:
                name = day.isoformat() if day == first else day.isoformat()[:7]
                yield f'<text x="{x + 2}" y="15" font-size="11" fill="#37474f">{name}</text>'
                last = x
        day = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    yield f'<text x="{_WIDTH - 12}" y="{height - 6}" font-size="11" fill="#37474f" text-anchor="end">→ {to.isoformat()}</text>'


def _label(top: int, zh: str, en: str) -> str:
    return (
        f'<text x="8" y="{top + 13}" fill="#102027">{escape(zh)}</text>'
        f'<text x="8" y="{top + 28}" font-size="12" fill="#37474f">{escape(en)}</text>'
    )


def _path(path: Sequence[Mapping[str, Any]], first: date, to: date, span: int, top: int, fills: Mapping[str, str]) -> Iterator[str]:
    for one in path:
        begin, end = _within(one, first, to)
        x, width = _x(begin, first, span), round(_x(end + timedelta(1), first, span) - _x(begin, first, span), 2)
        grade = one["grade"]
        dash = "" if one["displayed"] else ' stroke-dasharray="4 3"'
        yield (
            f'<rect x="{x}" y="{top}" width="{max(width, 1.0)}" height="{_BAR}" fill="{fills[grade] if grade else _NONE}" '
            f'stroke="#455a64" stroke-width="1"{dash}><title>{escape(_said(one))}</title></rect>'
        )
        text = grade or STATUS.get(one["status"], (one["status"],))[0] or one["status"]
        if width > 9 * len(text) + 6:
            middle = round(x + width / 2, 2)
            yield f'<text x="{middle}" y="{top + 19}" text-anchor="middle" font-weight="600" fill="#102027">{escape(text)}</text>'


def _wrong(wrong: Sequence[Mapping[str, Any]], first: date, to: date, span: int, top: int) -> Iterator[str]:
    for one in wrong:
        begin, end = max(first, date.fromisoformat(one["first"])), min(to, date.fromisoformat(one["last"]))
        if begin > end:
            continue
        x, width = _x(begin, first, span), round(_x(end + timedelta(1), first, span) - _x(begin, first, span), 2)
        fill = "#37474f" if one["certain"] else "#ffffff"
        said = f"{one['first']} – {one['last']}: {one['was'] or '–'} / {one['should'] or '–'}"
        yield (
            f'<rect x="{x}" y="{top + 8}" width="{max(width, 1.0)}" height="12" fill="{fill}" stroke="#37474f" stroke-width="1">'
            f"<title>{escape(said)}</title></rect>"
        )


def _within(one: Mapping[str, Any], first: date, to: date) -> tuple[date, date]:
    begin = max(first, date.fromisoformat(one["first"]))
    return begin, max(begin, min(to, date.fromisoformat(one["last"]) if one["last"] else to))


def _said(one: Mapping[str, Any]) -> str:
    return f"{one['first']} – {one['last'] or '…'}: {one['grade'] or one['status']}{'' if one['displayed'] else ' (不公示 · not public)'}"


def what_words(name: str) -> tuple[str, str]:
    """``grade``, ``list`` … in Chinese and English."""
    return _WHAT.get(name, (name, name))
