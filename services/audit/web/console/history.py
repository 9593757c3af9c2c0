"""A subject's history on two time axes: valid time across, known time down; as known at an instant, and held against another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Depends, FastAPI, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from schemas.ids import SubjectError, check_subject
from schemas.times import civil_date, instant, milliseconds
from services._bus.problems import Problem
from services.audit.adapters.subject_grades import GradesUnread
from services.audit.domain.known_grades import EVER, Differing, Told, differing, instants, layout
from services.audit.web.console.base import Auditor, Desk, lang_of
from services.audit.web.console.drawing import Days, Drawing, Piece, begins, drawing, of_stretches

# With more rows than this a page would pass 30 KB: the newest are drawn, and the one that was asked for.
ROWS = 36
DIFFERENCES = 30
_ONE_DAY = timedelta(days=1)
# The history's own page may run one script of ours, which makes the slider live.
POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'none'"
)
_FORM = "%Y-%m-%dT%H:%M:%S"


@dataclass(frozen=True)
class Row:
    """What was known from one instant on. ``what``: the fact by which it became known; ``step``: its place among all instants."""

    step: int
    known_ms: int
    href: str
    label: str
    what: str | None
    pieces: tuple[Piece, ...]
    chosen: bool


@dataclass(frozen=True)
class Regime:
    """One regime's part of the page."""

    regime: str
    name: str
    drawing: Drawing | None
    differences: Sequence[dict[str, Any]]
    more: int


class Asked:
    """The two instants of a question, epoch ms. ``newest``: the last at which anything became known."""

    def __init__(self, events: Sequence[Told], known_at: str | None, against: str | None, zone: str) -> None:
        self.zone = ZoneInfo(zone)
        self.steps = instants(events)
        self.newest = self.steps[-1] if self.steps else 0
        self.known_ms = self._instant(known_at, "known_at")
        self.against_ms = self._instant(against, "against")

    def _instant(self, text: str | None, field: str) -> int:
        """An instant with its zone, or a wall time in the stack's. Raises ``Problem`` 422."""
        if not text:
            return self.newest
        try:
            parsed = datetime.fromisoformat(text)
            if parsed.tzinfo is None:
                # Whoever names a second means all that became known within it.
                whole = parsed if parsed.microsecond else parsed.replace(microsecond=999_000)
                return milliseconds(whole.replace(tzinfo=self.zone).isoformat())
            return milliseconds(text)
        except (ValueError, OverflowError):
            raise Problem(
                422,
                "instant",
                zh="这不是时刻。写法如 2026-01-31T16:00:00（本系统时区）或 2026-01-31T08:00:00Z。",
                en="This is no instant. Write 2026-01-31T16:00:00 (in the stack's time zone) or 2026-01-31T08:00:00Z.",
                field=field,
            ) from None

    @property
    def step(self) -> int:
        """The last instant by then; −1 before the first."""
        return sum(one <= self.known_ms for one in self.steps) - 1

    def day(self, ms: int) -> date:
        """The civil day of an instant."""
        return civil_date(instant(ms), str(self.zone))

    def form(self, ms: int) -> str:
        """For a field of a form."""
        return datetime.fromisoformat(instant(ms)).astimezone(self.zone).strftime(_FORM)


def add(app: FastAPI, desk: Desk, auditor: Auditor) -> None:
    """The route."""

    @app.get("/subjects/{subject}", include_in_schema=False, dependencies=[Depends(auditor)])
    async def history(
        request: Request,
        subject: Annotated[str, Path(max_length=120)],
        known_at: Annotated[str | None, Query(max_length=40)] = None,
        against: Annotated[str | None, Query(max_length=40)] = None,
        step: Annotated[int | None, Query(ge=0, le=10**6)] = None,
    ) -> Response:
        try:
            check_subject(subject)
        except SubjectError as error:
            raise Problem(422, "subject", zh=f"这不是对象编号：{error}", en=f"This is no subject: {error}", field="subject") from None
        try:
            events = await desk.grades.of(subject)
        except GradesUnread:
            zh, en = "等级事件暂时读不到，请稍后再试。", "The grade events can't be read just now; ask again in a moment."
            raise Problem(503, "grades-unread", zh=zh, en=en, headers={"retry-after": "5"}) from None
        lang, asked = lang_of(request), Asked(events, known_at, against, desk.time_zone)
        if step is not None and asked.steps:
            # A slider names a place; an address that is to be shared names the instant.
            chosen = asked.steps[min(step, len(asked.steps) - 1)]
            address = _address(subject, lang, instant(chosen), against)
            return RedirectResponse(address, 303, headers={"Cache-Control": "no-store"})
        last = max([asked.day(asked.newest), *([through] if (through := desk.closed_through()) else [])])
        first, clipped = _window(events, asked, last)
        regimes = sorted({one.regime for one in events})
        response = desk.pages.render(
            request,
            "console/history.html",
            subject=subject,
            asked=asked,
            rows=_rows(desk, subject, events, asked, last, lang, against),
            regimes=[_regime(desk, one, events, asked, last, lang) for one in regimes],
            known=instant(asked.known_ms) if events else None,
            opposite=instant(asked.against_ms) if events else None,
            several=len(regimes) > 1,
            events=len(events),
            first=first,
            clipped=clipped,
            last=last,
            signed_in=True,
            script=len(asked.steps) > 1,
        )
        response.headers["Content-Security-Policy"] = POLICY
        return response


