"""Making and deleting a stack's home: nothing in it is deleted that a stack didn't put there."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

# What the stack, its services and this command line write into a home.
OURS = (
    "genesis.json",
    "keys",
    "secrets",
    "officers.json",
    "outbox",
    "opened",
    "sample",
    "run",
    "logs",
    "log",
    "log.arriving",
    "telemetry",
    "kafka",
    "postgres",
    "postgres.arriving",
    "rating",
    "seen",
    "libs",
    "witness",
    "witnesses",
)
# Only a stack that was set up or started leaves one of these.
_SIGNS = ("genesis.json", "run/state.json", "run/lock")


def make_root(root: Path) -> None:
    """The home, closed to other users where it is new: keys, logs and the log's entries lie in it."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)


def is_home(root: Path) -> bool:
    """True where a stack was set up or started."""
    return any((root / sign).exists() for sign in _SIGNS)


def clear(root: Path) -> list[str]:
    """Delete what is ours, and the folder itself if nothing else lies in it. Returns the names of what was left alone."""
    for name in OURS:
        path = root / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        # Cut off while it was written.
        path.with_name(f".{name}.new").unlink(missing_ok=True)
    left = sorted(path.name for path in root.iterdir())
    if not left:
        root.rmdir()
    return left


def held_outside(env: Mapping[str, str]) -> str | None:
    """What servers and folders elsewhere still hold of this stack, in words; None when all of it lies in the home."""
    held = [
        words
        for name, words in (
            ("MINGJIAN_KAFKA", "the Kafka of MINGJIAN_KAFKA still holds its topics"),
            ("MINGJIAN_POSTGRES", "the PostgreSQL of MINGJIAN_POSTGRES still holds its database and roles"),
            ("MINGJIAN_LOG_DIR", "the folder of MINGJIAN_LOG_DIR still holds its log"),
        )
        if env.get(name)
    ]
    return ", ".join(held) or None
