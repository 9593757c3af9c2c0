#!/usr/bin/env python3
"""A reader of the register's evidence that shares no line with the programs that wrote it.

Standard library and ``cryptography`` alone; nothing of the project is imported (a test holds that). It was written from the
public formats: RFC 8785, RFC 8032, FIPS 186, RFC 9162, C2SP signed-note, tlog-checkpoint and tlog-tiles, and from
docs/architecture.md for receipt, signature and leaf. What it accepts, a stranger can accept.

    independent_reader.py receipt FILE --key RECEIPT_KEY_B64URL [--event FILE]
    independent_reader.py event FILE --alg Ed25519 --key KEY_B64URL
    independent_reader.py log DIR --vkey VKEY [--receipt FILE]
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature


class Refused(Exception):
    """The evidence does not show what it should."""


def demand(holds: bool, why: str) -> None:
    if not holds:
        raise Refused(why)


# Canonical JSON, signatures, receipts


def canonical(value: Any) -> bytes:
    """RFC 8785 for what the contract allows: ASCII keys, strings, integers, booleans, null."""

    def check(one: Any) -> None:
        demand(not isinstance(one, float), "a float in signed JSON")
        if isinstance(one, dict):
            for key, item in one.items():
                demand(key.isascii(), "a key that is not ASCII")
                check(item)
        elif isinstance(one, list):
            for item in one:
                check(item)

    check(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def from_b64url(text: str) -> bytes:
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    demand(base64.urlsafe_b64encode(data).rstrip(b"=").decode() == text, "base64url has one spelling only")
    return data


def key_id(alg: str, public: bytes) -> str:
    return hashlib.sha256(alg.encode() + b"\0" + public).hexdigest()[:32]


def check_signature(value: Any, signature: dict[str, str], alg: str, public: bytes) -> None:
    """The signature object is this key's over the canonical bytes of ``value``."""
    demand(signature["alg"] == alg, "signed with another algorithm")
    demand(signature["key_id"] == key_id(alg, public), "signed with another key")
    raw, message = from_b64url(signature["value"]), canonical(value)
    demand(len(raw) == 64, "a signature has 64 bytes")
    try:
        if alg == "Ed25519":
            Ed25519PublicKey.from_public_bytes(public).verify(raw, message)
        elif alg == "ES256":
            der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
            ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public).verify(der, message, ec.ECDSA(hashes.SHA256()))
        else:
            raise Refused(f"unknown algorithm {alg}")
    except (InvalidSignature, ValueError):
        raise Refused("the signature does not hold") from None


def check_event(submission: dict[str, Any], alg: str, public: bytes) -> str:
    """The event's signature holds; returns the event's hash."""
    check_signature(submission["event"], submission["signature"], alg, public)
    return hashlib.sha256(canonical(submission["event"])).hexdigest()


def check_receipt(signed: dict[str, Any], public: bytes, event: dict[str, Any] | None = None) -> dict[str, Any]:
    """The receipt is intake's, and for ``event`` where one is given; returns the receipt."""
    receipt = signed["receipt"]
    demand(receipt["type"] == "mingjian.receipt.v1", "not a receipt")
    check_signature(receipt, signed["signature"], "Ed25519", public)
    if event is not None:
        demand(receipt["event_hash"] == hashlib.sha256(canonical(event)).hexdigest(), "the receipt is for other content")
        demand((receipt["source"], receipt["id"]) == (event["source"], event["id"]), "the receipt is for another event")
    return receipt


# The log: note, checkpoint, tiles, tree


def parse_vkey(text: str) -> tuple[str, bytes, bytes]:
    """(name, key id, public key) of an Ed25519 verifier key."""
    name, given, rest = text.strip().split("+", 2)
    blob = base64.b64decode(rest, validate=True)
    demand(len(blob) == 33 and blob[0] == 1, "not an Ed25519 verifier key")
    real = hashlib.sha256(name.encode() + b"\n" + blob).digest()[:4]
    demand(real.hex() == given, "the verifier key's id is not its key's")
    return name, real, blob[1:]