def _address(subject: str, lang: str, known_at: str | None, against: str | None) -> str:
    given = {"lang": lang, "known_at": known_at, "against": against}
    return f"/subjects/{subject}?" + urlencode({name: one for name, one in given.items() if one}, safe=":")


def _window(events: Sequence[Told], asked: Asked, last: date) -> tuple[date, bool]:
    """The first day that is drawn, and whether days before it had grades: what was known at the beginning reaches back for years, and what
    changed since would be a hair's breadth. Days that a later fact corrected are drawn, however long ago they are."""
    if not asked.steps:
        return last, False
    since, opening = asked.day(asked.steps[0]), layout(events, asked.steps[0])
    held = min((begins(layout([one], one.known_ms), last) for one in events), default=last)
    later = [one.start for one in events if one.known_ms > asked.steps[0] and one.start != EVER]
    wanted = min([since - timedelta(days=max(30, (last - since).days // 8)), *later])
    first = min(max(held, wanted), last)
    return first, bool(opening) and held < first


def _rows(desk: Desk, subject: str, events: Sequence[Told], asked: Asked, last: date, lang: str, against: str | None) -> list[Row]:
    """One for each instant of the first regime there is; of more regimes each instant shows the regime whose event it was."""
    shown = list(enumerate(asked.steps))
    if len(shown) > ROWS:
        shown = [*([shown[asked.step]] if 0 <= asked.step < len(shown) - ROWS + 1 else []), *shown[-(ROWS - 1) :]]
    first, found = _window(events, asked, last)[0], []
    for step, ms in shown:
        by = next(one for one in events if one.known_ms == ms)
        laid = layout([one for one in events if one.regime == by.regime], ms)
        until = min(max(asked.day(ms), first), last)
        lane = drawing([("", of_stretches(laid, by.regime, desk.words, first, until))], (), first, last, lang).lanes[0]
        label = asked.form(ms)[:16].replace("T", " ")
        what = desk.words.event(by.cause.get("type"), lang)
        found.append(Row(step, ms, _address(subject, lang, instant(ms), against), label, what, lane.pieces, step == asked.step))
    return found


def _regime(desk: Desk, regime: str, every: Sequence[Told], asked: Asked, last: date, lang: str) -> Regime:
    """Both instants, one above the other, and the days on which they differ."""
    events = [one for one in every if one.regime == regime]
    earlier, later = sorted((asked.known_ms, asked.against_ms))
    found = [one for one in differing(events, earlier, later, desk.time_zone) if one.first <= last] if earlier < later else []
    first = _window(every, asked, last)[0]
    words = ("截至 {} 所知", "截至 {} 所知") if lang == "zh" else ("Known at {}", "Known at {}")
    lanes: list[tuple[str, list[Days]]] = []
    for name, ms in zip(words, dict.fromkeys((earlier, later)), strict=False):
        until = min(asked.day(ms), last) if ms < asked.newest else last
        lanes.append(
            (name.format(asked.form(ms)[:16].replace("T", " ")), of_stretches(layout(events, ms), regime, desk.words, first, until))
        )
    marks = [(max(one.first, first), min(one.last or last, last), True) for one in found if one.came and (one.last or last) >= first]
    drawn = drawing(lanes, marks, first, last, lang) if any(days for _, days in lanes) else None
    rows = [_difference(desk, one, regime, last, lang) for one in found]
    return Regime(regime, desk.words.regime(regime, lang), drawn, rows[:DIFFERENCES], max(0, len(rows) - DIFFERENCES))


def _difference(desk: Desk, one: Differing, regime: str, last: date, lang: str) -> dict[str, Any]:
    open_end = one.last is None or one.last > last
    end = last if one.last is None else min(one.last, last)
    return {
        "first": one.first if one.first != date.min else None,
        "last": end,
        "open": open_end,
        "days": None if one.first == date.min else (end - one.first).days + 1,
        "was": desk.words.grade(regime, one.was.grade, one.was.status) if one.was else None,
        "now": desk.words.grade(regime, one.now.grade, one.now.status),
        "came": one.came,
        "fact": desk.words.event(one.now.cause.get("type"), lang),
        "cause": one.now.cause,
        "known": instant(one.now.known_ms),
        "clauses": one.now.clauses,
    }
