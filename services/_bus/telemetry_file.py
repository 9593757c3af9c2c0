"""Spans and metrics as lines of JSON in a file: telemetry that anyone can read where no collector runs.

A span: ``{"kind": "span", "service", "name", "trace_id", "span_id", "parent_id", "start", "end", "ms", "attributes", "error"?}``.
A metric: ``{"kind": "metric", "service", "name", "unit", "time", "attributes", "value"}``, or with ``count``, ``sum``, ``min``,
``max``, ``bounds`` and ``buckets`` in place of ``value`` for a distribution. Ids are lower-case hex; times are UTC.
"""

from __future__ import annotations

import datetime
import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
from opentelemetry.sdk.metrics.export import (
    HistogramDataPoint,
    MetricExporter,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
)
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import StatusCode, format_span_id, format_trace_id

log = logging.getLogger("mingjian.bus.telemetry")

CAP_BYTES = 32 * 1024 * 1024


class JsonFile:
    """Appends lines; at ``cap_bytes`` the file becomes ``<name>.1``, which replaces the one before. Never raises: telemetry that
    can't be written is said once and dropped."""

    def __init__(self, path: Path, *, cap_bytes: int = CAP_BYTES) -> None:
        self._path, self._cap = path, cap_bytes
        self._lock = threading.Lock()
        self._failed = False

    def append(self, rows: Sequence[dict[str, Any]]) -> bool:
        """Write each as a line, all of them in one go; False when that failed."""
        data = b"".join(orjson.dumps(row, default=str, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS) for row in rows)
        with self._lock:
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                if self._path.exists() and self._path.stat().st_size + len(data) > self._cap:
                    self._path.replace(self._path.with_name(self._path.name + ".1"))
                with self._path.open("ab", buffering=0) as out:
                    out.write(data)
            except OSError as error:
                if not self._failed:
                    log.warning("telemetry can't be written and is dropped: %s", error.strerror)
                self._failed = True
                return False
            self._failed = False
            return True


def instant(nanoseconds: int | None) -> str | None:
    """UTC with microseconds."""
    if nanoseconds is None:
        return None
    at = datetime.datetime.fromtimestamp(nanoseconds // 1_000_000_000, datetime.UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S") + f".{nanoseconds // 1000 % 1_000_000:06d}Z"


class SpanFile(SpanExporter):
    """Spans into a ``JsonFile``."""

    def __init__(self, service: str, file: JsonFile) -> None:
        self._service, self._file = service, file

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Append them."""
        written = self._file.append([self._row(span) for span in spans])
        return SpanExportResult.SUCCESS if written else SpanExportResult.FAILURE

    def _row(self, span: ReadableSpan) -> dict[str, Any]:
        context = span.get_span_context()
        row: dict[str, Any] = {
            "kind": "span",
            "service": self._service,
            "name": span.name,
            "trace_id": format_trace_id(context.trace_id) if context else None,
            "span_id": format_span_id(context.span_id) if context else None,
            "parent_id": format_span_id(span.parent.span_id) if span.parent else None,
            "start": instant(span.start_time),
            "end": instant(span.end_time),
            "ms": round(((span.end_time or 0) - (span.start_time or 0)) / 1e6, 3),
            "attributes": dict(span.attributes or {}),
        }
        if span.status.status_code is StatusCode.ERROR:
            row["error"] = span.status.description or "error"
        return row

    def shutdown(self) -> None:
        """Nothing is held open."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing is held back."""
        return True


class MetricFile(MetricExporter):
    """Metrics into a ``JsonFile``."""

    def __init__(self, service: str, file: JsonFile) -> None:
        super().__init__()
        self._service, self._file = service, file

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:
        """Append every point."""
        rows = [
            {"kind": "metric", "service": self._service, "name": metric.name, "unit": metric.unit} | _point(point)
            for resource in metrics_data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            for point in metric.data.data_points
        ]
        return MetricExportResult.SUCCESS if not rows or self._file.append(rows) else MetricExportResult.FAILURE

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Nothing is held open."""

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Nothing is held back."""
        return True


def _point(point: Any) -> dict[str, Any]:
    row: dict[str, Any] = {"time": instant(point.time_unix_nano), "attributes": dict(point.attributes or {})}
    if isinstance(point, NumberDataPoint):
        return row | {"value": point.value}
    if isinstance(point, HistogramDataPoint):
        spread = {"count": point.count, "sum": point.sum, "min": point.min, "max": point.max}
        return row | spread | {"bounds": list(point.explicit_bounds), "buckets": list(point.bucket_counts)}
    return row
