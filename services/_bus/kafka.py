"""Where Kafka is, and the two ways in which it can disappoint."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from ssl import SSLContext
from typing import Any

Place = tuple[str, int]
"""Topic and partition."""


class Unavailable(ConnectionError):
    """Kafka did not do what was asked, or not in time: trouble that may pass. What was sent may have been written all the same."""


class RecordsGone(LookupError):
    """Kafka does not have the offset where reading should go on. No other one may take its place, so a person has to look."""


class UnusableCertificates(ValueError):
    """The folder with the certificates for mutual TLS can't be used; the message says which and why."""


@dataclass(frozen=True)
class Connection:
    """``bootstrap``: ``host:port`` of any broker. ``tls``: None for a plain listener."""

    bootstrap: str
    tls: SSLContext | None = None

    @staticmethod
    def of(bootstrap: str, tls_dir: Path | None = None) -> Connection:
        """``tls_dir`` holds ``ca.crt``, ``user.crt`` and ``user.key`` for mutual TLS. Raises ``UnusableCertificates``."""
        if tls_dir is None:
            return Connection(bootstrap)
        try:
            context = ssl.create_default_context(cafile=str(tls_dir / "ca.crt"))
            context.load_cert_chain(str(tls_dir / "user.crt"), str(tls_dir / "user.key"))
        except OSError as error:
            # ssl.SSLError is an OSError, too.
            raise UnusableCertificates(f"{tls_dir} can't be used for TLS with Kafka: {error}") from None
        return Connection(bootstrap, context)

    def arguments(self) -> dict[str, Any]:
        """aiokafka's arguments."""
        to: dict[str, Any] = {"bootstrap_servers": self.bootstrap}
        return to | {"security_protocol": "SSL", "ssl_context": self.tls} if self.tls else to
