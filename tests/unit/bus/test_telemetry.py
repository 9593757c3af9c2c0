"""Traces along records, and the file they go to."""

from __future__ import annotations

import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.trace import get_current_span

from services._bus.sampling import PER_SECOND, RECORDS, Bucket
from services._bus.telemetry import Telemetry, at, extract, inject, sampled, setup, traceparent
from services._bus.telemetry_file import JsonFile

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
KEPT, DROPPED = f"00-{TRACE}-{SPAN}-01".encode(), f"00-{TRACE}-{SPAN}-00".encode()


def spans(home: Path, service: str = "rating") -> list[dict]:
    path = home / "telemetry" / f"{service}.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [line for line in lines if line["kind"] == "span"]


def points(home: Path, service: str = "rating") -> dict[str, dict]:
    lines = [json.loads(line) for line in (home / "telemetry" / f"{service}.jsonl").read_text().splitlines()]
    return {line["name"]: line for line in lines if line["kind"] == "metric"}


def test_a_records_span_has_the_requests_trace_and_says_which_record(tmp_path: Path) -> None:
    intake = setup("intake", env={}, home=tmp_path)
    with intake.request("intake.event", {}, {RECORDS: 1}):
        header = inject()
    intake.shutdown()
    rating = setup("rating", env={}, home=tmp_path)
    rating.spans("rate", [(header, at("mingjian.facts.v1", 3, 17))], began_ns=time.time_ns() - 2_000_000)
    rating.shutdown()
    (request,), (rate,) = spans(tmp_path, "intake"), spans(tmp_path)
    assert rate["trace_id"] == request["trace_id"]
    assert rate["parent_id"] == request["span_id"]
    assert rate["attributes"] == {
        "messaging.destination.name": "mingjian.facts.v1", "messaging.destination.partition.id": "3", "messaging.kafka.offset": 17,
    }  # fmt: skip
    assert rate["ms"] >= 2


def test_records_without_a_kept_trace_cost_no_span(tmp_path: Path) -> None:
    rating = setup("rating", env={}, home=tmp_path)
    rows = [((), {}), ((("traceparent", DROPPED),), {}), ((("traceparent", None),), {}), ((("traceparent", b"oops"),), {})]
    rating.spans("rate", rows, began_ns=1)
    rating.shutdown()
    assert spans(tmp_path) == []


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\xff\xfe",
        KEPT.upper(),
        KEPT[:-1],
        KEPT + b"-more",
        b"ff" + KEPT[2:],
        f"00-{'0' * 32}-{SPAN}-01".encode(),
        f"00-{TRACE}-{'0' * 16}-01".encode(),
    ],
)
def test_a_header_that_is_no_traceparent_is_no_trace(value: bytes, tmp_path: Path) -> None:
    assert extract([("traceparent", value)]) is None
    rating = setup("rating", env={}, home=tmp_path)
    rating.spans("rate", [((("traceparent", value),), {})], began_ns=1)
    rating.shutdown()
    assert spans(tmp_path) == []


def test_a_later_version_of_the_header_is_read_by_its_first_four_parts() -> None:
    assert extract([("traceparent", b"01" + KEPT[2:] + b"-more")]) is not None


def test_the_first_of_two_headers_counts() -> None:
    other = f"00-{'1' * 32}-{SPAN}-01".encode()
    headers = [("ce_id", b"x"), ("traceparent", KEPT), ("traceparent", other)]
    assert KEPT == sampled(headers)
    assert get_current_span(extract(headers)).get_span_context().trace_id == int(TRACE, 16)


def test_a_clients_trace_is_followed_when_it_is_kept_and_not_when_it_is_dropped(tmp_path: Path) -> None:
    intake = setup("intake", env={}, home=tmp_path)
    with intake.request("r", {"traceparent": KEPT.decode()}, {}):
        kept = traceparent()
    with intake.request("r", {"traceparent": DROPPED.decode()}, {}):
        dropped = (traceparent(), inject())
    intake.shutdown()
    assert kept is not None and kept.split("-")[1] == TRACE
    assert dropped == (None, ())
    assert [one["trace_id"] for one in spans(tmp_path, "intake")] == [TRACE]


def test_outside_a_request_there_is_nothing_to_inject() -> None:
    assert inject() == ()


def test_a_request_that_fails_says_the_type_and_not_the_text(tmp_path: Path) -> None:
    intake = setup("intake", env={}, home=tmp_path)
    with pytest.raises(ValueError), intake.request("r", {}, {}):
        raise ValueError("the secret")
    intake.shutdown()
    assert [one["error"] for one in spans(tmp_path, "intake")] == ["ValueError"]
    assert "secret" not in (tmp_path / "telemetry" / "intake.jsonl").read_text()


