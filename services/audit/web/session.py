"""Sessions: a one-time address turns into a signed cookie. Clock, key and folder are arguments.

Invariants
1. A token works once: its file is taken away by an atomic rename before it is read.
2. The cookie carries role and end, and nothing that isn't under its HMAC.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

COOKIE = "mingjian_audit"
LIFETIME_S = 8 * 3600

_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,200}")
_ROLES = ("registrar", "officer", "approver", "auditor")


@dataclass(frozen=True)
class Session:
    """Who is signed in, until when (seconds since 1970)."""

    role: str
    until: int


class Sessions:
    """Takes one-time tokens from ``folder``; signs cookies with ``key`` (32 bytes). ``wall``: seconds since 1970."""

    def __init__(self, folder: Path, key: bytes, wall: Callable[[], float]) -> None:
        self._folder = folder
        self._key = key
        self._wall = wall

    def enter(self, token: str) -> Session | None:
        """The session that the token opens; None when it is unknown, used or too old. The token is gone afterwards."""
        if not _TOKEN.fullmatch(token):
            return None
        path = self._folder / f"{hashlib.sha256(token.encode()).hexdigest()}.json"
        taken = path.with_suffix(".taken")
        try:
            path.rename(taken)
        except FileNotFoundError:
            return None
        text = taken.read_bytes()
        taken.unlink()
        try:
            stored = json.loads(text)
            role, expires = stored["role"], datetime.fromisoformat(stored["expires_at"]).timestamp()
        except (ValueError, KeyError, TypeError):
            return None
        if role not in _ROLES or expires < self._wall():
            return None
        return Session(role, int(self._wall()) + LIFETIME_S)

    def cookie(self, session: Session) -> str:
        """The cookie's value."""
        body = f"{session.role}.{session.until}"
        return f"{body}.{self._mac(body)}"

    def read(self, cookie: str | None) -> Session | None:
        """The session in a cookie; None when there is none, it was tampered with, or it is over."""
        body, _, mac = (cookie or "").rpartition(".")
        role, _, until = body.partition(".")
        if not body or not hmac.compare_digest(mac.encode(), self._mac(body).encode()):
            return None
        session = Session(role, int(until))
        return session if session.until > self._wall() else None

    def _mac(self, body: str) -> str:
        digest = hmac.new(self._key, f"mingjian audit session\n{body}".encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def subject_cursor(text: str) -> int:
    """A page's cursor: the last sequence number seen. Raises ``ValueError``."""
    try:
        number = int(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii"))
    except (ValueError, binascii.Error, UnicodeDecodeError):
        raise ValueError("not a cursor of ours") from None
    if number < 0 or number >= 2**63:
        raise ValueError("not a cursor of ours")
    return number


def cursor_of(sequence: int) -> str:
    """The cursor after this sequence number."""
    return base64.urlsafe_b64encode(str(sequence).encode()).rstrip(b"=").decode()
