"""After the scan of a closed day: the effect of every standing matter about an entry, put on record where its answer changed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from importlib.metadata import version
from typing import Any

from services.audit.adapters import run_store
from services.audit.adapters.effect_records import KafkaEffects
from services.audit.assessing import Effects, Given, all_effects, registry_of, words_in
from services.audit.domain.assessed import TYPE, digest_of
from services.audit.domain.findings import TYPE as RAISED
from services.audit.domain.findings import event_of
from services.audit.domain.matters import SUPPOSING, standing_matters
from services.audit.domain.replay import Book
from services.audit.domain.signs import Found
from services.audit.regrading import Progress, Source


def effects_of_night(
    source: Source,
    dsn: str,
    books: Mapping[str, Book],
    genesis: Mapping[str, Any],
    closing: tuple[int, str],
    signs: Sequence[Found],
    unsaid: frozenset[str],
    progress: Progress,
) -> tuple[list[Found], dict[str, str]]:
    """The answers that are new, and what can't be worked out, with why. ``closing``: the day's; ``signs``: what this night's scan found;
    ``unsaid``: regimes of which nothing is told of wholes, for not all is there that parts say.

    Raises ``KafkaError``, ``Unavailable``, ``UnusableCertificates``, ``psycopg.Error``."""
    known = asyncio.run(run_store.standing(dsn, RAISED, tuple(SUPPOSING)))
    news = [one.value for one in signs if one.type == RAISED]
    matters = standing_matters(event_of(value) for value in (*known, *news))
    if not matters:
        return [], {}
    records = KafkaEffects(source.connection())
    told = standing_answers(asyncio.run(run_store.standing(dsn, TYPE, tuple(SUPPOSING))))
    before: dict[tuple[str, str], frozenset[str]] = {}
    for matter, affected, regime in told:
        before[matter, regime] = before.get((matter, regime), frozenset()) | {affected}
    effects = Effects(
        books,
        registry_of(records.registry(), genesis),
        f"mingjian {version('mingjian')}",
        lambda: words_in(records.parts()),
        unsaid=unsaid,
        before=before,
        through=date.fromisoformat(closing[1]),
    )
    given = all_effects(records, effects, matters, progress)
    return [found_of(one) for one in given if is_news(one, told)], effects.untold


def name_of(data: Mapping[str, Any]) -> tuple[str, str, str]:
    """What an assessment answers: the matter, whose grades, by which regime."""
    return (data["matter"], data["affected"], data["regime"])


def is_news(given: Given, told: Mapping[tuple[str, str, str], str]) -> bool:
    """Whether an answer is to be put on record: another stands, or none. Of a whole that nothing was done to, not even together with other
    entries, nothing is told, unless something was."""
    data, stands = given.answer.data, told.get(name_of(given.answer.data))
    if stands is None and data["affected"] != data["subject_of"] and not (data["most"] or data["joint"]):
        return False
    return stands != given.answer.digest


def standing_answers(values: Iterable[bytes]) -> dict[tuple[str, str, str], str]:
    """The digest of each answer that stands."""
    return {name_of(data): digest_of(data) for data in (event_of(value)["data"] for value in values)}


def found_of(given: Given) -> Found:
    """An answer as it is kept and sent."""
    data, matter = given.answer.data, given.found.matter
    return Found(
        id=given.answer.id,
        type=TYPE,
        kind=matter.kind,
        about="effect",
        office=matter.office,
        subject=data["subject_of"],
        regime=data["regime"],
        event_id=matter.entry.id,
        matter=matter.id,
        retracted=False,
        key=matter.office.encode(),
        value=given.answer.value,
    )
