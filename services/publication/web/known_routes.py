"""The API's questions with two times: as of a day, as known at an instant (ADR 0018)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from schemas.times import instant
from services._bus.problems import Problem, described
from services.publication.adapters.postgres_known import GradeFilter, OnDay, Row
from services.publication.adapters.postgres_reader import PostgresReader, Snapshot
from services.publication.domain.vocabulary import Vocabulary
from services.publication.web import asking, checks, contract, known_answers, shapes
from services.publication.web.answering import ETAGGED, Tags, headers, json_bytes, matches, no_subject
from services.publication.web.asking import Asked, Zones
from services.publication.web.portal import zone_of

# Long enough to spare a busy reader the question, short enough that a mended fault is seen on the next day.
_SETTLED = "public, max-age=86400"


@dataclass(frozen=True)
class Times:
    """Answers questions with two times. ``now_ms``: the wall clock, epoch ms."""

    reader: PostgresReader
    vocabulary: Vocabulary
    tags: Tags
    now_ms: Callable[[], int]

    async def zones(self, snapshot: Snapshot) -> Zones:
        """The regimes' time zones."""
        return Zones(self.vocabulary, zone_of(await snapshot.stack()))

    async def asked(self, snapshot: Snapshot, as_of: str | None, known_at: str | None, *, field: str = "known_at") -> Asked:
        """The question's two times. Raises ``Problem`` 422."""
        day, given = asking.day(as_of), asking.moment(known_at, field)
        known_ms, pinned = asking.by(given, newest_ms=await snapshot.newest_ms(), now_ms=self.now_ms(), field=field)
        return Asked(day, known_ms, pinned)

    async def answer(self, snapshot: Snapshot, request: Request, value: Mapping[str, Any], *, settled: bool) -> Response:
        """The object with its tag, which is its content's; 304 where the client has it."""
        state = await snapshot.state()
        body = json_bytes(value, state)
        tag = self.tags.of(state, "known", body)
        given = headers(state, tag) | ({"cache-control": _SETTLED} if settled else {})
        if matches(request, tag):
            return Response(status_code=304, headers=given)
        return Response(body, media_type="application/json", headers=given)

    async def on_day(self, snapshot: Snapshot, asked: Asked, regime: str | None) -> tuple[OnDay, dict[str, Any]]:
        """For a page of many subjects: which regimes have an answer, and what the page says of the question."""
        zones, live = await self.zones(snapshot), asking.go_lives(await snapshot.registry(), at_ms=asked.known_ms)
        names = [regime] if regime else sorted({*self.vocabulary.regimes, *await snapshot.regimes()})
        days = {name: zones.day(name, asked.known_ms) for name in names}
        asking.not_later_than(asked.as_of, max(days.values(), default=date.max), asked.known_at)
        day = asked.as_of or zones.today(names, asked.known_ms)
        silent, answered = [], []
        for name in names:
            if name in live and live[name] > days[name]:
                silent.append(asking.unanswered(name, "before-go-live"))
            elif day > days[name]:
                silent.append(asking.unanswered(name, "day-to-come"))
            elif not await snapshot.any_known(name, until_ms=asked.known_ms):
                silent.append(asking.unanswered(name, "before-first-record"))
            else:
                answered.append(name)
        said = {"as_of": day, "known_at": asked.known_at, "unanswered": silent}
        return OnDay(day, asked.known_ms, answered), said


@dataclass(frozen=True, slots=True)
class Page:
    """Where a subject's facts and changes go on, how many of each, and how their cursors are made."""

    before: tuple[date, int] | None
    earlier: int | None
    limit: int
    most: int
    fact_cursor: Callable[[str, date, int], str]
    change_cursor: Callable[[str, int], str]


async def subject_answer(times: Times, snapshot: Snapshot, request: Request, subject: str, asked: Asked, page: Page) -> Response:
    """``contract.SubjectAnswer`` as of a day, as known at an instant."""
    one = await known_answers.life(snapshot, subject, asked, await times.zones(snapshot))
    day = await known_answers.on_day(snapshot, one, None)
    limit, most = page.limit, page.most
    facts = await snapshot.facts(subject, before=page.before, limit=limit + 1, until_ms=asked.known_ms)
    told = await snapshot.history(subject, before=page.earlier, limit=most + 1, until_ms=asked.known_ms)
    numbers = {str(row["id"]): row["seq"] for rows in one.rows.values() for row in rows}
    value = {
        "subject": subject,
        **await known_answers.register_known(snapshot, subject, asked.known_ms),
        "as_of": day["as_of"],
        "known_at": day["known_at"],
        "grades": [held | _as_change(held, numbers) for held in day["grades"]],
        "unanswered": day["unanswered"],
        "history": [shapes.change(row) for row in told[:most]],
        "history_next": page.change_cursor(subject, told[most - 1]["seq"]) if len(told) > most else None,
        "lists": known_answers.lists_on(day, times.vocabulary),
        "facts": [shapes.fact(row) for row in times.vocabulary.shown(subject, facts[:limit])],
        "next": page.fact_cursor(subject, facts[limit - 1]["shown_on"], facts[limit - 1]["offset"]) if len(facts) > limit else None,
    }
    return await times.answer(snapshot, request, value, settled=await known_answers.settled(snapshot, one))


