"""Entries for detectors, and a driver that gives them as the real one does: first copies in order, day by closed day."""

from __future__ import annotations

import hashlib
import random
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import check_data, lookup
from schemas.events.findings import FindingRaised
from schemas.rulebook import load_rulebook
from schemas.topics import DUTIES, FACTS, REGISTRY
from services.audit.domain.detectors.model import Closed, Detector, Entry, Order, Scene, Sign
from services.audit.domain.detectors.zones import Zones
from services.audit.domain.registry import Registry
from services.audit.domain.workdays import WorkCalendar, YearTable
from tests.toolkit import OFFICE, OTHER_OFFICE, USCC, genesis

ZONES = Zones({"liyujiang": [load_rulebook(Path(__file__).parents[4] / "rulebooks" / "liyujiang")]})
OTHER, THIRD = "uscc:91990000YL00000205", "uscc:91990000YL0000047W"
__all__ = ["OFFICE", "OTHER", "OTHER_OFFICE", "THIRD", "USCC", "ZONES"]

CALENDAR = WorkCalendar({year: YearTable(year, frozenset(), frozenset()) for year in (2024, 2025, 2026, 2027)})


def moment(text: str) -> int:
    """``2026-03-02 10:00`` of the office's wall clock, as epoch ms."""
    return int((datetime.fromisoformat(text).replace(tzinfo=UTC) - timedelta(hours=8)).timestamp() * 1000)


