"""``/livez``, ``/readyz``, ``/status`` on a thread of their own, so that they answer while the worker is busy or stuck.

Readiness comes from lag and commit progress: a worker that lives but doesn't move is not ready. A refused rulebook is not
ready either, and ``/status`` names the digests. ``/livez`` says no only where starting again may help: the event loop stands
still, or what is this worker's own to rate has not moved for minutes although Kafka answers.
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
    hung_after_s: float
    watched_at: float
    assigned: bool = False
    ends: dict[int, int] = field(default_factory=dict)
    committed: dict[int, int] = field(default_factory=dict)
    worked: dict[int, int] = field(default_factory=dict)
    backlog: dict[int, int] = field(default_factory=dict)
    """By partition: evaluations that a control event left to be made, at most."""
    asked_at: float | None = None
    moved_at: float = 0.0
    own: dict[int, int] = field(default_factory=dict)
    own_backlog: dict[int, int] = field(default_factory=dict)
    own_moved_at: float = 0.0

    def saw(self, *, ends: dict[int, int], committed: dict[int, int], now: float) -> None:
        """Enter a look at Kafka."""
        if committed != self.committed or self.asked_at is None or all(committed.get(one, 0) >= end for one, end in ends.items()):
            self.moved_at = now
        self.ends, self.committed, self.asked_at = ends, committed, now

    def owns(self, done: dict[int, int], now: float) -> None:
        """Enter how far this worker's own partitions are worked off; after ``saw``."""
        moved = (done, self.backlog) != (self.own, self.own_backlog)
        if moved or (not any(self.backlog.values()) and all(offset >= self.ends.get(one, 0) for one, offset in done.items())):
            self.own_moved_at = now
        self.own, self.own_backlog = done, dict(self.backlog)

    def excused(self, now: float) -> None:
        """Nothing can move just now, and that is not this process's fault."""
        self.own_moved_at = now

    def hung(self, now: float) -> str | None:
        """Why the process should be started again; None where it should not."""
        if now - self.watched_at > self.hung_after_s:
            return f"nothing has looked at Kafka for {int(now - self.watched_at)} s"
        behind = sum(max(0, self.ends.get(one, 0) - offset) for one, offset in self.own.items()) + sum(self.own_backlog.values())
        if behind and now - self.own_moved_at > self.hung_after_s:
            return f"{behind} facts behind and nothing moved for {int(now - self.own_moved_at)} s"
        return None

    def lag(self) -> dict[int, int]:
        """Facts not yet worked off and evaluations not yet made, by partition; what this worker has not touched counts from the group's
        commits, which say nothing of another worker's backlog."""
        backlog = dict(self.backlog)
        facts = {one: max(0, end - max(self.committed.get(one, 0), self.worked.get(one, 0))) for one, end in self.ends.items()}
        return {one: facts.get(one, 0) + backlog.get(one, 0) for one in facts.keys() | backlog.keys()}

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
    """``status``, ``reason`` (why not ready) and ``hung`` (why not alive) are asked from the server's threads; all must only read."""

    status: Callable[[], dict[str, Any]]
    reason: Callable[[], str | None]
    hung: Callable[[], str | None]


def serve(host: str, port: int, answers: Answers) -> ThreadingHTTPServer:
    """Listen and answer on daemon threads. Raises ``OSError`` when the port is taken."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/livez":
                self._tell(answers.hung())
            elif path == "/readyz":
                self._tell(answers.reason())
            elif path == "/status":
                self._answer(200, answers.status())
            else:
                body = {"type": "about:blank", "title": "Not found", "status": 404, "detail": "known: /livez, /readyz, /status"}
                self._answer(404, body, "application/problem+json")

        def _tell(self, why: str | None) -> None:
            self._answer(200 if why is None else 503, {"ready": why is None, "reasons": [] if why is None else [why]})

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
