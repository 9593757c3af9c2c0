"""What a home's supervisor leaves on disk for others: ``run/state.json`` and the logs."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.local.errors import LocalStackError
from deploy.local.processes import Identity, alive, identify

LOG_LIMIT_BYTES = 16 << 20


def write(home: Path, children: Mapping[str, Mapping[str, object]]) -> None:
    """Replace the state whole, so that a reader never sees half of it. A child has at least ``pid`` and ``started``."""
    me = identify(os.getpid())
    state = {"supervisor": {"pid": os.getpid(), "started": me.started if me else ""}, "children": children}
    arriving = home / "run" / "state.json.arriving"
    arriving.write_text(json.dumps(state, indent=1))
    arriving.rename(home / "run" / "state.json")


def forget(home: Path) -> None:
    """After everything has stopped: nobody is to be found, or signalled, by an old id."""
    (home / "run" / "state.json").unlink(missing_ok=True)


def read(home: Path) -> dict[str, Any]:
    """What the last supervisor wrote; empty when there was none. Raises LocalStackError when the file is damaged."""
    path = home / "run" / "state.json"
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except json.JSONDecodeError as error:
        raise LocalStackError(f"{path} is damaged ({error}); end this stack's processes, delete the file and start again.") from error


def children(home: Path) -> dict[str, Identity]:
    """The children that the last supervisor wrote down, dead or alive."""
    return {name: Identity(one["pid"], one["started"]) for name, one in read(home).get("children", {}).items()}


def supervisor(home: Path) -> Identity | None:
    """The supervisor, while it lives."""
    boss = read(home).get("supervisor")
    who = Identity(boss["pid"], boss["started"]) if boss else None
    return who if who and alive(who) else None


def limit_log(path: Path, limit: int = LOG_LIMIT_BYTES) -> None:
    """Keep a log below ``limit`` bytes, with one older file beside it. The child goes on appending to the emptied file.

    Lines that come between the copy and the cut are lost: logs are for people, no fact stands in them alone.
    """
    try:
        if path.stat().st_size < limit:
            return
    except FileNotFoundError:
        return
    shutil.copyfile(path, path.with_name(f"{path.name}.1"))
    os.truncate(path, 0)