def instant(text: str) -> str:
    """The same as an instant of the contract."""
    return datetime.fromtimestamp(moment(text) / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def entry(kind: str, data: Mapping[str, Any], at: str, *, subject: str = USCC, source: str = OFFICE, name: str = "", **more: Any) -> Entry:
    """An entry received at a moment of the office's clock. ``name`` makes its id; without one, what it says does."""
    row = lookup(f"mingjian.{kind}.v1")
    assert row is not None, kind
    if row.route != "derived":
        check_data(row, dict(data), subject)
    key = name or repr((kind, sorted(data.items()), at, subject, source))
    id = str(uuid.uuid5(uuid.NAMESPACE_URL, key))
    known = moment(at)
    topic = {"facts": FACTS, "derived": DUTIES}.get(row.route, REGISTRY)
    order = Order(known, 0, int.from_bytes(hashlib.sha256(key.encode()).digest()[:6]))
    sha256 = hashlib.sha256(key.encode()).hexdigest()
    one = Entry(topic, order, known, known, id, source, kind, subject, "desk", "key", 0, data, (), sha256)
    return replace(one, **more)


def ref(one: Entry) -> dict[str, str]:
    """The entry as others name it."""
    return {"source": one.source, "id": one.id}


def corrected(one: Entry, data: Mapping[str, Any], at: str, **more: Any) -> Entry:
    """The office's own correction of an entry."""
    said = {"occurred_on": at[:10], "entry": ref(one), "ground": "wrong_content", "origin": "self_reported", "reason": "样例"}
    words = {"type": f"mingjian.{one.type}.v1", "data": dict(data)}
    return entry("entry.corrected", {**said, "replacement": words, **more}, at, subject=one.subject, source=one.source)


def retracted(one: Entry, at: str, **more: Any) -> Entry:
    """The office takes an entry of its own back."""
    said = {"occurred_on": at[:10], "entry": ref(one), "ground": "entered_twice", "origin": "self_reported", "reason": "样例", **more}
    return entry("entry.retracted", said, at, subject=one.subject, source=one.source)


def annulled(one: Entry, at: str, ground: str = "litigation", number: str = "样例法院1号") -> Entry:
    """A decision that was undone."""
    said = {"occurred_on": at[:10], "document_no": number, "act": ref(one), "ground": ground, "authority": "样例法院"}
    return entry("act.annulled", said, at, subject=one.subject, source=one.source)


def registry(*, live: str = "2024-01-01", regime: str = "liyujiang") -> Registry:
    """A register with a regime that went live."""
    made = Registry(genesis()["event"])
    made.next_offset = 1
    made.go_lives.append((0, regime, date.fromisoformat(live)))
    made.activations.append((0, regime, "0" * 64))
    return made


@dataclass
class Told:
    """Signs in the order in which they came."""

    signs: list[Sign]

    @property
    def standing(self) -> dict[str, Sign]:
        """The last sign of each matter, of those that don't end it."""
        last = {(one.matter, one.office, one.regime): one for one in self.signs}
        return {matter[0]: one for matter, one in last.items() if not one.retracted}

    @property
    def only(self) -> Sign:
        """The one that stands."""
        [one] = self.standing.values()
        return one


def run(
    detector: Detector,
    entries: Iterable[Entry],
    *,
    until: str | None = None,
    register: Registry | None = None,
    calendar: WorkCalendar = CALENDAR,
    copies: bool = False,
) -> Told:
    """Entries in their order, with the close of each day from the first one's to ``until``. ``copies``: second copies come as well."""
    ordered = sorted(entries, key=lambda one: one.order)
    told, register = Told([]), register or registry()
    last = date.fromisoformat(until) if until else _day(ordered[-1].order.known)
    day, seen = _day(ordered[0].order.known), set()
    scene = Scene(register, 0, calendar)
    while day <= last:
        for one in [one for one in ordered if _day(one.order.known) == day and one.type in detector.types]:
            if (one.source, one.id) not in seen or copies:
                seen.add((one.source, one.id))
                told.signs += detector.take(one, scene)
        told.signs += [one for one in detector.close(Closed(day, 0, scene)) if isinstance(one, Sign)]
        day += timedelta(days=1)
    for sign in told.signs:
        check(detector, sign)
    return told


def _day(ms: int) -> date:
    return (datetime.fromtimestamp(ms / 1000, UTC) + timedelta(hours=8)).date()


def check(detector: Detector, sign: Sign) -> None:
    """A sign fits the contract, and its explanations are those that the detector declares."""
    declared = detector.declared
    codes = {one.code for one in declared.explanations}
    assert sign.supported <= codes
    assert len(codes) == len(declared.explanations)
    FindingRaised.model_validate(
        {
            "kind": declared.kind,
            "about": declared.about,
            "office": sign.office,
            "subject_of": sign.subject,
            "regime": sign.regime,
            "values": tuple({"name": a, "value": b, "bound": c} for a, b, c in sign.values),
            "concerns": sign.concerns,
            "explanations": tuple({"code": code, "supported": code in sign.supported} for code in sorted(codes)),
            "proposes": declared.proposes,
            "detail_zh": sign.zh,
            "detail_en": sign.en,
            "rule_version": "1",
            "cause": {"topic": FACTS, "partition": 0, "offset": 0, "id": str(uuid.uuid5(uuid.NAMESPACE_URL, "cause"))},
        },
        strict=False,
    )


def stays_the_same(make: Callable[[], Detector], entries: Sequence[Entry], until: str | None = None) -> Callable[[], None]:
    """The property of every detector: second copies, wherever they lie, and the order in which partitions are read change nothing of
    what stands in the end."""
    partitions = {subject: place for place, subject in enumerate(sorted({one.subject for one in entries}))}
    placed = [replace(one, order=one.order._replace(partition=partitions[one.subject])) for one in entries]
    expected = {matter: _words(one) for matter, one in run(make(), placed, until=until).standing.items()}
    assert expected, "nothing stands: the property would hold of a detector that finds nothing"

    @given(seed=st.integers(0, 10_000), again=st.sets(st.integers(0, max(0, len(entries) - 1))))
    def holds(seed: int, again: set[int]) -> None:
        rng = random.Random(seed)
        later = [_copied(placed[place], rng) for place in sorted(again)]
        shuffled = [*placed, *later]
        rng.shuffle(shuffled)
        told = {matter: _words(one) for matter, one in run(make(), shuffled, until=until, copies=True).standing.items()}
        assert expected == told

    return holds


def _copied(one: Entry, rng: random.Random) -> Entry:
    """A second copy: later, within the same day or another one, and in any partition."""
    order = Order(one.order.known + rng.choice((1, 60_000, 86_400_000)), rng.randrange(8), one.order.offset + 1)
    return replace(one, order=order)


def _words(sign: Sign) -> tuple[object, ...]:
    """All of a sign but the places of its records."""
    return (sign.office, sign.zh, sign.en, sign.subject, sign.regime, sign.values, sign.supported, sign.concerns, len(sign.shown))