def test_the_bucket_keeps_every_trace_of_a_quiet_day_and_a_bounded_number_under_load() -> None:
    now = [0.0]
    bucket = Bucket(10, clock=lambda: now[0])

    def kept(records: int = 1) -> bool:
        return bucket.should_sample(None, 1, "r", attributes={RECORDS: records}).decision.is_sampled()

    assert [kept() for _ in range(12)] == [True] * 10 + [False] * 2
    now[0] = 0.5
    assert [kept() for _ in range(6)] == [True] * 5 + [False]
    now[0] = 100.0
    assert kept(1_000), "a bucket that isn't empty may be overdrawn"
    now[0] = 150.0
    assert not kept()
    now[0] = 100.0 + 99.2
    assert kept()


def test_the_sampler_follows_the_standard_variables(tmp_path: Path) -> None:
    off = setup("intake", env={"OTEL_TRACES_SAMPLER": "always_off"}, home=tmp_path)
    none = setup("intake", env={"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0"}, home=tmp_path)
    disabled = setup("intake", env={"OTEL_SDK_DISABLED": "true"}, home=tmp_path)
    every = setup("intake", env={"OTEL_TRACES_SAMPLER": "always_on", "OTEL_METRICS_EXPORTER": "none"}, home=tmp_path)
    for one in (off, none, disabled):
        with one.request("r", {}, {}):
            assert traceparent() is None
    for _ in range(3 * int(PER_SECOND)):
        with every.request("r", {}, {}):
            assert traceparent() is not None
    for one in (off, none, disabled, every):
        one.shutdown()
    assert len(spans(tmp_path, "intake")) == 3 * PER_SECOND


def test_metrics_come_as_gauges_by_topic_and_as_distributions(tmp_path: Path) -> None:
    rating = setup("rating", env={}, home=tmp_path)
    rating.gauge("mingjian.lag", "{record}", "behind", lambda: {"facts": 4})
    rating.gauge("mingjian.unknown", "1", "not known yet", lambda: None)
    with rating.request("r", {}, {}):
        pass
    rating.shutdown()
    found = points(tmp_path)
    assert (found["mingjian.lag"]["value"], found["mingjian.lag"]["attributes"]) == (4, {"topic": "facts"})
    assert "mingjian.unknown" not in found
    took = found["mingjian.request.duration"]
    assert took["count"] == 1 and sum(took["buckets"]) == 1 and len(took["buckets"]) == len(took["bounds"]) + 1


def test_the_file_is_turned_over_before_it_grows_past_its_cap(tmp_path: Path) -> None:
    file = JsonFile(tmp_path / "deep" / "x.jsonl", cap_bytes=1_000)
    for number in range(100):
        assert file.append([{"n": number, "text": "x" * 20}])
    names = sorted(path.name for path in (tmp_path / "deep").iterdir())
    assert names == ["x.jsonl", "x.jsonl.1"]
    assert all((tmp_path / "deep" / name).stat().st_size <= 1_000 for name in names)
    lines = [json.loads(line)["n"] for name in reversed(names) for line in (tmp_path / "deep" / name).read_text().splitlines()]
    assert lines == list(range(100 - len(lines), 100))


def test_a_file_that_can_not_be_written_is_said_once_and_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "telemetry").write_text("a file where the folder should be")
    rating = setup("rating", env={}, home=tmp_path)
    for _ in range(3):
        with rating.request("r", {}, {}):
            pass
    rating.shutdown()
    assert len([one for one in caplog.records if one.getMessage().startswith("telemetry can't be written")]) == 1


def test_with_an_endpoint_spans_and_metrics_go_there_and_not_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing to say."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    rating = setup("rating", env=os.environ, home=tmp_path)
    rating.spans("rate", [((("traceparent", KEPT),), {})], began_ns=1)
    rating.gauge("g", "1", "w", lambda: 1)
    rating.shutdown()
    server.shutdown()
    server.server_close()
    assert sorted(set(asked)) == ["/v1/metrics", "/v1/traces"]
    assert list(tmp_path.iterdir()) == []


def test_silence_costs_nothing_and_breaks_nothing() -> None:
    silent = Telemetry.silent()
    with silent.request("r", {"traceparent": KEPT.decode()}, {RECORDS: 3}):
        pass
    silent.spans("rate", [((("traceparent", KEPT),), {})], began_ns=1)
    silent.gauge("g", "1", "w", lambda: 1)
    silent.shutdown()
