"""Near-identical texts: what is left of a text without phrases that many use, in shingles, candidates by MinHash, decided by exact Jaccard.

Fixed here: a text is what an entry says in its own words, in order; letters alone count (a number differs in every copy). Phrases end at
punctuation. One that at least ``STANDARD`` people used is a standard phrase and is nobody's; what is left has to have ``LEAST``
letters. Two texts are near-identical from a Jaccard similarity of ``SAME`` of their shingles of ``SHINGLE`` letters on.

MinHash with its bands only proposes pairs (Broder 1997; ``datasketch``, fixed seed); no pair counts that the exact sets don't bear out.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

STANDARD = 3
LEAST = 20
SHINGLE = 4
SAME = 0.8
_PERMUTATIONS, _SEED, _CANDIDATE = 64, 1, 0.6

_FIELDS = frozenset({"remark", "note", "statement", "reason", "reasons", "description"})
_ENDS = re.compile(r"[。；;！!？?\n]+|[.,，、:：](?=\s|$|[^0-9])")
_NO_LETTERS = re.compile(r"[\W\d_]+")


def own_words(data: Any) -> Iterator[str]:
    """What an entry's data say in free text, in order."""
    if isinstance(data, Mapping):
        for name, value in data.items():
            if isinstance(value, str) and name in _FIELDS:
                yield value
            elif not isinstance(value, str):
                yield from own_words(value)
    elif isinstance(data, (list, tuple)):
        for value in data:
            yield from own_words(value)


def phrases(texts: Iterable[str]) -> tuple[str, ...]:
    """The phrases of texts, letters alone."""
    parts = (part for text in texts for part in _ENDS.split(unicodedata.normalize("NFKC", text).casefold()))
    return tuple(letters for part in parts if (letters := _NO_LETTERS.sub("", part)))


def shingles(letters: str) -> frozenset[str]:
    """Every run of ``SHINGLE`` letters."""
    return frozenset(letters[at : at + SHINGLE] for at in range(len(letters) - SHINGLE + 1))


def similarity(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard's: shared shingles of all."""
    return len(one & other) / max(1, len(one | other))


def groups(texts: Sequence[str]) -> list[list[int]]:
    """Indices of texts that hang together by near-identical pairs, in order; texts alone are in none."""
    first: dict[str, int] = {}
    members: list[list[int]] = []
    for index, text in enumerate(texts):
        members_of = first.setdefault(text, len(members))
        if members_of == len(members):
            members.append([])
        members[members_of].append(index)
    joined = _joined(list(first))
    found: dict[int, list[int]] = {}
    for number, some in enumerate(members):
        found.setdefault(joined[number], []).extend(some)
    return sorted(sorted(some) for some in found.values() if len(some) > 1)


def _joined(texts: Sequence[str]) -> list[int]:
    """Of each of different texts the smallest index of those that it hangs together with."""
    parent = list(range(len(texts)))

    def root(one: int) -> int:
        while parent[one] != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        return one

    # It brings SciPy along, which costs 0.4 s and 50 MiB at every start; only a scan that has texts to compare needs it.
    from datasketch import MinHash, MinHashLSH  # type: ignore[import-untyped]

    index = MinHashLSH(threshold=_CANDIDATE, num_perm=_PERMUTATIONS)
    sets = [shingles(text) for text in texts]
    for number, some in enumerate(sets):
        sketch = MinHash(num_perm=_PERMUTATIONS, seed=_SEED, hashfunc=_hash)
        sketch.update_batch([one.encode() for one in sorted(some)])
        for other in sorted(index.query(sketch)):
            if root(other) != root(number) and similarity(some, sets[other]) >= SAME:
                low, high = sorted((root(other), root(number)))
                parent[high] = low
        index.insert(number, sketch)
    return [root(one) for one in range(len(texts))]


def _hash(value: bytes) -> int:
    return int.from_bytes(hashlib.sha1(value, usedforsecurity=False).digest()[:4], "little")
