"""How often each statistical detector is wrong, and how often it sees what was planted, over seeded towns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from services.audit.domain.detectors.model import Sign
from services.audit.domain.statistics.distributions import wilson
from tests.statistics.towns import TOWNS, What

SEEDS: dict[What, int] = {"clean": 100, "innocent": 40, "planted": 40}


@dataclass(frozen=True)
class Seen:
    """Of so many towns: ``alarms`` with any finding about somebody who did nothing, ``hits`` in which the planted was found.

    ``true``, ``false``: findings about the planted (or the planted officer's office), and about others."""

    towns: int
    alarms: int
    hits: int
    true: int
    false: int

    def __add__(self, other: Seen) -> Seen:
        return Seen(*(a + b for a, b in zip(self.parts, other.parts, strict=True)))

    @property
    def parts(self) -> tuple[int, ...]:
        return self.towns, self.alarms, self.hits, self.true, self.false


def one(name: str, what: What, seed: int) -> Seen:
    """What the detector makes of one town."""
    fold, who = TOWNS[name](what, seed)
    signs = fold.signs()
    # What one officer did is done in the office, too: a finding about that office is none about an innocent.
    touched = {office for office in (fold.offices.get(who), who) if office} if who else set()
    true = [sign for sign in signs if who and (who in sign.concerns or sign.office in touched)]
    alarms = len(signs) > len(true)
    return Seen(1, alarms, any(_about(sign, who) for sign in true), len(true), len(signs) - len(true))


def _about(sign: Sign, who: str) -> bool:
    return who in sign.concerns or (sign.office == who and not sign.concerns)


def _one(asked: tuple[str, What, int]) -> tuple[str, What, Seen]:
    return asked[0], asked[1], one(*asked)


Measured = dict[tuple[str, What], Seen]


def measure(seeds: dict[What, int], names: Iterable[str] = TOWNS, *, workers: int = 2) -> dict[tuple[str, What], Seen]:
    """All towns of these many seeds each."""
    asked = [(name, what, seed) for name in names for what, number in seeds.items() for seed in range(number)]
    found: dict[tuple[str, What], Seen] = {}
    with ProcessPoolExecutor(workers) as pool:
        for name, what, seen in pool.map(_one, asked, chunksize=5):
            found[name, what] = found.get((name, what), Seen(0, 0, 0, 0, 0)) + seen
    return found


def share(seen: int, of: int) -> str:
    """A share with its interval."""
    if not of:
        return "–"
    low, high = wilson(seen, of)
    return f"{seen} of {of}: {seen / of:.1%} ({low:.1%}–{high:.1%})"


def rows(found: dict[tuple[str, What], Seen]) -> Iterator[str]:
    """The table's lines."""
    for name in dict.fromkeys(name for name, _ in found):
        clean, innocent, planted = (found[name, what] for what in ("clean", "innocent", "planted"))
        false = clean.false + innocent.false + planted.false
        yield (
            f"| {name} | {share(clean.alarms, clean.towns)} | {share(innocent.alarms, innocent.towns)} "
            f"| {share(planted.hits, planted.towns)} | {share(planted.alarms, planted.towns)} "
            f"| {share(planted.true, planted.true + false)} |"
        )
