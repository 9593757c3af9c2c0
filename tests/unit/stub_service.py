"""Stands in for a service: answers /readyz with what STUB says, or ends at once."""

from __future__ import annotations

import os
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

_BEGUN = time.monotonic()
_LATE_S = float(os.environ.get("STUB_LATE_S", "0.4"))


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        late = os.environ["STUB"] == "never" or (os.environ["STUB"] == "late" and time.monotonic() < _BEGUN + _LATE_S)
        body = b'{"ready": false, "reasons": ["lag is 12"]}' if late else b'{"ready": true, "reasons": []}'
        self.send_response(503 if late else 200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    print("begun", flush=True)
    if os.environ["STUB"] == "crash":
        sys.exit(7)
    HTTPServer((os.environ["MINGJIAN_HOST"], int(os.environ["MINGJIAN_PORT"])), _Handler).serve_forever()
