"""What was known when, as the API's objects: they follow from the question and what was known by its instant, and from nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from schemas.times import instant
from schemas.topics import GRADES
from services.publication.adapters.postgres_known import KnownQuestions, Row
from services.publication.adapters.postgres_reader import Snapshot
from services.publication.domain import subjects
from services.publication.domain.history import Span, on
from services.publication.domain.knowledge import EVER, Difference, Known, differences, layout, silence, since
from services.publication.domain.vocabulary import Vocabulary
from services.publication.web import asking, shapes
from services.publication.web.asking import Asked, Zones, unanswered

RATING = "/services/rating"


@dataclass(frozen=True)
class Life:
    """What is known of a subject: rows of its changes by regime, and which regimes were live from when."""

    subject: str
    rows: Mapping[str, list[Row]]
    go_lives: Mapping[str, date]
    asked: Asked
    zones: Zones

    @property
    def regimes(self) -> list[str]:
        """Those under which anything was known, sorted."""
        return sorted(self.rows)

    def known(self, regime: str) -> list[Known]:
        """The regime's changes."""
        return [Known.of(row) for row in self.rows[regime]]

    def laid(self, regime: str) -> list[Span]:
        """The regime's history as known at the instant asked."""
        return layout(self.known(regime), at_ms=self.asked.known_ms)

    def today(self, regime: str) -> date:
        """The day of the instant asked, in the regime's zone."""
        return self.zones.day(regime, self.asked.known_ms)

    @property
    def as_of(self) -> date:
        """The day asked for; by default the newest that has come by the instant in the zones of all its regimes."""
        return self.asked.as_of or self.zones.today(self.rows, self.asked.known_ms)

    def why_not(self, regime: str, laid: Sequence[Span]) -> Any:
        """Why the regime has no answer for the day, or None."""
        return silence(laid, as_of=self.as_of, today=self.today(regime), go_live=self.go_lives.get(regime))

    def by_number(self, regime: str) -> dict[int, Row]:
        """The regime's rows by the number of the change."""
        return {row["seq"]: row for row in self.rows[regime]}


async def life(snapshot: Snapshot, subject: str, asked: Asked, zones: Zones, *, regime: str | None = None) -> Life:
    """What was known of a subject by the instant asked. Raises ``Problem`` 422 where the day asked for was still to come."""
    rows: dict[str, list[Row]] = {}
    for row in await snapshot.told(subject, until_ms=asked.known_ms, regime=regime):
        rows.setdefault(row["regime"], []).append(row)
    live = asking.go_lives(await snapshot.registry(), at_ms=asked.known_ms)
    found = Life(subject, rows, live, asked, zones)
    # The zone that is furthest on decides what is refused; where a day has come in one regime only, the other says so.
    latest = max((found.today(one) for one in rows), default=zones.today([regime] if regime else [], asked.known_ms))
    asking.not_later_than(asked.as_of, latest, asked.known_at)
    return found


async def silences(snapshot: KnownQuestions, one: Life, regime: str | None) -> list[dict[str, Any]]:
    """Why nothing at all was known of the subject: under the regime asked for, or under any."""
    go_live = one.go_lives.get(regime) if regime else None
    if regime and go_live is not None and go_live > one.today(regime):
        return [unanswered(regime, "before-go-live")]
    heard = await snapshot.any_known(regime, until_ms=one.asked.known_ms)
    return [unanswered(regime, "not-known-yet" if heard else "before-first-record")]


async def on_day(snapshot: Snapshot, one: Life, regime: str | None) -> dict[str, Any]:
    """See ``contract.GradesOnDay``."""
    held: list[tuple[str, Span]] = []
    silent = []
    for name in one.regimes:
        laid = one.laid(name)
        why = one.why_not(name, laid)
        if why is not None:
            silent.append(unanswered(name, why))
        elif (span := on(laid, one.as_of)) is not None:
            held.append((name, span))
    data = await snapshot.change_data([span.seq for _, span in held])
    grades = [
        _span(one, name, span)
        | {"data": data[span.seq], "retrospective": _before(one, name)}
        | shapes.in_words(one.zones.vocabulary, name, data[span.seq])
        for name, span in held
    ]
    answer = {"subject": one.subject, "as_of": one.as_of, "known_at": one.asked.known_at, "grades": grades}
    return answer | {"unanswered": silent if one.rows else await silences(snapshot, one, regime)}


