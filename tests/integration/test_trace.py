"""One trace from the HTTP request to the published grade and to the leaf, read from the files that the services write."""

from __future__ import annotations

import json
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import orjson
import pytest

from deploy.local.stack import Stack
from schemas.topics import FACTS, GRADES
from services.audit.domain.tiles import WIDTH, bundle_path, decode_bundle
from tests.integration.intake_desk import OFFICER, Desk, event, signed
from tests.stack_fixtures import temporary_stack

pytestmark = pytest.mark.stack
SERVICES = ("intake", "rating", "publication", "audit")
QUICK = {"OTEL_BSP_SCHEDULE_DELAY": "100", "OTEL_METRIC_EXPORT_INTERVAL": "500"}


@pytest.fixture(scope="module")
def desk_stack() -> Iterator[Desk]:
    """All four services, an officer, and a regime that grades what is inspected."""
    with temporary_stack(extra_env=QUICK) as stack:
        stack.start_servers("wall")
        desk = Desk.of(stack)
        stack.start_services([name for name in SERVICES if name != "intake"])
        desk.activate("fhrs")
        yield desk


def telemetry(stack: Stack, service: str) -> list[dict[str, Any]]:
    path = stack.home / "telemetry" / f"{service}.jsonl"
    # The last line may be half written.
    return [json.loads(line) for line in path.read_text().rpartition("\n")[0].splitlines()] if path.exists() else []


def spans(stack: Stack, trace_id: str) -> list[dict[str, Any]]:
    """Every service's spans of a trace."""
    return [one for name in SERVICES for one in telemetry(stack, name) if one["kind"] == "span" and one["trace_id"] == trace_id]


def until(wanted: Any, limit_s: float = 60.0) -> Any:
    end = time.monotonic() + limit_s
    while not (found := wanted()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.1)
    return found


def place(span: dict[str, Any]) -> tuple[str, int, int]:
    attributes = span["attributes"]
    partition = int(attributes["messaging.destination.partition.id"])
    return attributes["messaging.destination.name"], partition, attributes["messaging.kafka.offset"]


def inspected(desk: Desk, subject: str, *points: int) -> dict[str, Any]:
    names = ("hygiene", "structural", "confidence_in_management")
    data = {
        "occurred_on": "2026-01-05",
        "kind": "routine",
        "mode": "on_site",
        "regime": "fhrs",
        "component_scores": [{"component": name, "points": value} for name, value in zip(names, points, strict=True)],
        "officers": [OFFICER],
    }
    return signed(event("inspection.recorded", subject, data), desk.key)


def leaf(stack: Stack, index: int) -> bytes:
    """The log's entry of this index, as it lies on the disk."""
    folder, bundle = stack.home / "log", index // WIDTH
    whole = folder / bundle_path(bundle)
    paths = [whole] if whole.exists() else sorted((folder / f"{bundle_path(bundle)}.p").iterdir(), key=lambda one: int(one.name))[-1:]
    data = paths[0].read_bytes()
    return decode_bundle(data, WIDTH if whole.exists() else int(paths[0].name))[index % WIDTH]


