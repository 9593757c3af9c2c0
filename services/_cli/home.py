"""The data directory as the command line sees it: keys, officers, one-time addresses, and where the services are."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from schemas.keys import SigningKey, UnusableKey
from schemas.times import instant
from services._cli.errors import NOT_RUNNING, USAGE, CliError

_ONCE_SECONDS = 600


@dataclass(frozen=True)
class KnownOfficer:
    """One line of ``officers.json``: an officer whose private key lies in this home. ``key`` is relative to the home."""

    pseudonym: str
    office: str
    role: str
    channels: list[str]
    key: str


@dataclass(frozen=True)
class Home:
    """``root`` is ``MINGJIAN_HOME``, default ``.mingjian``."""

    root: Path

    @staticmethod
    def from_env(chosen: Path | None = None) -> Home:
        return Home((chosen or Path(os.environ.get("MINGJIAN_HOME") or ".mingjian")).expanduser().absolute())

    @property
    def genesis_path(self) -> Path:
        return self.root / "genesis.json"

    @property
    def registrar_key_path(self) -> Path:
        return self.root / "keys" / "registrar" / "registrar.json"

    @property
    def log_dir(self) -> Path:
        return Path(os.environ.get("MINGJIAN_LOG_DIR") or self.root / "log")

    @property
    def once_dir(self) -> Path:
        return Path(os.environ.get("MINGJIAN_ONCE_DIR") or self.root / "run" / "once")

    @property
    def planted_path(self) -> Path:
        """What the sample planted. No service reads it."""
        return self.root / "sample" / "planted.json"

    @property
    def matters_path(self) -> Path:
        """What a falsified sample sowed, one matter a line. No service reads it."""
        return self.root / "sample" / "matters.jsonl"

    def genesis(self) -> dict[str, Any]:
        """The genesis submission. Raises ``CliError`` when the home was not set up."""
        if not self.genesis_path.exists():
            raise CliError(f"{self.root} holds no stack yet; `mingjian init` or `mingjian up` makes one", NOT_RUNNING)
        return json.loads(self.genesis_path.read_bytes())

    def genesis_data(self) -> dict[str, Any]:
        return self.genesis()["event"]["data"]

    def simulated(self) -> bool:
        return self.genesis_data()["clock_mode"] == "simulated"

    def zone(self) -> str:
        """The stack's time zone; UTC where this home holds none, so where somebody reads another's register."""
        return str(self.genesis_data()["time_zone"]) if self.genesis_path.exists() else "UTC"

    def officers(self) -> list[KnownOfficer]:
        """Officers whose keys lie here, the first enrolled first."""
        path = self.root / "officers.json"
        if not path.exists():
            return []
        return [KnownOfficer(**one) for one in json.loads(path.read_text())]

    def remember(self, officer: KnownOfficer) -> None:
        """Add to ``officers.json``; the same pseudonym at the same office again replaces its line."""
        kept = [one for one in self.officers() if (one.pseudonym, one.office) != (officer.pseudonym, officer.office)]
        text = json.dumps([asdict(one) for one in [*kept, officer]], indent=1, ensure_ascii=False)
        write_atomically(self.root / "officers.json", text + "\n")

    def find_officer(self, name: str | None) -> KnownOfficer:
        """The officer of this pseudonym (with or without ``officer:``), or the first with the role officer."""
        known = self.officers()
        if name:
            wanted = name if name.startswith("officer:") else f"officer:{name}"
            hits = [one for one in known if one.pseudonym == wanted]
        else:
            hits = [one for one in known if one.role == "officer"]
        if not hits:
            words = f"no key of {name} lies in {self.root}" if name else f"no officer's key lies in {self.root}"
            raise CliError(f"{words}; `mingjian officer enrol` makes one, or name a file with --key", USAGE)
        return hits[0]

    def once_address(self, role: str) -> str:
        """Write a one-time sign-in token and return its path on the audit service, ``/enter?once=…``.

        Raises ``CliError`` where this home holds no stack."""
        self.genesis()
        token = secrets.token_urlsafe(24)
        self.once_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        expires = instant(int((time.time() + _ONCE_SECONDS) * 1000))
        path = self.once_dir / f"{hashlib.sha256(token.encode()).hexdigest()}.json"
        write_atomically(path, json.dumps({"role": role, "expires_at": expires}))
        return f"/enter?once={token}"


def load_key(path: Path) -> SigningKey:
    """A key file. Raises ``CliError`` saying what is wrong with it."""
    try:
        return SigningKey.load(path)
    except FileNotFoundError:
        raise CliError(f"there is no key file {path}", USAGE) from None
    except OSError as error:
        raise CliError(f"{path} can't be read: {error.strerror}", USAGE) from None
    except (UnusableKey, ValueError, KeyError, TypeError) as error:
        raise CliError(f"{path} is not a key file: {error}", USAGE) from None


def write_atomically(path: Path, text: str) -> None:
    """Whole or not at all, readable by the owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(path)
