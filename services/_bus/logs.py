"""Logs as JSON, a line each, on standard error: ids and offsets, never values.

An exception appears by its type and by where it happened. Its text does not: database drivers and validators put the offending
value into it. Only an operating system's error keeps its words, which name no value of ours.
"""

from __future__ import annotations

import datetime
import json
import logging
import sys
import traceback
from collections.abc import Mapping
from typing import Any, TextIO

from opentelemetry import trace

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}
_QUIET = ("aiokafka", "yoyo", "httpx", "httpcore", "faust", "mode", "opentelemetry", "urllib3", "uvicorn.error")
_FRAMES, _CAUSES = 12, 4


class JsonLines(logging.Formatter):
    """``time`` (UTC), ``level``, ``service``, ``logger``, ``message``, ``trace_id`` where there is one, and what was given as ``extra``."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        at = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        line: dict[str, Any] = {
            "time": at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z",
            "level": record.levelname,
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
        }
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            line["trace_id"] = trace.format_trace_id(span.trace_id)
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD and name not in line}
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = described(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=lambda value: type(value).__name__)


def described(error: BaseException, depth: int = _CAUSES) -> dict[str, Any]:
    """An exception without its text: type, place, cause."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    told: dict[str, Any] = {"type": f"{type(error).__module__}.{type(error).__qualname__}"}
    if isinstance(error, OSError) and error.strerror:
        told["words"] = error.strerror
    told["at"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    if isinstance(error, BaseExceptionGroup) and depth:
        told["inner"] = [described(one, depth - 1) for one in error.exceptions[:_CAUSES]]
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and depth:
        told["cause"] = described(cause, depth - 1)
    return told


def setup(service: str, *, level: int = logging.INFO, stream: TextIO | None = None, levels: Mapping[str, int] | None = None) -> None:
    """Make the root logger write JSON lines; libraries speak from WARNING on. ``levels``: by logger, over the others."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name, one in (levels or {}).items():
        logging.getLogger(name).setLevel(one)
