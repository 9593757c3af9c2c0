"""What a client can get wrong: about a hundred slips, each with the answer that it should get."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from schemas.canonical import canonical_bytes
from schemas.keys import SigningKey, b64
from schemas.times import civil_date, instant
from services.intake.cli import OFFICE as REGISTER
from tests import toolkit as kit

LOST = kit.Person("test-lost-key")
LEFT = kit.Person("test-has-left")
NOBODY = kit.Person("test-nobody")
NARROW = kit.Person("test-narrow", schemes=("fhrs",), regimes=("fhrs",))
PEOPLE = (kit.OFFICER, kit.COLLEAGUE, kit.STRANGER, kit.APPROVER, kit.IMPORTER, LOST, LEFT, NARROW)
PHONE_KEY = SigningKey.generate("ES256")
SINGLE, BATCH = "/api/v1/events", "/api/v1/events:batch"


def now() -> str:
    return instant(time.time_ns() // 1_000_000)


def day(more: int = 0) -> str:
    """The stack's civil date, so many days from today."""
    return (civil_date(now(), "Asia/Shanghai") + timedelta(days=more)).isoformat()


def event(kind: str, data: dict[str, Any], **more: Any) -> dict[str, Any]:
    return kit.event(kind, data, **{"time": now(), **more})


def inspected(**more: Any) -> dict[str, Any]:
    return event("inspection.recorded", kit.inspection(day(), **more))


def warned(**more: Any) -> dict[str, Any]:
    return event("warning.issued", kit.warning(day(), day(), **more))


def signed(one: dict[str, Any], by: kit.Person | SigningKey = kit.OFFICER, private: dict[str, str] | None = None) -> dict[str, Any]:
    return kit.signed(one, by, private)


def with_(**members: Any) -> dict[str, Any]:
    """An inspection whose envelope has these members, signed as it then is."""
    return signed({**inspected(), **members})


def raw(find: bytes, put: bytes) -> bytes:
    """The bytes of a signed inspection with something in them replaced, as no JSON library would write it."""
    body = orjson.dumps(signed(inspected(started_at="2026-01-05T01:00:00.000Z")))
    assert body.count(find) >= 1
    return body.replace(find, put, 1)


@dataclass(frozen=True)
class Bad:
    """A slip: the request's body (or what to make it of), the answer expected, and whether its signature verifies."""

    name: str
    make: Callable[[], Any]
    status: int
    code: str
    proven: bool = False
    path: str = SINGLE
    headers: dict[str, str] = field(default_factory=dict)
    field: str | None = None


