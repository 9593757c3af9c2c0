"""Two clocks with two owners: intake's, which says when it took an entry, and the broker's, which says since when it is known.

A fact is known from the running maximum of record times in its partition (``known_from``); Kafka itself does not keep a
partition's time from going back. Only a broker's own time (LogAppendTime) can be held against intake's: on a simulated
stack there is one clock.

Invariants
1. Every step back of a partition's time is observed once, at the first record after it.
2. Where ``received_at`` and ``known_from`` of a first copy are more than ``APART_MS`` apart, that is observed once, until a
   first copy is close again: one observation for an outage, not one for each record that waited.
3. What is observed follows from the partition's records alone, however they are cut into batches.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.audit.domain.frame import LOG_APPEND_TIME
from services.audit.domain.late import Outage

# Set by the operator: the design's bound for the health of two clocks. It has no legal force.
APART_MS = 5_000


@dataclass(frozen=True, slots=True)
class Clock:
    """A partition's time so far, in ms since 1970. ``apart``: the last first copy was observed to be too far from intake's time."""

    high: int | None = None
    last: int | None = None
    apart: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """The record's time lies ``back`` ms before the one before it, ``behind`` ms before the partition's latest."""

    back: int
    behind: int


@dataclass(frozen=True, slots=True)
class Apart:
    """``known`` and ``received`` in ms since 1970, more than ``APART_MS`` apart."""

    received: int
    known: int

    @property
    def by(self) -> int:
        """Ms from the entry to where it was known from; negative where the broker's clock is behind."""
        return self.known - self.received


def tick(clock: Clock, timestamp: int, timestamp_type: int) -> tuple[Clock, Step | None]:
    """The partition's time after a record, and the step back that it made."""
    if timestamp_type != LOG_APPEND_TIME:
        return clock, None
    high = timestamp if clock.high is None else max(clock.high, timestamp)
    step = None
    if clock.last is not None and timestamp < clock.last:
        step = Step(clock.last - timestamp, high - timestamp)
    return Clock(high, timestamp, clock.apart), step


def compare(clock: Clock, received: int) -> Apart | None:
    """How far a first copy's entry is from the time it is known from, where that is too far. ``clock``: after its record."""
    if clock.high is None or abs(clock.high - received) <= APART_MS:
        return None
    return Apart(received, clock.high)


def covered(apart: Apart, outages: Iterable[Outage], office: str) -> bool:
    """True where a declared outage of the stack or of the office touches the time between entry and knowledge."""
    first, last = sorted((apart.received, apart.known))
    return any(one.office in (None, office) and _ms(one.started) <= last and _ms(one.ended) >= first for one in outages)


def _ms(instant: str) -> float:
    return datetime.fromisoformat(instant).timestamp() * 1000
