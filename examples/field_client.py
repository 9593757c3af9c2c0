"""A field app's client in plain Python: the standard library and ``cryptography``, nothing of ours.

What it must do is in ``schemas/README.md``; the numbers below are that page's steps.

    python field_client.py key mine.json                      a key; what it prints goes to the registrar
    python field_client.py sign inspection.json --key mine.json --source /departments/…/offices/… --outbox outbox
    python field_client.py send --outbox outbox --intake http://127.0.0.1:19100 --receipt-key=<base64url>
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import http.client
import json
import os
import re
import secrets
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

LARGEST = 2**53 - 1
MAX_DEPTH = 32
LATER = {0, 202, 408, 429, 500, 502, 503, 504}
AUTHORITY = {401, 403}
OURS = "urn:mingjian:problem:"
BATCH = 100


class NotCanonical(ValueError):
    """The value or text has no canonical form, so it can't be signed."""


# 1. Canonical bytes.
def check(value: Any, depth: int = 0) -> None:
    """Raise ``NotCanonical`` for a float, a large integer, half a surrogate pair, a key that isn't ASCII, or 33 levels."""
    if isinstance(value, dict | list):
        if depth >= MAX_DEPTH:
            raise NotCanonical(f"nested deeper than {MAX_DEPTH} levels")
        for key in value if isinstance(value, dict) else ():
            if not isinstance(key, str) or not key.isascii():
                raise NotCanonical("keys must be ASCII")
        for item in value.values() if isinstance(value, dict) else value:
            check(item, depth + 1)
    elif isinstance(value, str):
        if re.search("[\ud800-\udfff]", value):
            raise NotCanonical("a string holds half of a surrogate pair")
    elif isinstance(value, int) and not isinstance(value, bool):
        if abs(value) > LARGEST:
            raise NotCanonical("only integers within ±(2⁵³−1)")
    elif value is not None and not isinstance(value, bool):
        raise NotCanonical(f"{type(value).__name__} has no canonical form; send decimals as strings")


