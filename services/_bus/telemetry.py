"""Traces and metrics by OpenTelemetry.

A trace begins with an HTTP request, travels in the Kafka header ``traceparent`` and is carried on unchanged by every record that
follows from it: derived records are the same bytes whenever they are made, and so are their headers. So all spans of a record's
way have one trace id and the request's span as their parent. A record without that header, or whose trace was not kept, costs no
span: consumers never begin a trace. Values never become attributes: ids of records (topic, partition, offset) do.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from opentelemetry import metrics, trace
from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, Meter, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, MetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags, Tracer

from services._bus import sampling
from services._bus.telemetry_file import JsonFile, MetricFile, SpanFile

log = logging.getLogger("mingjian.bus.telemetry")

HEADER = "traceparent"
SCOPE = "mingjian"
RECORDS = sampling.RECORDS
SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
SPAN_DELAY_MS, METRIC_EVERY_MS = 1_000.0, 15_000.0
# A batch of events is a thousand spans at once.
SPAN_QUEUE, SPANS_AT_ONCE = 8_192, 512

Headers = Iterable[tuple[str, bytes | None]]
Attributes = Mapping[str, str | int | float | bool]
_TRACEPARENT = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.S)
_NO_TRACE, _NO_SPAN = b"0" * 32, b"0" * 16


def at(topic: str, partition: int, offset: int) -> dict[str, str | int]:
    """Attributes that say which record a span is about, named as OpenTelemetry does."""
    return {"messaging.destination.name": topic, "messaging.destination.partition.id": str(partition), "messaging.kafka.offset": offset}


def traceparent() -> str | None:
    """The current span as a header's value; None where there is none or its trace is not kept."""
    context = trace.get_current_span().get_span_context()
    if not (context.is_valid and context.trace_flags.sampled):
        return None
    return f"00-{trace.format_trace_id(context.trace_id)}-{trace.format_span_id(context.span_id)}-01"


def inject() -> tuple[()] | tuple[tuple[str, bytes]]:
    """The current span as headers of a record; none where there is none or its trace is not kept."""
    value = traceparent()
    return ((HEADER, value.encode()),) if value else ()


def sampled(headers: Headers) -> bytes | None:
    """A record's ``traceparent`` where its trace is kept; the first one counts."""
    for name, value in headers:
        if name == HEADER:
            found = _TRACEPARENT.fullmatch(value) if value is not None else None
            return value if found is not None and int(found[4], 16) & 1 else None
    return None


def extract(headers: Headers) -> Context | None:
    """The context that a record's ``traceparent`` names, for a span that follows from it. None where there is none to follow."""
    for name, value in headers:
        if name == HEADER:
            return _context(value) if value is not None else None
    return None


def _context(value: bytes) -> Context | None:
    found = _TRACEPARENT.fullmatch(value)
    if found is None or found[2] == _NO_TRACE or found[3] == _NO_SPAN or found[1] == b"ff" or (found[1] == b"00" and found[5]):
        return None
    flags = TraceFlags(int(found[4], 16) & TraceFlags.SAMPLED)
    return trace.set_span_in_context(NonRecordingSpan(SpanContext(int(found[2], 16), int(found[3], 16), True, flags)))


