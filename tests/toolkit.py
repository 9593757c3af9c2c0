"""Signed events for tests of every part: people with keys from their names, a register that knows them, valid submissions.

Pure, except ``post``, ``post_batch`` and ``enrol``, which take an ``httpx.Client`` of intake. Keys made here are no secret.
"""

from __future__ import annotations

import copy
import hashlib
import json
import time as clock
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import orjson

from schemas.canonical import event_hash
from schemas.commitments import commit
from schemas.envelope import envelope_bytes
from schemas.events import CATALOGUE
from schemas.keys import SigningKey, b64
from schemas.times import instant, milliseconds
from services.intake.domain.judging import Admitted, Denied, judge
from services.intake.domain.registry import Registry

GOLDEN = Path(__file__).resolve().parent.parent / "schemas" / "golden"
# Later than every golden event; a test on a live intake passes its own.
NOW = "2027-03-01T08:00:00.000Z"
TODAY = "2027-03-01"
REGISTER = "/departments/register/offices/registry"
OFFICE = "/departments/yangli/offices/retail-workstation"
OTHER_OFFICE = "/departments/yangli/offices/market-supervision"
USCC = "uscc:91990000YL0000012A"
_serial = count(1)


def key(name: str) -> SigningKey:
    """The Ed25519 key of this name: the same name, the same key."""
    return SigningKey.from_seed(hashlib.sha256(f"test key {name}".encode()).digest())


@dataclass(frozen=True)
class Person:
    """An officer of the tests; ``name`` is the pseudonym's last part and names the key. Empty ``regimes``: all."""

    name: str
    role: str = "officer"
    office: str = OFFICE
    channels: tuple[str, ...] = ("desk", "field")
    schemes: tuple[str, ...] = ("uscc", "fhrs", "camis")
    regimes: tuple[str, ...] = ()

    @property
    def pseudonym(self) -> str:
        return f"officer:{self.name}"

    @property
    def key(self) -> SigningKey:
        return key(self.name)


REGISTRAR = Person("test-registrar", "registrar", REGISTER, ("desk",))
OFFICER = Person("test-officer")
COLLEAGUE = Person("test-colleague")
STRANGER = Person("test-stranger", office=OTHER_OFFICE)
APPROVER = Person("test-approver", "approver", schemes=("uscc", "regime", "office"))
IMPORTER = Person("test-importer", "importer", channels=("migration", "feed"))
EVERYBODY = (OFFICER, COLLEAGUE, STRANGER, APPROVER, IMPORTER)


def new_id(name: str | None = None) -> str:
    """An event id: of ``name`` always the same, else a new one for every call within a session."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name or f"test event {uuid.getnode()} {next(_serial)}"))


def event(
    kind: str,
    data: Mapping[str, Any],
    *,
    subject: str = USCC,
    source: str = OFFICE,
    time: str = NOW,
    id: str | None = None,
) -> dict[str, Any]:
    """An event of the type ``mingjian.<kind>.v1``."""
    return {
        "specversion": "1.0",
        "id": id or new_id(),
        "source": source,
        "type": f"mingjian.{kind}.v1",
        "subject": subject,
        "time": time,
        "datacontenttype": "application/json",
        "data": dict(data),
    }


def signed(one: Mapping[str, Any], by: Person | SigningKey, private: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The submission of an event. ``private``: field → value; the commitments are put into the event first."""
    signer = by.key if isinstance(by, Person) else by
    whole = copy.deepcopy(dict(one))
    made: dict[str, Any] = {}
    if private:
        salts = {field: hashlib.sha256(f"salt {field}".encode()).digest()[:16] for field in private}
        whole["data"]["commitments"] = {field: commit(field, value, salts[field]) for field, value in private.items()}
        made["private"] = {field: {"value": value, "salt": b64(salts[field])} for field, value in private.items()}
    return {"event": whole, "signature": signer.signature(whole), **made}


def inspection(day: str = TODAY, **more: Any) -> dict[str, Any]:
    """Data of a routine inspection."""
    return {"occurred_on": day, "kind": "routine", "mode": "on_site", "violations": ["GSP-07"], **more}


