"""Two witnesses as processes of their own beside the audit service on a real Kafka and PostgreSQL: cosigned, one away, both away, back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.stack import WITNESS, Stack
from schemas.topics import QUARANTINE
from services.audit.domain.checkpoint import open_checkpoint
from services.audit.domain.note import VerifierKey
from services.audit.witness.adapters.home import WitnessHome
from services.intake.cli import init_home
from tests.integration.audit.test_audit_service import OPENED, many, opening, verify
from tests.integration.audit.world import AuditWorld, Say

pytestmark = pytest.mark.stack


class LiveWitness:
    """A witness on a port of its own: ``start``, ``kill`` (SIGKILL), ``pause`` and ``go_on``."""

    def __init__(self, root: Path, name: str, log: VerifierKey, port: int) -> None:
        self.home = WitnessHome.create(root, f"audit.test/{name}")
        self.home.follow(log)
        self.name, self.port = name, port
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def line(self) -> str:
        return f"witness {self.name} {self.home.key.text} {self.url}\n"

    def start(self) -> None:
        command = [
            sys.executable,
            "-m",
            "services.audit.witness.cli",
            "witness",
            "run",
            "--dir",
            str(self.home.root),
            "--port",
            str(self.port),
        ]
        with (self.home.root / "output").open("ab") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=out)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/readyz", timeout=2).status_code == 200:
                    return
            time.sleep(0.1)
        raise AssertionError((self.home.root / "output").read_text()[-2000:])

    def send(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait(30)


@pytest.fixture
def world(fresh_stack) -> Iterator[AuditWorld]:
    made = AuditWorld(fresh_stack(clock_mode="simulated"))
    yield made
    made.close()


@pytest.fixture
def witnesses(world: AuditWorld) -> Iterator[list[LiveWitness]]:
    base = world.stack.ports.base
    made = [LiveWitness(world.stack.home / name, name, world.verifier, base + 15 + at) for at, name in enumerate(("one", "two"))]
    for one in made:
        one.start()
    yield made
    for one in made:
        one.kill()


def signers(world: AuditWorld, witnesses: list[LiveWitness]) -> tuple[int, list[str]]:
    """Size of the published checkpoint, and whose cosignatures it carries."""
    point, found = open_checkpoint((world.log_dir / "checkpoint").read_bytes(), world.verifier, [one.home.key for one in witnesses])
    return point.size, sorted(one.key.name.removeprefix("audit.test/") for one in found if one.seconds)


def standings(world: AuditWorld) -> dict[str, str]:
    return {one["name"]: one["standing"] for one in world.state()["witnesses"]["witnesses"]}


def slowest_of(world: AuditWorld, first: int, rounds: int) -> float:
    """Seconds from the last of some records to the checkpoint that covers them, the longest of ``rounds``."""
    took = []
    for number in range(rounds):
        before = world.state()["integrated"]
        world.say(many(first + 10 * number, 1))
        began = time.monotonic()
        world.until(lambda before=before: world.state()["size"] > before)
        took.append(time.monotonic() - began)
    return max(took)


@pytest.mark.timeout(400)
def test_the_policy_decides_what_happens_when_a_witness_is_away(world: AuditWorld, witnesses: list[LiveWitness]) -> None:
    one, two = witnesses
    policy = world.stack.home / "policy"
    policy.write_text(f"{one.line}{two.line}group both 2 one two\nquorum both\n")
    pinned = ["--offline", "--wait", "0", "--witness", one.home.key.text, "--witness", two.home.key.text]
    world.say(opening())
    world.start(MINGJIAN_WITNESSES=str(policy))
    world.until(lambda: world.caught_up(OPENED) and signers(world, witnesses)[1] == ["one", "two"])
    assert world.state()["witnesses"]["reached"] is True
    assert "audit.test/two" in httpx.get(f"{world.url}/", headers={"accept": "text/html"}).text
    assert verify(world, *pinned)["verified"]

    # One hangs, as if the network had swallowed it: records and checkpoints go on, and it shows.
    two.send(signal.SIGSTOP)
    slowest = slowest_of(world, 5_000, 6)
    assert slowest < 2.5, "1 s checkpoint, 0.4 s limit, and some for a busy machine"
    assert (standings(world), signers(world, witnesses)[1]) == ({"one": "cosigned", "two": "away"}, ["one"])
    found = verify(world, *pinned)
    assert [fault["code"] for fault in found["faults"]] == ["uncosigned"]
    assert verify(world, *pinned, "--quorum", "1")["verified"]

    # Killed and started again on its folder: it goes on where it was, and the quiet log is cosigned.
    two.kill()
    two.start()
    world.until(lambda: signers(world, witnesses)[1] == ["one", "two"])
    assert verify(world, *pinned)["verified"]

    # Where the operator would rather wait, nothing is published below the quorum; the records are leaves all the same.
    world.kill(signal.SIGTERM)
    world.start(MINGJIAN_WITNESSES=str(policy), MINGJIAN_WITNESS_MISSING="wait", MINGJIAN_WITNESS_WAIT_MS="1000")
    two.kill()
    before = signers(world, witnesses)[0]
    world.say(many(8_000, 20))
    world.until(lambda: world.state()["integrated"] >= before + 20)
    time.sleep(3)
    assert signers(world, witnesses)[0] == before
    # SIGKILL while the first witness has cosigned what was never published: nothing goes back.
    ahead = _size(one)
    assert ahead > before
    world.kill()
    world.start(wait=False, MINGJIAN_WITNESSES=str(policy), MINGJIAN_WITNESS_MISSING="wait", MINGJIAN_WITNESS_WAIT_MS="1000")
    two.start()
    world.until(lambda: signers(world, witnesses)[0] >= ahead)
    assert signers(world, witnesses)[1] == ["one", "two"]
    world.until(lambda: verify(world, *pinned)["verified"])


def _size(one: LiveWitness) -> int:
    (followed,) = httpx.get(f"{one.url}/status", timeout=5).json()["logs"]
    return int(followed["size"])


def _standing(stack: Stack) -> tuple[int, dict[str, Any]]:
    """What `mingjian status` says of the witnesses: how many cosigned the present checkpoint, and the embedded one."""
    command = [sys.executable, "-m", "services._cli.main", "--home", str(stack.home), "status", "--json"]
    env = {**os.environ, "MINGJIAN_PORT_BASE": str(stack.ports.base)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    found = json.loads(done.stdout)["witnesses"]
    if not found:
        return 0, {}
    return sum(one["cosigned"] for one in found["witnesses"]), found["witnesses"][0]


def test_the_embedded_stack_has_a_witness_that_comes_back(fresh_stack) -> None:
    stack = fresh_stack()
    init_home(stack.home, clock_mode="wall", sample=False)
    stack.start_services((WITNESS, "intake", "audit"))
    world = AuditWorld(stack)
    world.until(lambda: _standing(stack)[0] == 1)
    assert (stack.home / "witness" / "key.json").stat().st_mode & 0o777 == 0o600
    entry = stack.status()["processes"][WITNESS]
    assert (entry["port"], entry["ready"]) == (stack.ports.witness, True)
    stack.kill(WITNESS)
    world.say([Say(QUARANTINE, b"grows the log", None)])
    world.until(lambda: _standing(stack)[1]["standing"] == "away" and _standing(stack)[0] == 0)
    assert world.state()["phase"] == "live" and httpx.get(f"{world.url}/readyz").status_code == 200
    size = world.state()["size"]

    def back() -> bool:
        stack.tick()
        return _standing(stack)[0] == 1

    world.until(back)
    assert (world.state()["size"], _standing(stack)[1]["size"]) == (size, size), "the quiet log, cosigned after all"
    assert stack.status()["processes"][WITNESS]["restarts"] == 1
