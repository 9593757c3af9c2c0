"""Which traces to keep: all while there is little to do, a bounded number under load.

A fixed share would lose the one event that somebody asks about on a quiet day, and on a busy one keep as many as the load
allows. So there is a bucket, filled with ``PER_SECOND`` a second, and a trace costs one for each record that follows from it
(a batch is one request and one trace, and a span in every service for each of its records). A batch may overdraw a bucket that
isn't empty; it is paid back before the next trace is kept. A trace that someone else began is kept when they say so.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.trace import sampling
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState
from opentelemetry.util.types import Attributes

log = logging.getLogger("mingjian.bus.telemetry")

PER_SECOND = 100.0
RECORDS = "mingjian.events"


class Bucket(Sampler):
    """Keeps traces while the bucket holds something. ``clock`` gives monotonic seconds."""

    def __init__(self, per_second: float = PER_SECOND, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock = per_second, clock
        self._level, self._at = per_second, clock()

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Keep or drop a trace that begins here."""
        now = self._clock()
        self._level = min(self._rate, self._level + (now - self._at) * self._rate)
        self._at = now
        if self._level < 1.0:
            return SamplingResult(Decision.DROP)
        records = (attributes or {}).get(RECORDS, 1)
        self._level -= max(1, records) if isinstance(records, int) else 1
        return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes)

    def get_description(self) -> str:
        """For people."""
        return f"Bucket({self._rate:g}/s)"


def of(env: Mapping[str, str]) -> Sampler:
    """The sampler that ``OTEL_TRACES_SAMPLER`` and ``OTEL_TRACES_SAMPLER_ARG`` name; unset: the bucket, parents respected."""
    name = env.get("OTEL_TRACES_SAMPLER", "").strip().lower()
    known: dict[str, Callable[[], Sampler]] = {
        "": lambda: sampling.ParentBased(Bucket()),
        "always_on": lambda: sampling.ALWAYS_ON,
        "always_off": lambda: sampling.ALWAYS_OFF,
        "parentbased_always_on": lambda: sampling.DEFAULT_ON,
        "parentbased_always_off": lambda: sampling.DEFAULT_OFF,
        "traceidratio": lambda: sampling.TraceIdRatioBased(_ratio(env)),
        "parentbased_traceidratio": lambda: sampling.ParentBasedTraceIdRatio(_ratio(env)),
    }
    if name not in known:
        log.warning("OTEL_TRACES_SAMPLER names no sampler that is known; taking the default")
    return known.get(name, known[""])()


def _ratio(env: Mapping[str, str]) -> float:
    text = env.get("OTEL_TRACES_SAMPLER_ARG", "1.0")
    try:
        return min(1.0, max(0.0, float(text)))
    except ValueError:
        log.warning("OTEL_TRACES_SAMPLER_ARG is no number; keeping all")
        return 1.0