def check_checkpoint(note: bytes, vkey: str) -> tuple[int, bytes]:
    """(size, root) of a checkpoint that the log signed."""
    name, wanted, public = parse_vkey(vkey)
    text, blank, lines = note.decode("utf-8").rpartition("\n\n")
    demand(bool(blank) and lines.endswith("\n"), "not a signed note")
    text += "\n"
    signed = False
    for line in lines[:-1].split("\n"):
        dash, who, encoded = line.split(" ")
        blob = base64.b64decode(encoded, validate=True)
        demand(base64.b64encode(blob).decode() == encoded, "base64 with stray bits")
        demand(dash == "\u2014", "not a signature line")
        if (who, blob[:4]) != (name, wanted):
            continue
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(blob[4:], text.encode())
        except InvalidSignature:
            raise Refused("the log's signature does not hold") from None
        signed = True
    demand(signed, "the log did not sign the checkpoint")
    origin, size, root, end = text.split("\n")
    demand(origin == name and end == "" and str(int(size)) == size, "not this log's checkpoint")
    return int(size), base64.b64decode(root, validate=True)


def tile_name(number: int) -> str:
    groups = [f"{number % 1000:03d}"]
    while number := number // 1000:
        groups.insert(0, f"x{number % 1000:03d}")
    return "/".join(groups)


def read_tile(log: Path, kind: str, number: int, width: int) -> bytes:
    path = log / "tile" / kind / tile_name(number)
    if width < 256:
        partial = path.with_name(path.name + ".p") / str(width)
        return partial.read_bytes() if partial.exists() else path.read_bytes()
    return path.read_bytes()


