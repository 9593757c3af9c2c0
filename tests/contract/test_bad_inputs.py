"""What a client can get wrong, over HTTP, on a running intake: each slip has its own 4xx code with words and a remedy in both
languages, nothing of it stands in facts or registry, and whoever signed it with a registered key has a signed proof of having tried."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
import pytest

from schemas.canonical import canonical_bytes
from schemas.keys import SigningKey, unb64
from schemas.receipts import verify_signed
from schemas.topics import FACTS, REFUSALS, REGISTRY
from services.intake.cli import init_home
from services.intake.domain.wording import WORDING
from tests import toolkit as kit
from tests.contract.bad_inputs import ALL, PEOPLE, Bad, prepare
from tests.integration.intake_desk import read_all
from tests.stack_fixtures import temporary_stack

pytestmark = pytest.mark.stack


@dataclass(frozen=True)
class Told:
    """Everything that was sent and answered. ``admitted``: ids of the few events that are right."""

    bootstrap: str
    genesis: dict[str, Any]
    admitted: frozenset[str]
    sent: dict[str, Any]
    answers: dict[str, httpx.Response]

    @property
    def receipt_key(self) -> tuple[str, bytes]:
        public = self.genesis["event"]["data"]["receipt_key"]
        return public["alg"], unb64(public["public_key"])


@pytest.fixture(scope="module")
def told() -> Iterator[Told]:
    """A new stack with intake alone; every slip is sent to it once."""
    with temporary_stack() as stack:
        stack.start_servers("wall")
        genesis = init_home(stack.home, clock_mode="wall", sample=False)
        stack.start_services(["intake"])
        key = SigningKey.load(stack.home / "keys" / "registrar" / "registrar.json")
        with httpx.Client(base_url=stack.ports.url("intake"), timeout=30, trust_env=False) as client:
            admitted = prepare(client, key)
            sent = {bad.name: bad.make() for bad in ALL}
            answers = {bad.name: send(client, bad, sent[bad.name]) for bad in ALL}
        yield Told(stack.bootstrap, genesis, admitted, sent, answers)


def send(client: httpx.Client, bad: Bad, made: Any) -> httpx.Response:
    body = made if isinstance(made, bytes) else orjson.dumps(made)
    return client.post(bad.path, content=body, headers={**kit.headers(), "accept-language": "en", **bad.headers})


@pytest.mark.parametrize("bad", ALL, ids=[bad.name for bad in ALL])
def test_every_slip_has_its_own_code_and_says_in_both_languages_what_to_do(told: Told, bad: Bad) -> None:
    answer = told.answers[bad.name]
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (bad.status, f"urn:mingjian:problem:{bad.code}"), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["status"] == bad.status == WORDING[bad.code].status
    assert all(problem[name] for name in ("detail_zh", "detail_en", "remedy_zh", "remedy_en"))
    if bad.field:
        assert problem["field"] == bad.field


@pytest.mark.parametrize("bad", ALL, ids=[bad.name for bad in ALL])
def test_whoever_signed_with_a_registered_key_has_a_proof_and_nobody_else(told: Told, bad: Bad) -> None:
    problem = told.answers[bad.name].json()
    if not bad.proven:
        assert "refusal" not in problem
        return
    refusal, submission = problem["refusal"], told.sent[bad.name]
    assert verify_signed(refusal, "refusal", *told.receipt_key)
    body = refusal["refusal"]
    assert kit.hash_of(submission) == body["event_hash"]
    assert submission["signature"]["key_id"] == body["key_id"]
    assert (bad.code, problem["detail_zh"], problem["detail_en"]) == (body["reason"], body["detail_zh"], body["detail_en"])


def test_nothing_of_it_stands_in_facts_or_registry(told: Told) -> None:
    records = kafka(told, FACTS)
    found = [json.loads(one.value)["event"] for one in records if one.key != b"control"]
    assert {one["id"] for one in found} <= told.admitted
    assert 2 == len(found)
    said = [json.loads(one.value)["event"]["type"].split(".", 1)[1] for one in kafka(told, REGISTRY)]
    assert 1 + 3 * len(PEOPLE) + 3 == len([kind for kind in said if kind != "day.closed.v1"])


def test_exactly_the_refusals_given_stand_on_their_topic(told: Told) -> None:
    given = {canonical_bytes(told.answers[bad.name].json()["refusal"]) for bad in ALL if bad.proven}
    until = time.monotonic() + 30
    while len(stand := {bytes(one.value) for one in kafka(told, REFUSALS)}) < len(given) and time.monotonic() < until:
        time.sleep(0.2)
    assert given == stand
    assert all(one.key.decode() == json.loads(one.value)["refusal"]["source"] for one in kafka(told, REFUSALS))


def test_no_refusal_and_no_answer_holds_a_private_value_or_a_number_of_a_person(told: Told) -> None:
    stored = b"".join(bytes(one.value) for one in kafka(told, REFUSALS))
    answered = b"".join(one.content for one in told.answers.values())
    for secret in ("11010519491231002X", "13800138000", "１３８００１３８０００", "0571-87654321", "样例甲", "样例乙"):
        assert secret.encode() not in stored + answered, secret


def test_there_are_at_least_forty_slips_each_named_once() -> None:
    assert len(ALL) >= 40
    assert len({bad.name for bad in ALL}) == len(ALL)


def kafka(told: Told, topic: str) -> list[Any]:
    return asyncio.run(read_all(told.bootstrap, (topic,)))
