"""The log's folder written again from the plan and from Kafka, after it was lost: the same leaves, tiles and root as before.

The plan says which record became which leaf, and Kafka has the records. So nothing is decided here; what comes out is held against
the checkpoint that was seen last, before anything is signed, and goes on under the same key. It is written beside, and takes its
name when it is whole.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import replace
from pathlib import Path

from schemas.topics import ClockMode
from services._bus.kafka import Connection, RecordsGone
from services.audit.adapters.folder import FolderStore
from services.audit.adapters.kafka import KafkaRecords
from services.audit.adapters.plan import PostgresPlan
from services.audit.appender import Appender, LogKey
from services.audit.domain.frame import CREATE_TIME, LOG_APPEND_TIME, Record
from services.audit.ports import Head, LogDamaged
from services.audit.restoring import Told, Unrestorable, sound

_SPANS, _RECORDS = 4_000, 20_000


class _FromTheStart(PostgresPlan):
    """The plan of a log of which nothing was signed yet, for who writes it again."""

    def take_over(self) -> Head:
        return replace(super().take_over(), signed=0)


def write_log_again(
    folder: Path, *, dsn: str, connection: Connection, key: LogKey, mode: ClockMode, memory: Path | None, told: Told
) -> int:
    """Write the log of the plan's leaves into ``folder``; returns how many. Audit must not run.

    Raises ``Unrestorable`` where there is a log, where Kafka lacks planned records, and where the leaves are not those of the
    checkpoint that was seen last."""
    if (folder / "checkpoint").exists():
        raise Unrestorable(f"{folder} holds a log; move it away before another is written in its place")
    arriving = folder.with_name(f"{folder.name}.arriving")
    shutil.rmtree(arriving, ignore_errors=True)
    plan = _FromTheStart(dsn)
    try:
        size = asyncio.run(_write(arriving, plan, connection, key, mode, told))
    except (RecordsGone, LogDamaged) as error:
        raise Unrestorable(f"the log can't be written again: {error}") from error
    finally:
        plan.close()
    # What was seen before must be a prefix of it; else another log was lost than this one, or a record is not what it was.
    sound(arriving, key.verifier, memory, told)
    shutil.rmtree(folder, ignore_errors=True)
    arriving.rename(folder)
    return size


async def _write(folder: Path, plan: PostgresPlan, connection: Connection, key: LogKey, mode: ClockMode, told: Told) -> int:
    records = KafkaRecords(connection, [])
    appender = Appender(plan=plan, store=FolderStore(folder, mark=str(os.getpid())), key=key)
    head = appender.start()
    if not head.planned:
        raise LogDamaged("the plan has no leaves; without it a new log begins when audit starts")
    while appender.size < head.planned:
        spans = []
        for span in plan.spans(appender.size, _SPANS):
            if spans and sum(one.count for one in spans) + span.count > _RECORDS:
                break
            spans.append(span)
        for span, found in zip(spans, await records.read_spans(spans), strict=True):
            appender.replay(span, [_as_logged(one, mode) for one in found])
        told("writing the log again", appender.size, head.planned)
    appender.checkpoint()
    return appender.size


def _as_logged(record: Record, mode: ClockMode) -> Record:
    """On a wall clock what was put back from the log says CreateTime, and its leaf what the broker had said (``domain.putback``)."""
    return replace(record, timestamp_type=LOG_APPEND_TIME) if mode == "wall" and record.timestamp_type == CREATE_TIME else record
