"""``python -m tests.bench.detectors``: all detectors over a made-up register, in facts a second and MiB.

The register of ``tests.bench.register``, entered at a thousand facts a day, lies in files of one partition each and is read in step, as
Kafka is; ``--subjects 100000`` is a million facts. Signatures are nobody's: what is found is counted, and none of it is proved.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from schemas.rulebook import load_all_editions
from schemas.times import milliseconds
from schemas.topics import CONTROL_KEY, FACTS, PARTITIONS, REGISTRY
from services.audit.domain.detectors.all import every
from services.audit.domain.findings import TYPE
from services.audit.domain.frame import Record, decode, encode_whole
from services.audit.domain.signs import At
from services.audit.scanning import scan
from tests.bench.register import OFFICES, Register
from tests.cases.ledger import RULEBOOKS, book
from tests.toolkit import REGISTER, REGISTRAR, Person, enrolment, event, genesis, key, new_id, signed

REGIME = "liyujiang"
A_DAY = 1_000
_BATCH = 500
_START = date(2023, 1, 1)


class Files:
    """``Records`` over a folder: a file of frames for each partition and one for the registry."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[int, BinaryIO] = {number: (folder / f"{number}").open("rb") for number in range(PARTITIONS)}
        self.total = int((folder / "total").read_text())

    def registry(self) -> list[Record]:
        with (self._folder / "registry").open("rb") as file:
            return list(_frames(file))

    def more(self, partitions: Sequence[int]) -> Mapping[int, Sequence[Record]]:
        found = {}
        for number in partitions:
            some = list(_frames(self._open[number], _BATCH))
            if not some:
                return {}
            found[number] = some
        return found

    def whole(self, partition: int) -> Iterator[Sequence[Record]]:
        raise NotImplementedError

    def values(self, places: Sequence[At]) -> Mapping[At, bytes | None]:
        return {}


def _frames(file: BinaryIO, most: int = 1 << 62) -> Iterator[Record]:
    while most and (head := file.read(4)):
        most -= 1
        one = decode(file.read(int.from_bytes(head)))
        assert isinstance(one, Record)
        yield one


class _Writing:
    def __init__(self, folder: Path) -> None:
        self._files = {(FACTS, number): (folder / f"{number}").open("wb") for number in range(PARTITIONS)}
        self._files[REGISTRY, 0] = (folder / "registry").open("wb")
        self._next = dict.fromkeys(self._files, 0)

    def put(self, place: tuple[str, int], value: bytes, at: int, name: bytes) -> None:
        frame = encode_whole(Record(*place, self._next[place], at, 0, name, (), value))
        self._files[place].write(len(frame).to_bytes(4) + frame)
        self._next[place] += 1

    def everywhere(self, value: bytes, at: int) -> None:
        self.put((REGISTRY, 0), value, at, CONTROL_KEY)
        for number in range(PARTITIONS):
            self.put((FACTS, number), value, at, CONTROL_KEY)

    def close(self) -> int:
        for one in self._files.values():
            one.close()
        return sum(self._next.values())


def write(folder: Path, subjects: int) -> None:
    """The register, with a day closed after each thousand facts, and its officer enrolled at all its offices."""
    out, stamp = _Writing(folder), 0
    opening = [genesis()]
    for office in OFFICES:
        opening += enrolment(Person("measured-r01", office=office, channels=("feed",)), day="2022-12-01", time="2022-12-01T00:00:00.000Z")
    opening = [one for place, one in enumerate(opening) if place < 4 or not one["event"]["type"].endswith("key.registered.v1")]
    begin = milliseconds("2022-12-01T00:00:00.000Z")
    for one in opening:
        out.put((REGISTRY, 0), _value(one, "2022-12-01T00:00:00.000Z", stamp - 1), begin, REGISTRAR.pseudonym.encode())
        stamp += 1
    signature = b'"key_id":"' + b"0123456789abcdef" * 2
    mine = b'"key_id":"' + key("measured-r01").key_id.encode()
    day, today = _START, 0
    for name, _, value in Register(book(REGIME), subjects).rows():
        at = milliseconds(f"{day}T08:00:00.000Z") + today
        if name == CONTROL_KEY:
            out.everywhere(value.replace(signature, mine), at)
            continue
        value = value.replace(b'"registry_offset":60', b'"registry_offset":%d' % (stamp - 1)).replace(signature, mine)
        if b'"type":"mingjian.score.recorded.v1"' in value:
            value = _adding_up(value)
        out.put((FACTS, zlib.crc32(name) % PARTITIONS), value, at, name)
        today += 1
        if today == A_DAY:
            _close(out, day)
            day, today = day + timedelta(1), 0
    _close(out, day)
    (folder / "total").write_text(str(out.close()))


def _adding_up(value: bytes) -> bytes:
    """The register's totals fall as they may; here they are what they should be."""
    one = orjson.loads(value)
    data = one["event"]["data"]
    data["deductions"] = [{"item": "YL-01", "points": str(100 - Decimal(data["total"]))}]
    return orjson.dumps(one, option=orjson.OPT_SORT_KEYS)


def _close(out: _Writing, day: date) -> None:
    at = f"{day}T20:00:00.000Z"
    one = event(
        "day.closed",
        {"through": day.isoformat(), "time_zone": "Asia/Shanghai"},
        subject="stack:yangli",
        source=REGISTER,
        time=at,
        id=new_id(f"close {day}"),
    )
    out.everywhere(_value(signed(one, key("system")), at, 0), milliseconds(at))


def _value(one: Mapping[str, Any], at: str, stamp: int) -> bytes:
    entry = {"received_at": at, "channel": "desk", "registry_offset": stamp}
    return orjson.dumps({"entry": entry, "event": one["event"], "signature": one["signature"]}, option=orjson.OPT_SORT_KEYS)


def measure(folder: Path, kinds: Sequence[str]) -> dict[str, Any]:
    """Run them; what it took."""
    detectors = [one for one in every(load_all_editions(RULEBOOKS)) if not kinds or one.declared.kind in kinds]
    before = _mib()
    began, cpu = time.perf_counter(), time.process_time()
    found = scan(Files(folder), genesis()["event"], detectors, old=lambda ids: set(ids))
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    counts = Counter(one.kind for one in found.found if one.type == TYPE)
    told = {"records": found.records, "entries": found.entries, "seconds": round(seconds, 1), "cpu_seconds": round(cpu, 1)}
    told["a_cpu_second"] = round(found.records / cpu)
    through = found.through.isoformat() if found.through else None
    return {**told, "peak_mib": _mib(), "before_mib": before, "through": through, "odd": found.odd, "findings": dict(counts.most_common())}


def _mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    """Write the register, then measure in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subjects", type=int, default=10_000, help="ten facts each")
    parser.add_argument("--detector", action="append", default=[], help="only this one; may be repeated")
    parser.add_argument("--each", action="store_true", help="each detector by itself, too")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.folder is not None:
        sys.stdout.write(json.dumps(measure(asked.folder, asked.detector), ensure_ascii=False) + "\n")
        return
    with tempfile.TemporaryDirectory() as name:
        write(Path(name), asked.subjects)
        runs = [asked.detector]
        if asked.each:
            runs += [[one.declared.kind] for one in every(load_all_editions(RULEBOOKS))]
        for kinds in runs:
            command = [sys.executable, "-m", "tests.bench.detectors", "--folder", name, *(f"--detector={one}" for one in kinds)]
            said = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            sys.stdout.write(f"{', '.join(kinds) or 'all'}: {json.dumps(said, ensure_ascii=False)}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
