"""Receipts and refusals in officers' hands, held against the log: each a leaf, and signed by the key that genesis names.

What is shown when no fault is found
1. Each was signed by intake's receipt key.
2. A receipt's record is a leaf of its partition and offset; it carries the event of that hash under that source and id, was received
   and is known from when the receipt says, and no record before it in its topic carries the event.
3. A refusal is, as it was signed, the value of a leaf of refusals.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import ValidationError

from schemas.canonical import CanonicalError, parse_strict, trusted_canonical_bytes
from schemas.keys import unb64
from schemas.receipts import Receipt, Refusal, SignatureObject, verify_signed
from schemas.times import instant
from schemas.topics import REFUSALS
from services.audit.domain.contents import Leaf, Tell

_CODE = "receipt"


class NoReceipts(ValueError):
    """A file that holds something else than receipts and refusals."""


@dataclass(frozen=True)
class HandedOut:
    """A receipt or a refusal as it was handed out: ``signed`` is ``{"receipt" | "refusal", "signature"}``. ``where``: file and line."""

    where: str
    signed: Mapping[str, Any]

    @property
    def part(self) -> str:
        """``receipt`` or ``refusal``."""
        return "receipt" if "receipt" in self.signed else "refusal"

    @property
    def body(self) -> Mapping[str, Any]:
        """What was signed."""
        found: Mapping[str, Any] = self.signed[self.part]
        return found


def read_handed_out(data: bytes, name: str) -> Iterator[HandedOut]:
    """The receipts of a file: one JSON value, or one a line, as ``send``, ``submit`` and ``import`` write them. A problem that carries
    a refusal, as intake answers it, counts as that refusal. Raises ``NoReceipts``."""
    for number, value in _values(data, name):
        where = f"{name}, line {number}"
        found = value
        if isinstance(value, dict) and isinstance(value.get("refusal"), dict) and "refusal" in value["refusal"]:
            found = value["refusal"]
        try:
            if not isinstance(found, dict) or not isinstance(found.get("signature"), dict):
                raise NoReceipts(f"{where}: holds no receipt")
            if "receipt" in found:
                Receipt.model_validate(found["receipt"])
            else:
                Refusal.model_validate(found.get("refusal"))
            SignatureObject.model_validate(found["signature"])
        except ValidationError as error:
            first = error.errors()[0]
            raise NoReceipts(f"{where}: holds no receipt: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
        yield HandedOut(where, found)


def _values(data: bytes, name: str) -> Iterator[tuple[int, Any]]:
    try:
        yield 1, parse_strict(data)
        return
    except CanonicalError:
        pass
    for number, line in enumerate(data.split(b"\n"), start=1):
        if line.strip():
            try:
                yield number, parse_strict(line)
            except CanonicalError as error:
                raise NoReceipts(f"{name}, line {number}: {error}") from None


class HandedOuts:
    """A ``Watcher`` that holds receipts and refusals against the leaves. ``genesis``: the pinned event, whose receipt key counts."""

    def __init__(self, given: Iterable[HandedOut], genesis: Mapping[str, Any] | None, fault: Tell) -> None:
        self._fault = fault
        self._receipts: dict[tuple[str, int, int], list[HandedOut]] = {}
        self._refusals: dict[bytes, list[HandedOut]] = {}
        self._ends: dict[tuple[str, int], int] = {}
        self.held = 0
        for one in given:
            if not _is_signed(one, genesis):
                fault(_CODE, one.where, "is not signed by the receipt key that genesis names")
            elif one.part == "receipt":
                place = (one.body["topic"], one.body["partition"], one.body["offset"])
                self._receipts.setdefault(place, []).append(one)
            else:
                self._refusals.setdefault(_digest(one.signed), []).append(one)

    def see(self, leaf: Leaf) -> None:
        """See ``Watcher``."""
        record = leaf.record
        self._ends[record.topic, record.partition] = record.offset + 1
        for one in self._receipts.pop((record.topic, record.partition, record.offset), ()):
            self.held += 1
            if wrong := _differs(one.body, leaf):
                self._fault(_CODE, f"{leaf.where} ({one.where})", wrong)
        if record.topic == REFUSALS and self._refusals and record.value is not None:
            try:
                found = self._refusals.pop(_digest(orjson.loads(record.value)), ())
            except (ValueError, TypeError, KeyError, AttributeError):
                return
            self.held += len(found)

    def end(self) -> None:
        """See ``Watcher``."""
        for (topic, partition, offset), missing in sorted(self._receipts.items()):
            has = self._ends.get((topic, partition), 0)
            for one in missing:
                what = f"a receipt was handed out for it, and it is no leaf; the log has {has} records of the partition"
                self._fault(_CODE, f"{topic} {partition}:{offset} ({one.where})", what)
        for waiting in self._refusals.values():
            for one in waiting:
                what = f"a refusal of {one.body['received_at']} was handed out, and is no leaf of the log"
                self._fault(_CODE, f"{REFUSALS} ({one.where})", what)


def _is_signed(one: HandedOut, genesis: Mapping[str, Any] | None) -> bool:
    try:
        key = (genesis or {})["data"]["receipt_key"]
        named = one.signed["signature"]["key_id"] == key["key_id"] and one.signed.keys() == {one.part, "signature"}
        return named and verify_signed(dict(one.signed), one.part, key["alg"], unb64(key["public_key"]))
    except (KeyError, TypeError, ValueError):
        return False


def _digest(signed: Mapping[str, Any]) -> bytes:
    return hashlib.sha256(trusted_canonical_bytes({"refusal": signed["refusal"], "signature": signed["signature"]})).digest()


def _differs(receipt: Mapping[str, Any], leaf: Leaf) -> str | None:
    """What the receipt says otherwise than its leaf."""
    if leaf.one is None:
        return "a receipt was handed out for it, and it holds no event"
    event, entry = leaf.one.event, leaf.one.entry
    has = {
        "source": event["source"],
        "id": event["id"],
        "event_hash": hashlib.sha256(trusted_canonical_bytes(event)).hexdigest(),
        "received_at": entry.get("received_at"),
        "known_from": instant(leaf.known_ms),
    }
    for name, value in has.items():
        if receipt[name] != value:
            return f"its {name} is {value}, on the receipt {receipt[name]}"
    return None if leaf.earlier is None else f"the receipt is for a first copy, and leaf {leaf.earlier} holds the event before it"
