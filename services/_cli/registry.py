"""What the registrar says on behalf of someone at the command line: officers, keys, roles.

The prepared submissions are written to the home's outbox first and removed once they all have receipts: a command that was
cut off says the same again instead of saying it twice."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from schemas.keys import SigningKey
from services._cli.delivery import Intake, Outcome, problem_words
from services._cli.errors import REFUSED, CliError
from services._cli.home import Home, KnownOfficer, load_key, write_atomically
from services._cli.sample.bootstrap import enrolment
from services._cli.sample.people import Officer
from services._cli.signing import complete, submission

Said = tuple[str, str, dict[str, Any]]


def now_ms() -> int:
    return int(time.time() * 1000)


def registrar_key(home: Home) -> SigningKey:
    """Raises ``CliError`` where this home is not the registrar's."""
    return load_key(home.registrar_key_path)


def today(home: Home) -> str:
    """The civil date where the stack is."""
    zone = ZoneInfo(home.genesis_data()["time_zone"])
    return datetime.fromtimestamp(now_ms() / 1000, UTC).astimezone(zone).date().isoformat()


def say(home: Home, intake: Intake, name: str, said: Sequence[Said], *, key: SigningKey | None = None) -> list[Outcome]:
    """Sign and deliver registrar's events; ``name`` names the outbox file. Raises ``CliError`` when one is refused."""
    outbox = home.root / "outbox" / f"{name}.json"
    if outbox.exists():
        made = json.loads(outbox.read_text())
    else:
        key = key or registrar_key(home)
        source = home.genesis()["event"]["source"]
        made = []
        for step, (kind, subject, data) in enumerate(said):
            draft = {"type": f"mingjian.{kind}.v1", "subject": subject, "data": data}
            made.append(submission(complete(draft, now_ms=now_ms() + step, source=source, chance=secrets.token_bytes), key))
        write_atomically(outbox, json.dumps(made, ensure_ascii=False))
    outcomes = intake.deliver(made, channel="desk")
    outbox.unlink()
    for one in outcomes:
        if not one.accepted:
            raise CliError(f"intake refused: {problem_words(one.problem or {})}", REFUSED)
    return outcomes


def enrol(
    home: Home, intake: Intake, officer: Officer, key: SigningKey, *, schemes: Sequence[str], regimes: Sequence[str], key_path: str
) -> list[Outcome]:
    """Enrol an officer with a key and a role, and remember the key's place in the home."""
    on = date.fromisoformat(today(home))
    said = enrolment(officer, key.public_object(), on, schemes=schemes, regimes=regimes)
    office = officer.office.rpartition("/")[2]
    outcomes = say(home, intake, f"enrol-{officer.name}-{office}", said)
    home.remember(KnownOfficer(officer.pseudonym, officer.office, officer.role, list(officer.channels), key_path))
    return outcomes
