"""What stays suspend, kept beside changes of grades: worked out again for whatever a batch touched, from all that is known by then.

So it makes no difference which comes first: the act, its stay, what lifts or mends the stay, or the grade that rests on the act."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

from services.publication.domain.stays import stayed, suspensions
from services.publication.ports import UnitOfWork

Zone = Callable[[str], ZoneInfo]
"""The time zone in which a regime's days are counted."""


async def by_facts(work: UnitOfWork, subjects: Sequence[str] | None, zone: Zone) -> None:
    """After facts about ``subjects`` were stored. None: of all that is stored, whatever was kept before."""
    concerned, before = await work.with_stays(subjects), await work.suspended() if subjects is None else []
    if not concerned and not before:
        return
    papers = await work.papers(concerned)
    acts = [one for subject in concerned for one in stayed(subject, papers[subject])]
    await _put(work, sorted({*before, *await work.put_stayed(concerned, acts)}), zone)


async def by_changes(work: UnitOfWork, ids: Sequence[str], zone: Zone) -> None:
    """After changes were stored."""
    numbers = await work.numbers(ids)
    if numbers:
        await _put(work, numbers, zone)


async def _put(work: UnitOfWork, numbers: Sequence[int], zone: Zone) -> None:
    resting = await work.resting(numbers)
    await work.put_suspensions(numbers, [row for one in resting for row in suspensions(one, zone(one.regime))])