def warning(day: str = TODAY, served: str = TODAY, **more: Any) -> dict[str, Any]:
    """Data of a served warning."""
    return {
        "occurred_on": day,
        "document_no": "样例警〔2026〕7号",
        "service": {"served_on": served, "method": "handed_over"},
        "violation": "YP-104",
        "legal_field": "drug",
        "correction_ordered": True,
        **more,
    }


def score(total: str = "97.5", **more: Any) -> dict[str, Any]:
    """Data of a year's score: 100 less 2.5."""
    return {
        "occurred_on": TODAY,
        "regime": "liyujiang",
        "year": 2026,
        "maximum": "100",
        "deductions": [{"item": "YL-01", "points": "2.5"}],
        "total": total,
        "final": False,
        "standard": "样例评分标准",
        **more,
    }


def golden(name: str) -> dict[str, Any]:
    """The golden event of a type, by its short name."""
    return json.loads((GOLDEN / f"mingjian.{name}.v1.json").read_text(encoding="utf-8"))


def genesis(*, clock_mode: str = "wall", time: str = "2026-01-05T00:30:00.000Z", **more: Any) -> dict[str, Any]:
    """A genesis submission that names the keys of ``REGISTRAR``, ``key("receipt")`` and ``key("system")``."""
    data = golden("genesis")["data"] | {
        "clock_mode": clock_mode,
        "registrar": REGISTRAR.pseudonym,
        "registrar_key": REGISTRAR.key.public_object(),
        "receipt_key": key("receipt").public_object(),
        "system_key": key("system").public_object(),
        **more,
    }
    return signed(event("genesis", data, subject="stack:yangli", source=REGISTER, time=time, id=new_id("genesis")), REGISTRAR)


def record(submission: Mapping[str, Any], *, received_at: str = NOW, channel: str = "desk", offset: int = 0) -> bytes:
    """The Kafka value of a submission. ``offset``: the registry offset that it is stamped with."""
    entry = {"received_at": received_at, "channel": channel, "batch": None, "registry_offset": offset}
    return envelope_bytes(submission["event"], submission["signature"], entry)


def by_registrar(kind: str, subject: str, data: Mapping[str, Any], *, time: str = NOW, by: Person = REGISTRAR) -> dict[str, Any]:
    """A registrar's event, signed."""
    return signed(event(kind, data, subject=subject, source=by.office, time=time), by)


def enrolment(person: Person, *, day: str = TODAY, time: str = NOW, signing_key: SigningKey | None = None) -> list[dict[str, Any]]:
    """What the registrar says so that a person can enter: enrolled, key registered, role granted."""
    public = (signing_key or person.key).public_object()
    grant = {"role": person.role, "office": person.office, "schemes": list(person.schemes), "regimes": list(person.regimes)}
    steps: list[tuple[str, dict[str, Any]]] = [
        ("officer.enrolled", {"office": person.office}),
        ("key.registered", {"key": public, "channels": list(person.channels)}),
        ("role.granted", grant),
    ]
    return [by_registrar(kind, person.pseudonym, {"occurred_on": day, **data}, time=time) for kind, data in steps]


def fold(registry: Registry, submissions: Iterable[Mapping[str, Any]], *, received_at: str = NOW) -> Registry:
    """Apply records in order, as if intake had written them. Returns the same registry."""
    for one in submissions:
        registry.apply(registry.next_offset, record(one, received_at=received_at, offset=registry.next_offset - 1))
    return registry


def enrolled_registry(*people: Person) -> Registry:
    """A register with genesis and these people, default ``EVERYBODY``."""
    registry = fold(Registry.empty(), [genesis()], received_at="2026-01-05T00:30:00.000Z")
    for person in people or EVERYBODY:
        fold(registry, enrolment(person))
    assert not registry.ignored
    return registry


def judged(submission: Any, registry: Registry, *, channel: str | None = None, at: str = NOW) -> Admitted | Denied:
    """``judge`` with the tests' defaults."""
    return judge(submission, registry=registry, channel=channel, received_at=at)


