"""The part of a subject's page that answers by two times: the grade of a day as known at an instant, and what was learnt since."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from services._bus.problems import Problem
from services.publication.adapters.postgres_known import Row
from services.publication.adapters.postgres_reader import Snapshot
from services.publication.domain.history import Span, on
from services.publication.domain.knowledge import EVER, Difference, differences
from services.publication.web import known_answers
from services.publication.web.asking import Asked
from services.publication.web.known_answers import Life
from services.publication.web.known_routes import Times
from services.publication.web.strips import Two, strips
from services.publication.web.views import Speaker, event_title

Here = Callable[[str, str, int, date | None], str]
_LOCAL = re.compile(r"[12][0-9]{3}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9](:[0-5][0-9](\.[0-9]{3})?)?")
_ROWS = 12


@dataclass(frozen=True, slots=True)
class Form:
    """What the form's two fields hold, as a browser writes them, and the most that they may."""

    as_of: str
    known_at: str
    last_day: str
    last_moment: str


@dataclass(frozen=True, slots=True)
class Learnt:
    """A subject as known at the instant asked, and as known now."""

    then: Life
    now: Life


def instant_of(text: str | None, zone: ZoneInfo) -> str | None:
    """A form's local time as an instant of the contract: the first of a minute or second that is given without its parts. Anything else
    is passed on to be checked."""
    if not text or not _LOCAL.fullmatch(text):
        return text or None
    try:
        local = datetime.fromisoformat(text).replace(tzinfo=zone)
    except ValueError:
        return text
    utc = local.astimezone(ZoneInfo("UTC"))
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def local_of(ms: int, zone: ZoneInfo) -> str:
    """An instant as the form's field holds it."""
    local = datetime.fromtimestamp(ms / 1000, zone)
    text = f"{local:%Y-%m-%dT%H:%M:%S}"
    return f"{text}.{ms % 1000:03d}" if ms % 1000 else text


def blank(times: Times, newest_ms: int | None, zone: ZoneInfo, as_of: str = "", known_at: str = "") -> Form:
    """The form with what a reader gave."""
    last = max(times.now_ms(), newest_ms or 0)
    moment = local_of(last - last % 1000 + 1000, zone)
    return Form(*(one[:60].replace("\x00", "") for one in (as_of, known_at)), moment[:10], moment)


async def learnt(times: Times, snapshot: Snapshot, subject: str, asked: Asked) -> Learnt:
    """Raises ``Problem`` 422 where the day was still to come."""
    zones = await times.zones(snapshot)
    newest = await times.asked(snapshot, None, None)
    later = Asked(None, max(newest.known_ms, asked.known_ms), False)
    then = await known_answers.life(snapshot, subject, asked, zones)
    return Learnt(then, await known_answers.life(snapshot, subject, later, zones))


def shown(found: Learnt, answer: Mapping[str, Any], speaker: Speaker) -> dict[str, Any]:
    """The answer for the page, its causes without their addresses. ``answer``: ``known_answers.on_day`` of the instant asked."""
    asked = found.then.asked
    answered = {one["regime"]: one for one in answer["grades"]}
    regimes = []
    for name in sorted({*found.now.regimes, *answered}):
        if name in answered:
            regimes.append(_regime(found, answered[name], speaker))
    return {
        "as_of": answer["as_of"],
        "known_ms": asked.known_ms,
        "pinned": asked.pinned,
        "regimes": regimes,
        "unanswered": [one[f"detail_{speaker.lang}"] for one in answer["unanswered"]],
    }


def _regime(found: Learnt, held: Mapping[str, Any], speaker: Speaker) -> dict[str, Any]:
    name, as_of = held["regime"], found.then.as_of
    rows = found.now.by_number(name)
    then, now = found.then.laid(name), found.now.laid(name)
    today = found.then.today(name)
    learnt_since = [one for one in _differences(found, name, today) if one.over]
    current = on(now, as_of)
    return {
        "regime": name,
        "held": held,
        "cause": _cause(held["cause"], speaker),
        "now": {"regime": name, "grade": current.grade, "status": current.status}
        if current and current.pair != (held["grade"], held["status"])
        else None,
        "rows": [_row(name, one, rows[one.by], speaker) for one in learnt_since[:_ROWS]],
        "more": len(learnt_since) > _ROWS,
        "strips": _strips(found, name, learnt_since, (then, now), speaker),
    }


