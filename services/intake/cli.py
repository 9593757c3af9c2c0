"""What the command line needs of intake: the keys and the genesis event of a new register."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from schemas import topics
from schemas.canonical import canonical_bytes
from schemas.envelope import check_data, lookup
from schemas.ids import derived_id
from schemas.keys import SigningKey
from schemas.times import instant, milliseconds
from schemas.topics import ClockMode
from services.intake.adapters import vault
from services.intake.wiring import random_bytes, wall_ms

TIME_ZONE = "Asia/Shanghai"
OFFICE = "/departments/register/offices/registry"
REGISTRAR = "officer:registrar"
STACK = "stack:mingjian"
GENESIS = "mingjian.genesis.v1"
# A simulated clock begins before anything that a sample could hold, and never goes back.
DAWN = "2000-01-01T00:00:00.000Z"
_LOG_ED25519 = b"\x01"


def log_vkey(origin: str, raw_public: bytes) -> str:
    """The log's verifier key as C2SP signed-note writes it: name, four bytes of its hash, algorithm and key in Base64."""
    key = _LOG_ED25519 + raw_public
    digest = hashlib.sha256(origin.encode() + b"\n" + key).digest()[:4]
    return f"{origin}+{digest.hex()}+{base64.b64encode(key).decode()}"


def init_home(home: Path, *, clock_mode: ClockMode, sample: bool, time_zone: str = TIME_ZONE) -> dict[str, Any]:
    """Make a new register's keys under ``home/keys`` and its genesis submission at ``home/genesis.json``; returns the submission.

    Raises ``FileExistsError`` where the home already has one: a register's beginning is never written twice. Cut off before its
    end it leaves no ``genesis.json``, and goes on with the keys that are there."""
    target = home / "genesis.json"
    if target.exists():
        raise FileExistsError(target)
    keys = {
        name: _key(home / "keys" / path)
        for name, path in {
            "registrar": "registrar/registrar.json",
            "receipt": "intake/receipt.json",
            "system": "intake/system.json",
            "log": "audit/log.json",
        }.items()
    }
    if not (home / "keys" / "intake" / vault.KEY_FILE).exists():
        vault.make_key(home / "keys" / "intake" / vault.KEY_FILE, random_bytes)
    now = milliseconds(DAWN) if clock_mode == "simulated" else wall_ms()
    event = _genesis(keys, clock_mode=clock_mode, sample=sample, time_zone=time_zone, now=now)
    submission = {"event": event, "signature": keys["registrar"].signature(event)}
    _write(target, json.dumps(submission, indent=1) + "\n")
    return submission


def _key(path: Path) -> SigningKey:
    if not path.exists():
        SigningKey.generate().save(path)
    return SigningKey.load(path)


def _genesis(keys: dict[str, SigningKey], *, clock_mode: ClockMode, sample: bool, time_zone: str, now: int) -> dict[str, Any]:
    registrar = keys["registrar"]
    origin = f"mingjian.example/{registrar.key_id[:12]}"
    data = {
        "occurred_on": datetime.fromtimestamp(now / 1000, UTC).astimezone(ZoneInfo(time_zone)).date().isoformat(),
        "clock_mode": clock_mode,
        "time_zone": time_zone,
        "registrar": REGISTRAR,
        "registrar_key": registrar.public_object(),
        "receipt_key": keys["receipt"].public_object(),
        "system_key": keys["system"].public_object(),
        "log_origin": origin,
        "log_vkey": log_vkey(origin, keys["log"].raw_public),
        "partitions": topics.PARTITIONS,
        "sample": sample,
    }
    kind = lookup(GENESIS)
    assert kind is not None
    check_data(kind, data, STACK)
    event = {
        "specversion": "1.0",
        # From the registrar's key, so that a command that was cut off says the same again.
        "id": derived_id(cause=registrar.key_id, kind="genesis", subject=STACK),
        "source": OFFICE,
        "type": GENESIS,
        "subject": STACK,
        "time": instant(now),
        "datacontenttype": "application/json",
        "data": data,
    }
    canonical_bytes(event)
    return event


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    beside = path.with_name(f".{path.name}.new")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), "w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(path)
