"""A real authority's published ratings through the whole pipe, by the command line: every row accounted for, the official
grades and no other, nothing added by the same file again, and each change once on the stream, cut or not."""

from __future__ import annotations

import asyncio
import csv
import json
import select
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from schemas.topics import FACTS, REGISTRY
from tests.e2e.terminal import Staying, Terminal, terminal
from tests.integration.intake_desk import read_all

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1200)]

ROWS, SCORED, UNSCORED = 5160, 4601, 139
STATUSES = {"AwaitingInspection": "awaiting_inspection", "AwaitingPublication": "awaiting_publication", "Exempt": "exempt"}
# After so many bytes of the stream its connection is torn, and again after twice as many.
CUTS = (200_000, 400_000)


@dataclass
class Wire:
    """A line to a port of this machine that is torn, without a goodbye, after so many bytes in all."""

    target: int
    cuts: tuple[int, ...]
    torn: int = 0
    carried: int = 0
    _listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def run(self) -> None:
        """Take one connection after the other, until closed."""
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            with near, socket.create_connection(("127.0.0.1", self.target)) as far:
                try:
                    self._carry(near, far)
                except OSError:
                    continue

    def close(self) -> None:
        self._listener.close()

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        """Both ways, until one side has gone or the line is torn."""
        while True:
            for one in select.select([near, far], [], [])[0]:
                said = one.recv(4096)
                if not said:
                    return
                (far if one is near else near).sendall(said)
                self.carried += len(said) if one is far else 0
            if self.torn < len(self.cuts) and self.carried > self.cuts[self.torn]:
                self.torn += 1
                # Closing with this set resets the connection: what a lost network looks like.
                near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return


@dataclass(frozen=True)
class Brought:
    """What one import and the streams beside it came to."""

    at: Terminal
    report: dict[str, object]
    receipts: list[str]
    whole: list[dict[str, object]]
    cut: list[dict[str, object]]
    torn: int
    seconds: float


def watched(running: Staying) -> list[dict[str, object]]:
    """Changes that a ``mingjian watch --json`` has shown."""
    return [json.loads(line) for line in list(running.lines) if line.startswith("{")]


def settled(at: Terminal) -> None:
    """Wait until every service has read everything, seen three times in a row."""
    quiet, until = 0, time.monotonic() + 180
    while quiet < 3:
        told = json.loads(at.run("mingjian", "status", "--json").stdout)
        quiet = quiet + 1 if told["ready"] and told["lag"] == 0 else 0
        assert time.monotonic() < until, told
        time.sleep(0.2)


def grades(at: Terminal) -> str:
    return httpx.get(f"{at.ports.url('publication')}/api/v1/grades.csv", params={"regime": "fhrs"}, timeout=30).text


def facts(at: Terminal) -> list[tuple[int, int, bytes | None]]:
    """Where every fact and every registry event stands; days close by themselves and don't count."""
    found = asyncio.run(read_all(f"127.0.0.1:{at.ports.kafka}", (FACTS, REGISTRY)))
    return [(one.partition, one.offset, one.key) for one in found if b"mingjian.day.closed.v1" not in one.value]


@pytest.fixture(scope="module")
def westminster(shared: Path) -> Path:
    return shared / "data" / "fhrs_westminster.csv"


@pytest.fixture(scope="module")
def published(westminster: Path) -> dict[str, dict[str, str]]:
    """The file's rows by subject."""
    with westminster.open(encoding="utf-8-sig", newline="") as lines:
        return {f"fhrs:{row['FHRSID']}": row for row in csv.DictReader(lines)}