def _differences(found: Learnt, regime: str, today: date) -> list[Difference]:
    return differences(found.now.known(regime), earlier_ms=found.then.asked.known_ms, later_ms=found.now.asked.known_ms, today=today)


def _strips(found: Learnt, regime: str, learnt_since: list[Difference], laid: tuple[list[Span], list[Span]], speaker: Speaker) -> Any:
    if not learnt_since:
        return None
    then_last, now_last = found.then.today(regime), found.now.today(regime)
    differ = [(max(one.first, _earliest(laid)), one.last or then_last) for one in learnt_since]
    two = Two(laid[0], laid[1], then_last, now_last, differ)
    return strips(regime, two, as_of=found.then.as_of, vocabulary=speaker.vocabulary)


def _earliest(laid: tuple[list[Span], list[Span]]) -> date:
    """The first day that any history gives; where all begin with what held ever, the first turn of either."""
    days = [span.start for spans in laid for span in spans if span.start != EVER]
    ends = [span.end - timedelta(days=1) for spans in laid for span in spans if span.end]
    return min([*days, *ends], default=EVER)


def _row(regime: str, one: Difference, row: Row, speaker: Speaker) -> dict[str, Any]:
    cause = {name: row["cause"].get(name) for name in ("id", "type", "partition", "offset")}
    return {
        "first": None if one.first == EVER else one.first,
        "last": one.last,
        "was": {"regime": regime, "grade": one.was.grade, "status": one.was.status} if one.was else None,
        "now": {"regime": regime, "grade": one.now.grade, "status": one.now.status},
        "known_ms": row["cause_known_ms"],
        "cause": _cause(cause, speaker),
    }


def _cause(cause: Mapping[str, Any], speaker: Speaker) -> dict[str, Any]:
    title = event_title(cause["type"], speaker.lang) if cause["type"] else ""
    place = f"facts / {cause['partition']} / {cause['offset']}"
    return {"title": title, "place": place} | {name: cause[name] for name in ("id", "partition", "offset")}


@dataclass(frozen=True, slots=True)
class Question:
    """About whom, with which parameters of the address, their local times in which zone."""

    subject: str
    given: Mapping[str, str]
    zone: ZoneInfo


async def of_request(
    times: Times, snapshot: Snapshot, question: Question, here: Here, speaker: Speaker
) -> tuple[Form, dict[str, Any] | None, Problem | None]:
    """The form, the answer where the reader asked, and what is wrong with the question."""
    zone, given = question.zone, question.given
    form = blank(times, await snapshot.newest_ms(), zone, given.get("as_of", ""), given.get("known_at", ""))
    if not form.as_of and not form.known_at:
        return form, None, None
    try:
        asked = await times.asked(snapshot, form.as_of or None, instant_of(form.known_at, zone))
        found = await learnt(times, snapshot, question.subject, asked)
        answer = await known_answers.on_day(snapshot, found.then, None)
    except Problem as problem:
        return form, None, problem
    made = shown(found, answer, speaker)
    await _link(snapshot, made, here)
    kept = replace(form, as_of=str(answer["as_of"]), known_at=local_of(asked.known_ms, zone) if asked.pinned else "")
    return kept, made, None


async def _link(snapshot: Snapshot, made: Mapping[str, Any], here: Here) -> None:
    """Causes that stand on the subject's timeline get their address there; a control event, which concerns everyone, has none."""
    for regime in made["regimes"]:
        for cause in (regime["cause"], *(row["cause"] for row in regime["rows"])):
            fact = await snapshot.fact_at(cause["partition"], cause["offset"])
            cause["href"] = here(cause["id"], str(cause["partition"]), cause["offset"], fact["shown_on"]) if fact else None
