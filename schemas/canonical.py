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
import re
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
    # Twice, for what is in order is looked at by the thousand: pointers are made only where one has to be told.
    if not _sound(value, depth):
        _refuse(value, where, depth)


def _sound(value: Any, depth: int) -> bool:
    """Whether ``value`` has a canonical form."""
    kind = type(value)
    if kind is str:
        return value.isascii() or _encodes(value)
    if kind is dict:
        if depth >= MAX_DEPTH:
            return False
        for key, item in value.items():
            if type(key) is not str or not key.isascii():
                return False
            if not (type(item) is str and item.isascii() or _sound(item, depth + 1)):
                return False
        return True
    if kind is int:
        return -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER
    if kind is list or kind is tuple:
        return depth < MAX_DEPTH and all(_sound(item, depth + 1) for item in value)
    return value is None or value is True or value is False


def _encodes(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _refuse(value: Any, where: str, depth: int) -> None:
    """Raise ``CanonicalError`` for the first place that ``_sound`` doesn't take."""
    kind = type(value)
    if kind is str and not _encodes(value):
        raise CanonicalError("lone-surrogate", where, "a string holds half of a surrogate pair")
    if kind is int and not -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
        raise CanonicalError("integer-range", where, _TOO_BIG)
    if _sound(value, depth):
        return
    if kind in (dict, list, tuple) and depth >= MAX_DEPTH:
        raise CanonicalError("depth", where, _TOO_DEEP)
    if kind is dict:
        for key, item in value.items():
            if type(key) is not str or not key.isascii():
                raise CanonicalError("key", f"{where}/{_escape(key)}", "object keys must be ASCII")
            _refuse(item, f"{where}/{_escape(key)}", depth + 1)
    if kind is list or kind is tuple:
        for index, item in enumerate(value):
            _refuse(item, f"{where}/{index}", depth + 1)
    if kind is float:
        raise CanonicalError("float", where, 'floats are not allowed; send a decimal string such as "97.5"')
    if kind is _Flaw:
        raise CanonicalError(value.code, where, value.message)
    raise CanonicalError("type", where, f"{kind.__name__} is not a JSON value")


def canonical_bytes(value: Any) -> bytes:
    """The canonical UTF-8 bytes of ``value``. Raises ``CanonicalError``."""
    check(value)
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def trusted_canonical_bytes(value: Any) -> bytes:
    """The same bytes without the walk, for values that came out of ``parse_strict`` or out of our own code (1.7 µs)."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


class _Flaw:
    """Stands where the text holds what has no canonical form; ``check`` refuses it at its place."""

    __slots__ = ("code", "message")

    def __init__(self, code: str, message: str) -> None:
        self.code, self.message = code, message


_TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels"
_TOO_BIG = "an integer lies outside ±(2⁵³−1); send it as a string"
# Deeper than anything that could still be accepted, wherever in a text the value stands that is checked on its own.
_CUT_BELOW = 2 * MAX_DEPTH
_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.S)


def _no_float(text: str) -> Any:
    return _Flaw("float", f"the number {text[:40]} is not an integer; send a decimal string")


def _no_constant(text: str) -> Any:
    return _Flaw("float", f"{text} is not JSON")


def _integer(text: str) -> Any:
    return int(text) if len(text) <= 17 else _Flaw("integer-range", _TOO_BIG)


def _unique(pairs: list[tuple[str, Any]]) -> Any:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            return _Flaw("duplicate-key", f"the key {key[:60]!r} stands twice in one object")
        seen.add(key)
    raise AssertionError("no key stands twice")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_no_float, parse_int=_integer, parse_constant=_no_constant)


def parse(text: bytes) -> Any:
    """Read JSON of which parts may have no canonical form: ``check`` refuses exactly those that do, and must be asked before a
    part is used. Raises ``CanonicalError`` for what is not JSON as a whole, never a bare decoding error."""
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CanonicalError("utf-8", "", f"byte {error.start} is not UTF-8") from None
    try:
        try:
            return _DECODER.decode(decoded)
        except RecursionError:
            return _DECODER.decode(_shallow(decoded))
    except json.JSONDecodeError as error:
        raise CanonicalError("json", "", f"{error.msg} at line {error.lineno}, column {error.colno}") from None


def _shallow(text: str) -> str:
    """The text with ``null`` for what lies far too deep: what is left there is too deep as well, and can be decoded."""
    kept: list[str] = []
    depth = start = 0
    for match in _BRACKET.finditer(text):
        if match[0] in "[{":
            depth += 1
            if depth == _CUT_BELOW:
                kept.append(text[start : match.start()] + "null")
        elif match[0] in "]}":
            depth -= 1
            if depth == _CUT_BELOW - 1:
                start = match.end()
    if depth >= _CUT_BELOW:
        raise CanonicalError("depth", "", _TOO_DEEP)
    return "".join([*kept, text[start:]])


def parse_strict(text: bytes) -> Any:
    """Read JSON that has a canonical form. Raises ``CanonicalError`` with a code, never a bare decoding error."""
    value = parse(text)
    check(value)
    return value


def sha256_hex(data: bytes) -> str:
    """Lower-case hex SHA-256."""
    return hashlib.sha256(data).hexdigest()


def event_hash(event: dict[str, Any]) -> str:
    """Hash of an event: SHA-256 of its canonical bytes, lower-case hex."""
    return sha256_hex(canonical_bytes(event))
