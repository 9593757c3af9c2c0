"""Canonical JSON: RFC 8785 restricted so that one fast encoder gives exactly its bytes.

Invariants
1. Object keys are ASCII, so sorting by code unit (RFC 8785 §3.2.3) and sorting by UTF-8 byte agree.
2. Numbers are integers within ±(2⁵³−1); anything finer travels as a decimal string. Floats never occur.
3. Strings are valid Unicode (no lone surrogates); nothing is normalised.
4. ``canonical_bytes(parse_strict(b)) == canonical_bytes(parse_strict(canonical_bytes(parse_strict(b))))`` for every accepted ``b``.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import orjson

MAX_SAFE_INTEGER = 2**53 - 1
MAX_DEPTH = 32


class CanonicalError(ValueError):
    """The value or the text has no canonical form. ``where`` is a JSON pointer, ``code`` a stable word."""

    def __init__(self, code: str, where: str, message: str) -> None:
        super().__init__(f"{where or '/'}: {message}")
        self.code = code
        self.where = where
        self.message = message


def _escape(key: object) -> str:
    # The pointer goes into error messages, so it must be text that can be sent: half a surrogate pair can't.
    text = str(key)[:80].encode("ascii", "backslashreplace").decode()
    return text.replace("~", "~0").replace("/", "~1")


def check(value: Any, where: str = "", depth: int = 0) -> None:
    """Raise ``CanonicalError`` where ``value`` (plain Python JSON) leaves the restricted form."""
    if value is None or value is True or value is False:
        return
    kind = type(value)
    if kind is str:
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise CanonicalError("lone-surrogate", where, "a string holds half of a surrogate pair") from None
        return
    if kind is int:
        if not -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
            raise CanonicalError("integer-range", where, "an integer lies outside ±(2⁵³−1); send it as a string")
        return
    if depth >= MAX_DEPTH:
        raise CanonicalError("depth", where, f"nested deeper than {MAX_DEPTH} levels")
    if kind is dict:
        for key, item in value.items():
            if type(key) is not str or not key.isascii():
                raise CanonicalError("key", f"{where}/{_escape(key)}", "object keys must be ASCII")
            check(item, f"{where}/{_escape(key)}", depth + 1)
        return
    if kind is list or kind is tuple:
        for index, item in enumerate(value):
            check(item, f"{where}/{index}", depth + 1)
        return
    if kind is float:
        raise CanonicalError("float", where, 'floats are not allowed; send a decimal string such as "97.5"')
    raise CanonicalError("type", where, f"{kind.__name__} is not a JSON value")


def canonical_bytes(value: Any) -> bytes:
    """The canonical UTF-8 bytes of ``value``. Raises ``CanonicalError``."""
    check(value)
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def trusted_canonical_bytes(value: Any) -> bytes:
    """The same bytes without the walk, for values that came out of ``parse_strict`` or out of our own code (1.7 µs)."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _no_float(text: str) -> Any:
    raise CanonicalError("float", "", f"the number {text[:40]} is not an integer; send a decimal string")


def _no_constant(text: str) -> Any:
    raise CanonicalError("float", "", f"{text} is not JSON")


def _integer(text: str) -> int:
    if len(text) > 17:
        raise CanonicalError("integer-range", "", "an integer lies outside ±(2⁵³−1); send it as a string")
    return int(text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise CanonicalError("duplicate-key", "", f"the key {key[:60]!r} stands twice in one object")
            seen.add(key)
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_no_float, parse_int=_integer, parse_constant=_no_constant)


def parse_strict(text: bytes) -> Any:
    """Read JSON that has a canonical form. Raises ``CanonicalError`` with a code, never a bare decoding error."""
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CanonicalError("utf-8", "", f"byte {error.start} is not UTF-8") from None
    try:
        value = _DECODER.decode(decoded)
    except json.JSONDecodeError as error:
        raise CanonicalError("json", "", f"{error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise CanonicalError("depth", "", f"nested deeper than {MAX_DEPTH} levels") from None
    check(value)
    return value


def sha256_hex(data: bytes) -> str:
    """Lower-case hex SHA-256."""
    return hashlib.sha256(data).hexdigest()


def event_hash(event: dict[str, Any]) -> str:
    """Hash of an event: SHA-256 of its canonical bytes, lower-case hex."""
    return sha256_hex(canonical_bytes(event))
