"""Reading what the environment says, with sentences for what is missing. The environment itself is handed in by a ``wiring.py``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


class NotConfigured(Exception):
    """A setting is missing or does not fit; the message says which and how to mend it."""


def needed(env: Mapping[str, str], name: str) -> str:
    """The value of a variable. Raises ``NotConfigured``."""
    if not env.get(name):
        raise NotConfigured(f"{name} is not set; `mingjian up` sets it, docs/architecture.md says what it means")
    return env[name]


def file_text(env: Mapping[str, str], name: str) -> str:
    """The content of the file that a variable names: a secret stands in a file, never in the environment. Raises ``NotConfigured``."""
    path = Path(needed(env, name))
    try:
        return path.read_text().strip()
    except OSError as error:
        raise NotConfigured(f"{name}: {error.strerror}: {path}") from None


def number(env: Mapping[str, str], name: str, default: int) -> int:
    """A whole number from 0 on. Raises ``NotConfigured``."""
    text = env.get(name) or str(default)
    if not (text.isascii() and text.isdigit()):
        raise NotConfigured(f"{name} is {text!r}; a number is expected")
    return int(text)


def folder(env: Mapping[str, str], name: str) -> Path | None:
    """A path, or None where the variable isn't set."""
    return Path(env[name]) if env.get(name) else None
