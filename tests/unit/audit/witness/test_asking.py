"""The log's way of asking: proofs from what a witness has, k of n with some away, hanging, lying or of another mind."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from services.audit.appender import CHECKPOINT, Prepared
from services.audit.domain.checkpoint import open_checkpoint
from services.audit.domain.note import COSIGNATURE, VerifierKey, cosignature_line, parse_note, with_signatures
from services.audit.domain.policy import Member, Policy
from services.audit.web.shapes import Cosigning
from services.audit.witness.domain.judging import Refused
from services.audit.witness.handlers import Witness
from services.audit.witness.state import States
from services.audit.witnessing import Away, Missing, Witnesses
from tests.unit.audit.fakes import VERIFIER
from tests.unit.audit.test_appender import World
from tests.unit.audit.witness.world import NOW, CrashingDisk, private

LIMIT_S = 0.2
Answer = tuple[int, str, bytes]


def key_of(name: str) -> VerifierKey:
    return VerifierKey(f"unit.test/{name}", COSIGNATURE, private(name).public_key().public_bytes_raw())


def member(name: str) -> Member:
    return Member(name, key_of(name), f"http://{name}")


@dataclass
class Town:
    """Witnesses by address. ``instead``: what answers in a witness's place."""

    names: tuple[str, ...]
    instead: dict[str, Callable[[bytes], Awaitable[Answer]]] = field(default_factory=dict)
    asked: list[tuple[str, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.witnesses = {f"http://{name}": self._new(name) for name in self.names}

    def _new(self, name: str) -> Witness:
        states = States(CrashingDisk(), key_of(name))
        states.write(VERIFIER, None)
        return Witness(key=key_of(name), sign=private(name).sign, logs=[VERIFIER], states=states, wall=lambda: NOW)

    async def ask(self, url: str, body: bytes) -> Answer:
        self.asked.append((url, body))
        if url in self.instead:
            return await self.instead[url](body)
        return self.answer(url, body)

    def answer(self, url: str, body: bytes) -> Answer:
        try:
            return 200, "text/plain", self.witnesses[url].add_checkpoint(body)
        except Refused as refused:
            media = "text/x.tlog.size" if refused.size is not None else "text/plain"
            return refused.status, media, f"{refused.size}\n".encode()

    def asking(self, world: World, needed: int, missing: Missing = "publish", limit_s: float = LIMIT_S) -> Witnesses:
        members = tuple(member(name) for name in self.names)
        policy = Policy(members, members, needed)
        clocks = {"monotonic": time.monotonic, "wall": time.time}
        return Witnesses(policy, self.ask, missing=missing, limit_s=limit_s, read_file=world.store.read, **clocks)


async def away(body: bytes) -> Answer:
    raise Away("ConnectError")


async def hangs(body: bytes) -> Answer:
    await asyncio.sleep(30)
    raise AssertionError("nobody waits so long")


@dataclass
class Growing:
    """A log in memory whose checkpoints are asked for."""

    world: World = field(default_factory=World)

    def __post_init__(self) -> None:
        self.writer = self.world.writer()

    def prepare(self, count: int) -> Prepared:
        self.world.say(("a", 0), count)
        while batch := self.world.news(1_000):
            self.writer.append(batch)
        prepared = self.writer.prepare()
        assert prepared is not None
        return prepared


def names(asking: Witnesses, note: bytes) -> list[str]:
    """Who cosigned the note, checked as a reader would."""
    return [one.name for one in asking.policy.cosigned(open_checkpoint(note, VERIFIER, asking.policy.keys)[1])]


def standings(asking: Witnesses) -> list[str]:
    return [one.standing for one in asking.watched]


def test_every_checkpoint_is_cosigned_by_all_with_a_proof_from_the_one_before() -> None:
    async def run() -> None:
        log, town = Growing(), Town(("one", "two", "three"))
        asking = town.asking(log.world, 2)
        for count in (5, 300, 1, 700):
            prepared = log.prepare(count)
            came = await asking.ask(prepared.note)
            log.writer.publish(prepared, came.lines)
            assert names(asking, log.world.store.read(CHECKPOINT) or b"") == ["one", "two", "three"]
        assert len(town.asked) == 3 * 4, "each was asked once a checkpoint"

    asyncio.run(run())


def test_a_log_that_begins_again_learns_from_each_what_it_has() -> None:
    async def run() -> None:
        log, town = Growing(), Town(("one", "two"))
        first = log.prepare(300)
        await town.asking(log.world, 1).ask(first.note)
        again = town.asking(log.world, 1)
        came = await again.ask(log.prepare(50).note)
        assert len(came.lines) == 2
        assert [body.partition(b"\n")[0] for _, body in town.asked[2:]].count(b"old 300") == 2

    asyncio.run(run())


@pytest.mark.parametrize(
    ("gone", "needed", "reached"), [(0, 2, True), (1, 2, True), (2, 2, False), (3, 2, False), (1, 3, False), (3, 0, True)]
)
def test_k_of_n_with_some_away(gone: int, needed: int, reached: bool) -> None:
    async def run() -> None:
        log, town = Growing(), Town(("one", "two", "three"))
        for name in town.names[:gone]:
            town.instead[f"http://{name}"] = away
        asking = town.asking(log.world, needed)
        prepared = log.prepare(9)
        came = await asking.ask(prepared.note)
        assert (came.reached, len(came.lines)) == (reached, 3 - gone)
        assert standings(asking) == ["away"] * gone + ["cosigned"] * (3 - gone)
        state = asking.state(with_signatures(prepared.note, came.lines))
        assert Cosigning.model_validate(state).model_dump() == state, "the shape that the interface's page names"
        assert (state["reached"], [one["cosigned"] for one in state["witnesses"]]) == (reached, [False] * gone + [True] * (3 - gone))

    asyncio.run(run())


async def timed(asking: Witnesses, note: bytes) -> tuple[float, int]:
    began = time.monotonic()
    came = await asking.ask(note)
    return time.monotonic() - began, len(came.lines)


def test_one_that_hangs_costs_the_limit_once_and_is_heard_when_it_is_back() -> None:
    async def run() -> None:
        log, town = Growing(), Town(("one", "two"))
        gate = asyncio.Event()

        async def later(body: bytes) -> Answer:
            await gate.wait()
            return town.answer("http://two", body)

        town.instead["http://two"] = later
        asking = town.asking(log.world, 1)
        took, lines = await timed(asking, log.prepare(5).note)
        assert (took >= LIMIT_S, took < 4 * LIMIT_S, lines) == (True, True, 1)
        assert standings(asking) == ["cosigned", "away"]
        for _ in range(3):
            took, lines = await timed(asking, log.prepare(5).note)
            assert (took < LIMIT_S / 2, lines) == (True, 1), "known to be away, it isn't waited for"
        assert len([url for url, _ in town.asked if url == "http://two"]) == 1, "one question at a time"
        gate.set()
        await asyncio.sleep(0.05)
        del town.instead["http://two"]
        for _ in range(2):
            await asking.ask(log.prepare(5).note)
        took, lines = await timed(asking, log.prepare(5).note)
        assert (standings(asking), lines) == (["cosigned", "cosigned"], 2)
        await asking.close()

    asyncio.run(run())


def test_a_cosignature_that_comes_late_is_used_while_the_log_is_quiet() -> None:
    async def run() -> None:
        log, town = Growing(), Town(("one",))

        async def slow(body: bytes) -> Answer:
            await asyncio.sleep(2 * LIMIT_S)
            return town.answer("http://one", body)

        town.instead["http://one"] = slow
        asking = town.asking(log.world, 1)
        prepared = log.prepare(5)
        assert (await asking.ask(prepared.note)).lines == []
        log.writer.publish(prepared)
        assert asking.lacking(log.writer.published.note)
        await asyncio.sleep(2 * LIMIT_S)
        came = await asking.ask(log.writer.published.note)
        await asyncio.sleep(0)
        came = came if came.lines else await asking.ask(log.writer.published.note)
        log.writer.publish(log.writer.published, came.lines)
        assert names(asking, log.world.store.read(CHECKPOINT) or b"") == ["one"]
        assert not asking.lacking(log.writer.published.note)
        assert len(town.asked) == 1

    asyncio.run(run())


def test_where_the_policy_waits_one_that_was_away_is_waited_for() -> None:
    async def run() -> None:
        log, town = Growing(), Town(("one",))
        asking = town.asking(log.world, 1, "wait")
        asking.watched[0].prompt = False

        async def slow(body: bytes) -> Answer:
            await asyncio.sleep(LIMIT_S / 2)
            return town.answer("http://one", body)

        town.instead["http://one"] = slow
        assert (await asking.ask(log.prepare(5).note)).reached

    asyncio.run(run())


def _lies(log: Growing) -> dict[str, Callable[[bytes], Awaitable[Answer]]]:
    def of(status: int, media: str, body: bytes) -> Callable[[bytes], Awaitable[Answer]]:
        async def lie(_: bytes) -> Answer:
            return status, media, body

        return lie

    other = "unit.test/log\n5\n" + "A" * 43 + "=\n"
    stranger = cosignature_line(other, key_of("two"), private("two").sign, NOW)
    own_of_other_text = cosignature_line(other, key_of("one"), private("one").sign, NOW)
    text = parse_note(log.writer.published.note).text
    return {
        "nothing": of(200, "text/plain", b""),
        "noise": of(200, "text/plain", b"\xff\x00"),
        "a stranger's line": of(200, "text/plain", stranger.text.encode()),
        "its line under another text": of(200, "text/plain", own_of_other_text.text.encode()),
        "a text of its own": of(200, "text/plain", b"evil\n\n" + own_of_other_text.text.encode()),
        "time zero": of(200, "text/plain", _at_zero(text)),
        "always another size": of(409, "text/x.tlog.size", b"3\n"),
        "a size that is none": of(409, "text/x.tlog.size", b"-1\n"),
        "a size with zeros": of(409, "text/x.tlog.size", b"007\n"),
        "a redirect": of(302, "text/plain", b""),
        "another log's": of(404, "text/plain", b""),
    }


def _at_zero(text: str) -> bytes:
    line = cosignature_line(text, key_of("one"), private("one").sign, 1)
    return type(line)(line.name, line.key_id, bytes(8) + line.rest[8:]).text.encode()


def test_a_witness_that_lies_gets_nothing_into_the_checkpoint() -> None:
    async def run() -> None:
        log = Growing()
        log.writer.publish(log.prepare(5))
        for words, lie in _lies(log).items():
            town = Town(("one",), {"http://one": lie})
            asking = town.asking(log.world, 1)
            came = await asking.ask(log.writer.published.note)
            assert (came.lines, came.reached) == ([], False), words
            assert standings(asking)[0] in ("refused", "conflict"), words

    asyncio.run(run())


def test_a_log_that_was_rewritten_meets_its_witness() -> None:
    """The operator starts the log again from nothing, with one record changed."""

    async def run() -> None:
        log, town = Growing(), Town(("one",))
        await town.asking(log.world, 1).ask(log.prepare(300).note)
        rewritten = Growing(World())
        rewritten.world.say(("b", 0), 1)
        rewritten.writer.append(rewritten.world.news(1_000))
        asking = town.asking(rewritten.world, 1)
        came = await asking.ask(rewritten.prepare(200).note)
        assert (came.lines, standings(asking)) == ([], ["behind"]), "shorter than what the witness has"
        came = await asking.ask(rewritten.prepare(200).note)
        assert (came.lines, standings(asking)) == ([], ["conflict"])

    asyncio.run(run())


def test_a_fault_of_ours_is_no_witness_being_away() -> None:
    async def run() -> None:
        log = Growing()

        async def broken(url: str, body: bytes) -> Answer:
            raise ZeroDivisionError

        town = Town(("one",))
        asking = town.asking(log.world, 1)
        asking._ask = broken
        with pytest.raises(ZeroDivisionError):
            await asking.ask(log.prepare(5).note)

    asyncio.run(run())
