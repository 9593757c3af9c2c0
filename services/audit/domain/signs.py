"""Signs and scans as derived events. Their ids follow from matter and cause, their bytes hold no clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from schemas.envelope import derived_bytes, derived_event
from schemas.ids import ENTERPRISE_SCHEMES, derived_id, scheme_of
from schemas.topics import FACTS, REGISTRY
from services.audit.domain.detectors.model import Closed, Declared, Entry, Scanned, Shown, Sign, Tested
from services.audit.domain.findings import TYPE, Place, event_of, moment

SCAN = "mingjian.scan.ran.v1"
MOST_EVIDENCE = 50
_MOST_CONCERNED = _MOST_VALUES = 20


class At(NamedTuple):
    """Where a record stands."""

    topic: str
    partition: int
    offset: int


class Because(NamedTuple):
    """What made a sign due: an entry, or the ``day.closed`` of the registry. ``known``: epoch ms; ``id``: by which the finding is named."""

    place: Place
    known: int
    id: str

    @staticmethod
    def entry(one: Entry) -> Because:
        """The entry by which it could be found; of what rating makes of a fact, that fact: it is the record that stands there."""
        if one.topic not in (FACTS, REGISTRY):
            return Because(Place(FACTS, one.order.partition, one.order.offset, str(one.data["cause"]["id"])), one.order.known, one.id)
        return Because(Place(one.topic, one.order.partition, one.order.offset, one.id), one.order.known, one.id)

    @staticmethod
    def close(closed: Closed, id: str) -> Because:
        """The close of the day. ``id``: of the registry's event."""
        return Because(Place(REGISTRY, 0, closed.scene.stamp, id), closed.known, id)


@dataclass(frozen=True, slots=True)
class Found:
    """A derived event to keep and to send. ``matter``: None of a scan; ``rests_on``: records whose signatures have to
    verify, ``held``: by keys that held."""

    id: str
    type: str
    kind: str
    about: str
    office: str | None
    subject: str | None
    regime: str | None
    event_id: str | None
    matter: str | None
    retracted: bool
    key: bytes
    value: bytes
    rests_on: tuple[Shown, ...] = ()
    held: bool = True

    @property
    def data(self) -> dict[str, Any]:
        """The event's data."""
        found: dict[str, Any] = event_of(self.value)["data"]
        return found


def matter_of(kind: str, sign: Sign) -> str:
    """The id that all findings of the sign's matter share."""
    return derived_id(cause=sign.matter, kind=kind, subject=f"office:{sign.office}", regime=sign.regime or "")


def raised(declared: Declared, sign: Sign, because: Because, ordinal: int) -> Found:
    """A sign as ``finding.raised``. ``ordinal``: how many signs of the same matter the same cause gave before."""
    kind, matter, office = declared.kind, matter_of(declared.kind, sign), f"office:{sign.office}"
    rests_on = _rests_on(sign)
    about_one = sign.subject if sign.subject and scheme_of(sign.subject) in ENTERPRISE_SCHEMES else None
    data: dict[str, Any] = {
        "kind": kind,
        "about": declared.about,
        "matter": matter,
        "office": sign.office,
        "readings": list(declared.readings),
        "evidence": [_evidence(one) for one in rests_on],
        "explanations": [{"code": one.code, "supported": one.code in sign.supported} for one in declared.explanations],
        "proposes": declared.proposes,
        "detail_zh": sign.zh,
        "detail_en": sign.en,
        "rule_version": f"detector {kind} {declared.version}",
        "detector_version": declared.version,
        "cause": asdict(because.place),
    }
    optional: dict[str, Any] = {
        "retracted": True if sign.retracted else None,
        "subject_of": about_one,
        "regime": sign.regime,
        "clause": declared.clause,
        "event": _place(sign.entry) if sign.entry else None,
        "event_type": f"mingjian.{sign.entry.type}.v1" if sign.entry else None,
        "concerns": list(sign.concerns[:_MOST_CONCERNED]) or None,
        "values": [_value(*one) for one in sign.values[:_MOST_VALUES]] or None,
        "statistic": asdict(sign.tested) if isinstance(sign.tested, Tested) else None,
    }
    data |= {name: value for name, value in optional.items() if value is not None}
    id = derived_id(cause=because.id, kind=kind, subject=office, regime=matter, ordinal=ordinal)
    event = derived_event(id=id, service="audit", type=TYPE, subject=office, time=moment(because.known), data=data)
    return Found(
        id=id,
        type=TYPE,
        kind=kind,
        about=declared.about,
        office=sign.office,
        subject=about_one,
        regime=sign.regime,
        event_id=sign.entry.id if sign.entry else None,
        matter=matter,
        retracted=sign.retracted,
        key=sign.office.encode(),
        value=derived_bytes(event),
        rests_on=() if sign.proof == "none" else rests_on,
        held=sign.proof == "held",
    )


def ran(declared: Declared, scan: Scanned, closed: Closed, id: str, stack: str, ordinal: int = 0) -> Found:
    """A scan as ``scan.ran``. ``id``: of the registry's ``day.closed``; ``stack``: subject of genesis."""
    because = Because.close(closed, id)
    data: dict[str, Any] = {
        "detector": declared.kind,
        "version": declared.version,
        "first": scan.first.isoformat(),
        "through": closed.through.isoformat(),
        "looked_at": scan.looked_at,
        "units": scan.units,
        "hits": scan.hits,
        "cause": asdict(because.place),
    }
    if scan.alpha is not None:
        data["alpha"] = scan.alpha
    name = derived_id(cause=id, kind="scan_ran", subject=stack, regime=declared.kind, ordinal=ordinal)
    event = derived_event(id=name, service="audit", type=SCAN, subject=stack, time=moment(because.known), data=data)
    value = derived_bytes(event)
    return Found(name, SCAN, declared.kind, "scan", None, None, None, None, None, False, declared.kind.encode(), value)


def _rests_on(sign: Sign) -> tuple[Shown, ...]:
    """The records of facts and registry that the sign shows, the one in question first, each once in each role."""
    every = [*((sign.entry,) if sign.entry else ()), *sign.shown]
    named = {(one.topic, one.order.partition, one.order.offset) for one in sign.shown}
    if sign.entry and (sign.entry.topic, sign.entry.order.partition, sign.entry.order.offset) in named:
        every = list(sign.shown)
    return tuple(dict.fromkeys(one for one in every if one.topic in (FACTS, REGISTRY)))[:MOST_EVIDENCE]


def _place(one: Shown) -> dict[str, Any]:
    return {"topic": one.topic, "partition": one.order.partition, "offset": one.order.offset, "id": one.id}


def _evidence(one: Shown) -> dict[str, Any]:
    known = moment(one.order.known)
    rest = {"known_from": known, "source": one.source, "type": f"mingjian.{one.type}.v1", "sha256": one.sha256, "role": one.role}
    return _place(one) | rest


def _value(name: str, value: str, bound: str | None) -> dict[str, str]:
    return {"name": name, "value": value} | ({"bound": bound} if bound is not None else {})


def places(found: Sequence[Found]) -> list[At]:
    """Every record that the signs rest on, once, by place."""
    return sorted({At(one.topic, one.order.partition, one.order.offset) for each in found for one in each.rests_on})
