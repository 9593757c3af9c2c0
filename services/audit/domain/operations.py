"""Findings about the operation (clocks, doubles, what can't be read), kept apart from those about entries: they concern other people.

Each is about one record, whose place and kind make its id; their subject is the stack, their time the record's.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from schemas.envelope import derived_bytes, derived_event
from schemas.ids import derived_id
from schemas.times import instant
from services.audit.domain.clocks import APART_MS, Apart, Step
from services.audit.domain.evaluations import CLAUSE, READING
from services.audit.domain.findings import TYPE, Place, Raised, moment
from services.audit.domain.frame import Record

OVERSIZE = "oversize_record"
UNREADABLE = "unreadable_fact"
UNSIGNED = "unsigned_fact"
STEP_BACK = "clock_step_back"
CLOCKS_APART = "clocks_apart"
CHANGED_COPY = "changed_copy"
UNANNOUNCED = "evaluation_unannounced"


def operational_finding(
    record: Record, *, kind: str, stack: str, detail_zh: str, detail_en: str, rule: str, event_id: str | None = None, **more: Any
) -> Raised:
    """``stack``: subject id of the stack; at most one finding of a kind for a record. ``more``: further fields of the data."""
    place = f"{record.topic}/{record.partition}/{record.offset}"
    cause = Place(record.topic, record.partition, record.offset, event_id or derived_id(cause=place, kind="record", subject=stack))
    data = {
        "kind": kind,
        "about": "operation",
        "detail_zh": f"记录{place}：{detail_zh}",
        "detail_en": f"Record {place}: {detail_en}",
        "rule_version": rule,
        "cause": asdict(cause),
        **more,
    }
    id = derived_id(cause=place, kind=kind, subject=stack)
    event = derived_event(id=id, service="audit", type=TYPE, subject=stack, time=moment(record.timestamp), data=data)
    return Raised(id, kind, derived_bytes(event))


def oversize_finding(record: Record, length: int, stack: str) -> Raised:
    """A record whose frame doesn't fit into the log: its stub and its bytes beside the log are in order, the size is not."""
    return operational_finding(
        record,
        kind=OVERSIZE,
        stack=stack,
        detail_zh=f"帧长{length}字节，超出日志条目上限；日志中存其哈希，原始字节另存。",
        detail_en=f"its frame has {length} bytes, more than an entry of the log may have; "
        "the log holds its hash, its bytes stand beside the log.",
        rule="tlog-tiles: entries of at most 65535 bytes",
    )


def unreadable_finding(record: Record, stack: str) -> Raised:
    """A record that went past intake: no detector can judge it, and nobody should take silence for a clean record."""
    return operational_finding(
        record,
        kind=UNREADABLE,
        stack=stack,
        detail_zh="数据不符合其类型，检测无法判断。",
        detail_en="its data has not the shape of its type, so no detector could judge it.",
        rule="contract of the event type, v1",
    )


def unsigned_finding(record: Record, stack: str, event_id: str | None) -> Raised:
    """A record that went past intake: what nobody signed accuses nobody, but that it is there is for people to look at."""
    return operational_finding(
        record,
        kind=UNSIGNED,
        stack=stack,
        event_id=event_id,
        detail_zh="签名不属于登记簿中当时有效的任何密钥：此记录未经录入服务，不据以认定任何问题。",
        detail_en="its signature is that of no key which the registry had by then: it went past intake, and nothing is found from it.",
        rule="contract: facts are signed by registered keys",
    )


def step_finding(record: Record, step: Step, stack: str) -> Raised:
    """The broker's time went back: what was known at an instant is asked by the running maximum, which stays."""
    return operational_finding(
        record,
        kind=STEP_BACK,
        stack=stack,
        detail_zh=f"分区时间比前一条记录倒退{step.back}毫秒，比此前最晚时间早{step.behind}毫秒；“知悉时间”按此前最晚时间计。",
        detail_en=f"the partition's time went back {step.back} ms from the record before, to {step.behind} ms behind its latest; "
        "what is known from when goes by the latest.",
        rule="clocks: a partition's time never goes back",
    )


def apart_finding(record: Record, apart: Apart, stack: str, event_id: str | None) -> Raised:
    """Intake's clock and the broker's disagree, or a record waited between them, and no outage was declared."""
    received, known = instant(apart.received), instant(apart.known)
    return operational_finding(
        record,
        kind=CLOCKS_APART,
        stack=stack,
        event_id=event_id,
        detail_zh=f"录入时间{received}与知悉时间{known}相差{abs(apart.by)}毫秒，期间没有申明的故障；"
        "两个时钟不一致，或记录在其间等待。此分区恢复之前的后续记录不再重复列出。",
        detail_en=f"entered at {received}, known from {known}: {abs(apart.by)} ms apart, and no outage was declared. Two clocks disagree, "
        "or the record waited between them. What follows in the partition is not listed again until it is in order.",
        rule=f"clocks: at most {APART_MS} ms between entry and knowledge",
    )


def changed_copy_finding(record: Record, stack: str, event_id: str | None) -> Raised:
    """An id stands for two contents. The first copy counts, everywhere; the second one went past intake."""
    return operational_finding(
        record,
        kind=CHANGED_COPY,
        stack=stack,
        event_id=event_id,
        detail_zh="同一来源的同一编号已有另一内容的记录；以第一份为准，本条不生效。",
        detail_en="another record of the same source and id has other content; the first one counts, this one has no effect.",
        rule="contract: ids are unique per source",
    )


def unannounced_finding(record: Record, stack: str, event_id: str | None) -> Raised:
    """R10: an evaluation whose period and date nobody announced beforehand."""
    return operational_finding(
        record,
        kind=UNANNOUNCED,
        stack=stack,
        event_id=event_id,
        detail_zh="年度评定已作出，但此前没有同一期间、同一评定日的公告。",
        detail_en="an evaluation was closed whose period and date no record announced beforehand.",
        rule="evaluations are announced beforehand",
        clause=CLAUSE,
        readings=[READING],
    )
