"""The service end to end on a real broker and database: leaves, checkpoints, findings, kills."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import httpx
import pytest

from schemas.rulebook import digest, load_all
from schemas.times import instant
from schemas.topics import FACTS, FINDINGS, QUARANTINE, REGISTRY
from services.audit.adapters.calendars import calendar_events
from services.audit.domain.tiles import decode_bundle
from tests.integration.audit.world import OFFICE, AuditWorld, Say, calendar_copies, control, copies, fact, genesis

pytestmark = pytest.mark.stack
CALENDARS = Path(__file__).resolve().parents[3] / "rulebooks" / "calendar-cn.yaml"
RULEBOOK = load_all(CALENDARS.parent)["liyujiang"]
ACTIVE = {"occurred_on": "2026-01-01", "regime": "liyujiang", "version": RULEBOOK.header.version, "sha256": digest(RULEBOOK)}
GO_LIVE = {"occurred_on": "2026-01-01", "regime": "liyujiang"}
YEAR_2026 = next(one for one in calendar_events(CALENDARS) if one["year"] == 2026)


@pytest.fixture
def world(fresh_stack) -> Iterator[AuditWorld]:
    made = AuditWorld(fresh_stack(clock_mode="simulated"))
    yield made
    made.close()


def opening() -> list[Say]:
    """Genesis, go-live, the activated rulebook and the calendar of 2026, these two with their copies."""
    registry = [
        genesis(),
        Say(REGISTRY, control(4, "rulebook.activated", "regime:liyujiang", ACTIVE, registry_offset=0), b"regime:liyujiang"),
        Say(REGISTRY, control(2, "go_live.declared", "regime:liyujiang", GO_LIVE, registry_offset=1), b"regime:liyujiang"),
    ]
    calendar = Say(REGISTRY, control(3, "calendar.issued", "stack:test", YEAR_2026), b"stack:test")
    return [*registry, calendar, *copies(registry[1].value), *calendar_copies(3, YEAR_2026)]


OPENED = len(opening())


def inspection(number: int, occurred: str, received: str, **entry: object) -> Say:
    return fact(number, "inspection.recorded", {"occurred_on": occurred, "kind": "routine", "mode": "on_site"}, received=received, **entry)


def test_from_a_late_fact_to_its_finding_and_its_leaf(world: AuditWorld) -> None:
    world.say(opening())
    world.say(
        [
            inspection(10, "2026-03-02", "2026-03-09T08:00:00.000Z"),
            inspection(11, "2026-03-02", "2026-03-12T08:00:00.000Z"),
            inspection(11, "2026-03-02", "2026-03-12T08:00:00.000Z"),
            inspection(12, "2026-03-02", "2026-06-12T08:00:00.000Z", channel="migration"),
            Say(QUARANTINE, b"\xff not an envelope", None),
            Say(FACTS, b"not an envelope either", None),
        ]
    )
    world.start()
    world.until(lambda: world.caught_up(OPENED + 6 + 1))
    findings = world.findings()
    assert [one["data"]["late"]["deadline"] for one in findings] == ["2026-03-09"]
    late = findings[0]["data"]
    assert (late["office"], late["late"]["working_days_late"], late["event"]["id"][-2:]) == (OFFICE, 3, "0b")
    state = world.state()
    assert (state["size"], state["integrated"], state["lag"]) == (35, 35, 0)
    assert httpx.get(f"{world.url}/checkpoint").text.splitlines()[1] == "35"
    assert httpx.get(f"{world.url}/api/v1/findings").status_code == 401
    assert httpx.get(f"{world.url}/tile/0/000.p/35").status_code == 200
    assert httpx.get(f"{world.url}/tile/entries/000.p/35").status_code == 401
    assert FINDINGS == world.read(FINDINGS)[0].topic


def telemetry(world: AuditWorld) -> list[dict]:
    """What the service wrote about itself."""
    path = Path(world.env["MINGJIAN_HOME"]) / "telemetry" / "audit.jsonl"
    # The last line may be half written.
    return [json.loads(line) for line in path.read_text().rpartition("\n")[0].splitlines()] if path.exists() else []


def test_a_trace_leads_to_the_leaf_and_to_the_finding(world: AuditWorld) -> None:
    world.say(opening())
    trace_id = secrets.token_hex(16)
    header = f"00-{trace_id}-{secrets.token_hex(8)}-01".encode()
    late = inspection(11, "2026-03-02", "2026-03-12T08:00:00.000Z")
    traced = Say(late.topic, late.value, late.key, late.partition, [("ce_id", b"x"), ("traceparent", header)])
    world.say([inspection(10, "2026-03-02", "2026-03-09T08:00:00.000Z"), traced])
    world.start(OTEL_METRIC_EXPORT_INTERVAL="500")
    world.until(lambda: world.caught_up(OPENED + 2 + 1))
    world.until(lambda: len([one for one in telemetry(world) if one["kind"] == "span"]) == 2)
    spans = [one for one in telemetry(world) if one["kind"] == "span"]
    assert {(one["name"], one["trace_id"]) for one in spans} == {("leaf", trace_id)}
    places = [one["attributes"] for one in sorted(spans, key=lambda one: one["attributes"]["messaging.destination.name"])]
    assert [one["messaging.destination.name"] for one in places] == [FACTS, FINDINGS]
    entries = decode_bundle((world.log_dir / "tile/entries/000.p/31").read_bytes(), 31)
    assert late.value in entries[places[0]["mingjian.leaf.index"]]
    assert header in entries[places[1]["mingjian.leaf.index"]], "the finding carries the trace of the fact"
    world.until(lambda: {"mingjian.log.size": 31, "mingjian.log.lag": 0}.items() <= gauges(world).items())
    # A sum since the start: the newest reading counts, wherever the other metrics' lines stand.
    world.until(lambda: max((one["count"] for one in telemetry(world) if one["name"] == "mingjian.entry.delay"), default=0) >= 2)


def gauges(world: AuditWorld) -> dict[str, float]:
    return {one["name"]: one["value"] for one in telemetry(world) if "value" in one}


def verify(world: AuditWorld, *more: str) -> dict:
    """``mingjian verify --json`` on the world's log and broker."""
    home = Path(world.env["MINGJIAN_HOME"])
    command = [sys.executable, "-m", "services.audit.cli", "verify", "--json", *more]
    env = world.env | {"MINGJIAN_HOME": str(home)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert done.returncode == (0 if found["verified"] else 1)
    return found


def many(first: int, count: int) -> list[Say]:
    """Facts of many subjects, over all partitions; every tenth is late."""
    return [
        inspection(
            first + number,
            "2026-03-02",
            "2026-03-12T08:00:00.000Z" if number % 10 == 0 else "2026-03-03T08:00:00.000Z",
            subject=f"uscc:{first + number:018d}",
        )
        for number in range(count)
    ]


@pytest.mark.timeout(900)
def test_killed_in_the_middle_again_and_again_the_log_is_whole(world: AuditWorld) -> None:
    """SIGKILL while records stream in: no record missing or twice, findings as in an undisturbed run."""
    world.say(opening())
    total, late = 0, set()
    for round_number in range(5):
        records = many(1000 + 4000 * round_number, 4000)
        late |= {1000 + 4000 * round_number + number for number in range(0, 4000, 10)}
        total += len(records)
        process = world.start(wait=False)
        speaker = threading.Thread(target=world.say, args=(records,))
        speaker.start()
        world.until(partial(_log_moved, world, process, total - 2000))
        world.kill()
        speaker.join()
    world.start()
    expected = OPENED + total + len(late)
    world.until(lambda: world.caught_up(expected), 120)
    found = verify(world)
    assert (found["verified"], found["faults"], found["pending"]) == (True, [], 0)
    leaves, sent = found["size"], len(world.findings())
    assert leaves == OPENED + total + sent
    ids = {one["data"]["event"]["id"] for one in world.findings()}
    assert ids == {f"018f0000-0000-7000-8000-{number:012x}" for number in late}


def _log_moved(world: AuditWorld, process: subprocess.Popen, size: int) -> bool:
    assert process.poll() is None, world.output()[-3000:]
    try:
        return world.state()["integrated"] >= size
    except httpx.TransportError:
        return False


def test_a_paused_process_that_wakes_after_another_took_over_ends_by_itself(world: AuditWorld) -> None:
    world.say(opening())
    paused = world.start()
    os.kill(paused.pid, signal.SIGSTOP)
    port = str(int(world.env["MINGJIAN_PORT"]) + 5)
    other = world.start(wait=False, MINGJIAN_PORT=port)
    world.url = world.url.rsplit(":", 1)[0] + ":" + port
    world.wait_ready(other)
    world.say(many(1000, 500))
    world.until(lambda: world.caught_up(OPENED + 500 + 50))
    os.kill(paused.pid, signal.SIGCONT)
    assert paused.wait(30) == 3
    assert "Superseded" in world.output()
    world.say(many(5000, 100))
    world.until(lambda: world.caught_up(OPENED + 500 + 50 + 100 + 10))
    assert verify(world)["verified"]


def test_a_broker_that_dies_and_comes_back_is_waited_out(world: AuditWorld) -> None:
    """The same process goes on: nothing missing, nothing twice, and the findings of the time between are sent."""
    world.say([*opening(), *many(1000, 200)])
    process = world.start()
    world.until(lambda: world.caught_up(OPENED + 200 + 20))
    world.stack.kill("kafka")
    time.sleep(2)
    world.stack.start("kafka")
    world.say(many(5000, 200))
    world.until(lambda: world.caught_up(OPENED + 400 + 40))
    assert process.poll() is None
    assert len(world.findings()) == 40
    assert verify(world)["verified"]


def test_a_record_too_long_for_a_leaf_becomes_a_stub_and_a_finding(world: AuditWorld) -> None:
    world.say([*opening(), Say(QUARANTINE, b"x" * 100_000, b"key")])
    world.start()
    world.until(lambda: world.caught_up(OPENED + 1 + 1))
    assert [one["data"]["kind"] for one in world.findings()] == ["oversize_record"]
    found = verify(world)
    assert (found["verified"], found["stubs"], found["size"]) == (True, 1, 30)


def test_a_provisional_verdict_is_worked_out_again_when_the_calendar_comes(world: AuditWorld) -> None:
    """From Wednesday 30 December 2026 the fifth working day is 6 January; with 1, 4 and 5 January off it is the 11th."""
    world.say(opening())
    world.say(
        [
            inspection(20, "2026-12-30", "2027-01-07T08:00:00.000Z"),
            inspection(21, "2026-12-30", "2027-02-10T08:00:00.000Z"),
        ]
    )
    world.start()
    world.until(lambda: world.caught_up(OPENED + 2 + 2))
    assert {one["data"]["late"]["provisional"] for one in world.findings()} == {True}
    world.kill(signal.SIGTERM)
    off = [f"2027-01-{day:02d}" for day in (1, 4, 5)]
    year_2027 = {"occurred_on": "2026-12-31", "country": "CN", "year": 2027, "days_off": off, "make_up_days": [], "document": "d"}
    world.say(calendar_copies(30, year_2027))
    world.say(calendar_copies(30, year_2027))
    world.start()
    world.until(lambda: world.caught_up(OPENED + 2 + 2 + 24 + 2))
    kinds = sorted((one["data"]["event"]["id"][-2:], one["data"]["kind"], "late" in one["data"]) for one in world.findings())
    assert kinds == [
        ("14", "late_entry", True),
        ("14", "late_entry_retracted", False),
        ("15", "late_entry", True),
        ("15", "late_entry", True),
    ]
    settled = [one["data"]["late"] for one in world.findings() if one["data"].get("late") and not one["data"]["late"]["provisional"]]
    assert [one["deadline"] for one in settled] == ["2027-01-11"]
    with closing(auditor(world)) as client:
        standing = client.get("/api/v1/findings").json()["findings"]
    assert sorted(one["event"]["data"]["kind"] for one in standing) == ["late_entry", "late_entry_retracted"]


def auditor(world: AuditWorld, role: str = "auditor") -> httpx.Client:
    """A client that came in by a one-time address."""
    token = "one-time-token-of-a-test-" + secrets.token_hex(8)
    folder = Path(world.env["MINGJIAN_ONCE_DIR"])
    folder.mkdir(parents=True, exist_ok=True)
    body = {"role": role, "expires_at": "2099-01-01T00:00:00.000Z"}
    (folder / f"{hashlib.sha256(token.encode()).hexdigest()}.json").write_text(json.dumps(body))
    client = httpx.Client(base_url=world.url, timeout=10)
    assert client.get(f"/enter?once={token}").status_code == 303
    assert httpx.get(f"{world.url}/enter?once={token}").status_code == 403, "a token works once"
    return client


def test_two_clocks_that_disagree_are_found_where_the_broker_keeps_time(fresh_stack) -> None:
    """On a wall stack the broker stamps records: an entry that says it was taken long ago waited, or a clock is wrong."""
    world = AuditWorld(fresh_stack())
    try:
        now = instant(time.time_ns() // 1_000_000)
        day = now[:10]
        world.say([*opening()[:3], inspection(10, day, now), inspection(11, day, f"{day[:4]}-01-05T00:00:00.000Z")])
        world.say([inspection(12, day, f"{day[:4]}-01-05T00:00:01.000Z"), inspection(10, day, now)])
        world.start()
        world.until(lambda: world.caught_up(3 + 4 + 2))
        found = {one["data"]["cause"]["id"][-2:]: one["data"] for one in world.findings()}
        assert {id: (one["kind"], one["about"]) for id, one in found.items()} == {
            "01": ("clocks_apart", "operation"),
            "0b": ("clocks_apart", "operation"),
        }, "the registry's records say January as well"
    finally:
        world.close()


def test_tampering_with_the_folder_is_named_by_verify(world: AuditWorld) -> None:
    world.say([*opening(), *many(1000, 300)])
    world.start()
    world.until(lambda: world.caught_up(OPENED + 300 + 30))
    assert verify(world)["verified"]
    world.kill(signal.SIGTERM)
    bundle = world.log_dir / "tile/entries/000"
    data = bundle.read_bytes()
    bundle.write_bytes(data[:500] + bytes([data[500] ^ 1]) + data[501:])
    found = verify(world)
    assert {one["code"] for one in found["faults"]} >= {"damaged", "root"}
    bundle.write_bytes(data)
    checkpoint = world.log_dir / "checkpoint"
    kept = checkpoint.read_bytes()
    checkpoint.write_bytes(kept.replace(b"audit.test/log\n3", b"audit.test/log\n2", 1))
    assert "signature" in verify(world)["error"]
    checkpoint.write_bytes(kept)
    found = verify(world)
    assert (found["verified"], found["seen_before"]) == (True, found["size"])
