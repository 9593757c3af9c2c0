"""Proofs by name: found, pending, unknown, and hidden from whom they would tell something; the commands that fetch and check them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import orjson
import pytest
from typer.testing import CliRunner

from schemas.canonical import event_hash
from schemas.topics import FACTS, FINDINGS, REGISTRY
from services.audit import cli_proofs
from services.audit.adapters.places import Copy
from services.audit.domain.checkpoint import open_checkpoint
from services.audit.domain.frame import Record, decode, entry_of, entry_with, head_of
from services.audit.domain.merkle import leaf_hash, verify_consistency
from services.audit.domain.proof import parse_proof, verify_proof
from services.audit.reading import name_of
from services.audit.web import proofs as web_proofs
from services.audit.web.app import Parts, create_app
from services.audit.web.leaves import Leaves
from services.audit.web.pages import Pages
from services.audit.web.proofs import Proofs
from services.audit.web.session import COOKIE, Session, Sessions
from services.audit.worker import Progress, reached
from tests.unit.audit.fakes import VERIFIER
from tests.unit.audit.test_appender import World
from tests.unit.audit.test_leaf_lookup import Client

OFFICE = "/departments/drug/offices/liyujiang"


def event(id: str, source: str = OFFICE, note: str = "confidential") -> dict[str, Any]:
    return {"id": id, "type": "t", "subject": "s", "time": "t", "source": source, "data": {"note": note}}


def carrying(topic: str, partition: int, offset: int, one: dict[str, Any]) -> Record:
    value = orjson.dumps({"event": one, "signature": {"value": "x"}}, option=orjson.OPT_SORT_KEYS)
    return Record(topic, partition, offset, 0, 1, b"s", (("ce_id", b"i"),), value)


CONTROL = event("control", note="copied")
LONG = event("long", note="x" * 70_000)
FINDING = event("finding", "/services/audit")
SAID = {
    (FACTS, 0): [CONTROL, event("a"), event("twice"), event("twice", note="other"), LONG],
    (FACTS, 1): [CONTROL, event("b")],
    (REGISTRY, 0): [CONTROL],
    (FINDINGS, 0): [FINDING],
}


@dataclass
class Setting:
    """A log with events, read through the plan's own names. ``answers``: what ``reached`` will say."""

    world: World
    folder: Path
    answers: list[bool] = field(default_factory=list)
    then: Callable[[], None] = lambda: None
    off: int = 0

    async def first_copy(self, name: bytes) -> Copy | None:
        found = []
        for leaf in [leaf for one, leaf in self.world.plan.names if one == name]:
            span = next(one for one in self.world.plan.rows if one.first <= leaf < one.first + one.count)
            place = span.topic, span.partition, span.first_offset + leaf - span.first + self.off
            found.append((span.topic != REGISTRY, *place, Copy(leaf, *place)))
        return min(found, key=lambda one: one[:-1])[-1] if found else None

    async def reached(self) -> bool:
        self.then()
        return self.answers.pop(0) if self.answers else True

    def client(self) -> Client:
        pages: Any = Pages(sample=True, publication_url=None, time_zone="Asia/Shanghai")
        anything: Any = None
        read = self.world.store.read
        self.sessions = Sessions(self.folder, b"k" * 32, lambda: 0.0)
        places: Any = self
        leaves = Leaves(places=places, read_file=read, log=VERIFIER, pages=pages)
        made = Proofs(leaves=leaves, places=places, read_file=read, log=VERIFIER, sessions=self.sessions, reached=self.reached)
        return Client(create_app(Parts(read, self.sessions, anything, anything, pages, anything, leaves, made)))

    def auditor(self) -> dict[str, str]:
        return {"cookie": f"{COOKIE}={self.sessions.cookie(Session('auditor', 100))}"}


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    records = {place: [carrying(*place, offset, one) for offset, one in enumerate(some)] for place, some in SAID.items()}
    world = World(kafka=records)
    world.run(world.writer(), 2)
    return Setting(world, tmp_path)