def enterable() -> list[str]:
    """Short names of the types that people can enter now, in the catalogue's order."""
    kept = ("derived",)
    # Steps of a hearing hold only one after the other: they have tests of their own.
    apart = {"genesis", "day.closed", *(f"finding.{step}" for step in ("notified", "replied", "decided", "appealed"))}
    return [row.name for row in CATALOGUE.values() if row.wired and row.route not in kept and row.name not in apart]


def valid_submissions(names: Iterable[str] | None = None) -> list[tuple[dict[str, Any], Person]]:
    """One submission of each type that people can enter, made from the golden files, with its signer.

    They hold for ``enrolled_registry()`` one by one, in any order: what they say of officers is about ``COLLEAGUE``."""
    return [_from_golden(name) for name in names or enterable()]


def _from_golden(name: str) -> tuple[dict[str, Any], Person]:
    one = golden(name)
    row = CATALOGUE[one["type"]]
    signer = OFFICER if "officer" in row.roles else REGISTRAR if "registrar" in row.roles else APPROVER
    if row.subjects == ("office",) and signer is OFFICER:
        signer = APPROVER
    data = {field: value for field, value in one["data"].items() if field != "commitments"}
    hidden = {field: f"样例{field}" for field in one["data"].get("commitments", {})}
    subject = one["subject"]
    # Whom it names is enrolled here, and the clerk signs with a key of their own.
    named = {"officers": [OFFICER.pseudonym, COLLEAGUE.pseudonym], "on_behalf_of": COLLEAGUE.pseudonym, "reviewed_by": COLLEAGUE.pseudonym}
    own = {field: signer.pseudonym for field in ("entered_by", "approved_by", "returned_by")}
    data |= {field: value for field, value in (named | own).items() if field in data}
    if subject.startswith("officer:"):
        subject = COLLEAGUE.pseudonym
        data |= {"office": COLLEAGUE.office} if "office" in data else {}
        data |= {"key_id": COLLEAGUE.key.key_id} if "key_id" in data else {}
        data |= {"role": COLLEAGUE.role} if "role" in data else {}
    made = event(name, data, subject=subject, source=signer.office, time=one["time"], id=new_id(f"valid {name}"))
    return signed(made, signer, hidden), signer


def headers(channel: str | None = None, at: str | None = None) -> dict[str, str]:
    """Request headers of intake."""
    found = {"content-type": "application/json"}
    if channel:
        found["Mingjian-Channel"] = channel
    if at:
        found["Mingjian-Simulated-At"] = at
    return found


def post(client: httpx.Client, submission: Any, *, channel: str | None = None, at: str | None = None) -> httpx.Response:
    """One submission (or raw bytes) to intake, answered once it is read back: while the answer is 202 or 503, the same bytes go
    again, for at most a minute."""
    body = submission if isinstance(submission, bytes) else orjson.dumps(submission)
    end = clock.monotonic() + 60
    while True:
        answer = client.post("/api/v1/events", content=body, headers=headers(channel, at))
        if answer.status_code not in (202, 503) or clock.monotonic() > end:
            return answer
        clock.sleep(0.1)


def post_batch(
    client: httpx.Client, submissions: Sequence[Any], *, channel: str | None = None, at: str | None = None
) -> list[dict[str, Any]]:
    """The ``results`` of a batch. Raises ``httpx.HTTPStatusError`` where the batch as a whole was refused."""
    answer = client.post("/api/v1/events:batch", content=orjson.dumps({"events": list(submissions)}), headers=headers(channel, at))
    answer.raise_for_status()
    return answer.json()["results"]


def enrol(client: httpx.Client, registrar: SigningKey, people: Sequence[Person], *, source: str, time: str) -> None:
    """Let these people enter on a live intake. ``registrar``: the key of the stack's genesis, ``source`` its office; ``time``: now."""
    day = time[:10]
    for person in people:
        for made in enrolment(person, day=day, time=time):
            answer = post(client, signed({**made["event"], "source": source}, registrar))
            assert answer.status_code == 201, answer.text


def hash_of(submission: Mapping[str, Any]) -> str:
    """The event's hash."""
    return event_hash(submission["event"])


def later(instant_text: str, *, milliseconds_more: int) -> str:
    """An instant that lies so much later."""
    return instant(milliseconds(instant_text) + milliseconds_more)
