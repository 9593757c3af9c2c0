"""The bench's own parts: its load is what intake takes, and its readings are read right."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from random import Random

import orjson
import pytest

from schemas.canonical import parse_strict
from schemas.envelope import Submission, check_data, lookup
from schemas.ids import check_subject
from schemas.keys import SigningKey
from schemas.receipts import verify_signed
from tests.bench import kafka, load, processes, profile, speed

KEY = SigningKey.from_seed(b"bench" + bytes(27))
AUTHOR = load.Author(
    KEY, "/departments/food/offices/bench", "officer:bench-one", 1_800_000_000_000, "2027-01-15T08:00:00.000Z", date(2027, 1, 15)
)


def _both(seed: int) -> list[load.Prepared]:
    subjects = load.premises(7_000_000, 20)
    return [*load.registrations(AUTHOR, subjects, Random(seed)), *load.inspections(AUTHOR, subjects, Random(seed + 1))]


def test_every_submission_is_signed_and_fits_the_contract() -> None:
    for prepared in _both(1):
        submission = parse_strict(prepared.body)
        Submission.model_validate_json(prepared.body)
        event = submission["event"]
        check_subject(event["subject"])
        check_data(lookup(event["type"]), event["data"])
        assert verify_signed(submission, "event", KEY.alg, KEY.raw_public)


def test_the_same_seed_gives_the_same_load_and_no_id_twice() -> None:
    assert _both(1) == _both(1)
    assert len({prepared.id for prepared in _both(1)}) == 40


def test_a_batch_holds_every_submission_once() -> None:
    bodies = load.batches(_both(1), 16)
    sizes = [len(orjson.loads(body)["events"]) for body in bodies]
    assert sizes == [16, 16, 8]


def test_the_tools_last_line_is_read() -> None:
    said = (
        "100000 records sent, 20000.0 records/sec (11.44 MB/sec), 9.0 ms avg latency, 90.0 ms max latency.\n"
        "200000 records sent, 37037.0 records/sec (21.19 MB/sec), 12.5 ms avg latency, 210.0 ms max latency, "
        "9 ms 50th, 40 ms 95th, 88 ms 99th, 120 ms 99.9th.\n"
    )
    assert kafka.parse(said) == kafka.Performance(200000, 37037.0, 9, 88)
    with pytest.raises(ValueError, match="nothing of use"):
        kafka.parse("")


def test_a_process_is_weighed_with_its_family() -> None:
    own = processes.memory(os.getpid())
    assert 0 < own.pss <= own.rss <= own.peak * 1.01
    assert processes.cpu_seconds(os.getpid()) > 0
    assert os.getpid() in processes.family(os.getppid())


def test_a_process_under_the_sampler_tells_its_hottest_function(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    program = """if True:
        import hashlib, pathlib, sys
        def hot():
            while True: hashlib.sha256(b'x' * 4096)
        pathlib.Path(sys.argv[1]).touch()
        hot()
    """
    with profile.sampled(tmp_path):
        child = subprocess.Popen([sys.executable, "-c", program, str(begun)])
    try:
        end = time.monotonic() + 60
        # The sampler begins with the process, so before its program: from here on it takes the signal.
        while not begun.exists():
            assert child.poll() is None and time.monotonic() < end
            time.sleep(0.05)
        samples = 0
        while samples <= 20:
            assert time.monotonic() < end, f"{samples} samples within a minute"
            samples, lines = profile.collect(child.pid, tmp_path)
    finally:
        child.kill()
        child.wait()
    assert samples > 20
    assert lines[0].function.endswith(":hot")
    assert lines[0].own > 50


def test_the_speed_is_an_index_that_a_busy_machine_lowers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "_spin", lambda: speed.REFERENCE_S * 2)
    assert speed.measure() == pytest.approx(50)
    monkeypatch.undo()
    assert speed.measure(tries=1) > 0