def asked(id: str, source: str = OFFICE, **more: str) -> str:
    return "/api/v1/proofs?" + str(httpx.QueryParams({"source": source, "id": id, **more}))


def entry_at(place: tuple[str, int], offset: int) -> bytes:
    return entry_of(carrying(*place, offset, SAID[place][offset]))[0]


def test_a_proof_is_of_the_events_first_copy_and_holds_offline(setting: Setting) -> None:
    http = setting.client()
    for id, place, offset in (("a", (FACTS, 0), 1), ("b", (FACTS, 1), 1), ("twice", (FACTS, 0), 2), ("long", (FACTS, 0), 4)):
        said = http.get(asked(id))
        assert said.status_code == 200 and said.headers["content-type"].startswith("text/plain")
        assert verify_proof(said.content, entry_at(place, offset), VERIFIER).size == sum(map(len, SAID.values()))
        assert b"confidential" not in said.content and parse_proof(said.content).extra is None


def test_of_a_control_event_the_original_on_the_registry_is_proved(setting: Setting) -> None:
    said = setting.client().get(asked("control"), headers={"accept": "application/json"}).json()
    assert (said["topic"], said["partition"], said["offset"]) == (REGISTRY, 0, 0)
    assert said["status"] == "proved" and said["leaf_hash"] == leaf_hash(entry_at((REGISTRY, 0), 0)).hex()
    assert verify_proof(said["file"].encode(), entry_at((REGISTRY, 0), 0), VERIFIER).root.hex() == said["root"]


@pytest.mark.parametrize(
    ("accept", "media"),
    [("*/*", "text/plain"), ("", "text/plain"), ("text/plain, application/json", "text/plain"), ("application/json", "application/json")],
)
def test_the_form_is_the_askers_to_choose(accept: str, media: str, setting: Setting) -> None:
    said = setting.client().get(asked("a"), headers={"accept": accept})
    assert said.headers["content-type"].startswith(media) and said.headers["vary"] == "Accept"


def test_what_is_planned_and_under_no_checkpoint_yet_is_pending(setting: Setting) -> None:
    writer = setting.world.writer()
    setting.world.kafka[FACTS, 1].append(carrying(FACTS, 1, 2, event("new")))
    writer.append(setting.world.news(10))
    http = setting.client()
    said = http.get(asked("new"))
    assert (said.status_code, said.headers["retry-after"]) == (202, "1") and said.json()["status"] == "pending"
    writer.checkpoint()
    assert http.get(asked("new")).status_code == 200


def test_what_may_be_on_kafka_is_waited_for_before_it_is_unknown(setting: Setting) -> None:
    http = setting.client()
    setting.answers = [False]
    assert http.get(asked("new")).status_code == 202, "nobody knows yet"
    assert http.get(asked("new")).status_code == 404
    assert http.get(asked("new")).headers["content-type"] == "application/problem+json"

    def arrives() -> None:
        setting.world.kafka[FACTS, 1].append(carrying(FACTS, 1, 2, event("new")))
        setting.world.run(setting.world.writer())

    setting.then = arrives
    assert http.get(asked("new")).status_code == 200


def test_too_many_who_wait_are_told_to_ask_again(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_proofs, "_WAITING", 0)
    http = setting.client()
    assert http.get(asked("nothing")).status_code == 202 and http.get(asked("a")).status_code == 200


def test_a_derived_event_is_as_unknown_to_who_can_only_guess_its_id(setting: Setting) -> None:
    http = setting.client()
    guessed = [http.get(asked("finding", "/services/audit", **more)) for more in ({}, {"event_hash": "0" * 64})]
    never = http.get(asked("never", "/services/audit"))
    assert [one.status_code for one in guessed] == [404, 404]
    assert {one.text for one in guessed} == {never.text}
    assert http.get(asked("finding", "/services/audit", event_hash=event_hash(FINDING))).status_code == 200
    assert http.get(asked("finding", "/services/audit"), headers=setting.auditor()).status_code == 200


