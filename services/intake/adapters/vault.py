"""Private values, encrypted before they reach the database. AES-256-GCM; source, id and field are bound in, so that a row can't be
moved to another event."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from schemas.keys import b64, unb64
from services.intake.ports import Name, Sealed

KEY_FILE = "vault.key"
_NONCE = 12


class UnusableVaultKey(ValueError):
    """The key file can't be read."""


def make_key(path: Path, chance: Callable[[int], bytes]) -> None:
    """Write a new key, readable by the owner alone. Raises ``FileExistsError``: a vault's key is never overwritten."""
    secret = chance(32)
    text = json.dumps({"id": b64(chance(6)), "key": b64(secret)})
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text + "\n")
        out.flush()
        os.fsync(out.fileno())


class Vault:
    """Seals for the store. ``chance(n)`` gives n random bytes."""

    def __init__(self, key_id: str, key: bytes, chance: Callable[[int], bytes]) -> None:
        self._id, self._box, self._chance = key_id, AESGCM(key), chance

    @staticmethod
    def load(path: Path, chance: Callable[[int], bytes]) -> Vault:
        """Raises ``UnusableVaultKey``."""
        try:
            stored = json.loads(path.read_text())
            return Vault(str(stored["id"]), unb64(stored["key"]), chance)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UnusableVaultKey(f"the vault's key can't be read from {path}: {type(error).__name__}") from None

    def seal(self, name: Name, private: Mapping[str, Any] | None) -> tuple[Sealed, ...]:
        """``private`` as it came beside the event: field → {"value", "salt"}."""
        sealed = []
        for field, one in (private or {}).items():
            nonce = self._chance(_NONCE)
            text = json.dumps({"value": one["value"], "salt": one["salt"]}, ensure_ascii=False).encode()
            sealed.append(Sealed(field, self._id, nonce, self._box.encrypt(nonce, text, _bound(name, field))))
        return tuple(sealed)

    def open(self, name: Name, one: Sealed) -> dict[str, str]:
        """The value and its salt. Raises ``cryptography.exceptions.InvalidTag`` for a row of another event or key."""
        found: dict[str, str] = json.loads(self._box.decrypt(one.nonce, one.box, _bound(name, one.field)))
        return found


def _bound(name: Name, field: str) -> bytes:
    return "\n".join((*name, field)).encode()
