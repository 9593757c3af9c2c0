"""``/livez``, ``/readyz``, ``/status`` on a thread of their own, so that they answer while the worker is busy or stuck.

Readiness comes from lag and commit progress: a worker that lives but doesn't move is not ready. A refused rulebook is not
ready either, and ``/status`` names the digests.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

log = logging.getLogger("mingjian.rating.health")


@dataclass
class Progress:
    """What the watcher saw last. Seconds are the monotonic clock's; offsets are next offsets, by partition."""

    ready_lag: int
    stalled_after_s: float
    lost_after_s: float
    assigned: bool = False
    ends: dict[int, int] = field(default_factory=dict)
    committed: dict[int, int] = field(default_factory=dict)
    worked: dict[int, int] = field(default_factory=dict)
    asked_at: float | None = None
    moved_at: float = 0.0

    def saw(self, *, ends: dict[int, int], committed: dict[int, int], now: float) -> None:
        """Enter a look at Kafka."""
        if committed != self.committed or self.asked_at is None or all(committed.get(one, 0) >= end for one, end in ends.items()):
            self.moved_at = now
        self.ends, self.committed, self.asked_at = ends, committed, now

    def lag(self) -> dict[int, int]:
        """Facts not yet worked off, by partition; what this worker has not touched counts from the group's commits."""
        return {one: max(0, end - max(self.committed.get(one, 0), self.worked.get(one, 0))) for one, end in self.ends.items()}

    def reason(self, refusals: list[dict[str, Any]], untold: list[dict[str, Any]], now: float) -> str | None:
        """Why the worker is not ready; None where it is. Subjects whose grades can't be worked out come last: the others go on."""
        if refusals:
            named = ", ".join(str(one["regime"]) for one in refusals)
            return f"the activated rulebook is not the loaded one, so these regimes are not rated: {named}"
        if self.asked_at is None or now - self.asked_at > self.lost_after_s:
            return "Kafka doesn't tell how far the facts go"
        if not self.assigned:
            return "no partitions are assigned yet, or the state is being read back"
        lag = sum(self.lag().values())
        if lag > self.ready_lag:
            return f"{lag} facts behind"
        if lag and now - self.moved_at > self.stalled_after_s:
            return f"{lag} facts behind and no commit for {int(now - self.moved_at)} s"
        if untold:
            named = ", ".join(f"{one['regime']} ({one['subjects']})" for one in untold)
            return f"grades could not be worked out for subjects of {named}; their facts are kept, the reasons are in quarantine"
        return None


@dataclass(frozen=True)
class Answers:
    """``status`` and ``reason`` are asked from the server's threads; both must only read."""

    status: Callable[[], dict[str, Any]]
    reason: Callable[[], str | None]


def serve(host: str, port: int, answers: Answers) -> ThreadingHTTPServer:
    """Listen and answer on daemon threads. Raises ``OSError`` when the port is taken."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/livez":
                self._answer(200, {"ready": True, "reasons": []})
            elif path == "/readyz":
                why = answers.reason()
                self._answer(200 if why is None else 503, {"ready": why is None, "reasons": [] if why is None else [why]})
            elif path == "/status":
                self._answer(200, answers.status())
            else:
                body = {"type": "about:blank", "title": "Not found", "status": 404, "detail": "known: /livez, /readyz, /status"}
                self._answer(404, body, "application/problem+json")

        def _answer(self, code: int, body: dict[str, Any], media_type: str = "application/json") -> None:
            data = json.dumps(body, ensure_ascii=False, sort_keys=True).encode()
            self.send_response(code)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            """Probes come every few seconds; they are not worth a line."""

    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    return server
