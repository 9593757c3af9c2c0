"""The portal's pages. Each is whole without JavaScript; state is in the address."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schemas.times import instant
from services._bus.problems import Problem
from services.publication.adapters.neighbours import Neighbours
from services.publication.adapters.postgres_reader import GradeFilter, PostgresReader, Row, Snapshot, State
from services.publication.domain import search
from services.publication.domain.cursor import encode
from services.publication.domain.mending import TYPES as MENDING
from services.publication.domain.mending import said_of
from services.publication.domain.parts import members
from services.publication.domain.vocabulary import Vocabulary
from services.publication.web import checks, dates, known_views, part_views, views
from services.publication.web.api_routes import earlier_changes, grade_filter, no_regime, timeline_cursor
from services.publication.web.known_routes import Times
from services.publication.web.portal import Portal, link_in, zone_of
from services.publication.web.views import Speaker

CHANGED = 8
FACTS = 10
HISTORY = 12
CHANGES = 200
ROWS = 25


@dataclass
class Pages:
    """``now_ms``: the wall clock in epoch ms. ``button``: whether the start page offers a sample inspection."""

    reader: PostgresReader
    portal: Portal
    neighbours: Neighbours
    now_ms: Callable[[], int]
    button: Callable[[], bool]
    times: Times
    _counted: tuple[tuple[str, int, str], Sequence[Row]] = (("", -1, ""), ())

    @property
    def vocabulary(self) -> Vocabulary:
        """The words of all regimes."""
        return self.portal.vocabulary

    def routes(self) -> list[Route]:
        """The pages' addresses."""
        return [
            Route("/", self.start),
            Route("/subjects/{id}", self.subject),
            Route("/lists", self.lists),
            Route("/lists/{name}", self.list),
            Route("/grades", self.grades),
            Route("/search", self.search),
            Route("/about", self.about),
        ]

    def _speaker(self, request: Request) -> Speaker:
        lang = self.portal.language(request)
        return Speaker(lang, self.portal.translate(lang), self.vocabulary)

    async def _counts(self, snapshot: Snapshot, state: State) -> Sequence[Row]:
        """Grade counts, worked out once a revision, and anew when a suspension begins or ends."""
        of = (state.build, state.revision, state.suspended)
        if self._counted[0] != of:
            self._counted = (of, await snapshot.counts())
        return self._counted[1]

    def _regimes(self, counts: Sequence[Row]) -> list[str]:
        """Regimes that have someone in them: those with a rulebook first, in its order."""
        present = {row["regime"] for row in counts}
        return [one for one in self.vocabulary.regimes if one in present] + sorted(present - set(self.vocabulary.regimes))

    async def start(self, request: Request, *, button_answer: str | None = None, status: int = 200) -> Response:
        """Search, bar of grades, what changed today, the story."""
        checks.as_of_now(request)
        lang = self.portal.language(request)
        async with self.reader.snapshot() as snapshot:
            state, stack = await snapshot.state(), await snapshot.stack()
            zone = zone_of(stack)
            today = dates.civil(self.now_ms(), zone)
            from_ms, until_ms = dates.day_bounds(today, zone)
            counts = await self._counts(snapshot, state)
            changed = await snapshot.changed(from_ms=from_ms, until_ms=until_ms, limit=CHANGED)
            count = await snapshot.changed_count(from_ms=from_ms, until_ms=until_ms) if len(changed) == CHANGED else len(changed)
            latest = [] if changed else await snapshot.changed(from_ms=0, until_ms=from_ms, limit=5)
            list_counts = await snapshot.list_counts()
            told = await snapshot.story() if stack and stack.sample else None
            fact = await snapshot.fact_at(told["story"]["event"]["partition"], told["story"]["event"]["offset"]) if told else None
            about = await snapshot.subject(fact["subject"]) if fact else None
        regimes = []
        for regime in self._regimes(counts):
            rows, total = views.regime_bars(counts, regime, self.vocabulary)
            regimes.append({"id": regime, "name": self.vocabulary.regime_name(regime, lang), "bars": rows, "total": total})
        return self.portal.render(
            request,
            "start.html",
            stack,
            status=status,
            state=state,
            regimes=regimes,
            today=today,
            today_start=instant(from_ms),
            changed=changed,
            changed_count=count,
            latest=latest,
            lists=self.vocabulary.lists,
            list_counts=list_counts,
            story=await self._story(told, fact, about["name"] if about else None, self._speaker(request)),
            button=stack is not None and stack.sample and self.button(),
            button_answer=button_answer,
            **await self._footer(lang),
        )

    async def _story(self, told: Row | None, fact: Row | None, name: str | None, speaker: Speaker) -> dict[str, Any] | None:
        if told is None or fact is None:
            # The finding may be here before the fact that it is about.
            return None
        event = told["story"]["event"]
        leaf = await self.neighbours.leaf(event["topic"], event["partition"], event["offset"])
        return views.story(told, fact, name, leaf, speaker)

    async def _footer(self, lang: str) -> dict[str, Any]:
        log, rating = await asyncio.gather(self.neighbours.log(), self.neighbours.rating_lag())
        age = dates.age(log.age_s, lang) if log and log.age_s is not None else None
        return {"log": {"size": log.size if log else None, "age": age}, "rating": {"lag": rating}}

    async def subject(self, request: Request) -> Response:
        """Grade first, then why, then history and facts; above them what was asked by other times."""
        id = checks.subject_id(request.path_params["id"])
        before = checks.timeline_key(_cursor(request), id)
        whole = request.query_params.get("history") == "all"
        speaker = self._speaker(request)
        async with self.reader.snapshot() as snapshot:
            state, stack = await snapshot.state(), await snapshot.stack()
            row = await snapshot.subject(id)
            if row is None:
                raise Problem(404, "no-subject", zh=f"没有公布过 {id}。", en=f"Nothing has been published about {id}.")
            grades, changes = await snapshot.grades_of(id), await snapshot.history(id, before=None, limit=CHANGES + 1)
            facts = await snapshot.facts(id, before=before, limit=FACTS + 1)
            mended = said_of(await snapshot.said_of_facts(id, MENDING, limit=CHANGES))
            fact_count, lists = await snapshot.fact_count(id), await snapshot.lists_of(id)
            lists = [one for one in lists if not self.vocabulary.norms.hides_list(one["list"])]
            parts, parents = await snapshot.parts_of(id), await snapshot.parents_of(id)
            link = partial(link_in, speaker.lang if "lang" in request.query_params else None)
            here = views.fact_address(id, frozenset((one["partition"], one["offset"]) for one in facts[:FACTS]), link)
            question = known_views.Question(id, request.query_params, zone_of(stack))
            form, asked, problem = await known_views.of_request(self.times, snapshot, question, here, speaker)
        today = dates.civil(self.now_ms(), zone_of(stack))
        decisive = frozenset(one["id"] for grade in grades for one in grade["data"].get("decisive_events") or ())
        shown_grades = [views.current_grade(one, here, await self._leaf(one), speaker) for one in grades]
        older = earlier_changes(id, changes[CHANGES - 1]["seq"]) if len(changes) > CHANGES and whole else None
        changes = changes[:CHANGES]
        regimes = dict.fromkeys(one["regime"] for one in changes)
        mine = {regime: [one for one in changes if one["regime"] == regime] for regime in sorted(regimes)}
        return self.portal.render(
            request,
            "subject.html",
            stack,
            status=problem.status if problem else 200,
            form=form,
            asked=asked,
            problem=problem,
            state=state,
            subject=row,
            stay_href=views.stay_address(id, here, link),
            grades=shown_grades,
            histories=[
                views.history(regime, rows, today=today, shown=CHANGES if whole else HISTORY, speaker=speaker)
                for regime, rows in mine.items()
            ],
            older=older,
            lists=[one | {"title": self._list_title(one["list"], speaker.lang)} for one in lists],
            register=views.register_lines(row, speaker),
            wholes=part_views.wholes(parts, today, speaker),
            parents=members(parents, today, subject="parent"),
            facts=[
                views.timeline_fact(
                    one,
                    decisive,
                    self.neighbours.leaf_page(one["partition"], one["offset"]),
                    speaker,
                    [views.mention(other, here, speaker) for other in mended.get(one["copy"], ())],
                )
                for one in self.vocabulary.shown(id, facts[:FACTS])
            ],
            fact_count=fact_count,
            next=timeline_cursor(id, facts[FACTS - 1]["shown_on"], facts[FACTS - 1]["offset"]) if len(facts) > FACTS else None,
            paged=before is not None,
            **await self._footer(speaker.lang),
        )

    async def _leaf(self, grade: Row) -> views.Leaf:
        return await self.neighbours.leaf("mingjian.grades.v1", grade["partition"], grade["offset"])

    def _list_title(self, name: str, lang: str) -> str:
        published = self.vocabulary.list(name)
        return published.name(lang) if published else name

    async def lists(self, request: Request) -> Response:
        """All lists."""
        checks.as_of_now(request)
        async with self.reader.snapshot() as snapshot:
            stack, counts = await snapshot.stack(), await snapshot.list_counts()
        return self.portal.render(request, "lists.html", stack, lists=self.vocabulary.lists, counts=counts)

    async def list(self, request: Request) -> Response:
        """One list: members, then who was put on and taken off."""
        checks.as_of_now(request)
        name = request.path_params["name"]
        published = self.vocabulary.list(name)
        if published is None:
            raise Problem(404, "no-list", zh="没有这份名单。", en="There is no such list.")
        key = checks.cursor_key(_cursor(request), {"list": name}, 1)
        async with self.reader.snapshot() as snapshot:
            stack, counts = await snapshot.stack(), await snapshot.list_counts()
            rows = await snapshot.list_members(name, after=key[0] if key else None, limit=ROWS + 1)
            moves = await snapshot.list_changes(name, limit=10)
        return self.portal.render(
            request,
            "list.html",
            stack,
            list=published,
            total=counts.get(name, 0),
            members=[row | {"status": ""} for row in rows[:ROWS]],
            next=encode([rows[ROWS - 1]["subject"]], {"list": name}) if len(rows) > ROWS else None,
            paged=key is not None,
            moves=moves,
        )

    async def grades(self, request: Request) -> Response:
        """Who holds which grade."""
        checks.as_of_now(request)
        speaker = self._speaker(request)
        async with self.reader.snapshot() as snapshot:
            state, stack = await snapshot.state(), await snapshot.stack()
            counts = await self._counts(snapshot, state)
            regimes = self._regimes(counts) or list(self.vocabulary.regimes)
            asked = request.query_params.get("regime")
            if asked and asked not in regimes and asked not in self.vocabulary.regimes:
                raise no_regime(asked[:60], self.vocabulary)
            given = {name: request.query_params.get(name) for name in ("regime", "grade", "status", "changed_since")}
            chosen = {name: value for name, value in given.items() if value and "\x00" not in value and len(value) <= 60}
            if "changed_since" not in chosen:
                chosen.setdefault("regime", regimes[0] if regimes else "")
            key = checks.cursor_key(_cursor(request), chosen, 2)
            wanted: GradeFilter = grade_filter(**chosen)
            rows = await snapshot.grades(wanted, after=(key[0], key[1]) if key else None, limit=ROWS + 1)
        regime = chosen.get("regime") or None
        shown, _ = views.regime_bars(counts, regime, self.vocabulary) if regime else ([], 0)
        return self.portal.render(
            request,
            "grades.html",
            stack,
            title=self.vocabulary.regime_name(regime, speaker.lang) if regime else speaker.translate("Grades"),
            regimes=regimes,
            regime=regime,
            bars=[bar for bar in shown if bar.n or bar.kind == "grade"],
            filter=wanted,
            chosen=chosen,
            since=chosen.get("changed_since"),
            without_since={name: value for name, value in chosen.items() if name != "changed_since"},
            rows=rows[:ROWS],
            next=encode([rows[ROWS - 1]["subject"], rows[ROWS - 1]["regime"]], chosen) if len(rows) > ROWS else None,
            paged=key is not None,
        )

    async def search(self, request: Request) -> Response:
        """Find an enterprise."""
        checks.as_of_now(request)
        text = " ".join(request.query_params.get("q", "")[: search.MAX_QUERY].replace("\x00", " ").split())
        async with self.reader.snapshot() as snapshot:
            stack = await snapshot.stack()
            rows = await snapshot.search(search.query(text), limit=ROWS + 1)
        return self.portal.render(request, "search.html", stack, q=text, rows=rows[:ROWS], more=len(rows) > ROWS)

    async def about(self, request: Request) -> Response:
        """How grades work, from the rulebook itself."""
        checks.as_of_now(request)
        speaker = self._speaker(request)
        async with self.reader.snapshot() as snapshot:
            state, stack = await snapshot.state(), await snapshot.stack()
            present = self._regimes(await self._counts(snapshot, state))
        books = list(dict.fromkeys([*present, *self.vocabulary.regimes]))
        books = [one for one in books if self.vocabulary.book(one) is not None]
        wanted = request.query_params.get("regime")
        book = self.vocabulary.book(wanted if wanted in books else books[0]) if books else None
        today = dates.civil(self.now_ms(), zone_of(stack))
        return self.portal.render(
            request,
            "about.html",
            stack,
            books=books,
            book=book,
            by_grade=views.rules_by_grade(book, speaker.lang, today) if book else {},
            parameters=views.parameters(book, speaker.lang, today) if book else [],
            readings=sorted(book.readings, key=lambda one: views.natural(one.id)) if book else [],
            clauses=sorted(book.clauses, key=lambda one: views.natural(one.clause)) if book else [],
        )


def _cursor(request: Request) -> str | None:
    return request.query_params.get("cursor") or None
