"""Where a record stands, asked over HTTP and checked without the service: place → leaf → path → signed root."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import orjson
import pytest

from schemas.topics import FACTS, REGISTRY
from services.audit.domain.frame import decode
from services.audit.domain.merkle import leaf_hash, verify_inclusion
from services.audit.domain.note import VerifierKey
from services.audit.domain.proof import parse_proof, verify_proof
from services.audit.domain.tiles import decode_bundle
from tests.integration.audit.test_audit_service import inspection, opening
from tests.integration.audit.world import OFFICE, AuditWorld, Say

pytestmark = pytest.mark.stack
RECORDS = 300


@pytest.fixture
def world(fresh_stack) -> Iterator[AuditWorld]:
    made = AuditWorld(fresh_stack(clock_mode="simulated"))
    yield made
    made.close()


def test_every_leaf_is_found_by_its_record_and_leads_to_the_signed_root(world: AuditWorld) -> None:
    said = opening()
    world.say(said)
    world.say([inspection(number, "2026-03-02", "2026-03-03T08:00:00.000Z") for number in range(1000, 1000 + RECORDS)])
    world.start()
    total = len(said) + RECORDS
    world.until(lambda: world.caught_up(total))
    entries: list[bytes] = []
    log = world.stack.home / "log"
    for bundle, width in ((0, 256), (1, total - 256)):
        path = log / "tile" / "entries" / (f"{bundle:03d}" if width == 256 else f"{bundle:03d}.p/{width}")
        entries += decode_bundle(path.read_bytes(), width)
    with httpx.Client(base_url=world.url) as http:
        vkey = VerifierKey.parse(http.get("/api/v1/log").json()["vkey"])
        for index in (0, 1, 255, 256, total - 1):
            told = http.get(f"/api/v1/log/leaves/{index}").json()
            assert told["leaf_hash"] == leaf_hash(entries[index]).hex()
            path = [bytes.fromhex(one) for one in told["path"]]
            root = bytes.fromhex(told["root"])
            verify_inclusion(index=index, size=told["size"], leaf=leaf_hash(entries[index]), proof=path, root=root)
            by_place = http.get(f"/api/v1/log/positions/{told['topic']}/{told['partition']}/{told['offset']}").json()
            assert by_place == told
            proof = http.get(told["proof"]).content
            assert parse_proof(proof).index == index
            assert verify_proof(proof, entries[index], vkey).root == root
            page = http.get(f"/log/leaves/{index}")
            assert page.status_code == 200 and told["leaf_hash"] in page.text
        _by_name(http, said, entries, vkey)
        assert http.get(f"/api/v1/log/leaves/{total}").status_code == 404
        assert http.get(f"/api/v1/log/positions/{FACTS}/0/999999").status_code == 404
        assert http.get(f"/api/v1/log/positions/{REGISTRY}/x/0").status_code == 422
        assert http.get("/api/v1/log/positions/mingjian.secrets.v1/0/0").status_code == 404


def _by_name(http: httpx.Client, said: list[Say], entries: list[bytes], vkey: VerifierKey) -> None:
    """Every event is found by its name; of copies the first, of a control event the original. What never was is unknown within 2 s."""
    for one in (said[0], said[-1], inspection(1000, "2026-03-02", "2026-03-03T08:00:00.000Z")):
        event = orjson.loads(one.value)["event"]
        told = http.get(
            "/api/v1/proofs", params={"source": event["source"], "id": event["id"]}, headers={"accept": "application/json"}
        ).json()
        assert decode(entries[told["index"]]).value == one.value
        copies = [place for place, entry in enumerate(entries) if getattr(decode(entry), "value", None) == one.value]
        places = [(one.topic, one.partition, one.offset) for one in (decode(entries[at]) for at in copies)]
        originals = [place for place in places if place[0] == REGISTRY]
        assert (told["topic"], told["partition"], told["offset"]) == min(originals or places) and told["index"] in copies
        assert verify_proof(told["file"].encode(), entries[told["index"]], vkey).size == told["size"]
    began = time.monotonic()
    unknown = http.get("/api/v1/proofs", params={"source": OFFICE, "id": "018f0000-0000-7000-8000-ffffffffffff"})
    assert unknown.status_code == 404 and time.monotonic() - began < 10
    prefix = http.get("/api/v1/proofs/consistency", params={"first": 1, "second": 256}).json()
    assert prefix["first_root"] == leaf_hash(entries[0]).hex()