async def grades_answer(
    times: Times, snapshot: Snapshot, asked: Asked, wanted: GradeFilter, after: tuple[str, str] | None, limit: int
) -> tuple[list[Row], dict[str, Any]]:
    """Rows of a page, one more than ``limit`` where it goes on, and what the page says of the question."""
    on_day, said = await times.on_day(snapshot, asked, wanted.regime)
    return await snapshot.grades_on(on_day, wanted, after=after, limit=limit + 1), said


def _as_change(held: Mapping[str, Any], numbers: Mapping[str, int]) -> dict[str, Any]:
    """The fields that a change has beside those of a stretch."""
    decider = held["decided_by"]
    return {"seq": numbers[decider["id"]]} | {name: decider[name] for name in ("id", "type", "partition", "offset")}


async def list_known(times: Times, snapshot: Snapshot, asked: Asked, rule: Any, after: str | None, limit: int) -> dict[str, Any]:
    """Who held one of a list's grades on a day: items with what the page says of the question."""
    on_day, said = await times.on_day(snapshot, asked, rule.regime)
    place = (after, rule.regime) if after is not None else None
    rows = await snapshot.grades_on(replace(on_day, grades=sorted(rule.grades)), GradeFilter(), after=place, limit=limit)
    names = ("subject", "name", "district", "regime", "grade")
    items = [
        {name: row[name] for name in names} | {"since": row["in_force_from"], "clause": rule.clause, "known_from": instant(row["known_ms"])}
        for row in rows
    ]
    return said | {"items": items}


def add(routes: APIRouter, times: Times) -> None:
    """The routes about one subject's grades."""

    async def lived(snapshot: Snapshot, id: str, asked: Asked, regime: str | None) -> known_answers.Life:
        if await snapshot.subject(id) is None:
            raise no_subject(id)
        return await known_answers.life(snapshot, id, asked, await times.zones(snapshot), regime=regime)

    @routes.get("/subjects/{id}/grades", response_model=contract.GradesOnDay, responses={**ETAGGED, **described(404)})
    async def grades(
        request: Request,
        id: checks.SubjectId,
        as_of: asking.AsOf = None,
        known_at: asking.KnownAt = None,
        regime: checks.Regime | None = None,
    ) -> Response:
        """A subject's grades as of a day, as known at an instant: each with the event that decides, the fact that caused it, its reasons,
        and the first and last day for which the answer holds."""
        checked = checks.subject_id(id)
        async with times.reader.snapshot() as snapshot:
            one = await lived(snapshot, checked, await times.asked(snapshot, as_of, known_at), regime)
            value = await known_answers.on_day(snapshot, one, regime)
            return await times.answer(snapshot, request, value, settled=await known_answers.settled(snapshot, one))

    @routes.get("/subjects/{id}/grades/history", response_model=contract.HistoryKnown, responses={**ETAGGED, **described(404)})
    async def history(
        request: Request, id: checks.SubjectId, known_at: asking.KnownAt = None, regime: checks.Regime | None = None
    ) -> Response:
        """A subject's whole history in valid time, as known at an instant."""
        checked = checks.subject_id(id)
        async with times.reader.snapshot() as snapshot:
            one = await lived(snapshot, checked, await times.asked(snapshot, None, known_at), regime)
            value = await known_answers.history(snapshot, one, regime)
            return await times.answer(snapshot, request, value, settled=await known_answers.settled(snapshot, one))

    @routes.get("/subjects/{id}/grades/history/compare", response_model=contract.Compared, responses={**ETAGGED, **described(404)})
    async def compare(
        request: Request,
        id: checks.SubjectId,
        known_at: asking.KnownFirst,
        compared_to: asking.KnownLater = None,
        regime: checks.Regime | None = None,
    ) -> Response:
        """What was learnt between two instants: the days that `compared_to` (by default now) answers otherwise than `known_at`, each with
        the event that made the difference and the fact that caused it."""
        checked = checks.subject_id(id)
        async with times.reader.snapshot() as snapshot:
            earlier = await times.asked(snapshot, None, known_at)
            later = await times.asked(snapshot, None, compared_to, field="compared_to")
            if later.pinned and later.known_ms < earlier.known_ms:
                raise _turned_round(earlier, later)
            later = replace(later, known_ms=max(later.known_ms, earlier.known_ms))
            one = await lived(snapshot, checked, later, regime)
            value = known_answers.compared(one, earlier)
            return await times.answer(snapshot, request, value, settled=await known_answers.settled(snapshot, one))


def _turned_round(earlier: Asked, later: Asked) -> Problem:
    return Problem(
        422,
        "instants-turned-round",
        zh=f"compared_to（{later.known_at}）早于 known_at（{earlier.known_at}）。",
        en=f"compared_to ({later.known_at}) lies before known_at ({earlier.known_at}).",
        field="compared_to",
        value=later.known_at,
        remedy_zh="请把较早的时刻给 known_at，较晚的给 compared_to。",
        remedy_en="Give the earlier instant as known_at and the later one as compared_to.",
    )
