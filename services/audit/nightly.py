"""``python -m services.audit.nightly OFFSET DAY``: every grade worked out again after the close of a day, then all detectors over all
facts; what differs and what they find is put on record, all of it or nothing.

Started by the audit service, at the lowest priority, with its environment; OFFSET is where the ``day.closed`` stands in the registry. Lines
of JSON on standard output tell how far it is. It ends with whoever started it: when standard input does. Exit codes: 0 the run is on record
(by this process or by another), 1 it couldn't be made (the last line says why), 2 not configured.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Sequence

import psycopg
from aiokafka.errors import KafkaError

from schemas.rulebook import RulebookError, load_all_editions
from services._bus import logs
from services._bus.kafka import Unavailable, UnusableCertificates
from services._bus.settings import NotConfigured
from services.audit.adapters import run_store
from services.audit.adapters.scan_kafka import KafkaScan
from services.audit.attended import Telling, stay_behind
from services.audit.domain.broadcasts import Broadcasts
from services.audit.domain.derived_entries import derived_types
from services.audit.domain.detectors.all import every
from services.audit.domain.differences import Difference
from services.audit.domain.findings import Raised
from services.audit.domain.regrading_findings import copy_finding, difference_finding, more_finding
from services.audit.domain.replay import books_of
from services.audit.nightly_effects import effects_of_night
from services.audit.regrading import Source, regrade
from services.audit.scanning import scan
from services.audit.wiring import Settings, genesis_event, patience

MOST_FINDINGS = 100


def main(arguments: Sequence[str] = tuple(sys.argv[1:])) -> int:
    """The exit code of the process."""
    logs.setup("audit-nightly")
    monotonic = patience(0.0).monotonic
    telling = Telling(monotonic)
    try:
        closing = (int(arguments[0]), arguments[1])
        settings = Settings.from_env()
        genesis = genesis_event(settings.genesis)
        editions = load_all_editions(settings.rulebooks)
        books, detectors = books_of(editions), every(editions)
    except (IndexError, ValueError, NotConfigured, RulebookError) as error:
        telling.line({"failed": str(error)})
        return 2
    stay_behind()
    gc.disable()
    gc.freeze()
    began = monotonic()
    try:
        source = Source(settings.kafka, settings.tls_dir)
        hearing = derived_types(name for one in detectors for name in one.types)
        found = regrade(source, books, progress=telling.progress, hearing=hearing)
        seconds = round(monotonic() - began, 3)
        listed = asyncio.run(_listed(settings.dsn, genesis["subject"], closing, found.differences, found.copies))
        gc.collect()
        with KafkaScan(source.connection()) as records:
            signs = scan(
                records,
                genesis,
                detectors,
                derived=found.heard,
                old=lambda ids: asyncio.run(run_store.known(settings.dsn, ids)),
                progress=telling.progress,
            )
        effects, untold = effects_of_night(source, settings.dsn, books, genesis, closing, signs.found, found.unsaid, telling.progress)
        made = [*signs.found, *effects]
        on_record = asyncio.run(run_store.enter(settings.dsn, closing, seconds, found, len(found.copies.missing()), listed, made))
    except (KafkaError, Unavailable, UnusableCertificates, OSError, psycopg.Error) as error:
        telling.line({"failed": f"{type(error).__name__}: {error}"})
        return 1
    told = {"differences": len(found.differences), "found": len(listed), "signs": len(signs.found), "unproved": signs.unproved}
    told |= {"effects": len(effects), "effects_untold": len(untold)}
    telling.line({**told, "unreadable": signs.odd, "on_record": on_record})
    return 0


async def _listed(dsn: str, stack: str, closing: tuple[int, str], differences: Sequence[Difference], copies: Broadcasts) -> list[Raised]:
    """The findings of a run that none before it had, and at most so many of them; then one that says how many are left."""
    every = [copy_finding(one, lacking, stack) for one, lacking in copies.missing()]
    every += [difference_finding(one, stack) for one in differences]
    old = await run_store.known(dsn, [one.id for one in every])
    new = list({one.id: one for one in every if one.id not in old}.values())
    if len(new) <= MOST_FINDINGS:
        return new
    original = next((one for one in copies.originals.values() if one.offset == closing[0]), None)
    id, stamp = (original.id, original.stamp) if original else ("", 0)
    return [*new[:MOST_FINDINGS], more_finding(closing, id, stamp, len(new) - MOST_FINDINGS, stack)]


if __name__ == "__main__":
    raise SystemExit(main())
