"""Client vectors: cases that a client in any language can test itself against. Format: ``schemas/vectors/README.md``.

Everything follows from the golden events, from texts written down here and from two published test keys, so it is the same
on every run; ES256 signatures are made with the deterministic nonce of RFC 6979. The test keys are no secret: never register them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from schemas.canonical import CanonicalError, canonical_bytes, event_hash, parse_strict, sha256_hex
from schemas.commitments import commit
from schemas.generate import vector_inputs as given
from schemas.generate.json_schema import text_of
from schemas.ids import SubjectError, check_subject, derived_id
from schemas.keys import SigningKey, UnusableKey, b64, check_public, key_id
from schemas.receipts import Receipt, Refusal, sign_receipt, sign_refusal


def _file(about: str, cases: list[dict[str, Any]], **more: Any) -> str:
    names = [case["name"] for case in cases]
    if len(set(names)) != len(names):
        raise ValueError(f"two cases have the same name: {about}")
    return text_of({"about": about, **more, "cases": cases})


def ed25519_key() -> SigningKey:
    """The key of RFC 8032, test 1."""
    return SigningKey.from_seed(bytes.fromhex(given.ED25519_SEED))


def es256_key() -> SigningKey:
    """The key of RFC 6979, appendix A.2.5."""
    return SigningKey("ES256", ec.derive_private_key(int(given.ES256_SCALAR, 16), ec.SECP256R1()))


def _es256(message: bytes) -> bytes:
    private = es256_key().private
    r, s = decode_dss_signature(private.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _signature(key: SigningKey, message: bytes) -> dict[str, str]:
    value = key.sign(message) if key.alg == "Ed25519" else _es256(message)
    return {"key_id": key.key_id, "alg": key.alg, "value": b64(value)}


def _canonical() -> str:
    cases = []
    for name, text in given.ACCEPTED.items():
        made = canonical_bytes(parse_strict(text))
        cases.append({"name": name, "text_b64": b64(text), "canonical_b64": b64(made), "sha256": sha256_hex(made)})
    return _file("JSON texts that are accepted, and their canonical bytes", cases)


def _refused() -> str:
    cases = []
    for level, texts in (("text", given.REFUSED_TEXTS), ("value", given.REFUSED_VALUES)):
        for name, text in texts.items():
            try:
                parse_strict(text)
            except CanonicalError as error:
                cases.append({"name": name, "level": level, "text_b64": b64(text), "code": error.code})
            else:
                raise ValueError(f"{name} was accepted")
    return _file("JSON texts that have no canonical form and must be refused", cases)


def _events(golden: Path) -> str:
    events = [(path.stem, json.loads(path.read_text(encoding="utf-8"))) for path in sorted(golden.glob("*.json"))]
    signed = [(name, event) for name, event in events if not event["source"].startswith("/services/")]
    plain = next(event for name, event in signed if name == given.BASE_EVENT)
    signed += [(name, {**plain, "data": {**plain["data"], **change}}) for name, change in given.UNUSUAL.items()]
    cases = []
    for name, event in signed:
        made = canonical_bytes(event)
        cases.append(
            {
                "name": name,
                "event": event,
                "canonical_b64": b64(made),
                "event_hash": event_hash(event),
                "signatures": [_signature(ed25519_key(), made), _signature(es256_key(), made)],
            }
        )
    return _file("signed events: canonical bytes, hash, a signature by each test key", cases)


def _with(signature: dict[str, str], **change: str) -> dict[str, str]:
    return {**signature, **change}


def _bad_signatures() -> str:
    event = {"a": 1, "b": "明鉴"}
    message = canonical_bytes(event)
    ed, es = _signature(ed25519_key(), message), _signature(es256_key(), message)
    other = SigningKey.from_seed(bytes(range(32)))
    flipped = "A" if ed["value"][0] != "A" else "B"
    # 64 bytes leave four unused bits in the last character; a reader that ignores them takes two texts for one signature.
    stray = ed["value"][:-1] + {"A": "B", "Q": "R", "g": "h", "w": "x"}[ed["value"][-1]]
    cases = {
        "another event's signature": _signature(ed25519_key(), canonical_bytes({"a": 2, "b": "明鉴"})),
        "one bit turned, Ed25519": _with(ed, value=flipped + ed["value"][1:]),
        "one bit turned, ES256": _with(es, value=es["value"][:40] + ("A" if es["value"][40] != "A" else "B") + es["value"][41:]),
        "another key under this key's id": _with(_signature(other, message), key_id=ed["key_id"]),
        "the algorithm of the other key": _with(es, alg="Ed25519"),
        "padding": _with(ed, value=ed["value"] + "=="),
        "the alphabet of plain base64": _with(
            ed, value=ed["value"].replace("-", "+").replace("_", "/") if set("-_") & set(ed["value"]) else "+" * 86
        ),
        "stray bits in the last character": _with(ed, value=stray),
        "one byte short": _with(ed, value=b64(ed25519_key().sign(message)[:-1])),
        "ES256 in DER": _with(es, value=b64(given.der(_es256(message)))),
        "r and s are zero": _with(es, value=b64(bytes(64))),
        "signed over indented JSON": _with(ed, value=b64(ed25519_key().sign(json.dumps(event, indent=1, ensure_ascii=False).encode()))),
    }
    rows = [{"name": name, "signature": signature} for name, signature in cases.items()]
    return _file("signatures that must not verify over the canonical bytes of ``event``", rows, event=event)


def _receipts(golden: Path) -> str:
    key = ed25519_key()
    cases: list[dict[str, Any]] = []
    for number, name in enumerate(given.RECEIPTED):
        event = json.loads((golden / f"{name}.json").read_text(encoding="utf-8"))
        body = Receipt(
            source=event["source"],
            id=event["id"],
            event_hash=event_hash(event),
            topic="mingjian.facts.v1",
            partition=number,
            offset=given.OFFSETS[number],
            received_at=event["time"],
            known_from=event["time"][:-4] + "731Z",
        )
        signed = sign_receipt(body, key)
        case = {"part": "receipt", "event": event, "signed": signed, "canonical_b64": b64(canonical_bytes(signed["receipt"]))}
        cases.append({"name": f"receipt for {name}", **case, "valid": True})
        cases.append(
            {"name": f"receipt for {name}, offset changed", **case, **_altered(case, offset=given.OFFSETS[number] + 1), "valid": False}
        )
    event = json.loads((golden / f"{given.BASE_EVENT}.json").read_text(encoding="utf-8"))
    refusal = Refusal(
        source=event["source"],
        id=event["id"],
        event_hash=event_hash(event),
        key_id=es256_key().key_id,
        received_at=event["time"],
        reason="key-revoked",
        detail_en="the key was revoked before the event was received",
        detail_zh="收到事件之前,该密钥已吊销",
    )
    signed = sign_refusal(refusal, key)
    case = {"part": "refusal", "event": event, "signed": signed, "canonical_b64": b64(canonical_bytes(signed["refusal"]))}
    cases.append({"name": "refusal", **case, "valid": True})
    cases.append({"name": "refusal, reason changed", **case, **_altered(case, reason="key-unknown"), "valid": False})
    return _file("receipts and refusals signed by the Ed25519 test key; the false ones must not verify", cases)


def _altered(case: dict[str, Any], **change: Any) -> dict[str, Any]:
    part = case["part"]
    body = {**case["signed"][part], **change}
    return {"signed": {**case["signed"], part: body}, "canonical_b64": b64(canonical_bytes(body))}


def _commitments() -> str:
    cases = [
        {"name": name, "field": field, "value": value, "salt": b64(salt), "commitment": commit(field, value, salt)}
        for name, (field, value, salt) in given.COMMITTED.items()
    ]
    return _file("commitments: hex HMAC-SHA-256, key = salt, message = field + line feed + value", cases)


def _keys() -> str:
    cases: list[dict[str, Any]] = []
    for name, key in (("Ed25519 test key", ed25519_key()), ("ES256 test key", es256_key())):
        cases.append({"name": name, "alg": key.alg, "public_key": b64(key.raw_public), "key_id": key.key_id, "usable": True})
    for seed in (bytes(32), bytes(range(32)), b"\xff" * 32):
        key = SigningKey.from_seed(seed)
        name = f"Ed25519 from the seed {seed.hex()[:4]}…{seed.hex()[-2:]}"
        cases.append({"name": name, "alg": key.alg, "public_key": b64(key.raw_public), "key_id": key.key_id, "usable": True})
    for name, (alg, raw) in given.UNUSABLE_KEYS.items():
        try:
            check_public(alg, raw)
        except UnusableKey:
            cases.append({"name": name, "alg": alg, "public_key": b64(raw), "key_id": key_id(alg, raw), "usable": False})
        else:
            raise ValueError(f"{name} was accepted")
    keys = {
        "Ed25519": {"seed_hex": given.ED25519_SEED, **ed25519_key().public_object()},
        "ES256": {"scalar_hex": given.ES256_SCALAR, **es256_key().public_object()},
    }
    return _file("key ids, and public keys that can't be registered", cases, test_keys=keys)


def _subjects() -> str:
    cases: list[dict[str, Any]] = []
    for subject in given.SUBJECTS:
        try:
            check_subject(subject)
            cases.append({"name": subject, "subject": subject, "valid": True})
        except SubjectError as error:
            cases.append({"name": subject, "subject": subject, "valid": False, "code": error.code})
    return _file("subject ids", cases)


def _derived_ids() -> str:
    cases = []
    for name, parts in given.DERIVED.items():
        cases.append({"name": name, **parts, "id": derived_id(**parts)})
    return _file("ids of derived events: UUIDv5 over the canonical JSON of [cause, kind, subject, regime, ordinal]", cases)


def vectors(golden: Path) -> dict[str, str]:
    """File name → text. ``golden``: the folder of golden events."""
    return {
        "canonical.json": _canonical(),
        "refused.json": _refused(),
        "events.json": _events(golden),
        "bad_signatures.json": _bad_signatures(),
        "receipts.json": _receipts(golden),
        "commitments.json": _commitments(),
        "keys.json": _keys(),
        "subjects.json": _subjects(),
        "derived_ids.json": _derived_ids(),
    }
