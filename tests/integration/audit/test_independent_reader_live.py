"""A stranger's program reads what a running stack wrote: a receipt of its intake, and the log that audit made from its Kafka."""

from __future__ import annotations

import time

import httpx
import pytest

from schemas.keys import unb64
from services.audit.domain.merkle import leaf_hash
from tests import independent_reader as reader
from tests.integration.intake_desk import Desk, event, signed

pytestmark = pytest.mark.stack
REGISTERED = {"occurred_on": "2020-01-01", "name": "Made-up Café", "business_kind": "restaurant", "regimes": ["fhrs"]}


def test_a_live_receipt_leads_a_stranger_to_its_leaf(fresh_stack) -> None:
    stack = fresh_stack()
    desk = Desk.of(stack)
    stack.start_services(["audit"])
    said = signed(event("enterprise.registered", "fhrs:1", REGISTERED), desk.key)
    desk.batch([desk.inspection(f"fhrs:{number}") for number in range(2, 300)])
    answer = desk.post(said)
    assert answer.status_code == 201, answer.text
    receipt = reader.check_receipt(answer.json(), unb64(desk.receipt_key()["public_key"]), said["event"])
    assert reader.check_event(said, "Ed25519", desk.key.raw_public) == receipt["event_hash"]
    log, vkey = stack.home / "log", desk.genesis["event"]["data"]["log_vkey"]
    with httpx.Client(base_url=stack.ports.url("audit"), timeout=10, trust_env=False) as http:
        path = f"/api/v1/log/positions/{receipt['topic']}/{receipt['partition']}/{receipt['offset']}"
        until = time.monotonic() + 60
        while (found := http.get(path)).status_code != 200:
            assert time.monotonic() < until, found.text
            time.sleep(0.2)
        told = found.json()
        # The service goes on signing while it is read: one checkpoint and its tiles are a whole, whichever it is.
        assert reader.find_receipt_in_log(log, vkey, receipt) == told["index"]
        entry = http.get(f"/api/v1/log/leaves/{told['index']}/entry", params={"event_hash": receipt["event_hash"]}).content
        assert leaf_hash(entry).hex() == told["leaf_hash"]
        leaf = reader.read_leaf(entry)
        assert (leaf["topic"], leaf["partition"], leaf["offset"]) == (receipt["topic"], receipt["partition"], receipt["offset"])
        assert http.get(f"/api/v1/log/leaves/{told['index']}/entry").status_code == 403
