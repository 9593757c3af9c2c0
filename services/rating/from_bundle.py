"""``mingjian replay --bundle``: the bulk driver over a bundle for auditors, with the rulebooks that lie in it (ADR 34)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.rulebook import RulebookError, digest, load_texts
from schemas.rulebook.paragraph import paragraph
from schemas.times import instant
from services.rating.adapters.leaves import Bundle, BundleDamaged
from services.rating.books import UnknownRulebook
from services.rating.domain.emit import TYPE, TYPE_CORRECTED
from services.rating.domain.fold import Book, attempts, merged
from services.rating.outcome import Question, foldable
from services.rating.progress import bar
from services.rating.replaying import Replayed, gathering, replay
from services.rating.told_in_bundle import Compared, compare, read_told


@dataclass(frozen=True, slots=True)
class FromBundle:
    """``compared``: None where the question was not that which the grades told answer."""

    bundle: Bundle
    replayed: Replayed
    compared: Compared | None


def opened(folder: Path) -> Bundle:
    """The bundle, with a bar while it is looked through. Raises ``BundleDamaged``."""
    with bar("looking through the leaves", 0) as progress:
        bundle = Bundle.opened(folder, lambda done, total: progress(done))
    newest = instant(bundle.newest) if bundle.spans else None
    if newest != bundle.last_known:
        raise BundleDamaged(f"manifest.json: it says that the last known instant is {bundle.last_known}, the leaves that it is {newest}")
    return bundle


def books_in(bundle: Bundle, regime: str | None = None) -> dict[str, Book]:
    """Every regime's editions, or one's; the one activated last counts as the newest. Raises ``BundleDamaged``, ``UnknownRulebook``."""
    editions: dict[str, list[str]] = {}
    for one in bundle.rulebooks:
        editions.setdefault(one["regime"], []).append(one["folder"])
    if regime is not None and regime not in editions:
        raise UnknownRulebook(f"the bundle has no rulebook of {regime!r}; it has {', '.join(sorted(editions)) or 'none'}")
    digests = {one["folder"]: one["sha256"] for one in bundle.rulebooks}
    return {name: _book(bundle.folder, name, folders, digests) for name, folders in editions.items() if regime in (None, name)}


def _book(root: Path, regime: str, folders: Sequence[str], digests: Mapping[str, str]) -> Book:
    found = []
    for folder in folders:
        files = {path.name: path.read_bytes() for path in sorted((root / folder).glob("*.yaml"))}
        try:
            found.append(load_texts(files, folder=regime))
        except RulebookError as error:
            raise BundleDamaged(f"{folder}: {error}") from None
        if digest(found[-1]) != digests[folder]:
            raise BundleDamaged(f"{folder}: its digest is {digest(found[-1])}, manifest.json says {digests[folder]}")
    return Book.of(*found)


def answer_about(bundle: Bundle, books: Mapping[str, Book], subject: str, known_at: int | None) -> dict[str, Any]:
    """What the subject's facts lead to, as publication answers about a subject: its grades, and how it came there, the latest first.

    From its own facts, event by event, as live rating tells them; of who is rated by its parts nothing. Raises ``BundleDamaged``."""
    asked, events = Question(books, bundle.newest), list[dict[str, Any]]()
    for partition, span in bundle.spans.items():
        found = gathering(partition, asked, known_at)
        bundle.gather(found, *span, lambda records: None)
        found.subjects = {key: raws for key, raws in found.subjects.items() if key == subject.encode()}
        for _, facts in found.each(every=True):
            kept = foldable(subject, partition, facts, lambda: None).log.values()
            for regime, book in books.items():
                told = attempts(subject, partition, merged(kept, found.controls), found.controls, {regime: book})
                events += [one.event for some, _ in told for one in some if one.event["type"] in (TYPE, TYPE_CORRECTED)]
    rows = [_row(one, books) for one in events]
    last = {row["regime"]: row for row in rows if row["type"] == TYPE}
    return {"subject": subject, "grades": [last[name] for name in sorted(last)], "history": rows[::-1]}


def _row(event: Mapping[str, Any], books: Mapping[str, Book]) -> dict[str, Any]:
    data = event["data"]
    names = ("regime", "grade", "status", "in_force_from")
    rulebook = books[data["regime"]].edition(data["rulebook"]["sha256"])
    said = {language: paragraph(rulebook, data, language) for language in ("zh", "en")} if rulebook else None
    return {"type": event["type"], **{name: data[name] for name in names}, "data": data, "explanation": said}


def rate(bundle: Bundle, asked: Question, *, known_at: int | None, cores: int, comparing: bool) -> FromBundle:
    """Rate all facts of the bundle; ``comparing``: also hold the grades told against it. Raises ``BundleDamaged``, ``Unavailable``."""
    with bar("replay", sum(end - first for first, end in bundle.spans.values())) as progress:
        found = replay(bundle, bundle.spans, asked, known_at=known_at, cores=cores, progress=lambda done, _: progress(done))
    if not comparing:
        return FromBundle(bundle, found, None)
    with bar("comparing with the grades told", 0) as progress:
        told = read_told(bundle, asked.books, known_at)
        progress(told.events)
        return FromBundle(bundle, found, compare(bundle, found.outcome.lines, told, asked, known_at))
