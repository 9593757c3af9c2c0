"""``mingjian replay --bundle``: the bulk driver over a bundle for auditors, with the rulebooks that lie in it (ADR 34)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from schemas.rulebook import RulebookError, digest, load_texts
from schemas.times import instant
from services.rating.adapters.leaves import Bundle, BundleDamaged
from services.rating.books import UnknownRulebook
from services.rating.domain.fold import Book
from services.rating.outcome import Question
from services.rating.progress import bar
from services.rating.replaying import Replayed, replay
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
