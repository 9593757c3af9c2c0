"""What a command is called with: the home, the voice, the endpoints."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import httpx
import typer

from deploy.local.ports import Ports
from deploy.local.stack import CHECKOUT
from services._cli.delivery import Intake
from services._cli.errors import NO_ANSWER, CliError
from services._cli.home import Home
from services._cli.voice import Voice

SERVICES = ("intake", "publication", "audit")


@dataclass
class Session:
    """One run of the command. ``ports``: the embedded stack's, default by the environment."""

    home: Home
    voice: Voice
    ports: Ports = field(default_factory=Ports.from_env)

    @cached_property
    def endpoints(self) -> dict[str, str]:
        """Service → address, without a slash at the end: from the environment, else the embedded stack's ports."""
        return {name: (os.environ.get(f"MINGJIAN_{name.upper()}_URL") or self.ports.url(name)).rstrip("/") for name in SERVICES}

    def intake(self, patience_s: float = 120.0) -> Intake:
        return Intake(self.endpoints["intake"], patience_s=patience_s, said=self.voice.mention)

    def http(self, service: str, timeout: float | None = 30.0) -> httpx.Client:
        return httpx.Client(base_url=self.endpoints[service], timeout=timeout)

    def auditor(self) -> httpx.Client:
        """A client of the audit service that is signed in by a one-time address."""
        http = self.http("audit")
        try:
            answer = http.get(self.home.once_address("auditor"))
        except httpx.HTTPError:
            raise CliError(f"nothing answers at {http.base_url}; is the stack up? (`mingjian status`)", NO_ANSWER) from None
        if answer.status_code >= 400:
            raise CliError(f"the audit service did not take the one-time address ({answer.status_code})")
        return http


def rulebooks_folder() -> Path:
    """``MINGJIAN_RULEBOOKS``, else the repository's."""
    return Path(os.environ.get("MINGJIAN_RULEBOOKS") or CHECKOUT / "rulebooks")


def session_of(context: typer.Context) -> Session:
    """The session that the main callback made."""
    found = context.obj
    if not isinstance(found, Session):
        raise TypeError("the main callback makes the session")
    return found
