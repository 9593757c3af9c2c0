"""Several subjects' lives as one stream of envelopes, as intake would have written it: by the time at which each became known."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from schemas.canonical import trusted_canonical_bytes
from schemas.times import instant
from services.rating.domain.controls import Controls
from services.rating.domain.facts import CONTROLS, Fact
from services.rating.domain.fold import Told, history, merged
from services.rating.gathering import Entry
from tests.cases.ledger import Ledger, book

BOOKS = {"liyujiang": book("liyujiang")}


@dataclass(frozen=True)
class Sent:
    """A record. ``subject`` None: a control event, which is copied into every partition."""

    subject: str | None
    fact: Fact

    @property
    def event(self) -> dict[str, Any]:
        one = self.fact
        about = {"specversion": "1.0", "id": one.id, "source": one.source, "type": one.type, "datacontenttype": "application/json"}
        data = dict(one.data)
        if words := data.get("replacement"):
            data["replacement"] = {"type": f"mingjian.{words['name']}.v1", "data": words["data"]}
        office = data.pop("office", None)
        whole = f"office:{office}" if office else "regime:liyujiang"
        return about | {"subject": self.subject or whole, "time": instant(one.stamp), "data": data}

    @property
    def value(self) -> bytes:
        entry = {"received_at": instant(self.fact.stamp), "channel": "desk", "batch": None, "registry_offset": 1}
        return trusted_canonical_bytes({"event": self.event, "signature": {"alg": "Ed25519"}, "entry": entry})

    @property
    def key(self) -> bytes:
        return (self.subject or "control").encode()

    @property
    def headers(self) -> list[tuple[str, bytes]]:
        return [("ce_id", self.fact.id.encode()), ("ce_type", self.fact.type.encode())]

    def entry(self, offset: int) -> Entry:
        return (offset, self.fact.stamp, self.key, self.value, self.headers)


def stream(ledgers: Sequence[Ledger], *, named: str = "uscc:91350100M{:06d}00X") -> list[Sent]:
    """The lives of several subjects and the controls of the first of them, by the time at which each became known."""
    found = [Sent(None, one) for one in ledgers[0].facts if one.name in CONTROLS]
    for number, ledger in enumerate(ledgers):
        subject = named.format(number)
        found += [Sent(subject, _renamed(one, subject)) for one in ledger.facts if one.name not in CONTROLS]
    found.sort(key=lambda one: (one.fact.known, one.fact.offset))
    return [Sent(one.subject, replace(one.fact, stamp=one.fact.known)) for one in found]


def _renamed(fact: Fact, subject: str) -> Fact:
    """Ids are unique per source, so each subject's events get their own, also where they name each other."""

    def new(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: new(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [new(one) for one in value]
        return _id(value, subject) if isinstance(value, str) and _is_id(value) else value

    return replace(fact, id=_id(fact.id, subject), data=new(fact.data))


def _is_id(text: str) -> bool:
    return len(text) == 36 and text.count("-") == 4


def _id(text: str, subject: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{text}{subject}"))


def told_live(sent: Sequence[Sent], partition: int = 3) -> dict[str, list[Told]]:
    """What live rating tells of each subject, step by step, from the stream in one partition."""
    controls, facts = Controls(), {}
    for offset, one in enumerate(sent):
        moved = replace(one.fact, offset=offset, partition=partition)
        if one.subject is None:
            controls.apply(moved)
        else:
            facts.setdefault(one.subject, []).append(moved)
    return {subject: list(history(subject, partition, merged(own, controls), controls, BOOKS)) for subject, own in facts.items()}
