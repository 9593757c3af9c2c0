"""An archive with one spelling: what goes in comes out, other programs open it, and bytes of any other spelling are refused by name."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audit.evidence.archive import Broken, pack, unpack

NAMES = st.lists(st.from_regex(r"[a-z]{1,6}(/[a-z0-9]{1,6}){0,2}\.[a-z]{1,4}", fullmatch=True), unique=True, max_size=5)
FILES = NAMES.flatmap(lambda names: st.fixed_dictionaries({name: st.binary(max_size=40) for name in names}))
SMALL = {"a/one.txt": b"one", "b.json": b"{}\n", "c": b""}


@given(FILES)
def test_what_goes_in_comes_out_and_python_reads_the_same(files: dict[str, bytes]) -> None:
    data = pack(files)
    assert files == unpack(data)
    with zipfile.ZipFile(io.BytesIO(data)) as other:
        assert other.testzip() is None
        assert sorted(files) == other.namelist()
        assert files == {name: other.read(name) for name in other.namelist()}


def test_every_bit_of_every_byte_matters_and_what_it_is_in_is_named() -> None:
    data = pack(SMALL)
    places = {}
    for at in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[at] ^= 1 << bit
            with pytest.raises(Broken) as refused:
                unpack(bytes(changed))
            places.setdefault(at, set()).add(refused.value.where)
    one = data.index(b"one", data.index(b"a/one.txt"))
    assert places[data.index(b"{}")] == {"b.json"}
    assert places[one + 9] == {"a/one.txt"}
    directory = data.index(b"PK\x01\x02")
    assert places[directory + 10] == {"a/one.txt (its entry in the archive's directory)"}
    assert places[len(data) - 1] == {"the archive's end"}


def test_bytes_before_between_and_after_and_every_cut_are_refused() -> None:
    data = pack(SMALL)
    for at in [0, *(place for place in range(1, len(data)) if data[place : place + 2] == b"PK"), len(data)]:
        with pytest.raises(Broken):
            unpack(data[:at] + b"\0" + data[at:])
    for length in range(len(data)):
        with pytest.raises(Broken):
            unpack(data[:length])


def _made(method: int, *names: str, comment: bytes = b"", when: tuple[int, ...] = (1980, 1, 1, 0, 0, 0)) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as made:
        made.comment = comment
        for name in names:
            made.writestr(zipfile.ZipInfo(name, when), b"x" * 50, method)  # type: ignore[arg-type]
    return out.getvalue()


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (_made(zipfile.ZIP_DEFLATED, "a.txt"), "a.txt (its header in the archive)"),
        (_made(zipfile.ZIP_STORED, "a.txt", when=(1999, 1, 1, 0, 0, 0)), "a.txt (its header in the archive)"),
        (_made(zipfile.ZIP_STORED, "a.txt", comment=b"hello"), "a.txt (its entry in the archive's directory)"),
        (_made(zipfile.ZIP_STORED, "../a.txt"), "a name that no pack has"),
        (_made(zipfile.ZIP_STORED, "/etc/passwd"), "a name that no pack has"),
        (_made(zipfile.ZIP_STORED, "a/"), "a name that no pack has"),
        (_made(zipfile.ZIP_STORED, "c:evil"), "a name that no pack has"),
        (_made(zipfile.ZIP_STORED, "a\\b"), "a name that no pack has"),
        (_made(zipfile.ZIP_STORED, "b", "a"), "comes after b"),
        (_made(zipfile.ZIP_STORED, "a", "a"), "comes after a"),
        (_made(zipfile.ZIP_STORED, "a" * 201), "a name that no pack has"),
        (b"", "begins no file"),
        (b"no archive at all", "begins no file"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_other_archives_are_refused(data: bytes, words: str) -> None:
    with pytest.raises(Broken) as refused:
        unpack(data)
    assert words in str(refused.value)


def test_a_size_that_lies_takes_no_memory() -> None:
    head = struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 0, 0, 0x21, zlib.crc32(b""), 2**32 - 1, 2**32 - 1, 1, 0) + b"a"
    with pytest.raises(Broken, match="a: its header says that it has 4294967295 bytes"):
        unpack(head)
