"""The vectors against our own code: what we tell clients to do is what we do, and the files cover the contract's edges."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.canonical import CanonicalError, canonical_bytes, event_hash, parse_strict, sha256_hex
from schemas.commitments import matches
from schemas.ids import SubjectError, check_subject, derived_id
from schemas.keys import UnusableKey, check_public, key_id, unb64, verify
from schemas.receipts import verify_signed

FOLDER = Path(__file__).resolve().parents[2] / "schemas" / "vectors"


def load(name: str) -> dict[str, Any]:
    """One vector file."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def cases(name: str) -> list[Any]:
    """Its cases, named for the report."""
    return [pytest.param(case, id=case["name"]) for case in load(name)["cases"]]


KEYS = {key["key_id"]: key for key in load("keys")["test_keys"].values()}


def _verifies(signature: dict[str, str], message: bytes) -> bool:
    """As a reader does it: the key by its id, the algorithm bound to the key, strict base64url."""
    key = KEYS[signature["key_id"]]
    try:
        value = unb64(signature["value"])
    except ValueError:
        return False
    return signature["alg"] == key["alg"] and verify(key["alg"], unb64(key["public_key"]), message, value)


@pytest.mark.parametrize("case", cases("canonical"))
def test_canonical(case: dict[str, Any]) -> None:
    made = canonical_bytes(parse_strict(unb64(case["text_b64"])))
    assert unb64(case["canonical_b64"]) == made
    assert case["sha256"] == sha256_hex(made)


@pytest.mark.parametrize("case", cases("refused"))
def test_refused(case: dict[str, Any]) -> None:
    with pytest.raises(CanonicalError) as refused:
        parse_strict(unb64(case["text_b64"]))
    assert case["code"] == refused.value.code


@pytest.mark.parametrize("case", [one for one in load("refused")["cases"] if one["level"] == "value"], ids=lambda case: case["name"])
def test_a_value_that_can_stand_in_memory_is_refused_by_the_writer_too(case: dict[str, Any]) -> None:
    with pytest.raises(CanonicalError):
        canonical_bytes(json.loads(unb64(case["text_b64"])))


@pytest.mark.parametrize("case", cases("events"))
def test_events(case: dict[str, Any]) -> None:
    made = canonical_bytes(case["event"])
    assert unb64(case["canonical_b64"]) == made
    assert case["event_hash"] == event_hash(case["event"])
    assert ["Ed25519", "ES256"] == [signature["alg"] for signature in case["signatures"]]
    for signature in case["signatures"]:
        assert _verifies(signature, made)
        assert not _verifies(signature, made + b" ")


@pytest.mark.parametrize("case", cases("bad_signatures"))
def test_bad_signatures(case: dict[str, Any]) -> None:
    assert not _verifies(case["signature"], canonical_bytes(load("bad_signatures")["event"]))


@pytest.mark.parametrize("case", cases("receipts"))
def test_receipts(case: dict[str, Any]) -> None:
    key = load("keys")["test_keys"]["Ed25519"]
    body = case["signed"][case["part"]]
    assert unb64(case["canonical_b64"]) == canonical_bytes(body)
    assert case["valid"] == verify_signed(case["signed"], case["part"], "Ed25519", unb64(key["public_key"]))
    assert body["event_hash"] == event_hash(case["event"])


@pytest.mark.parametrize("case", cases("commitments"))
def test_commitments(case: dict[str, Any]) -> None:
    assert matches(case["field"], case["value"], unb64(case["salt"]), case["commitment"])
    assert not matches(case["field"], case["value"] + " ", unb64(case["salt"]), case["commitment"])


@pytest.mark.parametrize("case", cases("keys"))
def test_keys(case: dict[str, Any]) -> None:
    raw = unb64(case["public_key"])
    assert case["key_id"] == key_id(case["alg"], raw)
    if case["usable"]:
        check_public(case["alg"], raw)
    else:
        with pytest.raises(UnusableKey):
            check_public(case["alg"], raw)


@pytest.mark.parametrize("case", cases("subjects"))
def test_subjects(case: dict[str, Any]) -> None:
    if case["valid"]:
        assert case["subject"] == check_subject(case["subject"])
    else:
        with pytest.raises(SubjectError) as refused:
            check_subject(case["subject"])
        assert case["code"] == refused.value.code


@pytest.mark.parametrize("case", cases("derived_ids"))
def test_derived_ids(case: dict[str, Any]) -> None:
    assert case["id"] == derived_id(**{key: case[key] for key in ("cause", "kind", "subject", "regime", "ordinal")})


def test_the_vectors_reach_every_edge() -> None:
    """At least fifty cases, every refusal code, both algorithms, astral characters, both largest integers."""
    everything = {path.stem: load(path.stem)["cases"] for path in FOLDER.glob("*.json")}
    assert sum(map(len, everything.values())) >= 50
    assert {"utf-8", "json", "float", "integer-range", "duplicate-key", "lone-surrogate", "depth", "key"} == {
        case["code"] for case in everything["refused"]
    }
    texts = b"".join(unb64(case["canonical_b64"]) for case in everything["canonical"] + everything["events"])
    for edge in ("𠮷", "😀", "\U0010ffff", "9007199254740991", "-9007199254740991", "\\u001f", "\u2028", "{}", "[]", "e\u0301"):
        assert edge.encode() in texts, edge
    assert {case["code"] for case in everything["subjects"] if not case["valid"]} == {
        "subject-scheme",
        "subject-form",
        "subject-check-digit",
    }


def test_the_readme_describes_every_file() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in sorted(FOLDER.glob("*.json")) if f"`{path.name}`" not in text] == []
