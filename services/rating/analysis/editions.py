"""A new edition of a rulebook out of what a bureau hands over: a whole folder's files, or one file that takes the place of the file of
its topic."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas.rulebook import Rulebook, RulebookError, load_texts
from schemas.rulebook.loader import NAMED
from schemas.rulebook.scalars import read_yaml

_TOPIC = re.compile(rb"^topic:[ ]*[\"']?([a-z0-9_]+)", re.M)

Files = Mapping[str, bytes]
"""File name → bytes, of one folder."""


class EditionError(ValueError):
    """``what`` is wrong and the ``remedy``; beside ``RulebookError``, which says where in a file."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what}. {remedy}.")


@dataclass(frozen=True, slots=True)
class Edition:
    """``replaced``: the shipped file whose place the given one took; None where a whole folder was given. ``named``: how the
    rulebook's files are called in what is said about them."""

    rulebook: Rulebook
    replaced: str | None


def of_folder(files: Files, shown: str) -> Edition:
    """A whole folder, whatever it is called. ``shown``: its name in messages. Raises ``RulebookError``, ``EditionError``."""
    for name in sorted(files):
        header = _read(files[name], f"{shown}/{name}").get("rulebook")
        if isinstance(header, dict) and isinstance(header.get("regime"), str):
            return Edition(_load(files, header["regime"], lambda file: f"{shown}/{file}"), None)
    raise EditionError(f"{shown}: no file says of which regime it is", "Copy the whole folder of a rulebook, with its rulebook.yaml")


def of_file(text: bytes, shown: str, shipped: Mapping[str, Files], regime: str | None = None) -> Edition:
    """One file in the place of the one of its topic. ``shipped``: regime → its files; ``regime``: which of them, where it was said.

    Without it the regime follows from the file: the one that has the topic, and of several the one whose entries it names."""
    given = _read(text, shown)
    topic = given.get("topic")
    if not isinstance(topic, str):
        raise RulebookError(
            "missing",
            file=shown,
            line=1,
            what="the file has no topic",
            remedy="Keep the line 'topic: …' of the file that it was copied from",
        )
    homes = {name: file for name, files in shipped.items() if (regime in (None, name)) and (file := _of_topic(files, topic, name))}
    if not homes:
        known = sorted({_topic(body) for name, files in shipped.items() if regime in (None, name) for body in files.values()} - {""})
        where = f"the rulebook {regime!r}" if regime else "any rulebook"
        raise EditionError(f"{shown}: there is no file of the topic {topic!r} in {where}", f"Use one of the topics: {', '.join(known)}")
    chosen = regime or _home(given, shipped, homes, shown)
    replaced = homes[chosen]
    files = {**shipped[chosen], replaced: text}
    return Edition(_load(files, chosen, lambda file: shown if file == replaced else f"{chosen}/{file}"), replaced)


def _home(given: Mapping[str, Any], shipped: Mapping[str, Files], homes: Mapping[str, str], shown: str) -> str:
    header = given.get("rulebook")
    if isinstance(header, dict) and header.get("regime") in homes:
        return str(header["regime"])
    mine = _entries(given)
    shared = {name: len(mine & _entries(_read(shipped[name][file], f"{name}/{file}"))) for name, file in homes.items()}
    best = [name for name, n in shared.items() if n == max(shared.values())]
    if len(best) > 1:
        # Several plans number their readings alike; a copy with a change in it still says most of what its origin says.
        said = _said(given)
        same = {name: len(said & _said(_read(shipped[name][homes[name]], name))) for name in best}
        best = [name for name, n in same.items() if n == max(same.values())]
    if len(best) > 1:
        raise EditionError(
            f"{shown}: a file of the topic {given['topic']!r} is in several rulebooks: {', '.join(sorted(best))}",
            "Say which with --rulebook",
        )
    return best[0]


def _entries(body: Mapping[str, Any]) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for section, key in NAMED.items():
        entries = body.get(section)
        for entry in entries if isinstance(entries, tuple) else ():
            if isinstance(entry, dict) and entry.get(key) is not None:
                found.add((section, str(entry[key])))
    return found


def _said(body: Mapping[str, Any]) -> set[str]:
    """The entries of all sections as they stand there, in words."""
    return {f"{section} {entry!r}" for section, entries in body.items() if isinstance(entries, tuple) for entry in entries}


def _of_topic(files: Files, topic: str, regime: str) -> str | None:
    return next((name for name in sorted(files) if _topic(files[name]) == topic), None)


def _topic(text: bytes) -> str:
    """The topic of a shipped file, without reading the rest of it."""
    found = _TOPIC.search(text)
    return found[1].decode() if found else ""


def _read(text: bytes, shown: str) -> dict[str, Any]:
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RulebookError("utf-8", file=shown, line=1, what=f"byte {error.start} is not UTF-8", remedy="Save the file as UTF-8") from None
    value: dict[str, Any] = read_yaml(decoded, shown)[0]
    return value


def _load(files: Files, regime: str, named: Any) -> Rulebook:
    """Load, and let errors name the file as the reader knows it."""
    try:
        return load_texts(dict(files), folder=regime)
    except RulebookError as error:
        folder, _, file = error.file.partition("/")
        if folder != regime or not file:
            raise
        raise RulebookError(error.code, file=named(file), line=error.line, what=error.what, remedy=error.remedy) from None