def proven(name: str, make: Callable[[], Any], code: str, status: int = 422, field: str | None = None, **headers: str) -> Bad:
    """A slip in an event that was properly signed by a registered key."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Bad(name, make, status, code, proven=True, headers=named, field=field)


def unsigned(change: Callable[[dict[str, Any]], Any]) -> Callable[[], Any]:
    """A signed inspection that is changed afterwards."""

    def make() -> Any:
        submission = signed(inspected())
        found = change(submission)
        return submission if found is None else found

    return make


def signature(**members: str) -> Callable[[], Any]:
    return unsigned(lambda one: one["signature"].update(members))


def der() -> dict[str, Any]:
    """What OpenSSL would give for an ES256 key: DER instead of r and s."""
    one = inspected()
    value = b64(PHONE_KEY.private.sign(canonical_bytes(one), ec.ECDSA(hashes.SHA256())))
    return {"event": one, "signature": {"key_id": PHONE_KEY.key_id, "alg": "ES256", "value": value}}


def nested(levels: int) -> bytes:
    return raw(b'"routine"', b"[" * levels + b"]" * levels)


def large() -> dict[str, Any]:
    items = [{"code": f"A-{number}", "result": "pass", "remark": "r" * 2000} for number in range(30)]
    return signed(inspected(items=items, note="n" * 2000))


def moved() -> dict[str, Any]:
    one = signed(inspected(), private={"name": "样例甲"})
    one["private"]["name"]["value"] = "样例乙"
    return one


def without_value() -> dict[str, Any]:
    one = signed(inspected(), private={"name": "样例甲"})
    del one["private"]
    return one


def without_commitment() -> dict[str, Any]:
    one = signed(inspected(), private={"name": "样例甲"})
    one["private"]["witness"] = one["private"]["name"]
    return one


def granting(source: str = kit.OFFICE) -> dict[str, Any]:
    data = {"occurred_on": day(), "role": "officer", "office": kit.OFFICE, "schemes": ["uscc"], "regimes": []}
    return event("role.granted", data, subject=kit.COLLEAGUE.pseudonym, source=source)


def closing() -> dict[str, Any]:
    return event("day.closed", {"through": day(-1), "time_zone": "Asia/Shanghai"}, subject="stack:mingjian")


def scored() -> dict[str, Any]:
    return event("score.recorded", kit.score("97", occurred_on=day()))


def key_data(key: SigningKey) -> dict[str, Any]:
    return {"key": key.public_object(), "channels": ["desk"]}


D = "/event/data"
BODIES = [
    Bad("an empty body", lambda: b"", 400, "empty-body"),
    Bad("broken JSON", lambda: b'{"event": {', 400, "json-broken"),
    Bad("no JSON at all", lambda: b"hello", 400, "json-broken"),
    Bad("not UTF-8", lambda: raw(b"routine", b"rout\xffne"), 400, "not-utf-8"),
    Bad("a float", lambda: raw(b'"routine"', b"1.5"), 400, "float", field="/event/data/kind"),
    Bad("an exponent", lambda: raw(b'"routine"', b"1e3"), 400, "float"),
    Bad("NaN", lambda: raw(b'"routine"', b"NaN"), 400, "not-a-number"),
    Bad("Infinity", lambda: raw(b'"routine"', b"-Infinity"), 400, "not-a-number"),
    Bad("a duplicate key", lambda: raw(b'"kind":', b'"mode":"written","kind":'), 400, "duplicate-key"),
    Bad("an integer that is too big", lambda: raw(b'"routine"', b"9007199254740992"), 400, "integer-too-big"),
    Bad("an integer of 400 digits", lambda: raw(b'"routine"', b"9" * 400), 400, "integer-too-big"),
    Bad("a lone surrogate", lambda: raw(b"routine", b"\\ud800"), 400, "lone-surrogate"),
    Bad("33 levels", lambda: nested(33), 400, "too-deep"),
    Bad("200,000 levels", lambda: b"[" * 200_000, 400, "too-deep"),
    Bad("a key that is not ASCII", lambda: raw(b'"kind"', '"种类"'.encode()), 400, "non-ascii-key"),
    Bad("a number", lambda: b"7", 422, "submission-shape"),
    Bad("a text", lambda: b'"event"', 422, "submission-shape"),
    Bad("null", lambda: b"null", 422, "submission-shape"),
    Bad("an array", lambda: [signed(inspected())], 422, "submission-shape"),
    Bad("the bare event", inspected, 422, "submission-shape"),
    Bad("the wrong content type", lambda: signed(inspected()), 415, "content-type", headers={"content-type": "text/plain"}),
    Bad("a form", lambda: signed(inspected()), 415, "content-type", headers={"content-type": "application/x-www-form-urlencoded"}),
    Bad("a body over the limit", lambda: b'"' + b"a" * 300_000 + b'"', 413, "body-too-large"),
    Bad("a batch of none", lambda: {"events": []}, 422, "batch-size", path=BATCH),
    Bad("a batch of 1,001", lambda: {"events": [1] * 1001}, 422, "batch-size", path=BATCH),
    Bad("a batch without events", lambda: {"event": {}}, 422, "batch-shape", path=BATCH),
    Bad("a batch with more", lambda: {"events": [1], "more": 1}, 422, "batch-shape", path=BATCH),
    Bad(
        "a batch named after a person",
        lambda: {"events": [1], "batch": "list 13800138000"},
        422,
        "personal-data",
        path=BATCH,
        field="/batch",
    ),
    Bad("a batch with a strange name", lambda: {"events": [1], "batch": "\u202e"}, 422, "batch-name", path=BATCH),
    Bad(
        "a simulated time on a real stack",
        lambda: signed(inspected()),
        422,
        "clock-is-real",
        headers={"Mingjian-Simulated-At": "2026-01-05T00:00:00.000Z"},
    ),
]
SIGNATURES = [
    Bad("no signature", unsigned(lambda one: one.pop("signature") and None), 422, "missing-field"),
    Bad("a signature that is a text", unsigned(lambda one: one.update(signature="x")), 422, "signature-form"),
    Bad("a signature that is too short", signature(value="AAAA"), 422, "signature-form"),
    Bad("a DER signature", der, 422, "signature-form"),
    Bad("an algorithm that is reserved", signature(alg="SM2"), 422, "signature-algorithm"),
    Bad("an algorithm that the key wasn't registered with", signature(alg="ES256"), 401, "algorithm-mismatch"),
    Bad("an unknown key", lambda: signed(inspected(), kit.key("nobody")), 401, "key-unknown"),
    Bad("another officer's key id", signature(key_id=kit.COLLEAGUE.key.key_id), 401, "signature-wrong"),
    Bad("a signature over other bytes", unsigned(lambda one: one["event"]["data"].update(kind="complaint")), 401, "signature-wrong"),
    Bad(
        "a signature by an ES256 key over other bytes",
        lambda: {**signed(inspected(), PHONE_KEY), "event": inspected()},
        401,
        "signature-wrong",
    ),
]
AUTHORITY = [
    proven("a revoked key", lambda: signed(inspected(), LOST), "key-revoked", 403),
    proven("an officer who left", lambda: signed(inspected(), LEFT), "holder-not-enrolled", 403),
    proven("the key of another office", lambda: signed(inspected(), kit.STRANGER), "office-not-granted", 403),
    proven("the wrong role", lambda: signed(inspected(), kit.APPROVER), "role-missing", 403),
    proven("an officer who grants a role", lambda: signed(granting()), "role-missing", 403),
    proven("an officer who closes the day", lambda: signed(closing()), "role-missing", 403),
    proven("a scheme outside the grant", lambda: signed(inspected(), NARROW), "scheme-not-granted", 403),
    proven(
        "a regime outside the grant", lambda: signed({**inspected(regime="other"), "subject": "fhrs:7"}, NARROW), "regime-not-granted", 403
    ),
    proven("a channel that the key has not", lambda: signed(inspected()), "channel-not-allowed", 403, Mingjian_Channel="migration"),
    proven("a channel that nobody has", lambda: signed(inspected()), "channel-unknown", 422, Mingjian_Channel="pigeon"),
    proven("genesis", lambda: with_(type="mingjian.genesis.v1"), "genesis-not-here"),
]
SHAPES = [
    proven("a wrong check digit", lambda: with_(subject="uscc:91990000YL0000012B"), "subject-check-digit", field="/event/subject"),
    proven("an unknown scheme", lambda: with_(subject="duns:150483782"), "subject-scheme", field="/event/subject"),
    proven("a subject id that is too short", lambda: with_(subject="uscc:9199"), "subject-form", field="/event/subject"),
    proven("a subject the type isn't about", lambda: with_(subject="regime:fhrs"), "subject-not-of-type", field="/event/subject"),
    proven("an id in upper case", lambda: with_(id=kit.new_id().upper()), "id-form", field="/event/id"),
    proven("no id", lambda: signed({k: v for k, v in inspected().items() if k != "id"}), "missing-field", field="/event/id"),
    proven("a source that is no office", lambda: with_(source="/services/rating"), "source-form", field="/event/source"),
    proven("the wrong specversion", lambda: with_(specversion="0.3"), "specversion", field="/event/specversion"),
    proven(
        "another content type of data", lambda: with_(datacontenttype="text/json"), "content-type-of-data", field="/event/datacontenttype"
    ),
    proven("an extra key in the event", lambda: with_(extra=1), "unknown-field", field="/event/extra"),
    proven("an extra key in the data", lambda: signed(inspected(extra=1)), "unknown-field", field=D + "/extra"),
    proven("an extra key in the submission", lambda: {**signed(inspected()), "entry": {}}, "unknown-field", field="/entry"),
    proven("a missing field", lambda: signed(event("inspection.recorded", {"occurred_on": day()})), "missing-field", field=D + "/kind"),
    proven("an event type that is misspelt", lambda: with_(type="mingjian.inspections.recorded.v1"), "type-unknown", field="/event/type"),
    proven("an event type that isn't in use", lambda: with_(type="mingjian.permit.suspended.v1"), "type-not-in-use", field="/event/type"),
    proven("an event type that is derived", lambda: with_(type="mingjian.grade.determined.v1"), "type-derived", field="/event/type"),
    proven("a word that is no choice", lambda: signed(inspected(kind="surprise")), "not-a-choice", field=D + "/kind"),
    proven("a text for a truth", lambda: signed(inspected(outcome_pending="true")), "wrong-type", field=D + "/outcome_pending"),
    proven("a control character", lambda: signed(inspected(note="a\x00b")), "text-form", field=D + "/note"),
    proven("a null character in the source", lambda: with_(source="/departments/\0/offices/x"), "source-form", field="/event/source"),
    proven("a null character in the id", lambda: with_(id="\0" + kit.new_id()), "id-form", field="/event/id"),
    proven("a null character in the subject", lambda: with_(subject="uscc:\0"), "subject-form", field="/event/subject"),
    proven("free text as a source", lambda: with_(source="样例人员家住样例街"), "source-form", field="/event/source"),
    proven("61 KiB", large, "too-large", 413, field="/event"),
]
DATES = [
    proven("the year 1", lambda: signed(inspected(occurred_on="0001-01-01")), "date-range", field=D + "/occurred_on"),
    proven("the year 9999", lambda: signed(inspected(occurred_on="9999-12-31")), "date-range", field=D + "/occurred_on"),
    proven("30 February", lambda: signed(inspected(occurred_on="2026-02-30")), "date-form", field=D + "/occurred_on"),
    proven("a time without a zone", lambda: with_(time="2026-01-05T00:00:00.000"), "instant-form", field="/event/time"),
    proven("a day in the future", lambda: signed(inspected(occurred_on=day(2))), "occurred-in-the-future", field=D + "/occurred_on"),
    proven("signed in the future", lambda: with_(time=day(1) + "T23:00:00.000Z"), "signed-in-the-future", field="/event/time"),
    proven("served in the future", lambda: signed(warned(service=service(2))), "served-in-the-future", field=D + "/service/served_on"),
    proven("served before decided", lambda: signed(warned(service=service(-1))), "served-before-decided", field=D + "/service/served_on"),
    proven("ended before it began", lambda: signed(inspected(**upside_down())), "contradiction", field=D),
    proven(
        "ended in the future", lambda: signed(inspected(ended_at=day(1) + "T23:00:00.000Z")), "instant-in-the-future", field=D + "/ended_at"
    ),
]
CONTENTS = [
    proven("an identity number in a note", lambda: signed(inspected(note="身份证11010519491231002X")), "personal-data", field=D + "/note"),
    proven("an identity number in pieces", lambda: signed(inspected(note="110105 19491231 002X")), "personal-data", field=D + "/note"),
    proven(
        "a telephone number in a remark",
        lambda: signed(inspected(items=[remark("电话13800138000")])),
        "personal-data",
        field=D + "/items/0/remark",
    ),
    proven(
        "an identity number as a credit code", lambda: signed(inspected(note="uscc:11010519491231002X")), "personal-data", field=D + "/note"
    ),
    proven(
        "a telephone number as a premises' number", lambda: signed(inspected(note="fhrs:13800138000")), "personal-data", field=D + "/note"
    ),
    proven("a telephone number as a field's name", lambda: signed(inspected(), private={"p13800138000": "样例甲"}), "personal-data"),
    proven("a landline in a document's number", lambda: signed(inspected(document_no="电话0571-87654321")), "personal-data"),
    proven("full-width digits", lambda: signed(inspected(note="１３８００１３８０００")), "personal-data", field=D + "/note"),
    proven("a landline", lambda: signed(inspected(note="0571-87654321")), "personal-data", field=D + "/note"),
    proven("a telephone number as a subject", lambda: person_enrolled("13800138000"), "personal-data", field="/event/subject"),
    proven("a private value that doesn't match", moved, "commitment-wrong"),
    proven("a private value that is missing", without_value, "commitment-without-value"),
    proven("a private value without a commitment", without_commitment, "value-without-commitment"),
    proven("a salt that is too short", lambda: {**signed(inspected()), "private": {"name": {"value": "x", "salt": "AA"}}}, "salt-form"),
    proven("a sum that doesn't add up", lambda: signed(scored()), "sum-wrong", field=D + "/total"),
    proven("a key of someone else", lambda: registrar("key.registered", kit.COLLEAGUE, key_data(kit.OFFICER.key)), "key-taken"),
    proven("a revoked key once more", lambda: registrar("key.registered", LOST, key_data(LOST.key)), "key-not-again"),
    proven("a role for nobody", lambda: registrar("role.granted", NOBODY, granting()["data"]), "officer-not-enrolled"),
    proven(
        "a key that the officer hasn't",
        lambda: registrar("key.revoked", kit.COLLEAGUE, {"key_id": "0" * 32, "reason": "lost"}),
        "key-not-of-subject",
    ),
    proven(
        "a key of small order",
        lambda: registrar("key.registered", kit.COLLEAGUE, {"key": small_order(), "channels": ["desk"]}),
        "contradiction",
    ),
    proven(
        "the id of another event",
        lambda: signed({**inspected(kind="complaint"), "id": kit.new_id("taken")}),
        "id-conflict",
        409,
        field="/event/id",
    ),
]
ALL = [*BODIES, *SIGNATURES, *AUTHORITY, *SHAPES, *DATES, *CONTENTS]
_REGISTRAR: list[SigningKey] = []


def registrar(kind: str, person: kit.Person, data: dict[str, Any]) -> dict[str, Any]:
    """Said by the registrar of the stack's genesis."""
    return signed(event(kind, {"occurred_on": day(), **data}, subject=person.pseudonym, source=REGISTER), _REGISTRAR[0])


