"""The records of a pack: which there are, in which file each stands, and how a line is written and read.

A line is ``{"entry", "leaf", "record", "whole"?}`` in canonical JSON: ``entry`` is the log's entry in base64, byte for byte what the tree
hashes; ``leaf`` its number; ``record`` the same once more so that a person can read it; ``whole`` the whole frame where the entry is a
stub. Lines stand in the order of the log.

Invariants
1. A line follows from leaf, entry and whole frame: what is there to be read is what the log holds.
2. Which records a pack has, and in which file, follows from the finding and the log: ``Wanted.file`` is asked when it is written, and
   of every record again when it is verified.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from schemas.canonical import CanonicalError, parse_strict, trusted_canonical_bytes
from schemas.envelope import NotAnEnvelope, Opened, open_record
from schemas.times import instant
from schemas.topics import CONTROL_KEY, DUTIES, FACTS, FINDINGS, GRADES, PARTS, REFUSALS, REGISTRY
from services.audit.domain.assessed import MOST_JOINT
from services.audit.domain.assessed import TYPE as ASSESSED
from services.audit.domain.findings import TYPE, Place
from services.audit.domain.frame import FrameError, Record, Stub, decode, oversize_path
from services.audit.domain.keys import REGISTERED
from services.audit.domain.verify import whole_of
from services.audit.evidence.archive import Broken

SCAN = "mingjian.scan.ran.v1"
HEARING = frozenset(f"mingjian.finding.{step}.v1" for step in ("notified", "replied", "decided", "appealed"))
MATTER_FILE, OTHERS_FILE, FACTS_FILE, EVIDENCE_FILE, CONTROL_FILE, REGISTRY_FILE, GRADES_FILE, REFUSALS_FILE = (
    f"records/{name}.jsonl" for name in ("matter", "other-findings", "facts", "evidence", "control", "registry", "grades", "refusals")
)
FILES = (MATTER_FILE, OTHERS_FILE, FACTS_FILE, EVIDENCE_FILE, CONTROL_FILE, REGISTRY_FILE, GRADES_FILE, REFUSALS_FILE)


@dataclass(frozen=True, slots=True)
class Held:
    """A leaf in a pack. ``whole``: the whole frame, None where the entry is it; ``record``: what they say; ``one``: its envelope."""

    leaf: int
    entry: bytes
    whole: bytes | None
    record: Record
    one: Opened | None

    @property
    def place(self) -> tuple[str, int, int]:
        return (self.record.topic, self.record.partition, self.record.offset)

    @property
    def event(self) -> Mapping[str, Any]:
        """Its event; empty where it holds none."""
        return self.one.event if self.one else {}

    @property
    def value(self) -> bytes:
        return self.record.value or b""


def held(leaf: int, entry: bytes, whole: bytes | None) -> Held:
    """Raises ``FrameError``."""
    found = decode(entry)
    if isinstance(found, Stub):
        path = oversize_path(found.sha256)
        record = whole_of(found, lambda name: whole if name == path else None)
        if record is None:
            raise FrameError("the whole frame is not the one that the entry names")
    elif whole is not None:
        raise FrameError("a whole frame stands beside an entry that is whole")
    else:
        record = found
    try:
        one = open_record(record.value)
    except NotAnEnvelope:
        one = None
    return Held(leaf, entry, whole, record, one)


def line_of(one: Held) -> bytes:
    """See the module."""
    record = one.record
    try:
        said: Any = parse_strict(record.value or b"")
        shown = {"value": said} if trusted_canonical_bytes(said) == record.value else {}
    except CanonicalError:
        shown = {}
    shown |= {} if shown else {"value_base64": _b64(record.value or b"")}
    about = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "time": instant(record.timestamp) if 0 <= record.timestamp < 253_402_300_800_000 else None,
        "key": (record.key or b"").decode("utf-8", "replace"),
    }
    line = {"leaf": one.leaf, "entry": _b64(one.entry), "record": about | shown}
    if one.whole is not None:
        line["whole"] = _b64(one.whole)
    # Not the canonical writer: what intake let through may hold a float, which that one refuses.
    return orjson.dumps(line, option=orjson.OPT_SORT_KEYS) + b"\n"


def read_lines(name: str, data: bytes) -> list[Held]:
    """The lines of a file. Raises ``Broken`` that names the line."""
    found = list[Held]()
    if data and not data.endswith(b"\n"):
        raise Broken(name, "does not end with a whole line")
    for number, line in enumerate(data.splitlines(keepends=True), 1):
        where = f"{name}, line {number}"
        try:
            said = orjson.loads(line)
            whole = said.get("whole")
            one = held(said["leaf"], _unb64(said["entry"]), None if whole is None else _unb64(whole))
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
            raise Broken(where, f"holds no record: {error}") from None
        if type(one.leaf) is not int or line_of(one) != line:
            raise Broken(where, f"is not written as the entry of leaf {one.leaf} says")
        if found and found[-1].leaf >= one.leaf:
            raise Broken(where, "does not come in the order of the log")
        found.append(one)
    return found


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _unb64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def place_in(data: Mapping[str, Any] | None) -> Place | None:
    """``event`` or ``cause`` of a finding as a place."""
    return Place(data["topic"], data["partition"], data["offset"], data["id"]) if data else None


def matter_of(finding: Mapping[str, Any]) -> str:
    """The matter that a ``finding.raised`` is about; where it names none, the finding is its own."""
    found: str = finding["data"].get("matter") or finding["id"]
    return found


@dataclass(frozen=True)
class Wanted:
    """What belongs into the pack of a finding. ``finding``: its event; ``subject``: whose facts, None where it is about none;
    ``affected``: who is graded by the subject besides itself; ``places``: topic, partition and offset of what it names; ``signers``:
    key ids by which that was signed, or that its officers had; ``partitions``: of facts, that any of it stands in; ``names``: ids of the
    matter's findings; ``together``: matters that moved grades only together with it."""

    finding: Mapping[str, Any]
    subject: str | None
    affected: frozenset[str]
    places: frozenset[tuple[str, int, int]]
    signers: frozenset[str]
    partitions: frozenset[int]
    names: frozenset[str]
    together: frozenset[str] = frozenset()

    def file(self, one: Held) -> str | None:
        """The file in which a record of the log stands; None: it is not in the pack."""
        record, topic = one.record, one.record.topic
        if topic == REGISTRY:
            left_out = one.event.get("type") in HEARING and not (self.of_hearing(one) or self._heard_together(one))
            return None if left_out else REGISTRY_FILE
        if topic == FINDINGS:
            return self._of_findings(one)
        if topic == FACTS:
            if record.key == CONTROL_KEY and record.partition in self.partitions:
                return CONTROL_FILE
            if self.subject is not None and record.key == self.subject.encode():
                return FACTS_FILE
        elif topic in (GRADES, PARTS, DUTIES):
            of = {self.subject, *self.affected} - {None}
            named = one.event.get("data", {}).get("part") if topic == PARTS else None
            if one.event.get("subject") in of or (named is not None and named in of):
                return GRADES_FILE
        elif topic == REFUSALS and self._refused(record):
            return REFUSALS_FILE
        return EVIDENCE_FILE if one.place in self.places else None

    def of_hearing(self, one: Held) -> bool:
        """Whether a step is one of the hearing on the matter."""
        data = one.event["data"]
        return matter_of(self.finding) == data.get("matter") or data.get("finding") in self.names

    def _heard_together(self, one: Held) -> bool:
        """Whether a step can turn what the matter did together with another: what was cleared counts against nobody."""
        return one.event["data"].get("matter") in self.together

    def _of_findings(self, one: Held) -> str | None:
        event, mine = one.event, matter_of(self.finding)
        data = event.get("data", {})
        if event.get("type") == TYPE:
            if matter_of(event) == mine or event["id"] == self.finding["id"]:
                return MATTER_FILE
            return OTHERS_FILE if data.get("about") == "entry" and self._about(data) else None
        if event.get("type") == ASSESSED:
            return MATTER_FILE if data.get("matter") == mine or data.get("finding") in self.names else None
        if event.get("type") == SCAN:
            same = data.get("detector") == self.finding["data"]["kind"] and data.get("cause") == self.finding["data"].get("cause")
            return MATTER_FILE if same else None
        return None

    def _about(self, data: Mapping[str, Any]) -> bool:
        """Whether another finding is about an entry of the same subject: what moved grades together is told together."""
        return self.subject is not None and data.get("subject_of") == self.subject

    def _refused(self, record: Record) -> bool:
        try:
            body = orjson.loads(record.value or b"")["refusal"]
            return body["source"] == self.finding["data"].get("office") and body["key_id"] in self.signers
        except (ValueError, KeyError, TypeError):
            return False


