"""A span for every HTTP request, and how long it took. The route is named, never the address: an address can hold a name."""

from __future__ import annotations

import time

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services._bus.sampling import BODY_SIZE
from services._bus.telemetry import Telemetry, extract

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Asked every few seconds by probes, or files: not worth a line.
_QUIET = ("/livez", "/readyz", "/status", "/static/", "/favicon.ico")


class HttpSpans:
    """ASGI: within it the request's span is the current one, and ``telemetry.inject`` gives its header.

    A request's ``traceparent`` is followed. The span ends with the first byte of the answer, so that a stream is a short one."""

    def __init__(self, app: ASGIApp, *, telemetry: Telemetry) -> None:
        self._app, self._telemetry = app, telemetry
        self._took = telemetry.meter.create_histogram(
            "http.server.request.duration",
            "s",
            "from the request's head to the answer's first byte",
            explicit_bucket_boundaries_advisory=[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http" or scope["path"].startswith(_QUIET):
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        headers = scope["headers"]
        context = extract([(name.decode("latin-1"), value) for name, value in headers if name == b"traceparent"])
        size = next((int(value) for name, value in headers if name == b"content-length" and value.isdigit()), 0)
        # Anyone can make up methods; a name for each would fill the metrics.
        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
        span = self._telemetry.tracer.start_span(method, context, SpanKind.SERVER, {"http.request.method": method, BODY_SIZE: size})
        answered = False

        async def watched(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start" and not answered:
                answered = True
                self._end(span, scope, method, message["status"], time.perf_counter() - began)
            await send(message)

        try:
            with trace.use_span(span, record_exception=False, set_status_on_exception=False):
                await self._app(scope, receive, watched)
        finally:
            if not answered:
                self._end(span, scope, method, 500, time.perf_counter() - began)

    def _end(self, span: Span, scope: Scope, method: str, status: int, took_s: float) -> None:
        route = getattr(scope.get("route"), "path", None) or getattr(scope.get("endpoint"), "__name__", "no route")
        labels = {"http.request.method": method, "http.route": route, "http.response.status_code": status}
        self._took.record(took_s, labels)
        if span.is_recording():
            span.update_name(f"{method} {route}")
            span.set_attributes(labels)
            if status >= 500:
                span.set_status(Status(StatusCode.ERROR, str(status)))
            span.end()
