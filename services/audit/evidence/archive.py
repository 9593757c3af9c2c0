"""A zip archive with one spelling: the same files give the same bytes, and bytes of another spelling are refused with the place.

Everything is stored, nothing compressed: a compressor's bytes are its version's, and what is stored can't swell when it is read. Names
are sorted, times are all 1980-01-01, there are no extra fields, comments, gaps or directories. Any zip program opens it.

Invariants
1. ``unpack(pack(files)) == files``, and ``pack(unpack(data)) == data`` for every accepted ``data``: each byte of the archive is either a
   file's, under that file's CRC, or follows from names and sizes.
2. What is refused is named: the file whose bytes, header or entry in the directory differ, or the archive's end.
3. No name leads out of a folder, on any system; none comes twice; reading takes no more memory than the archive has bytes.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

from services.audit.domain.manifest import is_inside

MAX_BYTES = 512 * 1024 * 1024
MAX_FILES = 20_000
MAX_NAME = 200

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_LOCAL_MARK, _CENTRAL_MARK, _END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
# Version 2.0 of the format, made on a system with Unix modes; a file of 0644; midnight of the first day that the format has.
_VERSION, _MADE_BY, _MODE, _TIME, _DAY = 20, 3 << 8 | 20, 0o100644 << 16, 0, 0x21
_END_NAME = "the archive's end"


class Broken(ValueError):
    """Bytes that are no archive of this spelling. ``where``: a file's name, or a part of the archive; ``what``: what differs there."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}")
        self.where, self.what = where, what


def pack(files: Mapping[str, bytes]) -> bytes:
    """The archive of these files. Raises ``Broken`` for names or sizes that it can't hold."""
    if len(files) > MAX_FILES:
        raise Broken("archive", f"has {len(files)} files; {MAX_FILES} are the most that one can hold")
    parts, directory, at = list[bytes](), list[bytes](), 0
    for name in sorted(files):
        data = files[name]
        encoded = _encoded(name)
        parts += (_local(encoded, data), data)
        directory.append(_central(encoded, data, at))
        at += _LOCAL.size + len(encoded) + len(data)
        if at > MAX_BYTES:
            raise Broken(name, f"the archive would be longer than {MAX_BYTES} bytes")
    return b"".join([*parts, *directory, _end(len(files), sum(map(len, directory)), at)])


def unpack(data: bytes) -> dict[str, bytes]:
    """The files of an archive. Raises ``Broken`` where it is not, byte for byte, what ``pack`` would make of them."""
    if len(data) > MAX_BYTES:
        raise Broken("archive", f"has {len(data)} bytes; {MAX_BYTES} are the most that one may have")
    files, directory, at = dict[str, bytes](), list[bytes](), 0
    before = ""
    while data[at : at + 4] not in (_CENTRAL_MARK, _END_MARK):
        name, content, following = _file(data, at, before)
        if len(files) == MAX_FILES:
            raise Broken(name, f"is one file too many: {MAX_FILES} are the most")
        files[name] = content
        directory.append(_central(name.encode(), content, at))
        before, at = name, following
    start = at
    for name, wanted in zip(files, directory, strict=True):
        _same(data[at : at + len(wanted)], wanted, at, f"{name} (its entry in the archive's directory)")
        at += len(wanted)
    end = _end(len(files), at - start, start)
    _same(data[at : at + len(end)], end, at, _END_NAME)
    at += len(end)
    if at < len(data):
        raise Broken(_END_NAME, f"{len(data) - at} bytes come after it, from byte {at} on")
    return files


def _file(data: bytes, at: int, before: str) -> tuple[str, bytes, int]:
    """Name and content of the file whose header begins at a byte, and where the next one begins."""
    after = f"after {before}" if before else "at the archive's beginning"
    head = data[at : at + _LOCAL.size]
    if len(head) < _LOCAL.size or head[:4] != _LOCAL_MARK:
        raise Broken(before or "archive", f"{after}, at byte {at}, begins no file and no directory")
    *_, crc, _, size, length, _ = _LOCAL.unpack(head)
    name = _name(data[at + _LOCAL.size : at + _LOCAL.size + min(length, MAX_NAME + 1)], after)
    begin = at + _LOCAL.size + length
    content = data[begin : begin + size]
    if len(content) < size:
        raise Broken(name, f"its header says that it has {size} bytes; the archive ends after {len(content)}")
    found = zlib.crc32(content)
    wanted = _LOCAL.pack(_LOCAL_MARK, _VERSION, 0, 0, _TIME, _DAY, crc, size, size, length, 0)
    _same(head, wanted, at, f"{name} (its header in the archive)")
    if found != crc:
        raise Broken(name, f"its {size} bytes have the CRC {found:08x}; the archive says {crc:08x}")
    if name <= before:
        raise Broken(name, f"comes after {before}: names stand in their order, each once")
    return name, content, begin + size


def _name(encoded: bytes, after: str) -> str:
    try:
        name = encoded.decode("ascii")
    except UnicodeDecodeError:
        raise Broken("archive", f"{after} comes a name that is not ASCII: {encoded[:40]!r}") from None
    if not is_inside(name) or len(name) > MAX_NAME:
        raise Broken("archive", f"{after} comes a name that no pack has: {name[:40]!r}")
    return name


def _encoded(name: str) -> bytes:
    if not name.isascii() or not is_inside(name) or len(name) > MAX_NAME:
        raise Broken(name[:40], "is no name that an archive can hold")
    return name.encode()


def _same(found: bytes, wanted: bytes, at: int, where: str) -> None:
    if found == wanted:
        return
    first = next((number for number, pair in enumerate(zip(found, wanted, strict=False)) if pair[0] != pair[1]), len(found))
    if first == len(found):
        raise Broken(where, f"is cut off at byte {at + first}")
    raise Broken(where, f"byte {at + first} is {found[first]:02x}; it follows from the files that it is {wanted[first]:02x}")


def _local(name: bytes, data: bytes) -> bytes:
    head = _LOCAL.pack(_LOCAL_MARK, _VERSION, 0, 0, _TIME, _DAY, zlib.crc32(data), len(data), len(data), len(name), 0)
    return head + name


def _central(name: bytes, data: bytes, at: int) -> bytes:
    sizes = (zlib.crc32(data), len(data), len(data), len(name), 0, 0, 0, 0, _MODE, at)
    return _CENTRAL.pack(_CENTRAL_MARK, _MADE_BY, _VERSION, 0, 0, _TIME, _DAY, *sizes) + name


def _end(count: int, size: int, at: int) -> bytes:
    return _END.pack(_END_MARK, 0, 0, count, count, size, at, 0)
