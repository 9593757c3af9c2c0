"""The public API, version 1. Reading needs no key; an answer is as of now, as known now, unless it is asked by other times."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from fastapi import Path as PathParameter
from starlette.responses import Response

from schemas.times import milliseconds
from services._bus.problems import Problem, described
from services.publication.adapters.postgres_known import GradeFilter
from services.publication.adapters.postgres_reader import ChangeFilter, PostgresReader
from services.publication.domain import search
from services.publication.domain.cursor import encode
from services.publication.domain.vocabulary import Vocabulary
from services.publication.web import asking, checks, contract, known_routes, shapes
from services.publication.web.answering import ETAGGED, Tags, json_answer, mark, matches, no_subject, unchanged
from services.publication.web.answering import headers as headers_of
from services.publication.web.known_routes import Page, Times
from services.publication.web.stream import Client, EventStream, Hub, TooMany

HISTORY = 200
_LATEST = 2**63 - 1
_CSV_HEAD = b"subject,grade,status,in_force_from\n"


def router(times: Times, hub: Hub) -> APIRouter:
    """The routes below ``/api/v1``."""
    reader, vocabulary, tags = times.reader, times.vocabulary, times.tags
    routes = APIRouter(prefix="/api/v1", dependencies=[Depends(checks.only_known)], responses=described(405, 422, 500, 503))
    _subjects(routes, reader, vocabulary, tags, times)
    known_routes.add(routes, times)
    _grades(routes, reader, vocabulary, tags, times)
    _csv(routes, reader, vocabulary, tags)
    _lists(routes, reader, vocabulary, tags, times)
    _stream(routes, reader, hub)
    return routes


def _subjects(routes: APIRouter, reader: PostgresReader, vocabulary: Vocabulary, tags: Tags, times: Times) -> None:
    @routes.get("/subjects/{id}", response_model=contract.SubjectAnswer, responses={**ETAGGED, **described(404)})
    async def subject(
        request: Request,
        id: checks.SubjectId,
        cursor: checks.Cursor | None = None,
        history_cursor: checks.HistoryCursor | None = None,
        limit: checks.Limit = 100,
        as_of: asking.AsOf = None,
        known_at: asking.KnownAt = None,
    ) -> Response:
        """A subject: register data, current grades with reasons, history, lists, and the timeline of its facts; or all of that as of a
        day, as known at an instant."""
        checked = checks.subject_id(id)
        before, earlier = checks.timeline_key(cursor, checked), checks.history_key(history_cursor, checked)
        async with reader.snapshot() as snapshot:
            state = await snapshot.state()
            row = await snapshot.subject(checked)
            if row is None:
                raise no_subject(checked)
            if as_of is not None or known_at is not None:
                page = Page(before, earlier, limit, HISTORY, timeline_cursor, earlier_changes)
                asked = await times.asked(snapshot, as_of, known_at)
                return await known_routes.subject_answer(times, snapshot, request, checked, asked, page)
            tag = tags.of(state, "subject", checked, row["revision"], cursor, history_cursor, limit)
            if matches(request, tag):
                return unchanged(state, tag)
            facts = await snapshot.facts(checked, before=before, limit=limit + 1)
            told = await snapshot.history(checked, before=earlier, limit=HISTORY + 1)
            answer = {
                "subject": checked,
                "name": row["name"],
                "register": shapes.register(row),
                "grades": [
                    shapes.change(one) | shapes.in_words(vocabulary, one["regime"], one["data"])
                    for one in await snapshot.grades_of(checked)
                ],
                "history": [shapes.change(one) for one in told[:HISTORY]],
                "history_next": earlier_changes(checked, told[HISTORY - 1]["seq"]) if len(told) > HISTORY else None,
                "lists": [one for one in await snapshot.lists_of(checked) if not times.vocabulary.norms.hides_list(one["list"])],
                "facts": [shapes.fact(one) for one in times.vocabulary.shown(checked, facts[:limit])],
                "next": timeline_cursor(checked, facts[limit - 1]["shown_on"], facts[limit - 1]["offset"]) if len(facts) > limit else None,
                "parts": [shapes.belonging(one, "part") for one in await snapshot.parts_of(checked)],
                "part_of": [shapes.belonging(one, "parent") for one in await snapshot.parents_of(checked)],
            }
        return json_answer(answer, state, tag)


def earlier_changes(subject: str, seq: int) -> str:
    """The cursor of the changes before one in a subject's history."""
    return encode([str(seq)], {"history": subject})


