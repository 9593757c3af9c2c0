"""Facts that bring nothing by themselves: seen in their bytes, without decoding them.

Most of what offices enter is routine: an inspection that found nothing, a score that is not the year's last. No condition asks for
it. It counts only where something acts on it (a correction may put other words in its place) or where the same id stands twice;
then it is read like any other. ``SPEAKING`` says by which words in its canonical bytes a fact has something to say; in doubt it has.
A condition that asks for more of these types has to name the word here; the tests of equal digests hold it to that.
"""

from __future__ import annotations

from collections.abc import Iterable

from services.rating.domain.effects import ACTING, REPAIR
from services.rating.domain.facts import Fact

# Canonical JSON has no space after a colon, and a quote within a text is never bare, so these can be nothing but keys.
SPEAKING: dict[str, tuple[bytes, ...]] = {
    "inspection.recorded": (b'"violations":', b'"corrected":', b'"component_scores":', b'"published_outcome":', b'"closure":'),
    "score.recorded": (b'"final":true',),
    "case.closed": (b'"violation_no_penalty"',),
}


def brings_nothing(fact: Fact) -> bool:
    """The same of a decoded fact: what is not silent here may be silent in its bytes, never the other way round."""
    data = fact.data
    if fact.name == "inspection.recorded":
        return _FINDINGS.isdisjoint(data)
    if fact.name == "score.recorded":
        return data["final"] is False
    return fact.name == "case.closed" and data["outcome"] != "violation_no_penalty"


def all_count(names: Iterable[str]) -> bool:
    """Whether among facts of these types each must be read, because some act on others."""
    return not _EFFECTS.isdisjoint(names)


# The keys of an inspection by which it says something.
_FINDINGS = frozenset(one.decode().strip('":') for one in SPEAKING["inspection.recorded"])
_EFFECTS = ACTING | {REPAIR}
