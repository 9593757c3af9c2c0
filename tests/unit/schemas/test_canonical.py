"""Canonical bytes against a second, plain implementation of RFC 8785, and the properties that signatures rest on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.canonical import MAX_DEPTH, MAX_SAFE_INTEGER, CanonicalError, canonical_bytes, event_hash, parse_strict

_SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def _quoted(text: str) -> str:
    """ECMAScript's JSON string (RFC 8785 §3.2.2.2)."""
    return '"' + "".join(_SHORT.get(one) or (f"\\u{ord(one):04x}" if one < " " else one) for one in text) + '"'


def rfc8785(value: Any) -> str:
    """RFC 8785 as its text says it: keys by UTF-16 code units, ECMAScript's escapes, no white space."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, list):
        return "[" + ",".join(rfc8785(one) for one in value) + "]"
    keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
    return "{" + ",".join(f"{_quoted(key)}:{rfc8785(value[key])}" for key in keys) + "}"


_strings = st.text(st.characters(exclude_categories=["Cs"]))
_keys = st.text(st.characters(max_codepoint=127), max_size=8)
_integers = st.integers(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER) | st.sampled_from([MAX_SAFE_INTEGER, -MAX_SAFE_INTEGER, 0])
_values = st.recursive(
    st.none() | st.booleans() | _integers | _strings,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_keys, inner, max_size=5),
    max_leaves=25,
)


@given(_values)
@settings(max_examples=400, deadline=None)
def test_the_bytes_are_those_of_rfc_8785(value: Any) -> None:
    assert rfc8785(value).encode() == canonical_bytes(value)


@given(_values)
@settings(max_examples=300, deadline=None)
def test_what_was_written_reads_back_as_the_same_value(value: Any) -> None:
    assert value == parse_strict(canonical_bytes(value))


@given(_values, st.sampled_from([None, 1, "\t"]), st.booleans(), st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_every_spelling_of_a_value_has_the_same_bytes(value: Any, indent: Any, escaped: bool, chance: Any) -> None:
    """White space, escapes and the order of keys are free; the canonical form is one."""

    def shuffled(one: Any) -> Any:
        if isinstance(one, dict):
            items = [(key, shuffled(item)) for key, item in one.items()]
            chance.shuffle(items)
            return dict(items)
        return [shuffled(item) for item in one] if isinstance(one, list) else one

    text = json.dumps(shuffled(value), indent=indent, ensure_ascii=escaped).encode()
    assert canonical_bytes(value) == canonical_bytes(parse_strict(text))


@given(st.binary(max_size=60) | st.text('{}[]",:0123456789.eE+-\\u truefalsnd', max_size=40).map(str.encode))
@settings(max_examples=600, deadline=None)
def test_any_text_is_refused_with_a_code_or_has_one_form_for_ever(text: bytes) -> None:
    try:
        value = parse_strict(text)
    except CanonicalError as error:
        assert error.code in {"utf-8", "json", "float", "integer-range", "duplicate-key", "lone-surrogate", "depth", "key"}
        str(error).encode()
        return
    once = canonical_bytes(value)
    assert once == canonical_bytes(parse_strict(once))


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (1.0, "float"),
        (float("nan"), "float"),
        (MAX_SAFE_INTEGER + 1, "integer-range"),
        (-MAX_SAFE_INTEGER - 1, "integer-range"),
        ("\ud800", "lone-surrogate"),
        ({"é": 1}, "key"),
        ({1: 1}, "key"),
        ({"\ud800": 1}, "key"),
        (b"bytes", "type"),
        ({1, 2}, "type"),
    ],
)
def test_a_value_without_a_canonical_form_is_never_written(value: Any, code: str) -> None:
    with pytest.raises(CanonicalError) as refused:
        canonical_bytes([{"a": value}])
    assert code == refused.value.code
    assert refused.value.where.startswith("/0/a")


def test_an_error_can_be_sent_even_where_the_key_can_not() -> None:
    """The pointer and the message go into an answer, which is UTF-8; half a surrogate pair is not."""
    for text in (b'{"\\ud800": 1}', '{"名": 1}'.encode(), b'{"a": {"\\udfff": 1.5}}', b'{"\\udc00": 1, "\\udc00": 1}'):
        with pytest.raises(CanonicalError) as refused:
            parse_strict(text)
        str(refused.value).encode()
        refused.value.where.encode()


def test_the_depth_is_bounded_long_before_the_stack() -> None:
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
        inner = b"1" if opening != b"[" else b""
        parse_strict(opening * MAX_DEPTH + inner + closing * MAX_DEPTH)
        for depth in (MAX_DEPTH + 1, 100_000):
            with pytest.raises(CanonicalError) as refused:
                parse_strict(opening * depth + inner + closing * depth)
            assert refused.value.code == "depth"


def test_the_hash_is_over_the_canonical_bytes() -> None:
    assert event_hash({"b": 1, "a": "é"}) == event_hash({"a": "é", "b": 1})
    assert event_hash({"a": "é"}) != event_hash({"a": "e\u0301"})
    assert event_hash({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