def timeline_cursor(subject: str, shown_on: date, offset: int) -> str:
    """The cursor of the facts after one on a subject's timeline."""
    return encode([shown_on.isoformat(), str(offset)], {"subject": subject})


def _grades(routes: APIRouter, reader: PostgresReader, vocabulary: Vocabulary, tags: Tags, times: Times) -> None:
    @routes.get("/grades", response_model=contract.GradePage, responses=ETAGGED)
    async def grades(
        request: Request,
        regime: checks.Regime | None = None,
        grade: checks.Grade | None = None,
        status: checks.Status | None = None,
        district: checks.District | None = None,
        q: checks.Text | None = None,
        changed_since: checks.ChangedSince | None = None,
        cursor: checks.Cursor | None = None,
        limit: checks.Limit = 100,
        as_of: asking.AsOf = None,
        known_at: asking.KnownAt = None,
    ) -> Response:
        """Current grades and statuses, by subject; all filters must hold. Or those of a day, as known at an instant."""
        given = {"regime": regime, "grade": grade, "status": status, "district": district, "q": q, "changed_since": changed_since}
        filters = {name: value for name, value in given.items() if value is not None}
        timed = {name: value for name, value in (("as_of", as_of), ("known_at", known_at)) if value is not None}
        key = checks.cursor_key(cursor, filters | timed, 2)
        wanted = grade_filter(**filters)
        async with reader.snapshot() as snapshot:
            if timed:
                asked, after = await times.asked(snapshot, as_of, known_at), (key[0], key[1]) if key else None
                rows, said = await known_routes.grades_answer(times, snapshot, asked, wanted, after, limit)
                more = encode([rows[limit - 1]["subject"], rows[limit - 1]["regime"]], filters | timed) if len(rows) > limit else None
                value = {"items": [shapes.grade_row(row) for row in rows[:limit]], "next": more, **said}
                return await times.answer(snapshot, request, value, settled=False)
            state = await snapshot.state()
            tag = tags.of(state, "grades", state.revision, filters, cursor, limit)
            if matches(request, tag):
                return unchanged(state, tag)
            rows = await snapshot.grades(wanted, after=(key[0], key[1]) if key else None, limit=limit + 1)
        more = encode([rows[limit - 1]["subject"], rows[limit - 1]["regime"]], filters) if len(rows) > limit else None
        return json_answer({"items": [shapes.grade_row(row) for row in rows[:limit]], "next": more}, state, tag)


def _csv(routes: APIRouter, reader: PostgresReader, vocabulary: Vocabulary, tags: Tags) -> None:
    @routes.get("/grades.csv", response_class=Response, responses={**_csv_answer(), **ETAGGED, **described(404)})
    async def grades_csv(request: Request, regime: checks.Regime) -> Response:
        """All grades of a regime as CSV, sorted by subject; columns subject, grade, status, in_force_from. Empty where there is none."""
        async with reader.snapshot() as snapshot:
            if regime not in vocabulary.regimes and regime not in await snapshot.regimes():
                raise no_regime(regime, vocabulary)
            state = await snapshot.state()
            tag = tags.of(state, "csv", state.revision, regime)
            if matches(request, tag):
                return unchanged(state, tag)
            # Whole, before the first byte goes out: a client that reads slowly must not hold a connection of the database.
            lines = await snapshot.whole_regime(regime)
        name = f"{'SAMPLE-' if state.sample else ''}grades-{regime}.csv"
        headers = headers_of(state, tag) | {"content-disposition": f'attachment; filename="{name}"'}
        return Response(_CSV_HEAD + lines, media_type="text/csv; charset=utf-8", headers=headers)