def wanted(finding: Mapping[str, Any], named: Iterable[Held], known: Iterable[Held], facts: Iterable[Held]) -> Wanted:
    """``named``: what stands at the places that the finding names; ``known``: the log's records of findings and of the registry;
    ``facts``: of its subject, as far as they are known."""
    data = finding["data"]
    every = list(named)
    at = place_in(data.get("event"))
    entry = next((one for one in every if at and one.place == (at.topic, at.partition, at.offset)), None)
    subject = data.get("subject_of")
    if subject is None and entry is not None and entry.record.topic == FACTS and entry.record.key not in (None, CONTROL_KEY):
        subject = str(entry.event.get("subject"))
    signers = {str(one.one.signature["key_id"]) for one in every if one.one and "key_id" in one.one.signature}
    names, affected, mine = {finding["id"]}, set[str](), matter_of(finding)
    together, others, full = set[str](), set[str](), False
    for one in known:
        event = one.event
        if event.get("type") == TYPE and matter_of(event) == mine:
            names.add(event["id"])
        elif event.get("type") == TYPE and event["data"].get("about") == "entry" and event["data"].get("subject_of") == subject:
            others.add(matter_of(event))
        elif event.get("type") == ASSESSED and event["data"].get("matter") == mine:
            affected.add(event["data"]["affected"])
            together.update(id for some in event["data"]["joint"] for id in some["matters"])
            full |= len(event["data"]["joint"]) >= MOST_JOINT
        elif event.get("type") == REGISTERED and event["subject"] in (data.get("concerns") or ()):
            signers.add(str(event["data"]["key"]["key_id"]))
    own = [one for one in facts if subject is not None and one.record.key == subject.encode()]
    partitions = {one.record.partition for one in (*every, *own) if one.record.topic == FACTS}
    return Wanted(
        finding=finding,
        subject=subject,
        affected=frozenset(affected - {subject}),
        places=frozenset(one.place for one in every),
        signers=frozenset(signers),
        partitions=frozenset(partitions),
        names=frozenset(names),
        # Where an assessment has no room for all sets, any of the subject's matters may be in one.
        together=frozenset((together | others if full else together) - {mine}),
    )


def places_named(finding: Mapping[str, Any]) -> frozenset[tuple[str, int, int]]:
    """Every record that a finding names: what it is about, what it rests on, what caused it. What follows from facts is none of them: a
    grade or duty is named by where its cause stands, which in its own topic is another's place."""
    data = finding["data"]
    every = [data.get("event"), data.get("cause"), *(data.get("evidence") or ())]
    return frozenset(
        (one["topic"], one["partition"], one["offset"]) for one in every if one and one["topic"] not in (GRADES, DUTIES, PARTS)
    )
