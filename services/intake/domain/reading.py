"""From bytes to an event that the contract takes, in three steps: the body, what the signature is over, all the rest.

The body of many events is read as a whole, and each event is held to its canonical form on its own: one that has none must not
stand in the others' way. The last two are apart because a refusal is signed for whoever's signature verifies, however wrong
the data are.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from schemas.canonical import CanonicalError, check, parse, sha256_hex, trusted_canonical_bytes
from schemas.envelope import Submission, check_data, envelope_bytes
from schemas.events import CATALOGUE
from schemas.events.base import Data, EventType
from schemas.ids import SCHEMES, scheme_of
from schemas.receipts import SignatureObject
from schemas.topics import MAX_ENVELOPE_BYTES
from services.intake.domain.explaining import explain
from services.intake.domain.faults import Fault, Refused, fault
from services.intake.domain.personal import plain

_MEMBERS = frozenset({"event", "signature", "private"})
GENESIS = "mingjian.genesis.v1"
# The longest that intake may put beside an event: whether it fits must not depend on the hour or on the batch's name.
_LONGEST_ENTRY = {
    "received_at": "2199-12-31T23:59:59.999Z",
    "channel": "migration",
    "batch": "b" * 80,
    "registry_offset": 2**53 - 1,
    # Those that can stand together in one event.
    "marks": ["amount-missing", "counterpart-missing", "officer-unknown"],
}
_BODY_CODES = {
    "utf-8": "not-utf-8",
    "duplicate-key": "duplicate-key",
    "integer-range": "integer-too-big",
    "lone-surrogate": "lone-surrogate",
    "depth": "too-deep",
    "key": "non-ascii-key",
    "type": "not-json-value",
}


@dataclass(frozen=True, slots=True)
class Opened:
    """A submission of which the signature can be checked; its event may still be anything."""

    value: dict[str, Any]
    event: dict[str, Any]
    signature: dict[str, Any]
    event_bytes: bytes
    event_hash: str


@dataclass(frozen=True, slots=True)
class Read:
    """An event that the contract takes. ``event_bytes``: canonical; ``size``: bytes of its envelope with the longest entry."""

    event: dict[str, Any]
    signature: dict[str, Any]
    private: dict[str, Any] | None
    event_bytes: bytes
    event_hash: str
    size: int
    event_type: EventType
    data: Data


def read_body(body: bytes) -> Any:
    """JSON, of which ``canonical`` has to be asked before a part is used. Raises ``Refused`` (400)."""
    if not body.strip():
        raise Refused(fault("empty-body"))
    try:
        return parse(body)
    except CanonicalError as error:
        raise Refused(_of_body(error)) from None


def canonical(value: Any, where: str = "") -> None:
    """Raises ``Refused`` (400) for the first part that has no canonical form. Depth counts from ``value``, which stands at the
    pointer ``where``."""
    try:
        check(value, where)
    except CanonicalError as error:
        raise Refused(_of_body(error)) from None


def _of_body(error: CanonicalError) -> Fault:
    where = error.where or None
    if error.code == "json":
        line, _, column = error.message.rpartition(" at line ")[2].partition(", column ")
        return fault("json-broken", line=line, column=column)
    if error.code == "float":
        return fault("not-a-number" if error.message.endswith("is not JSON") else "float", field=where)
    return fault(_BODY_CODES[error.code], field=where)


def open_submission(value: Any) -> Opened:
    """``event`` is an object with canonical bytes and ``signature`` is well formed. Raises ``Refused``.

    ``value``: JSON as ``read_body`` gives it, a whole body or a part of it."""
    if isinstance(value, dict):
        for name, part in value.items():
            canonical({name: None})
            canonical(part, "/" + name)
    else:
        canonical(value)
    if not isinstance(value, dict) or not isinstance(value.get("event"), dict):
        raise Refused(fault("submission-shape", field="/event" if isinstance(value, dict) else ""))
    if "signature" not in value:
        raise Refused(fault("missing-field", field="/signature"))
    try:
        SignatureObject.model_validate(value["signature"])
    except ValidationError as error:
        raise Refused(explain(error, (), ("signature",))) from None
    event_bytes = trusted_canonical_bytes(value["event"])
    return Opened(value, value["event"], value["signature"], event_bytes, sha256_hex(event_bytes))


def validate(opened: Opened) -> Read:
    """Envelope, size, type, subject and data. Raises ``Refused``."""
    value, event = opened.value, opened.event
    size = len(envelope_bytes({}, opened.signature, _LONGEST_ENTRY)) - 2 + len(opened.event_bytes)
    if size > MAX_ENVELOPE_BYTES:
        raise Refused(fault("too-large", field="/event", size=size, most=MAX_ENVELOPE_BYTES))
    try:
        Submission.model_validate(value)
    except ValidationError as error:
        raise Refused(explain(error, tuple(SCHEMES))) from None
    event_type = _known_type(event["type"])
    if scheme_of(event["subject"]) not in event_type.subjects:
        schemes = ", ".join(event_type.subjects)
        raise Refused(fault("subject-not-of-type", field="/event/subject", value=event["subject"], schemes=schemes))
    try:
        data = check_data(event_type, event["data"], event["subject"])
    except ValidationError as error:
        raise Refused(explain(error, event_type.subjects, ("event", "data"))) from None
    return Read(event, opened.signature, value.get("private"), opened.event_bytes, opened.event_hash, size, event_type, data)


def read(value: Any) -> Read:
    """The last two steps."""
    return validate(open_submission(value))


def _known_type(name: str) -> EventType:
    row = CATALOGUE.get(name)
    if row is None:
        raise Refused(fault("type-unknown", field="/event/type", value=name, near=", ".join(_near(name))))
    if row.type == GENESIS:
        raise Refused(fault("genesis-not-here", field="/event/type"))
    if row.route == "derived":
        raise Refused(fault("type-derived", field="/event/type", value=name))
    if not row.wired:
        raise Refused(fault("type-not-in-use", field="/event/type", value=name))
    return row


def _near(name: str) -> list[str]:
    """The nearest types that can be entered, the nearest first."""
    known = [row.type for row in CATALOGUE.values() if row.wired and row.route != "derived" and row.type != GENESIS]
    words = set(plain(name).split("."))
    shared = [one for one in known if one.split(".")[1] in words]
    return list(dict.fromkeys([*difflib.get_close_matches(name, known, 3, 0.5), *shared]))[:4] or known[:4]
