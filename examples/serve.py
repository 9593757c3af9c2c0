"""Serves this folder on this machine and passes ``/api/`` on to intake, as a department's own web server would.

Intake answers no other origin, on purpose: a page that may post events is served by whoever answers for it.

    python serve.py --intake http://127.0.0.1:19100 --port 8080        then open http://127.0.0.1:8080/field_app.html
"""

from __future__ import annotations

import argparse
import urllib.error
import urllib.request
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
LARGEST_BODY = 32 * 2**20


class Handler(SimpleHTTPRequestHandler):
    """Files of this folder; requests under ``/api/`` go to ``intake``."""

    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript"}

    def __init__(self, *arguments: Any, intake: str, **more: Any) -> None:
        self.intake = intake.rstrip("/")
        super().__init__(*arguments, directory=str(HERE), **more)

    def do_GET(self) -> None:
        if self.path.startswith("/api/"):
            self._pass_on(None)
        else:
            super().do_GET()

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        if not self.path.startswith("/api/") or length > LARGEST_BODY:
            self.send_error(404 if length <= LARGEST_BODY else 413)
            return
        self._pass_on(self.rfile.read(length))

    def _pass_on(self, body: bytes | None) -> None:
        kept = {name: value for name in ("content-type", "mingjian-channel") if (value := self.headers.get(name))}
        try:
            answer = urllib.request.urlopen(urllib.request.Request(self.intake + self.path, body, kept), timeout=30)
        except urllib.error.HTTPError as refused:
            answer = refused
        except OSError:
            self.send_error(502, "intake doesn't answer")
            return
        with answer:
            content = answer.read()
            self.send_response(answer.status)
            for name in ("content-type", "retry-after"):
                if value := answer.headers.get(name):
                    self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing: what officers enter is not for a log."""


def server(intake: str, port: int) -> ThreadingHTTPServer:
    """A server on 127.0.0.1, not yet running."""
    return ThreadingHTTPServer(("127.0.0.1", port), partial(Handler, intake=intake))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Serve the field app and pass its requests on to intake.")
    parser.add_argument("--intake", default="http://127.0.0.1:19100")
    parser.add_argument("--port", type=int, default=8080)
    given = parser.parse_args()
    with server(given.intake, given.port) as running:
        print(f"http://127.0.0.1:{given.port}/field_app.html")
        running.serve_forever()