def person_enrolled(name: str) -> dict[str, Any]:
    return registrar("officer.enrolled", kit.Person(name), {"office": kit.OFFICE})


def service(more: int) -> dict[str, str]:
    return {"served_on": day(more), "method": "post"}


def remark(text: str) -> dict[str, str]:
    return {"code": "A-1", "result": "fail", "remark": text}


def upside_down() -> dict[str, str]:
    return {"started_at": "2026-01-05T03:00:00.000Z", "ended_at": "2026-01-05T02:00:00.000Z"}


def small_order() -> dict[str, str]:
    """A public key under which one signature verifies for everything."""
    point = (1).to_bytes(32, "little")
    return {"key_id": hashlib.sha256(b"Ed25519\x00" + point).hexdigest()[:32], "alg": "Ed25519", "public_key": b64(point)}


def prepare(client: httpx.Client, key: SigningKey) -> frozenset[str]:
    """Enrol everybody, lose a key, let an officer leave, and enter one event whose id is then taken."""
    _REGISTRAR[:] = [key]
    kit.enrol(client, key, PEOPLE, source=REGISTER, time=now())
    last = [
        registrar("key.registered", kit.OFFICER, key_data(PHONE_KEY)),
        registrar("key.revoked", LOST, {"key_id": LOST.key.key_id, "reason": "lost"}),
        registrar("officer.left", LEFT, {"office": LEFT.office}),
        signed({**inspected(), "id": kit.new_id("taken")}),
        signed(inspected(), PHONE_KEY),
    ]
    for one in last:
        answer = kit.post(client, one)
        assert answer.status_code == 201, answer.text
    return frozenset(one["event"]["id"] for one in last)