def test_one_trace_leads_from_the_request_to_the_published_grade_and_to_the_leaf(desk_stack: Desk) -> None:
    stack = desk_stack.stack
    registered = {"occurred_on": "2020-01-01", "name": "Made-up Café", "business_kind": "restaurant", "regimes": ["fhrs"]}
    assert desk_stack.post(signed(event("enterprise.registered", "fhrs:7001", registered), desk_stack.key)).status_code == 201
    made = inspected(desk_stack, "fhrs:7001", 5, 5, 5)
    answer = desk_stack.post(made)
    assert answer.status_code == 201, answer.text
    receipt = answer.json()["receipt"]
    fact = (receipt["topic"], receipt["partition"], receipt["offset"])

    [rated] = until(lambda: [one for one in telemetry(stack, "rating") if one["kind"] == "span" and place(one) == fact])
    trace_id = rated["trace_id"]
    steps = {"intake": 1, "rating": 1, "publication": 1, "audit": 2}
    until(lambda: Counter(one["service"] for one in spans(stack, trace_id)) >= Counter(steps))
    found = spans(stack, trace_id)
    [request] = [one for one in found if one["parent_id"] is None]
    assert (request["service"], request["attributes"]["mingjian.events"]) == ("intake", 1)
    assert {one["parent_id"] for one in found if one is not request} == {request["span_id"]}
    assert sorted((one["service"], one["name"], place(one)[0]) for one in found if one is not request) == [
        ("audit", "leaf", FACTS),
        ("audit", "leaf", GRADES),
        ("publication", "publish", GRADES),
        ("rating", "rate", FACTS),
    ]

    grade = httpx.get(f"{stack.ports.url('publication')}/api/v1/subjects/fhrs:7001", timeout=10).json()
    assert "5" in json.dumps(grade)
    leaves = {place(one): one["attributes"]["mingjian.leaf.index"] for one in found if one["name"] == "leaf"}
    [published] = [place(one) for one in found if one["name"] == "publish"]
    until(lambda: httpx.get(f"{stack.ports.url('audit')}/api/v1/log", timeout=10).json()["size"] > max(leaves.values()))
    assert canonical(made["event"]) in leaf(stack, leaves[fact])
    assert made["event"]["id"].encode() in leaf(stack, leaves[published]), "the grade's leaf names the fact that caused it"


def canonical(value: dict[str, Any]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def test_a_clients_own_trace_goes_on_through_the_register(desk_stack: Desk) -> None:
    trace_id, parent = secrets.token_hex(16), secrets.token_hex(8)
    made = inspected(desk_stack, "fhrs:7002", 0, 0, 0)
    assert desk_stack.post(made, traceparent=f"00-{trace_id}-{parent}-01").status_code == 201
    until(lambda: set(SERVICES) <= {one["service"] for one in spans(desk_stack.stack, trace_id)})
    requests = [one for one in spans(desk_stack.stack, trace_id) if one["service"] == "intake"]
    assert {one["parent_id"] for one in requests} == {parent}


def test_a_trace_that_the_client_does_not_keep_leaves_no_header_and_no_span(desk_stack: Desk) -> None:
    trace_id = secrets.token_hex(16)
    made = inspected(desk_stack, "fhrs:7003", 0, 0, 0)
    assert desk_stack.post(made, traceparent=f"00-{trace_id}-{secrets.token_hex(8)}-00").status_code == 201
    [record] = [one for one in desk_stack.records(FACTS) if dict(one.headers)["ce_id"].decode() == made["event"]["id"]]
    assert "traceparent" not in dict(record.headers)
    until(lambda: httpx.get(f"{desk_stack.stack.ports.url('publication')}/api/v1/subjects/fhrs:7003", timeout=10).status_code == 200)
    assert spans(desk_stack.stack, trace_id) == []


def test_the_trace_is_beside_the_value_and_never_in_it(desk_stack: Desk) -> None:
    records = desk_stack.records(FACTS)
    assert any("traceparent" in dict(one.headers) for one in records)
    assert not any(b"traceparent" in one.value for one in records)


def test_lag_log_size_and_delays_are_measured(desk_stack: Desk) -> None:
    def measured() -> dict[str, set[str]]:
        return {name: {one["name"] for one in telemetry(desk_stack.stack, name) if one["kind"] == "metric"} for name in SERVICES}

    wanted = {
        "intake": {"mingjian.request.duration", "mingjian.lag"},
        "rating": {"mingjian.lag"},
        "publication": {"mingjian.lag", "mingjian.publish.delay"},
        "audit": {"mingjian.lag", "mingjian.log.lag", "mingjian.log.size", "mingjian.entry.delay"},
    }
    until(lambda: all(names <= measured()[service] for service, names in wanted.items()))


def test_telemetry_holds_no_values(desk_stack: Desk) -> None:
    for name in SERVICES:
        text = (desk_stack.stack.home / "telemetry" / f"{name}.jsonl").read_text()
        for value in ("Made-up Café", "fhrs:7001", OFFICER):
            assert value not in text