@pytest.fixture(scope="module")
def brought(westminster: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brought]:
    """An empty register on the wall clock, two clients on its stream, and then the import."""
    receipts = tmp_path_factory.mktemp("import") / "receipts.jsonl"
    with terminal() as at, at.staying("mingjian", "up", "--no-sample") as running:
        running.wait_for("Ctrl-C stops", 240)
        wire = Wire(at.ports.publication, CUTS)
        threading.Thread(target=wire.run, daemon=True).start()
        through = Terminal(at.home, at.ports)
        through.env = {**at.env, "MINGJIAN_PUBLICATION_URL": f"http://127.0.0.1:{wire.port}"}
        with at.staying("mingjian", "watch", "--json", "--since", "0") as whole, through.staying("mingjian", "watch", "--json") as cut:
            # Only the wire shows whether somebody is on it; who reads from the first change on may come at any time.
            until = time.monotonic() + 60
            while wire.carried == 0:
                assert time.monotonic() < until, "nobody watches"
                time.sleep(0.1)
            began = time.monotonic()
            report = json.loads(at.mingjian("import", "fhrs", str(westminster), "--json", "--receipts", str(receipts), limit_s=600))
            seconds = time.monotonic() - began
            settled(at)
            until = time.monotonic() + 60
            while min(len(watched(whole)), len(watched(cut))) < ROWS and time.monotonic() < until:
                time.sleep(0.5)
            shown = watched(whole), watched(cut)
        wire.close()
        yield Brought(at, report, receipts.read_text().splitlines(), *shown, wire.torn, seconds)


def test_every_row_is_accounted_for(brought: Brought) -> None:
    report = brought.report
    assert (report["rows"], report["accepted"], report["refused"], report["known"]) == (ROWS, ROWS, [], 0)
    assert len(brought.receipts) == report["events"] == 2 * ROWS


def test_the_grades_are_the_official_ones_and_nothing_is_guessed(brought: Brought, published: dict[str, dict[str, str]]) -> None:
    shown = {row["subject"]: row for row in csv.DictReader(grades(brought.at).splitlines())}
    assert shown.keys() == published.keys()
    rated = {subject: row for subject, row in published.items() if row["RatingValue"].isdigit()}
    scored = {subject: row["RatingValue"] for subject, row in rated.items() if row["Hygiene"]}
    assert (len(scored), len(rated) - len(scored)) == (SCORED, UNSCORED)
    assert {subject: shown[subject]["grade"] for subject in scored} == scored
    others = {subject: (shown[subject]["grade"], shown[subject]["status"]) for subject in shown.keys() - scored.keys()}
    wanted = {subject: ("", STATUSES.get(published[subject]["RatingValue"], "not_gradable")) for subject in others}
    assert others == wanted
    assert Counter(status for _, status in others.values())["not_gradable"] == UNSCORED


def test_a_client_sees_each_change_once_and_in_its_order(brought: Brought) -> None:
    numbers = [int(str(one["id"])) for one in brought.whole]
    assert numbers == list(range(1, len(numbers) + 1)), "no gap, no double"
    last = {one["event"]["subject"]: one["event"]["data"] for one in brought.whole}
    rows = csv.DictReader(grades(brought.at).splitlines())
    assert {subject: (data.get("grade", ""), data["status"]) for subject, data in last.items()} == {
        row["subject"]: (row["grade"], row["status"]) for row in rows
    }


def test_a_client_whose_connection_was_torn_goes_on_where_it_was(brought: Brought) -> None:
    assert brought.torn == len(CUTS)
    assert brought.cut == brought.whole


def test_the_same_file_again_adds_no_fact_changes_no_grade_and_gives_the_same_receipts(
    brought: Brought, westminster: Path, tmp_path: Path
) -> None:
    at, again = brought.at, tmp_path / "again.jsonl"
    before = facts(at), grades(at)
    report = json.loads(at.mingjian("import", "fhrs", str(westminster), "--json", "--receipts", str(again), limit_s=600))
    settled(at)
    assert (report["rows"], report["accepted"], report["known"], report["refused"]) == (ROWS, ROWS, 2 * ROWS, [])
    assert again.read_text().splitlines() == brought.receipts
    assert (facts(at), grades(at)) == before
    newest = httpx.get(f"{at.ports.url('publication')}/status").json()
    assert newest["seq"]["head"] == len(brought.whole)


def test_nothing_from_migration_is_late(brought: Brought) -> None:
    assert brought.at.mingjian("findings", "--kind", "late_entry", "--json") == ""


def test_it_is_taken_in_soon(brought: Brought) -> None:
    """Generous by far: it is to notice when a batch waits for every receipt of its own."""
    assert brought.seconds < 300
