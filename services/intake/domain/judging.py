"""May this be entered? Signature, authority, dates, people and keys, personal data, private values, sums; in this order.

Invariants
1. ``Denied.key_id`` is set only where the signature of a registered key verified: such a refusal is signed and kept.
2. A revoked key is a registered one: it proves that its holder tried.
3. Nothing private and no personal data stands in a ``Denied``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson

from schemas.events import CATALOGUE
from schemas.events.base import Data, EventType
from schemas.events.penalty import PenaltyDecided
from schemas.events.supervision import ScoreRecorded
from schemas.ids import EVENT_ID, SOURCE
from schemas.keys import unb64, verify
from schemas.times import civil_date
from services.intake.domain.authority import TAKEN_AS_THEY_ARE, authority_fault, channel_of
from services.intake.domain.dates import impossible_date
from services.intake.domain.faults import Fault, Refused, fault, personal_fault
from services.intake.domain.hearings import own_word, step_fault
from services.intake.domain.officers import officers_fault, people_fault, people_marks
from services.intake.domain.personal import find, search
from services.intake.domain.private_values import private_fault
from services.intake.domain.reading import Opened, Read, open_submission, validate
from services.intake.domain.registry import Key, Registry
from services.intake.domain.standing import Facts, standing_faults

# What goes into a refusal, which is kept for ever and read by all: nothing but an office and an id, however free the text was.
_NAMES = {"source": SOURCE, "id": EVENT_ID}


@dataclass(frozen=True, slots=True)
class Admitted:
    """What may be entered. ``officer``: the key's holder. ``marks``: codes of what was taken although it doesn't add up."""

    read: Read
    event_type: EventType
    channel: str
    officer: str
    key_id: str
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Receipt:
    """How and when a submission came in, and what stood then."""

    channel: str | None
    received_at: str
    today: date
    standing: Sequence[Facts] | None
    involved: frozenset[str]


@dataclass(frozen=True, slots=True)
class Denied:
    """What may not be entered. ``event_hash`` None: there was no event to hash. ``source`` and ``id`` as sent, '' where they are no
    office and no id or hold personal data. ``key_id``: the registered key whose signature verified, else None."""

    fault: Fault
    event_hash: str | None
    source: str
    id: str
    key_id: str | None


def judge(
    value: Any,
    *,
    registry: Registry,
    channel: str | None,
    received_at: str,
    standing: Sequence[Facts] | None = None,
    involved: frozenset[str] = frozenset(),
) -> Admitted | Denied:
    """Judge one submission (a part of what ``read_body`` gives) against the registry up to its last record folded.

    ``channel`` None: the first that the key was registered for. ``received_at``: an instant of the contract. ``standing``: the facts
    that are there, among them all that the submission names; None where that is not to be looked at. ``involved``:
    who entered or acted in the entries that a hearing's decision is about, as far as they are stored."""
    if registry.genesis is None:
        return Denied(fault("not-ready"), None, "", "", None)
    today = civil_date(received_at, registry.time_zone)
    try:
        opened = open_submission(value)
    except Refused as refused:
        return Denied(refused.fault, None, _name(value, "source", today), _name(value, "id", today), None)

    def denied(why: Fault, key_id: str | None) -> Denied:
        return Denied(why, opened.event_hash, _name(value, "source", today), _name(value, "id", today), key_id)

    key = registry.key(opened.signature["key_id"])
    if broken := _signature_fault(opened, key):
        return denied(broken, None)
    assert key is not None
    try:
        return _judge_signed(opened, key, registry, _Receipt(channel, received_at, today, standing, involved))
    except Refused as refused:
        return denied(refused.fault, key.key_id)


def _signature_fault(opened: Opened, key: Key | None) -> Fault | None:
    signature = opened.signature
    if key is None:
        return fault("key-unknown", field="/signature/key_id", value=signature["key_id"])
    if key.alg != signature["alg"]:
        return fault("algorithm-mismatch", field="/signature/alg", value=signature["alg"])
    try:
        given = unb64(signature["value"])
    except ValueError:
        return fault("signature-form", field="/signature/value")
    return None if verify(key.alg, key.raw, opened.event_bytes, given) else fault("signature-wrong", field="/signature/value")


def _judge_signed(opened: Opened, key: Key, registry: Registry, receipt: _Receipt) -> Admitted:
    """Raises ``Refused``."""
    if key.revoked_at is not None:
        raise Refused(fault("key-revoked", field="/signature/key_id", value=key.key_id))
    # Who left is heard all the same.
    if not registry.enrolled(key.holder) and not own_word(opened.event, key.holder):
        raise Refused(fault("holder-not-enrolled", field="/signature/key_id", value=key.key_id))
    read = validate(opened)
    chosen = channel_of(key, receipt.channel)
    _refuse(authority_fault(read, key.holder, registry))
    _refuse(impossible_date(read.event, receipt.received_at, registry.time_zone))
    _refuse(officers_fault(read.event, registry))
    _refuse(_personal_fault(read.event, receipt.today))
    _refuse(private_fault(read.event, read.private))
    _refuse(people_fault(read.event, key.holder, chosen, registry))
    _refuse(step_fault(read.event, key.holder, registry, receipt.today, receipt.involved))
    marks = (*_marks(read, chosen, receipt.standing), *people_marks(read.event, registry))
    return Admitted(read, read.event_type, chosen, key.holder, key.key_id, marks)


def _refuse(found: Fault | None) -> None:
    if found is not None:
        raise Refused(found)


def _personal_fault(event: dict[str, Any], today: date) -> Fault | None:
    places = {"source": event["source"], "subject": event["subject"], "data": event["data"]}
    found = search(places, today, "/event")
    return personal_fault(*found) if found else None


def _marks(read: Read, channel: str, standing: Sequence[Facts] | None) -> tuple[str, ...]:
    """Raises ``Refused`` for what doesn't add up, where a person can still look at it again."""
    found = [*_faults(read), *(standing_faults(read.event, standing) if standing is not None else ())]
    if found and channel not in TAKEN_AS_THEY_ARE:
        raise Refused(found[0])
    return tuple(dict.fromkeys(one.code for one in found))


def _faults(read: Read) -> Iterator[Fault]:
    yield from _sums(read.data, "/event/data")
    if words := read.event["data"].get("replacement"):
        instead = CATALOGUE[words["type"]].model.model_validate_json(orjson.dumps(words["data"]))
        yield from _sums(instead, "/event/data/replacement/data")


def _sums(data: Data, where: str) -> Iterator[Fault]:
    if isinstance(data, ScoreRecorded) and not data.adds_up():
        yield fault("sum-wrong", field=f"{where}/total", value=data.total)
    if isinstance(data, PenaltyDecided):
        for place, act in enumerate(data.acts):
            if "fine" in act.kinds and act.amount is None:
                yield fault("amount-missing", field=f"{where}/acts/{place}/amount")


def _name(value: Any, name: str, today: date) -> str:
    """``source`` or ``id`` where it has the form of one."""
    event = value.get("event") if isinstance(value, dict) else None
    text = event.get(name) if isinstance(event, dict) else None
    if not isinstance(text, str) or not _NAMES[name].fullmatch(text) or find(text, today):
        return ""
    return text