def canonical(value: Any) -> bytes:
    """The canonical bytes. Keys are ASCII, so sorting by code point is the sorting of RFC 8785."""
    check(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _refuse(found: str) -> Any:
    raise NotCanonical(f"{found[:20]} is not an integer")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise NotCanonical("a key stands twice in one object")
    return dict(pairs)


def read(text: bytes) -> Any:
    """JSON that others wrote → a value that has a canonical form. Raises ``NotCanonical``."""
    try:
        value = json.loads(text.decode(), object_pairs_hook=_once, parse_float=_refuse, parse_constant=_refuse)
    except NotCanonical:
        raise
    except (ValueError, RecursionError) as error:
        raise NotCanonical(str(error)) from None
    check(value)
    return value


def b64(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """Strict base64url without padding. Raises ``ValueError``."""
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if b64(data) != text:
        raise ValueError("not base64url without padding")
    return data


def event_hash(event: dict[str, Any]) -> str:
    """Lower-case hex SHA-256 of the canonical bytes."""
    return hashlib.sha256(canonical(event)).hexdigest()


# 2. Keys.
def key_id(alg: str, raw: bytes) -> str:
    """First 32 hex digits of SHA-256(alg ‖ 00 ‖ raw public key)."""
    return hashlib.sha256(alg.encode() + b"\0" + raw).hexdigest()[:32]


class Key:
    """A private key: ``alg`` is Ed25519 or ES256, ``public`` what the registrar needs."""

    def __init__(self, alg: str, private: Any) -> None:
        self.alg, self.private = alg, private
        encoding = serialization.Encoding
        kind = serialization.PublicFormat
        form = (encoding.Raw, kind.Raw) if alg == "Ed25519" else (encoding.X962, kind.UncompressedPoint)
        raw = private.public_key().public_bytes(*form)
        self.public = {"key_id": key_id(alg, raw), "alg": alg, "public_key": b64(raw)}

    @staticmethod
    def make(alg: str = "Ed25519") -> Key:
        return Key(alg, ed25519.Ed25519PrivateKey.generate() if alg == "Ed25519" else ec.generate_private_key(ec.SECP256R1()))

    @staticmethod
    def load(path: Path) -> Key:
        stored = json.loads(path.read_text())
        return Key(stored["alg"], serialization.load_der_private_key(unb64(stored["private_key"]), password=None))

    def save(self, path: Path) -> None:
        """A file of mode 0600, never written over."""
        form = (serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        stored = {**self.public, "private_key": b64(self.private.private_bytes(*form))}
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(json.dumps(stored, indent=1) + "\n")

    def signature(self, value: Any) -> dict[str, str]:
        """The signature object over the canonical bytes of ``value``."""
        if self.alg == "Ed25519":
            made = self.private.sign(canonical(value))
        else:
            r, s = decode_dss_signature(self.private.sign(canonical(value), ec.ECDSA(hashes.SHA256())))
            made = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return {"key_id": self.public["key_id"], "alg": self.alg, "value": b64(made)}


def verify(body: Any, signature: Any, alg: str, public_key: str) -> bool:
    """Whether ``signature`` over ``body`` is by this key. Whatever else is given, the answer is False."""
    try:
        value, raw, message = unb64(signature["value"]), unb64(public_key), canonical(body)
        if signature["alg"] != alg or len(value) != 64:
            return False
        if alg == "Ed25519":
            ed25519.Ed25519PublicKey.from_public_bytes(raw).verify(value, message)
        else:
            der = encode_dss_signature(int.from_bytes(value[:32], "big"), int.from_bytes(value[32:], "big"))
            ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw).verify(der, message, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, KeyError, TypeError, ValueError):
        return False
    return True


# 3. Events.
def uuid7(ms: int, random: bytes) -> str:
    """UUIDv7 (RFC 9562) from epoch milliseconds and ten random bytes: made once, kept for ever."""
    value = ms << 80 | int.from_bytes(random, "big")
    value = value & ~(0xF << 76) | 7 << 76
    return str(uuid.UUID(int=value & ~(3 << 62) | 2 << 62))


def dated(value: Any, today: date) -> Any:
    """``@today``, ``@today+14``, ``@today-3`` in a draft become dates."""
    if isinstance(value, dict):
        return {key: dated(item, today) for key, item in value.items()}
    if isinstance(value, list):
        return [dated(item, today) for item in value]
    match = re.fullmatch(r"@today([+-][0-9]{1,3})?", value) if isinstance(value, str) else None
    return (today + timedelta(days=int(match[1] or 0))).isoformat() if match else value


def complete(draft: dict[str, Any], source: str, now: datetime) -> dict[str, Any]:
    """An event from a draft such as those in ``examples/``: id, time, source and today's date are the device's to fill in.

    ``now`` has the office's time zone, in which "today" is meant."""
    ms = int(now.timestamp() * 1000)
    return {
        "specversion": "1.0",
        "id": uuid7(ms, secrets.token_bytes(10)),
        "source": source,
        "time": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z",
        "datacontenttype": "application/json",
        **dated(draft, now.date()),
    }


def commit(field: str, value: str, salt: bytes) -> str:
    """Hex HMAC-SHA-256, keyed with the salt, over field + line feed + value."""
    return hmac.new(salt, f"{field}\n{value}".encode(), hashlib.sha256).hexdigest()


def submission(event: dict[str, Any], key: Key, private: dict[str, str] | None = None) -> dict[str, Any]:
    """4. Signs an event. The values in ``private`` go beside it; the event only commits to them."""
    if not private:
        return {"event": event, "signature": key.signature(event)}
    salts = {field: secrets.token_bytes(16) for field in private}
    commitments = {field: commit(field, value, salts[field]) for field, value in private.items()}
    event = {**event, "data": {**event["data"], "commitments": commitments}}
    beside = {field: {"value": value, "salt": b64(salts[field])} for field, value in private.items()}
    return {"event": event, "signature": key.signature(event), "private": beside}


def is_receipt_for(event: dict[str, Any], signed: Any, receipt_key: str) -> bool:
    """6. Whether ``signed`` is a receipt for exactly this event, by the receipt key that was pinned at the start (Ed25519)."""
    receipt = signed.get("receipt") if isinstance(signed, dict) else None
    if not isinstance(receipt, dict) or receipt.get("type") != "mingjian.receipt.v1":
        return False
    meant = (receipt.get("source"), receipt.get("id"), receipt.get("event_hash"))
    return meant == (event["source"], event["id"], event_hash(event)) and verify(receipt, signed.get("signature"), "Ed25519", receipt_key)


# 5. Keep, then send until there is a receipt.
class Outbox:
    """A folder: ``waiting/<id>.json`` holds the exact bytes to send; ``entered`` receipts, ``refused`` problems with signed refusals."""

    def __init__(self, folder: Path, *, intake: str, receipt_key: str, channel: str = "field", timeout: float = 30.0) -> None:
        self.folder, self.intake, self.receipt_key = folder, intake.rstrip("/"), receipt_key
        self.channel, self.timeout = channel, timeout
        for state in ("waiting", "entered", "refused"):
            (folder / state).mkdir(parents=True, exist_ok=True)

    def add(self, made: dict[str, Any]) -> None:
        """Returns when the submission is on the disk: from then on it will be sent."""
        self._write("waiting", made["event"]["id"], canonical(made))

    def waiting(self) -> list[str]:
        """Ids that have no answer yet, oldest first: a UUIDv7 begins with its time."""
        return sorted(path.stem for path in (self.folder / "waiting").glob("*.json"))

    def send_once(self) -> float:
        """One attempt with what is waiting. Returns the seconds to wait before the next, as intake asked."""
        ids = self.waiting()[:BATCH]
        bodies = [(self.folder / "waiting" / f"{one}.json").read_bytes() for one in ids]
        if len(ids) > 1:
            status, answer, pause = self._post("/api/v1/events:batch", b'{"events":[' + b",".join(bodies) + b"]}")
            results = answer.get("results") if status == 200 else None
            if isinstance(results, list) and len(results) == len(ids):
                for one, body, result in zip(ids, bodies, results, strict=True):
                    self._settle(one, body, result["status"], result, result.get("problem"))
                return pause
            # A batch that is refused as a whole says nothing about its events: they go one by one.
            if not _refuses(status, answer.get("problem")):
                return pause
        pause = 0.0
        for one, body in zip(ids, bodies, strict=True):
            status, answer, asked = self._post("/api/v1/events", body)
            self._settle(one, body, status, answer, answer.get("problem"))
            pause = max(pause, asked)
        return pause

    def send_all(self, patience: float = 60.0, sleep: Callable[[float], None] = time.sleep) -> int:
        """Attempts until nothing waits or ``patience`` seconds are over. Returns how many still wait."""
        until, pause = time.monotonic() + patience, 0.2
        while True:
            rest = max(self.send_once(), pause)
            left = len(self.waiting())
            if not left or time.monotonic() + rest > until:
                return left
            sleep(rest)
            pause = min(pause * 2, 300.0)

    def _post(self, path: str, body: bytes) -> tuple[int, dict[str, Any], float]:
        headers = {"content-type": "application/json", "mingjian-channel": self.channel}
        request = urllib.request.Request(self.intake + path, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as answer:
                return answer.status, self._object(answer.read()), _seconds(answer)
        except urllib.error.HTTPError as error:
            body = self._object(error.read())
            ours = error.headers.get("content-type", "").startswith("application/problem+json")
            return error.code, {"problem": body, "refusal": body.get("refusal")} if ours else {}, _seconds(error)
        except (OSError, http.client.HTTPException):
            return 0, {}, 0.0  # no network: the everyday case in the field

    @staticmethod
    def _object(body: bytes) -> dict[str, Any]:
        try:
            value = json.loads(body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    def again(self) -> int:
        """Let what was refused for want of authority wait again, once the key is registered or the role granted. Returns how many."""
        stored = {path: json.loads(path.read_text()) for path in (self.folder / "refused").glob("*.json")}
        found = {path: kept["submission"] for path, kept in stored.items() if kept["answer"].get("status") in AUTHORITY}
        for path, made in found.items():
            # Canonical bytes are the same whenever they are written.
            self._write("waiting", path.stem, canonical(made))
            path.unlink()
        return len(found)

    def _settle(self, one: str, body: bytes, status: int, answer: dict[str, Any], found: Any) -> None:
        receipt = answer.get("receipt")
        signed = receipt if isinstance(receipt, dict) and "receipt" in receipt else answer
        if 200 <= status < 300 and "receipt" in signed:
            # A receipt that doesn't verify proves nothing, so the submission stays and is sent again.
            if is_receipt_for(json.loads(body)["event"], signed, self.receipt_key):
                self._finish("entered", one, {"submission": json.loads(body), "answer": signed})
        elif _refuses(status, found):
            problem = {name: value for name, value in found.items() if name != "refusal"}
            # Signed by intake: it proves that this was tried, and when.
            refusal = {"refusal": answer["refusal"]} if answer.get("refusal") else {}
            self._finish("refused", one, {"submission": json.loads(body), "answer": problem, **refusal})

    def _finish(self, state: str, one: str, kept: dict[str, Any]) -> None:
        # First the answer, then the removal: cut off in between, the same bytes are sent once more and get the same answer.
        self._write(state, one, json.dumps(kept, ensure_ascii=False, indent=1).encode())
        (self.folder / "waiting" / f"{one}.json").unlink()

    def _write(self, state: str, one: str, content: bytes) -> None:
        path = self.folder / state / f"{one}.json"
        part = path.with_suffix(".part")
        with open(part, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


def _refuses(status: int, problem: Any) -> bool:
    """Whether intake itself refused. A proxy or a captive portal also answers 403, 404 or 413, and refuses nothing."""
    ours = isinstance(problem, dict) and str(problem.get("type")).startswith(OURS)
    return ours and status >= 400 and status not in LATER


def _seconds(answer: Any) -> float:
    asked = answer.headers.get("retry-after", "")
    return float(asked) if asked.isdigit() else 0.0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Sign events, keep them, send them until there is a receipt.")
    commands = parser.add_subparsers(dest="command", required=True)
    key = commands.add_parser("key", help="make a key")
    key.add_argument("file", type=Path)
    key.add_argument("--alg", choices=("Ed25519", "ES256"), default="Ed25519")
    sign = commands.add_parser("sign", help="sign an event and put it into the outbox")
    sign.add_argument("file", type=Path)
    sign.add_argument("--key", type=Path, required=True)
    sign.add_argument("--source", required=True, help="your office: /departments/…/offices/…")
    sign.add_argument("--private", action="append", default=[], metavar="FIELD=VALUE")
    send = commands.add_parser("send", help="send what waits, until there are receipts")
    send.add_argument("--intake", required=True)
    send.add_argument("--receipt-key", required=True, help="intake's, from genesis: base64url, after = for it may begin with a hyphen")
    send.add_argument("--channel", default="field")
    send.add_argument("--again", action="store_true", help="also what was refused because key or role were missing")
    send.add_argument("--patience", type=float, default=60.0, help="seconds")
    for command in (sign, send):
        command.add_argument("--outbox", type=Path, default=Path("outbox"))
    return parser.parse_args()


def _lines(given: argparse.Namespace) -> Iterator[str]:
    if given.command == "key":
        key = Key.make(given.alg)
        key.save(given.file)
        yield json.dumps(key.public)
    elif given.command == "sign":
        draft = read(given.file.read_bytes())
        private = draft.pop("private", {}) | dict(one.split("=", 1) for one in given.private)
        made = submission(complete(draft, given.source, datetime.now().astimezone()), Key.load(given.key), private)
        Outbox(given.outbox, intake="", receipt_key="").add(made)
        yield f"{made['event']['id']} waits in {given.outbox}"
    else:
        outbox = Outbox(given.outbox, intake=given.intake, receipt_key=given.receipt_key, channel=given.channel)
        if given.again:
            outbox.again()
        left = outbox.send_all(given.patience)
        for state in ("entered", "refused"):
            yield f"{state}: {len(list((given.outbox / state).glob('*.json')))}"
        yield f"waiting: {left}"


if __name__ == "__main__":
    for line in _lines(_arguments()):
        print(line)
    sys.exit(0)
