"""Every port of the embedded stack, as distances from one base, so that several stacks fit on one machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from deploy.local.errors import LocalStackError

HOST = "127.0.0.1"
DEFAULT_BASE = 19090
_HIGHEST_OFFSET = 14


@dataclass(frozen=True)
class Ports:
    """The ports of one stack. ``base`` itself stays free."""

    base: int = DEFAULT_BASE

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Ports:
        """Read ``MINGJIAN_PORT_BASE``. Raises LocalStackError unless it is a port that leaves room for all."""
        text = env.get("MINGJIAN_PORT_BASE") or str(DEFAULT_BASE)
        if not (text.isascii() and text.isdigit() and 1024 <= int(text) <= 65535 - _HIGHEST_OFFSET):
            raise LocalStackError(f"MINGJIAN_PORT_BASE is {text!r}; set it to a number from 1024 to {65535 - _HIGHEST_OFFSET}.")
        return cls(int(text))

    @property
    def kafka(self) -> int:
        return self.base + 2

    @property
    def controller(self) -> int:
        return self.base + 3

    @property
    def postgres(self) -> int:
        return self.base + 4

    @property
    def intake(self) -> int:
        return self.base + 10

    @property
    def publication(self) -> int:
        return self.base + 11

    @property
    def audit(self) -> int:
        return self.base + 12

    @property
    def rating(self) -> int:
        """Rating serves no pages: this port answers ``/livez``, ``/readyz`` and ``/status`` only."""
        return self.base + 13

    @property
    def witness(self) -> int:
        """The embedded witness of the log."""
        return self.base + _HIGHEST_OFFSET

    def service(self, name: str) -> int:
        """Port of a service by its name."""
        ports = {"intake": self.intake, "publication": self.publication, "audit": self.audit, "rating": self.rating}
        return {**ports, "witness": self.witness}[name]

    def url(self, name: str) -> str:
        """Address of a service, without a slash at the end."""
        return f"http://{HOST}:{self.service(name)}"

    def everything(self) -> dict[str, int]:
        """Port by the name of what listens there, as messages name it."""
        return {
            "Kafka": self.kafka,
            "Kafka's controller": self.controller,
            "PostgreSQL": self.postgres,
            "intake": self.intake,
            "publication": self.publication,
            "audit": self.audit,
            "rating": self.rating,
            "witness": self.witness,
        }
