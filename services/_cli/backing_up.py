"""A stack's backup: the log, PostgreSQL's dump, and what names the register. Kafka is in it as the log, byte for byte.

Order: PostgreSQL first, then Kafka's ends, then the log once its checkpoint covers them. So PostgreSQL is never newer than what
is put back on Kafka. The manifest comes last: a folder without it is no backup.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local import dumps
from deploy.local.stack import Stack
from schemas.canonical import event_hash
from schemas.keys import SigningKey, UnusableKey
from schemas.times import instant
from services._cli.errors import FAILED, USAGE, CliError
from services._cli.home import Home
from services.audit import cli_restore as audit

FORMAT = "mingjian-backup/1"
MANIFEST, DUMP, LOG = "manifest.json", "postgres.dump", "log"
# What names the register and its people. No keys, no passwords, and never the witness's folder: an older one would sign a second history.
NAMING = ("genesis.json", "officers.json", "opened", "sample", "seen", "witnesses")
_LIMIT_S, _POLL_S = 60.0, 0.5
_MADE_BY_US = "# Made by the embedded stack"
_KEY_NAMES = ("registrar_key", "receipt_key", "system_key")


@dataclass(frozen=True)
class Backup:
    """``behind``: records on Kafka that no checkpoint covered when it was taken; ``until``: time of the newest record in it."""

    folder: Path
    body: dict[str, Any]

    @property
    def genesis(self) -> Path:
        return self.folder / "genesis.json"

    @property
    def log_dir(self) -> Path:
        return self.folder / LOG

    @staticmethod
    def read(folder: Path, told: Callable[[str, int, int], None]) -> Backup:
        """A whole backup, every file as it was written. Raises ``CliError`` naming the first that isn't."""
        path = folder / MANIFEST
        if not path.is_file():
            raise CliError(f"{folder} is no backup, or one that was cut off: it has no {MANIFEST}", USAGE)
        try:
            body = json.loads(path.read_bytes())
            files = body["files"]
        except (ValueError, KeyError, TypeError) as error:
            raise CliError(f"{path} can't be read as a backup's manifest: {type(error).__name__}") from None
        if body.get("format") != FORMAT:
            raise CliError(f"{path} is of the format {body.get('format')!r}, this program reads {FORMAT!r}")
        for done, (name, wanted) in enumerate(sorted(files.items()), 1):
            file = folder / name
            if not file.is_file():
                raise CliError(f"{file} is missing from the backup")
            if _sha256(file) != wanted:
                raise CliError(f"{file} is not what was written into the backup: its SHA-256 is another")
            told("reading the backup", done, len(files))
        return Backup(folder, body)