def entries(log: Path, size: int) -> Iterator[bytes]:
    """The first ``size`` entries of the bundles, in order."""
    for number in range((size + 255) // 256):
        width = min(256, size - number * 256)
        data, at = read_tile(log, "entries", number, width), 0
        for _ in range(width):
            demand(at + 2 <= len(data), "a bundle is cut off")
            end = at + 2 + int.from_bytes(data[at : at + 2], "big")
            demand(end <= len(data), "a bundle is cut off")
            yield data[at + 2 : end]
            at = end


def tree_root(leaves: Iterator[bytes]) -> bytes:
    """Root over entries, by a stack of perfect subtrees."""
    stack: list[tuple[int, bytes]] = []
    for entry in leaves:
        node = (1, hashlib.sha256(b"\0" + entry).digest())
        while stack and stack[-1][0] == node[0]:
            node = (2 * node[0], hashlib.sha256(b"\x01" + stack.pop()[1] + node[1]).digest())
        stack.append(node)
    if not stack:
        return hashlib.sha256().digest()
    root = stack.pop()[1]
    while stack:
        root = hashlib.sha256(b"\x01" + stack.pop()[1] + root).digest()
    return root


def check_tiles(log: Path, size: int, leaves: list[bytes]) -> int:
    """Every tile of hashes is that of the entries; returns how many tiles there are."""
    level, row, count = 0, [hashlib.sha256(b"\0" + entry).digest() for entry in leaves], 0
    while row:
        for number in range((len(row) + 255) // 256):
            part = row[number * 256 : number * 256 + 256]
            stored = read_tile(log, str(level), number, len(part))[: 32 * len(part)]
            demand(stored == b"".join(part), f"tile {level}/{number} is not that of the entries")
            count += 1
        row = [subtree(row[at : at + 256]) for at in range(0, len(row) - len(row) % 256, 256)]
        level += 1
    return count


def subtree(row: list[bytes]) -> bytes:
    while len(row) > 1:
        row = [hashlib.sha256(b"\x01" + left + right).digest() for left, right in zip(row[::2], row[1::2], strict=True)]
    return row[0]


def check_log(log: Path, vkey: str) -> tuple[int, bytes]:
    """The checkpoint is signed and its root is that of the entry bundles; every tile fits. Returns (size, root)."""
    size, root = check_checkpoint((log / "checkpoint").read_bytes(), vkey)
    leaves = list(entries(log, size))
    demand(tree_root(iter(leaves)) == root, "the root is not that of the entry bundles")
    check_tiles(log, size, leaves)
    return size, root


# The leaf (docs/adr/0011, "The leaf's frame"): which record of which partition, and its exact bytes


def read_leaf(entry: bytes) -> dict[str, Any]:
    """Topic, partition, offset, timestamp, key, headers and value of a leaf; of a stub its length and hash."""
    version, kind, length = entry[:3]
    demand(version == 1 and kind in (0, 1), "not a leaf of version 1")
    at = 3 + length
    place: dict[str, Any] = {"topic": entry[3:at].decode("ascii")}
    for name, width, sign in (("partition", 4, False), ("offset", 8, False), ("timestamp_type", 1, False), ("timestamp", 8, True)):
        place[name] = int.from_bytes(entry[at : at + width], "big", signed=sign)
        at += width
    if kind == 1:
        demand(len(entry) == at + 40, "a stub of another length")
        return place | {"stub": {"length": int.from_bytes(entry[at : at + 8], "big"), "sha256": entry[at + 8 :].hex()}}

    def blob(at: int) -> tuple[bytes | None, int]:
        size = int.from_bytes(entry[at : at + 4], "big")
        return (None, at + 4) if size == 0xFFFFFFFF else (entry[at + 4 : at + 4 + size], at + 4 + size)

    place["key"], at = blob(at)
    count, at = int.from_bytes(entry[at : at + 2], "big"), at + 2
    place["headers"] = []
    for _ in range(count):
        end = at + 2 + int.from_bytes(entry[at : at + 2], "big")
        name, (value, at) = entry[at + 2 : end].decode("utf-8", "surrogateescape"), blob(end)
        place["headers"].append((name, value))
    place["value"], at = blob(at)
    demand(at == len(entry), "a leaf has bytes after its end")
    return place


def find_receipt_in_log(log: Path, vkey: str, receipt: dict[str, Any]) -> int:
    """The log holds the event that the receipt promises, at the place that it names. Returns the leaf's index."""
    size, _ = check_log(log, vkey)
    for index, entry in enumerate(entries(log, size)):
        leaf = read_leaf(entry)
        if (leaf["topic"], leaf["partition"], leaf["offset"]) == (receipt["topic"], receipt["partition"], receipt["offset"]):
            event = json.loads(leaf["value"])["event"]
            demand(hashlib.sha256(canonical(event)).hexdigest() == receipt["event_hash"], "another event stands at the receipt's place")
            return index
    raise Refused("the log has no leaf for the receipt")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Check evidence of the register without its programs.")
    ways = parser.add_subparsers(dest="what", required=True)
    receipt = ways.add_parser("receipt")
    receipt.add_argument("file", type=Path)
    receipt.add_argument("--key", required=True, help="public receipt key, base64url")
    receipt.add_argument("--event", type=Path, help="the submission that the receipt is for")
    event = ways.add_parser("event")
    event.add_argument("file", type=Path)
    event.add_argument("--alg", default="Ed25519")
    event.add_argument("--key", required=True, help="the officer's public key, base64url")
    log = ways.add_parser("log")
    log.add_argument("dir", type=Path)
    log.add_argument("--vkey", required=True)
    log.add_argument("--receipt", type=Path, help="a receipt whose leaf to look for")
    said = parser.parse_args(arguments)
    try:
        if said.what == "receipt":
            given = json.loads(said.event.read_bytes())["event"] if said.event else None
            print("receipt holds:", json.dumps(check_receipt(json.loads(said.file.read_bytes()), from_b64url(said.key), given)))
        elif said.what == "event":
            print("signature holds, event hash", check_event(json.loads(said.file.read_bytes()), said.alg, from_b64url(said.key)))
        else:
            size, root = check_log(said.dir, said.vkey)
            print(f"log holds: {size} leaves, root {root.hex()}")
            if said.receipt:
                print("leaf", find_receipt_in_log(said.dir, said.vkey, json.loads(said.receipt.read_bytes())["receipt"]))
    except (Refused, OSError, KeyError, ValueError) as error:
        print(f"refused: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
