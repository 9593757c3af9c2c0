"""Keys and signatures: Ed25519 and ECDSA P-256 with SHA-256 (raw r‖s, as phones and smart cards give them).

A key id is derived from algorithm and public key, so a key can't be presented under another's id.
``SM2`` is reserved: its name is known, its use refused.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from schemas.canonical import canonical_bytes

ALGORITHMS = ("Ed25519", "ES256")
RESERVED_ALGORITHMS = ("SM2",)

_P25519 = 2**255 - 19
# The y coordinates of the eight points of small order on edwards25519 (RFC 8032 §5.1; x and −x share one). Under such a
# "key" a single signature verifies for any message, so whoever registered it could deny everything.
_SMALL_ORDER_Y = frozenset(
    {
        0,
        1,
        _P25519 - 1,
        0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
        0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7,
    }
)


class UnusableKey(ValueError):
    """A key that can't be read: wrong length, unknown algorithm, a point off the curve."""


def b64(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """Strict base64url without padding. Raises ``ValueError``."""
    if not isinstance(text, str) or "=" in text or len(text) % 4 == 1:
        raise ValueError("not base64url without padding")
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if b64(data) != text:
        raise ValueError("base64url with stray bits")
    return data


def key_id(alg: str, raw_public: bytes) -> str:
    """First 32 hex digits of SHA-256(alg ‖ 00 ‖ raw public key)."""
    return hashlib.sha256(alg.encode() + b"\x00" + raw_public).hexdigest()[:32]


@lru_cache(maxsize=4096)
def _load_public(alg: str, raw: bytes) -> ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey:
    if alg == "Ed25519":
        if len(raw) != 32:
            raise UnusableKey("an Ed25519 public key has 32 bytes")
        return ed25519.Ed25519PublicKey.from_public_bytes(raw)
    if alg == "ES256":
        if len(raw) != 65 or raw[0] != 4:
            raise UnusableKey("a P-256 public key is an uncompressed point of 65 bytes that begins with 04")
        try:
            return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)
        except ValueError as error:
            raise UnusableKey("the point is not on P-256") from error
    raise UnusableKey(f"unknown algorithm {alg!r}; known: {', '.join(ALGORITHMS)}")


def check_public(alg: str, raw: bytes) -> None:
    """Raise ``UnusableKey`` when the key can't be used, or binds its holder to nothing."""
    _load_public(alg, raw)
    if alg == "Ed25519" and (int.from_bytes(raw, "little") & (2**255 - 1)) % _P25519 in _SMALL_ORDER_Y:
        raise UnusableKey("a key of small order signs every message alike")


def verify(alg: str, raw_public: bytes, message: bytes, signature: bytes) -> bool:
    """True when ``signature`` (64 bytes, both algorithms) is the key's over ``message``."""
    public = _load_public(alg, raw_public)
    if len(signature) != 64:
        return False
    try:
        if isinstance(public, ed25519.Ed25519PublicKey):
            public.verify(signature, message)
        else:
            r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
            public.verify(encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


@dataclass(frozen=True)
class SigningKey:
    """A private key with its id. Never logged: ``repr`` shows the id only."""

    alg: str
    private: Any

    @staticmethod
    def generate(alg: str = "Ed25519") -> SigningKey:
        if alg == "Ed25519":
            return SigningKey(alg, ed25519.Ed25519PrivateKey.generate())
        if alg == "ES256":
            return SigningKey(alg, ec.generate_private_key(ec.SECP256R1()))
        raise UnusableKey(f"unknown algorithm {alg!r}; known: {', '.join(ALGORITHMS)}")

    @staticmethod
    def from_seed(seed: bytes) -> SigningKey:
        """An Ed25519 key from 32 bytes: for test vectors and the sample town, whose keys are no secret."""
        return SigningKey("Ed25519", ed25519.Ed25519PrivateKey.from_private_bytes(seed))

    @cached_property
    def raw_public(self) -> bytes:
        public = self.private.public_key()
        if self.alg == "Ed25519":
            return public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)

    @cached_property
    def key_id(self) -> str:
        return key_id(self.alg, self.raw_public)

    def sign(self, message: bytes) -> bytes:
        """64 bytes over ``message``. ES256 signatures vary from call to call, Ed25519 ones don't."""
        if self.alg == "Ed25519":
            return self.private.sign(message)
        r, s = decode_dss_signature(self.private.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def signature(self, value: Any) -> dict[str, str]:
        """The signature object over the canonical bytes of ``value``. Raises ``CanonicalError``."""
        return self.signature_over(canonical_bytes(value))

    def signature_over(self, message: bytes) -> dict[str, str]:
        """The signature object over these bytes."""
        return {"key_id": self.key_id, "alg": self.alg, "value": b64(self.sign(message))}

    def public_object(self) -> dict[str, str]:
        """``{"key_id", "alg", "public_key"}`` as it stands in genesis and key.registered."""
        return {"key_id": self.key_id, "alg": self.alg, "public_key": b64(self.raw_public)}

    def save(self, path: Path) -> None:
        """Write PKCS#8 in a JSON file of mode 0600. Raises ``FileExistsError``: keys are never overwritten."""
        pkcs8 = self.private.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        text = json.dumps({**self.public_object(), "private_key": b64(pkcs8)}, indent=1)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as out:
            out.write(text + "\n")
            out.flush()
            os.fsync(out.fileno())

    @staticmethod
    def load(path: Path) -> SigningKey:
        """Read a key file. Raises ``UnusableKey`` when its id does not match its key."""
        stored = json.loads(path.read_text())
        private = serialization.load_der_private_key(unb64(stored["private_key"]), password=None)
        key = SigningKey(stored["alg"], private)
        if key.key_id != stored["key_id"]:
            raise UnusableKey(f"{path.name}: the key id does not belong to the key")
        return key

    def __repr__(self) -> str:
        return f"SigningKey({self.alg}, {self.key_id})"
