"""A document's number as it is compared: two offices write the same one with other brackets, signs of full width, and spaces."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_BRACKETS = str.maketrans("〔〕[]【】{}〈〉<>「」", "()" * 7)


@lru_cache(maxsize=4096)
def written(number: str) -> str:
    """The number in one spelling: compatibility forms folded, round brackets, no spaces, small letters."""
    folded = unicodedata.normalize("NFKC", number).translate(_BRACKETS).casefold()
    return "".join(folded.split())