def test_a_name_that_leads_to_another_record_is_not_shown_as_this_ones(setting: Setting) -> None:
    setting.off = 1
    assert setting.client().get(asked("a")).status_code == 503


@pytest.mark.parametrize("query", ["", "?source=/x", "?source=x&id=1", "?source=/x&id=%00", "?source=/x&id=1&event_hash=q"])
def test_a_question_that_names_nothing(query: str, setting: Setting) -> None:
    assert setting.client().get(f"/api/v1/proofs{query}").status_code == 422


def test_with_the_events_hash_the_envelope_alone_gives_the_entry(setting: Setting) -> None:
    data = setting.client().get(asked("a", event_hash=event_hash(event("a")))).content
    entry = entry_at((FACTS, 0), 1)
    record = decode(entry)
    assert isinstance(record, Record) and record.value is not None
    assert entry_with(parse_proof(data).extra or b"", record.value) == entry
    assert verify_proof(data, entry, VERIFIER)


def test_the_head_of_a_long_record_gives_its_stub() -> None:
    record = carrying(FACTS, 0, 4, LONG)
    assert entry_with(head_of(record), record.value or b"") == entry_of(record)[0]


def test_any_two_sizes_are_shown_to_be_one_history(setting: Setting) -> None:
    http = setting.client()
    total = sum(map(len, SAID.values()))
    for first in range(total + 1):
        for second in range(first, total + 1):
            said = http.get(f"/api/v1/proofs/consistency?first={first}&second={second}").json()
            roots = {f"{name}_root": bytes.fromhex(said[f"{one}_root"]) for name, one in (("old", "first"), ("new", "second"))}
            verify_consistency(old=first, new=second, proof=[bytes.fromhex(one) for one in said["path"]], **roots)
            assert open_checkpoint(said["checkpoint"].encode(), VERIFIER)[0].size == total
    assert http.get(f"/api/v1/proofs/consistency?first=1&second={total + 1}").status_code == 404
    assert http.get("/api/v1/proofs/consistency?first=3&second=2").status_code == 422


@pytest.mark.parametrize(
    ("answers", "read_later", "certain"),
    [([3, 3], None, True), ([3], None, False), ([3, 4], None, False), ([3, 4], 4, True), ([4, 3], None, True)],
)
def test_reached_waits_for_an_answer_that_was_asked_for_after_it_began(answers: list[int], read_later: int | None, certain: bool) -> None:
    """Three records are done; each answer says how many Kafka has. The first may be to a question asked before."""
    place = (FACTS, 0)

    async def told() -> bool:
        progress = Progress(next_offsets={place: 3}, ends={place: 3})
        waiting = asyncio.ensure_future(reached(progress, 1.0))
        for end in answers:
            await asyncio.sleep(0.12)
            progress.ends = {place: end}
        if read_later is not None:
            await asyncio.sleep(0.12)
            progress.next_offsets = {place: read_later}
        return await waiting

    assert asyncio.run(told()) is certain


