"""Leaves: one spelling for each record, nothing lost, nothing longer than a log may hold."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.audit.domain.frame import (
    MAX_ENTRY_BYTES,
    FrameError,
    Record,
    Stub,
    decode,
    encode_stub,
    encode_whole,
    entry_of,
    oversize_path,
)

blobs = st.none() | st.binary(max_size=60)
names = st.binary(max_size=12).map(lambda name: name.decode("utf-8", "surrogateescape"))
records = st.builds(
    Record,
    topic=st.text("abcdefghijklmnopqrstuvwxyz.-0123456789", min_size=1, max_size=60),
    partition=st.integers(0, 2**31 - 1),
    offset=st.integers(0, 2**63 - 1),
    timestamp=st.integers(-1, 2**53),
    timestamp_type=st.sampled_from((0, 1)),
    key=blobs,
    headers=st.lists(st.tuples(st.binary(max_size=12).map(lambda name: name.decode("utf-8", "surrogateescape")), blobs), max_size=4).map(
        tuple
    ),
    value=blobs,
)
ONE = Record("mingjian.facts.v1", 7, 42, 1_700_000_000_000, 1, b"uscc:1", (("ce_id", b"x"), ("empty", None)), b'{"event":{}}')


def test_the_frame_of_a_record_byte_for_byte() -> None:
    """The layout of version 1, written down by hand: it must never change."""
    expected = (
        b"\x01\x00\x11mingjian.facts.v1"
        b"\x00\x00\x00\x07" + b"\x00" * 7 + b"\x2a" + b"\x01" + (1_700_000_000_000).to_bytes(8, "big") + b"\x00\x00\x00\x06uscc:1"
        b"\x00\x02" + b"\x00\x05ce_id\x00\x00\x00\x01x" + b"\x00\x05empty\xff\xff\xff\xff" + b'\x00\x00\x00\x0c{"event":{}}'
    )
    assert encode_whole(ONE) == expected
    assert entry_of(ONE) == (expected, None)


@settings(max_examples=300, deadline=None)
@given(records)
def test_frames_read_back(record: Record) -> None:
    assert decode(encode_whole(record)) == record


@settings(max_examples=200, deadline=None)
@given(records, records)
def test_two_records_never_share_a_frame(one: Record, other: Record) -> None:
    assert (encode_whole(one) == encode_whole(other)) == (one == other)


@settings(max_examples=200, deadline=None)
@given(records, st.data())
def test_damaged_frames_are_refused_or_read_as_something_else(record: Record, data: st.DataObject) -> None:
    whole = encode_whole(record)
    at = data.draw(st.integers(0, len(whole) - 1))
    bad = whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :]
    try:
        read = decode(bad)
    except FrameError:
        return
    assert read != record
    assert (encode_stub(read) if isinstance(read, Stub) else encode_whole(read)) == bad


@pytest.mark.parametrize("cut", range(len(encode_whole(ONE))))
def test_a_cut_frame_is_refused(cut: int) -> None:
    with pytest.raises(FrameError):
        decode(encode_whole(ONE)[:cut])
    with pytest.raises(FrameError):
        decode(encode_whole(ONE) + b"\x00")


def sized(length: int) -> Record:
    """A record whose frame has exactly ``length`` bytes."""
    bare = Record("t", 0, 0, 0, 0, None, (), b"")
    return Record("t", 0, 0, 0, 0, None, (), bytes(length - len(encode_whole(bare))))


def test_the_longest_frame_is_whole_and_the_next_one_a_stub() -> None:
    entry, beside = entry_of(sized(MAX_ENTRY_BYTES))
    assert len(entry) == 65_535 and beside is None
    record = sized(MAX_ENTRY_BYTES + 1)
    entry, beside = entry_of(record)
    assert beside == encode_whole(record)
    stub = decode(entry)
    assert stub == Stub("t", 0, 0, 0, 0, 65_536, hashlib.sha256(beside).digest())
    assert decode(beside) == record
    assert oversize_path(stub.sha256) == f"oversize/{stub.sha256.hex()[:2]}/{stub.sha256.hex()}"


@pytest.mark.parametrize("topic", ["名", "a" * 256])
def test_a_topic_that_no_frame_can_name(topic: str) -> None:
    with pytest.raises(FrameError):
        encode_whole(Record(topic, 0, 0, 0, 0, None, (), None))


@pytest.mark.parametrize(
    "headers",
    [
        ((("n" * 65_536), b"v"),),
        (("é" * 32_768, None), ("b", b"v")),
        (("", None),) * 65_536,
        (("\udcff\udcfe", b"v"),),
    ],
    ids=["a name of 65,536 bytes", "a name of 65,536 bytes in fewer letters", "65,536 headers", "a name that is no UTF-8"],
)
def test_whatever_headers_a_record_has_it_has_an_entry(headers: tuple[tuple[str, bytes | None], ...]) -> None:
    record = Record("mingjian.facts.v1", 7, 42, 1, 1, b"k", headers, b"v")
    entry, beside = entry_of(record)
    assert len(entry) <= MAX_ENTRY_BYTES
    if beside is None:
        assert decode(entry) == record
        return
    stub = decode(entry)
    assert isinstance(stub, Stub) and (stub.offset, stub.sha256) == (42, hashlib.sha256(beside).digest())
    assert decode(beside) == record and encode_whole(record) == beside


def test_a_name_of_65535_bytes_and_as_many_headers_fit_the_narrow_frame() -> None:
    for headers in ((("n" * 65_535, None),), (("", None),) * 65_535):
        assert encode_whole(Record("t", 0, 0, 0, 0, None, headers, None))[1] == 0


def test_a_wide_frame_of_a_record_that_needs_none_is_refused() -> None:
    """One spelling only: nothing hides in the choice."""
    whole = encode_whole(Record("t", 0, 0, 0, 0, None, (), None))
    narrow = b"\xff\xff\xff\xff" + b"\x00\x00" + b"\xff\xff\xff\xff"
    assert whole.endswith(narrow)
    with pytest.raises(FrameError, match="wide"):
        decode(whole[:1] + b"\x02" + whole[2 : -len(narrow)] + b"\xff\xff\xff\xff" + b"\x00" * 4 + b"\xff\xff\xff\xff")