def back_up(stack: Stack, home: Home, target: Path, *, log_dir: Path, running: bool, told: Callable[[str, int, int], None]) -> Backup:
    """Take it. The stack's servers run; ``running``: its services, too, and the log follows. Raises ``CliError``, ``LocalStackError``."""
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    if any(target.iterdir()):
        raise CliError(f"{target} is not empty; a backup has a folder of its own", USAGE)
    dumps.dump(stack.admin_dsn, target / DUMP)
    wanted = sum(audit.ends(stack.bootstrap).values())
    log = _copy_log(log_dir, target / LOG, home, wanted if running else 0, told)
    for name in NAMING:
        _copy(home.root / name, target / name)
    data = home.genesis_data()
    files = sorted(path for path in target.rglob("*") if path.is_file())
    body = {
        "format": FORMAT,
        "made_at": instant(time.time_ns() // 1_000_000),
        "genesis": event_hash(home.genesis()["event"]),
        "leaves": log.checkpoint.size,
        "root": log.checkpoint.root.hex(),
        "until": newest(log),
        "behind": max(0, wanted - log.checkpoint.size),
        "keys": {name: data[name]["key_id"] for name in _KEY_NAMES} | {"log": data["log_vkey"]},
        "files": {str(path.relative_to(target)): _sha256(path) for path in files},
    }
    for path in (*files, *(path for path in target.rglob("*") if path.is_dir()), target):
        _sync(path)
    arriving = target / f".{MANIFEST}.arriving"
    arriving.write_text(json.dumps(body, indent=1) + "\n")
    _sync(arriving)
    arriving.rename(target / MANIFEST)
    _sync(target)
    return Backup(target, body)


def _copy_log(source: Path, target: Path, home: Home, wanted: int, told: Callable[[str, int, int], None]) -> audit.SoundLog:
    """The log's files as of a checkpoint of at least ``wanted`` leaves, verified in the copy."""
    note = source / "checkpoint"
    until = time.monotonic() + _LIMIT_S
    while not note.is_file() or _size(note.read_bytes()) < wanted:
        if not note.is_file() and not wanted:
            raise CliError(f"{source} has no checkpoint yet: nothing was logged, so there is nothing to back up", FAILED)
        if time.monotonic() > until:
            raise CliError(f"the log did not reach {wanted:,} leaves within {_LIMIT_S:.0f} s; is audit running? (`mingjian status`)")
        time.sleep(_POLL_S)
    kept = note.read_bytes()
    target.mkdir()
    names = [path for path in source.rglob("*") if path.is_file() and path != note and not path.name.endswith(".tmp")]
    for done, path in enumerate(names, 1):
        # A partial tile that goes meanwhile has its full one beside it.
        _copy(path, target / path.relative_to(source))
        told("copying the log", done, len(names))
    (target / "checkpoint").write_bytes(kept)
    return audit.sound_log(target, home.genesis_path, home.root / "seen", told)


def _size(note: bytes) -> int:
    lines = note.split(b"\n")
    return int(lines[1]) if len(lines) > 1 and lines[1].isdigit() else 0


def newest(log: audit.SoundLog) -> str | None:
    """The time of the newest record in the log."""
    return max((instant(one.timestamp) for one in log.records()), default=None)


def unpack(backup: Backup, home: Home, *, with_log: bool) -> None:
    """Give an empty home what the backup has of names, ``genesis.json`` last. Raises ``CliError``."""
    if home.genesis_path.exists() and event_hash(home.genesis()["event"]) != backup.body["genesis"]:
        raise CliError(f"{home.root} holds another stack than {backup.folder}; restore into an empty home", USAGE)
    home.root.mkdir(mode=0o755, parents=True, exist_ok=True)
    if with_log and not (home.root / LOG / "checkpoint").exists():
        shutil.rmtree(home.root / LOG, ignore_errors=True)
        shutil.copytree(backup.log_dir, home.root / LOG, ignore=shutil.ignore_patterns("checkpoint"))
        shutil.copyfile(backup.log_dir / "checkpoint", home.root / LOG / "checkpoint")
    for name in (*NAMING[1:], NAMING[0]):
        source = backup.folder / name
        # The embedded witness has another key on the new home; a policy that somebody wrote stays.
        ours = name == "witnesses" and source.is_file() and source.read_text().startswith(_MADE_BY_US)
        if not ours and not (home.root / name).exists():
            _copy(source, home.root / name)


def load_database(backup: Backup, stack: Stack) -> bool:
    """The dump into a database that no service has used; False where it is used already. Raises ``LocalStackError``."""
    if not dumps.is_new(stack.admin_dsn):
        return False
    dumps.load(stack.admin_dsn, backup.folder / DUMP)
    return True


def copy_keys(home: Home, target: Path, backup: Path) -> int:
    """The private keys to a place of their own, readable by this user alone; returns how many files. Raises ``CliError``."""
    place = target.resolve()
    for closed in (backup.resolve(), home.root.resolve()):
        if place == closed or closed in place.parents or place in closed.parents:
            raise CliError(f"{target} lies with {closed}: keys belong in a place of their own, or whoever gets one has both", USAGE)
    if target.exists():
        raise CliError(f"{target} exists; keys are never overwritten", USAGE)
    shutil.copytree(home.root / "keys", target)
    found = 0
    for path in (target, *target.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
        found += path.is_file()
        _sync(path)
    return found


def missing_keys(backup: Backup, keys: Path) -> list[str]:
    """Of the private keys that genesis names and the vault's, those that are not in ``keys``, in words."""
    ids: set[str] = set()
    for path in keys.rglob("*.json"):
        try:
            key = SigningKey.load(path)
        except (OSError, UnusableKey, ValueError, KeyError, TypeError):
            continue
        ids |= {key.key_id, key.raw_public.hex()}
    wanted: dict[str, str] = dict(backup.body["keys"])
    wanted["log"] = audit.raw_public(wanted["log"]).hex()
    missing = [f"the key {name.removesuffix('_key')} ({id})" for name, id in wanted.items() if id not in ids]
    if not (keys / "intake" / "vault.key").is_file():
        missing.append("the vault's key (intake/vault.key): without it private values stay unreadable")
    return missing


def _copy(source: Path, target: Path) -> None:
    try:
        if source.is_dir():
            shutil.copytree(source, target)
        elif source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    except FileNotFoundError:
        return


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
