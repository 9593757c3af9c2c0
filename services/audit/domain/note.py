"""Signed notes (C2SP signed-note) and cosignatures (C2SP tlog-cosignature).

Invariants
1. Reading is strict: the bytes that were signed are the bytes returned; base64 has one spelling only.
2. Signatures by unknown keys are ignored; a signature of a known key that fails makes the whole note bad.
3. A note that no known key signed is refused.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ED25519 = 0x01
COSIGNATURE = 0x04
MAX_NOTE_BYTES = 1_000_000
MAX_SIGNATURES = 100

_DASH = "\u2014 "


class NoteError(ValueError):
    """A note that must not be trusted; the message says why."""


def _unb64(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError(f"not base64: {error}") from None
    if base64.b64encode(data).decode() != text:
        raise NoteError("base64 with stray bits")
    return data


def _check_name(name: str) -> None:
    if not name or "+" in name or any(char.isspace() for char in name):
        raise NoteError("a key's name is empty or holds a space or a plus")


@dataclass(frozen=True)
class VerifierKey:
    """Who signs: ``name``, ``kind`` (01 Ed25519, 04 Ed25519 cosignature) and the 32-byte public key."""

    name: str
    kind: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        """First four bytes of SHA-256(name ‖ 0A ‖ kind ‖ public key)."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    @property
    def text(self) -> str:
        """``name+hex8(key id)+base64(kind ‖ public key)``."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(bytes([self.kind]) + self.public).decode()}"

    @staticmethod
    def parse(text: str) -> VerifierKey:
        """Read a verifier key. Raises ``NoteError`` when the id is not the key's."""
        parts = text.strip().split("+", 2)
        if len(parts) != 3:
            raise NoteError("a verifier key has the form name+id+key")
        name, given, encoded = parts
        _check_name(name)
        raw = _unb64(encoded)
        if len(raw) != 33 or raw[0] not in (ED25519, COSIGNATURE):
            raise NoteError("a verifier key of an unknown kind")
        key = VerifierKey(name, raw[0], raw[1:])
        if key.key_id.hex() != given:
            raise NoteError("the verifier key's id is not the key's")
        return key


@dataclass(frozen=True)
class SignatureLine:
    """``— name base64(key id ‖ rest)``."""

    name: str
    key_id: bytes
    rest: bytes

    @property
    def text(self) -> str:
        return f"{_DASH}{self.name} {base64.b64encode(self.key_id + self.rest).decode()}\n"


@dataclass(frozen=True)
class Note:
    """``text`` ends with a newline: exactly what is signed."""

    text: str
    signatures: tuple[SignatureLine, ...]

    @property
    def data(self) -> bytes:
        return (self.text + "\n" + "".join(line.text for line in self.signatures)).encode()


@dataclass(frozen=True)
class Signer:
    """A known key whose signature holds; ``seconds`` is the time a cosignature claims."""

    key: VerifierKey
    seconds: int | None = None


def parse_note(data: bytes) -> Note:
    """Split a note at its last blank line and read its signature lines. Raises ``NoteError``."""
    if len(data) > MAX_NOTE_BYTES:
        raise NoteError("the note is too long")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError:
        raise NoteError("the note is not UTF-8") from None
    if any(ord(char) < 0x20 and char != "\n" for char in whole):
        raise NoteError("the note holds a control character")
    split = whole.rfind("\n\n")
    if split < 0 or not whole.endswith("\n"):
        raise NoteError("the note has no blank line before its signatures, or no newline at its end")
    text, rest = whole[: split + 1], whole[split + 2 :]
    lines = rest.split("\n")[:-1]
    if not 1 <= len(lines) <= MAX_SIGNATURES:
        raise NoteError(f"the note has {len(lines)} signatures")
    return Note(text, tuple(_signature_line(line) for line in lines))


def _signature_line(line: str) -> SignatureLine:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space:
        raise NoteError("a signature line has not the form '— name base64'")
    _check_name(name)
    blob = _unb64(encoded)
    if len(blob) < 5:
        raise NoteError("a signature is too short")
    return SignatureLine(name, blob[:4], blob[4:])


def cosignature_message(text: str, seconds: int) -> bytes:
    """What a witness signs: ``cosignature/v1``, its time, and the checkpoint's text."""
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _holds(key: VerifierKey, text: str, rest: bytes) -> Signer:
    seconds: int | None = None
    message, signature = text.encode(), rest
    if key.kind == COSIGNATURE:
        if len(rest) != 72:
            raise NoteError(f"the cosignature of {key.name} has not 72 bytes")
        seconds = int.from_bytes(rest[:8], "big")
        message, signature = cosignature_message(text, seconds), rest[8:]
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message)
    except InvalidSignature:
        raise NoteError(f"the signature of {key.name} does not hold") from None
    return Signer(key, seconds)


def open_note(data: bytes, keys: Sequence[VerifierKey]) -> tuple[Note, tuple[Signer, ...]]:
    """The note and the known keys whose signatures hold (at least one). Raises ``NoteError``."""
    note = parse_note(data)
    known = {(key.name, key.key_id): key for key in keys}
    signers: list[Signer] = []
    for line in note.signatures:
        key = known.get((line.name, line.key_id))
        if key is not None:
            signers.append(_holds(key, note.text, line.rest))
    if not signers:
        raise NoteError("no known key signed the note")
    return note, tuple(signers)


def sign_note(text: str, key: VerifierKey, sign: Callable[[bytes], bytes]) -> bytes:
    """The note of ``text`` (ends with a newline) signed by ``key``; ``sign`` gives 64 bytes over a message."""
    if not text.endswith("\n"):
        raise NoteError("a note's text ends with a newline")
    return Note(text, (SignatureLine(key.name, key.key_id, sign(text.encode())),)).data


def cosignature_line(text: str, key: VerifierKey, sign: Callable[[bytes], bytes], seconds: int) -> SignatureLine:
    """What a witness adds to a checkpoint of this text. ``seconds`` since 1970, from 1 on."""
    if key.kind != COSIGNATURE or not 0 < seconds < 2**63:
        raise NoteError("a cosignature has a key of kind 04 and a time")
    return SignatureLine(key.name, key.key_id, seconds.to_bytes(8, "big") + sign(cosignature_message(text, seconds)))


def with_signatures(data: bytes, lines: Sequence[SignatureLine]) -> bytes:
    """The note with lines added behind those that it has. What was signed stays byte for byte."""
    return data + "".join(line.text for line in lines).encode()