def grade_filter(
    *,
    regime: str | None = None,
    grade: str | None = None,
    status: str | None = None,
    district: str | None = None,
    q: str | None = None,
    changed_since: str | None = None,
) -> GradeFilter:
    """The filters of a request as the reader takes them. Raises ``Problem`` 422."""
    try:
        since = milliseconds(changed_since) if changed_since else None
    except ValueError:
        raise Problem(
            422, "instant", zh="changed_since 不是存在的时刻。", en="changed_since is not an instant that exists.", field="changed_since"
        ) from None
    terms = search.query(q) if q else None
    if terms is not None and not terms.terms:
        raise Problem(422, "empty-search", zh="请输入要查找的内容。", en="Say what to look for.", field="q")
    return GradeFilter(regime=regime, grade=grade, status=status, district=district, changed_since_ms=since, search=terms)


def no_regime(regime: str, vocabulary: Vocabulary) -> Problem:
    """What to answer about a regime that nobody knows."""
    listed = ", ".join(vocabulary.regimes) or "none"
    return Problem(404, "no-regime", zh=f"没有制度 {regime}；现有：{listed}。", en=f"There is no regime {regime}; known: {listed}.")


def _csv_answer() -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "The whole regime."}}


def _lists(routes: APIRouter, reader: PostgresReader, vocabulary: Vocabulary, tags: Tags, times: Times) -> None:
    @routes.get("/lists", response_model=contract.Lists, responses=ETAGGED)
    async def lists(request: Request) -> Response:
        """The lists that the rulebooks publish, with how many stand on each."""
        async with reader.snapshot() as snapshot:
            state = await snapshot.state()
            tag = tags.of(state, "lists", state.revision)
            if matches(request, tag):
                return unchanged(state, tag)
            counts = await snapshot.list_counts()
        return json_answer({"items": [shapes.list_summary(one, counts.get(one.rule.name, 0)) for one in vocabulary.lists]}, state, tag)

    @routes.get("/lists/{name}", response_model=contract.ListAnswer, responses={**ETAGGED, **described(404)})
    async def list_(
        request: Request,
        name: Annotated[str, PathParameter(pattern=r"^[a-z][a-z0-9_-]{0,39}$")],
        cursor: checks.Cursor | None = None,
        limit: checks.Limit = 100,
        as_of: asking.AsOf = None,
        known_at: asking.KnownAt = None,
    ) -> Response:
        """Who stands on a list, by subject; or who stood on it on a day, as known at an instant."""
        published = vocabulary.list(name)
        if published is None:
            raise Problem(404, "no-list", zh=f"没有名单 {name}。", en=f"There is no list {name}.")
        timed = {name: value for name, value in (("as_of", as_of), ("known_at", known_at)) if value is not None}
        filters = {"list": name, **timed}
        key = checks.cursor_key(cursor, filters, 1)
        async with reader.snapshot() as snapshot:
            if timed:
                asked = await times.asked(snapshot, as_of, known_at)
                found = await known_routes.list_known(times, snapshot, asked, published.rule, key[0] if key else None, limit + 1)
                items = found["items"]
                more = encode([items[limit - 1]["subject"]], filters) if len(items) > limit else None
                value = shapes.list_summary(published, None) | found | {"items": items[:limit], "next": more}
                return await times.answer(snapshot, request, value, settled=False)
            state = await snapshot.state()
            tag = tags.of(state, "list", name, state.revision, cursor, limit)
            if matches(request, tag):
                return unchanged(state, tag)
            counts = await snapshot.list_counts()
            rows = await snapshot.list_members(name, after=key[0] if key else None, limit=limit + 1)
        more = encode([rows[limit - 1]["subject"]], {"list": name}) if len(rows) > limit else None
        summary = shapes.list_summary(published, counts.get(name, 0))
        return json_answer(summary | {"items": [shapes.list_member(row) for row in rows[:limit]], "next": more}, state, tag)