async def history(snapshot: Snapshot, one: Life, regime: str | None) -> dict[str, Any]:
    """See ``contract.HistoryKnown``."""
    regimes, silent = [], []
    for name in one.regimes:
        laid = one.laid(name)
        if (go_live := one.go_lives.get(name)) is not None and go_live > one.today(name):
            silent.append(unanswered(name, "before-go-live"))
            continue
        spans = [_span(one, name, span) for span in laid]
        regimes.append({"regime": name, "recorded_from": _recorded_from(one, name), "spans": spans})
    answer: dict[str, Any] = {"subject": one.subject, "known_at": one.asked.known_at, "regimes": regimes}
    return answer | {"unanswered": silent if one.rows else await silences(snapshot, one, regime)}


def compared(one: Life, earlier: Asked) -> dict[str, Any]:
    """See ``contract.Compared``. ``one``: as known at the later instant."""
    found = []
    for name in one.regimes:
        rows = one.by_number(name)
        for each in differences(
            one.known(name), earlier_ms=earlier.known_ms, later_ms=one.asked.known_ms, today=one.zones.day(name, earlier.known_ms)
        ):
            found.append({"regime": name, **_difference(each, rows[each.by])})
    return {"subject": one.subject, "known_at": earlier.known_at, "compared_to": one.asked.known_at, "differences": found}


def _difference(one: Difference, row: Row) -> dict[str, Any]:
    return {
        "first": None if one.first == EVER else one.first,
        "last": one.last,
        "kind": "corrected" if one.over else "later",
        "was": {"grade": one.was.grade, "status": one.was.status} if one.was else None,
        "now": {"grade": one.now.grade, "status": one.now.status},
        **_decided(row),
    }


def _span(one: Life, regime: str, span: Span) -> dict[str, Any]:
    """See ``contract.KnownSpan``."""
    row = one.by_number(regime)[span.seq]
    return {
        "regime": regime,
        "grade": span.grade,
        "status": span.status,
        "in_force_from": None if span.start == EVER else span.start,
        "in_force_until": span.end - timedelta(days=1) if span.end else None,
        "clauses": row["clauses"] or [],
        "suspended": row["suspended"],
        **_decided(row),
    }


def _decided(row: Row) -> dict[str, Any]:
    cause = row["cause"]
    return {
        "known_from": instant(row["cause_known_ms"]),
        "decided_by": {
            "source": RATING,
            "id": str(row["id"]),
            "type": row["type"],
            "topic": GRADES,
            "partition": row["partition"],
            "offset": row["offset"],
        },
        "cause": {name: cause.get(name) for name in ("source", "id", "type", "topic", "partition", "offset")}
        | {"known_from": instant(row["cause_known_ms"])},
    }


def _recorded_from(one: Life, regime: str) -> date | None:
    first = since(one.known(regime))
    return one.zones.day(regime, first) if first is not None else None


def _before(one: Life, regime: str) -> bool:
    """Days before the first entry was known are told as that entry tells them, and corrected by none (ADR 0015)."""
    first = _recorded_from(one, regime)
    return first is not None and one.as_of < first


async def settled(snapshot: KnownQuestions, one: Life) -> bool:
    """Whether nothing more can come from before the instant: rating has come past it with the subject under each of its regimes, and no
    stay keeps anything of the answer back."""
    if not one.asked.pinned or not one.rows:
        return False
    if any(row["suspended"] for rows in one.rows.values() for row in rows):
        # What is kept back now may be told tomorrow.
        return False
    for regime in one.rows:
        if not await snapshot.came_past(one.subject, regime, ms=one.asked.known_ms):
            return False
    return True


def lists_on(day_answer: Mapping[str, Any], vocabulary: Vocabulary) -> list[dict[str, Any]]:
    """The lists on which the grades of a day put the subject."""
    return [
        {"list": rule.name, "regime": rule.regime, "grade": held["grade"], "since": held["in_force_from"], "clause": rule.clause}
        for held in day_answer["grades"]
        for rule in vocabulary.rules(held["regime"])
        if held["grade"] in rule.grades and not vocabulary.norms.hides_list(rule.name)
    ]


async def register_known(snapshot: KnownQuestions, subject: str, at_ms: int) -> dict[str, Any]:
    """Register data by what was entered up to an instant; ``name`` beside the register."""
    folded = asdict(subjects.fold(subject, await snapshot.registrations(subject, until_ms=at_ms)))
    return {"name": folded["name"], "register": shapes.register(folded)}