class Telemetry:
    """A process's tracer and meter. ``shutdown`` at the end writes what is still held back."""

    def __init__(
        self, tracer: Tracer, meter: Meter, shutdown: Sequence[Callable[[], object]] = (), now_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self.tracer, self.meter, self._shutdown, self.now_ns = tracer, meter, shutdown, now_ns
        self._took = meter.create_histogram(
            "mingjian.request.duration", "s", "how long a request took", explicit_bucket_boundaries_advisory=SECONDS
        )

    @staticmethod
    def silent() -> Telemetry:
        """One that keeps nothing: for tests and commands."""
        return Telemetry(trace.NoOpTracerProvider().get_tracer(SCOPE), metrics.NoOpMeterProvider().get_meter(SCOPE))

    @staticmethod
    def traceparent() -> str | None:
        """See ``traceparent``."""
        return traceparent()

    @contextmanager
    def request(self, name: str, headers: Mapping[str, str], attributes: Attributes) -> Iterator[Span]:
        """An HTTP request's span, current within the block; it follows the request's ``traceparent``, where there is one.

        ``name`` is a route's, never an address: an address can hold a person's name. ``attributes``: ``RECORDS`` says how many
        records follow from the request."""
        given = headers.get(HEADER)
        context = _context(given.encode("latin-1", "replace")) if given else None
        began = time.perf_counter()
        span = self.tracer.start_span(name, context or Context(), SpanKind.SERVER, dict(attributes))
        try:
            with trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
                try:
                    yield span
                except BaseException as error:
                    # The type alone: an exception's text can hold a value.
                    span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                    raise
        finally:
            self._took.record(time.perf_counter() - began, {"request": name})

    def spans(self, name: str, rows: Iterable[tuple[Headers, Attributes]], *, began_ns: int) -> None:
        """One span for each record of a batch whose trace is kept, all from ``began_ns`` (epoch nanoseconds) until now."""
        ended_ns = self.now_ns()
        for headers, attributes in rows:
            value = sampled(headers)
            context = _context(value) if value is not None else None
            if context is not None:
                span = self.tracer.start_span(name, context, SpanKind.CONSUMER, dict(attributes), start_time=began_ns)
                span.end(ended_ns)

    def gauge(self, name: str, unit: str, words: str, read: Callable[[], Mapping[str, float | int] | float | int | None]) -> None:
        """A value asked for at every export, from another thread. ``read`` gives a number, one for each topic, or None for none."""

        def observe(_: CallbackOptions) -> list[Observation]:
            found = read()
            if found is None:
                return []
            if isinstance(found, Mapping):
                return [Observation(value, {"topic": topic}) for topic, value in found.items()]
            return [Observation(found)]

        self.meter.create_observable_gauge(name, [observe], unit, words)

    def shutdown(self) -> None:
        """Write what is held back and end the threads."""
        for one in self._shutdown:
            one()


def setup(service: str, *, env: Mapping[str, str], home: Path) -> Telemetry:
    """Telemetry of a process. With ``OTEL_EXPORTER_OTLP_ENDPOINT`` it goes there, otherwise to ``home/telemetry/<service>.jsonl``.

    ``OTEL_SDK_DISABLED``, ``OTEL_SERVICE_NAME``, ``OTEL_RESOURCE_ATTRIBUTES``, ``OTEL_TRACES_SAMPLER`` (``_ARG``),
    ``OTEL_TRACES_EXPORTER`` and ``OTEL_METRICS_EXPORTER`` (``otlp``, ``console``, ``none``), ``OTEL_BSP_SCHEDULE_DELAY`` and
    ``OTEL_METRIC_EXPORT_INTERVAL`` mean what they always mean; the exporter itself reads the other ``OTEL_EXPORTER_OTLP_*``."""
    if env.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return Telemetry.silent()
    resource = Resource.create({"service.name": env.get("OTEL_SERVICE_NAME") or f"mingjian-{service}"})
    file = JsonFile(home / "telemetry" / f"{service}.jsonl")
    tracers = TracerProvider(sampler=sampling.of(env), resource=resource)
    if (spans := _span_exporter(service, env, file)) is not None:
        delay = _number(env, "OTEL_BSP_SCHEDULE_DELAY", SPAN_DELAY_MS)
        tracers.add_span_processor(
            BatchSpanProcessor(spans, max_queue_size=SPAN_QUEUE, schedule_delay_millis=delay, max_export_batch_size=SPANS_AT_ONCE)
        )
    readers = []
    if (points := _metric_exporter(service, env, file)) is not None:
        every = _number(env, "OTEL_METRIC_EXPORT_INTERVAL", METRIC_EVERY_MS)
        readers.append(PeriodicExportingMetricReader(points, export_interval_millis=every))
    meters = MeterProvider(readers, resource=resource)
    return Telemetry(tracers.get_tracer(SCOPE), meters.get_meter(SCOPE), (tracers.shutdown, meters.shutdown))


def _where(env: Mapping[str, str], kind: str) -> str:
    wanted = env.get(f"OTEL_{kind}_EXPORTER", "").strip().lower()
    if wanted:
        return wanted
    there = env.get("OTEL_EXPORTER_OTLP_ENDPOINT") or env.get(f"OTEL_EXPORTER_OTLP_{kind}_ENDPOINT")
    return "otlp" if there else "file"


def _span_exporter(service: str, env: Mapping[str, str], file: JsonFile) -> SpanExporter | None:
    match _where(env, "TRACES"):
        case "none":
            return None
        case "console":
            return ConsoleSpanExporter()
        case "otlp":
            # Imported where it is used: it brings an HTTP client and protobuf along.
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            return OTLPSpanExporter()
    return SpanFile(service, file)


def _metric_exporter(service: str, env: Mapping[str, str], file: JsonFile) -> MetricExporter | None:
    match _where(env, "METRICS"):
        case "none":
            return None
        case "console":
            return ConsoleMetricExporter()
        case "otlp":
            from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

            return OTLPMetricExporter()
    return MetricFile(service, file)


def _number(env: Mapping[str, str], name: str, default: float) -> float:
    with suppress(ValueError):
        if (value := float(env.get(name) or default)) > 0:
            return value
    log.warning("%s is no number above 0; taking %g", name, default)
    return default