_STREAM_DOC = """Every change of a grade or status, as server-sent events: `event: grade` for what holds now, `event: correction` for days
that are over and turn out otherwise (`in_force_from` to `corrected_to`), `id:` the gapless number, `data:` the CloudEvent as JSON.
`grade` takes the changes that lead to a grade and those that lead away from it, so that who holds it can be followed on the stream alone.
`since` and `Last-Event-ID` (which wins) name the last number already seen; without them the stream begins now. A comment comes at
least every 15 seconds, and after each page of what is sent again, with the number reached as `id:`. A number that is no longer kept,
or was never given out, is answered 410 with the address of the snapshot to start from.

While a stay suspends the publication of a grade, its change goes out with `grade` null, `status` `publication_suspended` and `suspended`
(see `Suspension`), whatever `grade` was asked for. Suspensions themselves have no number: `event: suspensions` lists, once the client has
caught up, all that run (what isn't listed isn't suspended; where no stay ever suspended anything it isn't sent); then `event: suspended`
tells of each that begins or goes on otherwise, and `event: resumed` of each that ends, with the change that gave the grade that holds
(`change`, a CloudEvent). `sequence` is the number of the change that is suspended. These pass the filters `regime` and `subject`
alone. Readers who know none of the three names miss nothing of what they had: numbers and events stay as they were."""


def _stream(routes: APIRouter, reader: PostgresReader, hub: Hub) -> None:
    answers: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {}}, "description": "The stream."}}

    @routes.get("/stream", description=_STREAM_DOC, response_class=Response, responses={**answers, **described(410, 429)})
    async def stream(
        request: Request,
        regime: checks.Regime | None = None,
        subject: Annotated[str | None, checks.Query(max_length=120)] = None,
        grade: checks.Grade | None = None,
        since: Annotated[int | None, checks.Query(ge=0, le=_LATEST)] = None,
        last_event_id: Annotated[str | None, Header(max_length=40)] = None,
    ) -> Any:
        wanted = ChangeFilter(regime=regime, subject=checks.subject_id(subject) if subject is not None else None, grade=grade)
        after = _resume(since, last_event_id)
        async with reader.snapshot() as snapshot:
            state = await snapshot.state()
        if not hub.started or hub.closed.is_set():
            raise _not_ready()
        if after is not None and not state.floor <= after <= state.head:
            raise _gone(after, state.floor, state.head)
        address = request.client.host if request.client else ""
        _reserve(hub, address)
        client = Client(wanted=wanted, address=address, at=state.head if after is None else after)
        return EventStream(hub, reader, client, headers=mark(state), done=lambda: hub.release(address))


def _resume(since: int | None, last_event_id: str | None) -> int | None:
    if not last_event_id:
        return since
    if not (last_event_id.isascii() and last_event_id.isdigit() and int(last_event_id) <= _LATEST):
        raise Problem(
            422,
            "last-event-id",
            zh="Last-Event-ID 应为收到的最后一个编号。",
            en="Last-Event-ID is the last number received.",
            field="Last-Event-ID",
        )
    return int(last_event_id)


def _gone(after: int, floor: int, head: int) -> Problem:
    return Problem(
        410,
        "position-gone",
        zh=f"编号 {after} 已无法续接（可续接 {floor} 至 {head}）。请先取快照 /api/v1/grades，再从 {head} 接收。",
        en=f"The stream can't go on after {after}, only from {floor} to {head}: take /api/v1/grades as a snapshot, then go on from {head}.",
        snapshot="/api/v1/grades",
        floor=floor,
        head=head,
    )


def _not_ready() -> Problem:
    return Problem(503, "not-ready", zh="服务正在启动或停止。", en="The service is starting or stopping.", headers={"retry-after": "2"})


def _reserve(hub: Hub, address: str) -> None:
    try:
        hub.reserve(address)
    except TooMany as error:
        if error.everyone:
            raise Problem(
                503,
                "too-many-streams",
                zh="同时连接过多，请稍后再试。",
                en="Too many streams are open; try again later.",
                headers={"retry-after": "30"},
            ) from None
        raise Problem(
            429,
            "too-many-streams-here",
            zh="这个地址打开的连接过多。",
            en="This address has too many streams open; close one.",
            headers={"retry-after": "30"},
        ) from None