class Commands:
    """The commands over the application, without a server."""

    def __init__(self, setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = setting.folder
        client = setting.client()
        stand_in = SimpleNamespace(base_url="http://audit", get=lambda path, params: client.get(path, params=params))

        class Opened:
            def __enter__(self) -> Any:
                return stand_in

            def __exit__(self, *_: object) -> None:
                pass

        monkeypatch.setattr(cli_proofs, "_client", lambda *_: Opened())

    def run(self, *words: str | Path) -> tuple[int, str]:
        done = CliRunner().invoke(cli_proofs.app, [str(one) for one in words])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.output

    def file(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(data)
        return path


@pytest.fixture
def commands(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> Commands:
    return Commands(setting, monkeypatch)


def test_prove_and_verify_proof(commands: Commands) -> None:
    said = commands.file("said.json", orjson.dumps({"event": event("a"), "signature": {}}))
    proof, entry = commands.folder / "a.proof", commands.folder / "a.entry"
    assert commands.run("prove", OFFICE, "a", "-o", proof, "--event", said, "--entry", entry)[0] == 0
    vkey = ("--vkey", VERIFIER.text)
    status, told = commands.run("verify-proof", proof, *vkey, "--entry", entry, "--event", said, "--json")
    assert status == 0 and json.loads(told)["verified"] and json.loads(told)["offset"] == 1
    record = decode(entry.read_bytes())
    assert isinstance(record, Record)
    envelope = commands.file("envelope.json", orjson.dumps(orjson.loads(record.value or b""), option=orjson.OPT_INDENT_2))
    assert commands.run("verify-proof", proof, *vkey, "--envelope", envelope)[0] == 0
    changed = commands.file("changed.json", (record.value or b"").replace(b"confidential", b"harmless"))
    assert commands.run("verify-proof", proof, *vkey, "--envelope", changed)[0] == 1
    other = commands.file("other.json", orjson.dumps({"event": event("b")}))
    assert commands.run("verify-proof", proof, *vkey, "--entry", entry, "--event", other)[0] == 1
    bare = commands.folder / "bare.proof"
    assert commands.run("prove", OFFICE, "a", "-o", bare)[0] == 0
    assert commands.run("verify-proof", bare, *vkey, "--entry", entry)[0] == 0
    assert commands.run("verify-proof", bare, *vkey, "--envelope", envelope)[0] == 1
    assert commands.run("verify-proof", bare, *vkey)[0] == 2
    assert commands.run("prove", OFFICE, "nobody")[0] == 6


def test_a_wrong_proof_of_any_kind_is_a_sentence_and_no_traceback(commands: Commands) -> None:
    entry = commands.file("entry", entry_at((FACTS, 0), 1))
    for number, data in enumerate((b"", b"\xff", b"c2sp.org/tlog-proof@v1\nindex 0\n\n")):
        status, told = commands.run("verify-proof", commands.file(f"{number}", data), "--vkey", VERIFIER.text, "--entry", entry)
        assert status == 1 and told.startswith("not verified: ")


def test_consistency_between_two_checkpoints(setting: Setting, commands: Commands) -> None:
    old = commands.file("old", setting.world.store.read("checkpoint") or b"")
    setting.world.say((FACTS, 1), 300)
    setting.world.run(setting.world.writer())
    new = commands.file("new", setting.world.store.read("checkpoint") or b"")
    vkey, kept = ("--vkey", VERIFIER.text), commands.folder / "kept.json"
    assert commands.run("consistency", old, new, *vkey, "--keep", kept)[0] == 0
    assert commands.run("consistency", old, *vkey)[0] == 0
    assert commands.run("consistency", old, new, *vkey, "--proof", kept)[0] == 0
    assert commands.run("consistency", new, old, *vkey)[0] == 1
    for path, data in setting.world.store.files.items():  # type: ignore[attr-defined]
        (commands.folder / "copy" / path).parent.mkdir(parents=True, exist_ok=True)
        (commands.folder / "copy" / path).write_bytes(data)
    assert commands.run("consistency", old, *vkey, "--log-dir", commands.folder / "copy")[0] == 0
    told = json.loads(kept.read_text())
    told["path"][0] = "00" * 32
    assert commands.run("consistency", old, new, *vkey, "--proof", commands.file("wrong.json", orjson.dumps(told)))[0] == 1


def test_names_are_written_with_the_plan(setting: Setting) -> None:
    found = {}
    for name, leaf in setting.world.plan.names:
        found.setdefault(name, []).append(leaf)
    assert len(found[name_of(OFFICE, "control")]) == 3 and len(found[name_of(OFFICE, "twice")]) == 2
    assert sorted(leaf for some in found.values() for leaf in some) == list(range(sum(map(len, SAID.values()))))
