"""Differences → findings about the operation: which event of whom, what stands, what should, and since when. The same difference has the
same id every night, so it is found once; no clock is in the bytes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from schemas.envelope import derived_bytes, derived_event
from schemas.ids import EVENT_ID, derived_id
from schemas.topics import FACTS, REGISTRY
from services.audit.domain.broadcasts import Original
from services.audit.domain.differences import Difference, Stood, same
from services.audit.domain.findings import TYPE, Place, Raised, moment

COPY_MISSING = "control_copy_missing"
MORE = "grade_differences_more"
RULE = "grades follow from the facts: the same facts, the same events, byte for byte"
_MOST = 120
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_FIELDS = (("grade", "等级", "grade"), ("status", "状态", "status"), ("outcome", "结果", "outcome"), ("state", "状态", "state"))
_DAYS = (("in_force_from", "起", "from"), ("corrected_to", "止", "to"), ("due_on", "期限", "due"), ("performed_on", "履行", "performed"))


def difference_finding(one: Difference, stack: str) -> Raised:
    """``stack``: subject of genesis. The time is that of the record, or of the fact of which one is missing."""
    topic, partition, offset = one.place
    place = Place(topic or FACTS, partition, offset, _cause_id(one))
    subject, regime = (_plain(text) for text in one.named)
    zh, en = _sentences(one, subject or "?", regime or "?")
    stamp = one.stands.stamp if one.stands else one.should.stamp if one.should else 0
    name = one.should.id if one.should and not one.stands else ""
    return _raised(one.kind, place, stack, stamp, zh, en, RULE, name)


def copy_finding(one: Original, lacking: list[int], stack: str) -> Raised:
    """A control event that partitions of facts never got: what is about them is judged without it."""
    place = Place(REGISTRY, 0, one.offset, _id(one.id, f"{REGISTRY}/0/{one.offset}"))
    some = ", ".join(map(str, lacking))
    zh = (
        f"登记簿记录{REGISTRY}/0/{one.offset}（{_plain(one.type)}）在下列事实分区没有副本：{some}。"
        "其后已有两次日终；这些分区的等级、期限未计入该记录。"
    )
    en = f"Record {REGISTRY}/0/{one.offset} of the registry {copy_words(one, lacking)}"
    rule = "contract: a broadcast has a copy in every partition"
    return _raised(COPY_MISSING, place, stack, one.stamp, zh, en, rule, "")


def copy_words(one: Original, lacking: list[int]) -> str:
    """What is said of it behind its place."""
    return (
        f"({_plain(one.type)}) has no copy in these partitions of facts: {', '.join(map(str, lacking))}. "
        "Two days have closed since; grades and terms of those partitions are worked out without it. "
        "Intake completes half-sent broadcasts at its start."
    )


def more_finding(closing: tuple[int, str], id: str, stamp: int, left: int, stack: str) -> Raised:
    """That a run found more than it lists. ``closing``: offset and day of the ``day.closed`` that it belongs to."""
    offset, day = closing
    place = Place(REGISTRY, 0, offset, _id(id, f"{REGISTRY}/0/{offset}"))
    zh = f"{day}日终之后的复算另有{left}处差异未逐一列出；下一次复算接着列出。全部差异见 mingjian verify --grades。"
    en = (
        f"The run after the close of {day} found {left} more differences than it lists; the next one goes on with them. "
        "mingjian verify --grades shows all."
    )
    return _raised(MORE, place, stack, stamp, zh, en, RULE, "")


def words_of(one: Difference) -> str:
    """The same in English in one line, for a terminal, without the place."""
    subject, regime = (_plain(text) for text in one.named)
    return _sentences(one, subject or "?", regime or "?")[1]


def where_of(one: Difference) -> str:
    """Its place as ``verify`` names places."""
    topic, partition, offset = one.place
    return f"{topic or FACTS} {partition}:{offset}"


def _raised(kind: str, place: Place, stack: str, stamp: int, zh: str, en: str, rule: str, name: str) -> Raised:
    data: dict[str, Any] = {
        "kind": kind,
        "about": "operation",
        "detail_zh": zh,
        "detail_en": en,
        "rule_version": rule,
        "cause": asdict(place),
    }
    id = derived_id(cause=f"{place.topic}/{place.partition}/{place.offset}", kind=kind, subject=stack, regime=name)
    return Raised(id, kind, derived_bytes(derived_event(id=id, service="audit", type=TYPE, subject=stack, time=moment(stamp), data=data)))


def _sentences(one: Difference, subject: str, regime: str) -> tuple[str, str]:
    stands, should = one.stands, one.should
    if one.what == "missing":
        assert should is not None
        place, since = f"{FACTS}/{should.cause[0]}/{should.cause[1]}", moment(should.stamp)
        zh, en = _said(should.event)
        return (
            f"{subject}（{regime}）：事实{place}应产生事件{should.id}（{zh}），但{one.topic}中没有。该事实时间为{since}，评级已处理完毕。",
            f"{subject} by {regime}: fact {place} leads to event {should.id} ({en}), and {one.topic} does not have it. "
            f"The fact is of {since}, and rating has worked it off.",
        )
    assert stands is not None
    place, since = f"{stands.topic}/{stands.partition}/{stands.offset}", moment(stands.stamp)
    id = _plain(str(stands.event["id"])) if stands.event else "?"
    zh, en = _said(stands.event)
    if one.what == "invented":
        return (
            f"记录{place}：{subject}（{regime}）的事件{id}（{zh}）不由任何事实产生。自{since}起存在。",
            f"Record {place}: event {id} of {subject} by {regime} ({en}) follows from no fact. It stands there since {since}.",
        )
    assert should is not None
    if one.what == "out_of_order":
        return (
            f"记录{place}：{subject}（{regime}）的事件{id}（{zh}）次序有误，与偏移{one.after}处的记录先后颠倒。自{since}起存在。",
            f"Record {place}: event {id} of {subject} by {regime} ({en}) stands in a wrong order: it and the record at offset {one.after} "
            f"belong the other way round. It stands there since {since}.",
        )
    right_zh, right_en = _said(should.event)
    fields = _differing(stands, one)
    return (
        f"记录{place}：{subject}（{regime}）的事件{id}现为：{zh}；由事实得出应为：{right_zh}。不同之处：{fields}。自{since}起存在。",
        f"Record {place}: event {id} of {subject} by {regime} says {en}; from the facts it should say {right_en}. They differ in {fields}. "
        f"It stands there since {since}.",
    )


def _said(event: Mapping[str, Any] | None) -> tuple[str, str]:
    """What an event says in short, whoever wrote it."""
    if event is None:
        return "不是事件", "no event at all"
    data = event["data"]
    zh, en = [_plain(str(event["type"]))], [_plain(str(event["type"]))]
    for names in (_FIELDS, _DAYS):
        for name, chinese, english in names:
            if data.get(name) is not None:
                zh.append(f"{chinese}{_plain(str(data[name]))}")
                en.append(f"{english} {_plain(str(data[name]))}")
    if data.get("part") is not None:
        zh.append(f"成员{_plain(str(data['part']))}")
        en.append(f"part {_plain(str(data['part']))}")
    return "，".join(zh), ", ".join(en)


def _differing(stands: Stood, one: Difference) -> str:
    assert one.should is not None
    if stands.event is None:
        return "everything"
    mine, right = stands.event, one.should.event
    names = [f"data.{name}" for name in sorted({*mine["data"], *right["data"]}) if mine["data"].get(name) != right["data"].get(name)]
    names += [name for name in sorted({*mine, *right} - {"data"}) if mine.get(name) != right.get(name)]
    if stands.key != one.should.subject.encode():
        names.append("the record's key")
    if not names and not same(stands, one.should):
        names.append("the spelling of the same content")
    return _plain(", ".join(names), 400)


def _plain(text: str, most: int = _MOST) -> str:
    """Text of a record that anybody may have written, for a sentence."""
    clean = _UNFIT.sub("�", text)
    return clean if len(clean) <= most else clean[: most - 1] + "…"


def _cause_id(one: Difference) -> str:
    topic, partition, offset = one.place
    said = str(one.stands.event["id"]) if one.stands and one.stands.event else one.should.cause_id if one.should else ""
    return _id(said, f"{topic or FACTS}/{partition}/{offset}")


def _id(said: str, place: str) -> str:
    return said if EVENT_ID.fullmatch(said) else derived_id(cause=place, kind="record", subject=place)
