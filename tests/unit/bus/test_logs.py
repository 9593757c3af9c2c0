"""Log lines: JSON, with ids and offsets, without values."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from services._bus import logs
from services._bus.telemetry import setup

SECRET = "11010519491231002X"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.setup("intake", stream=stream)
    yield stream
    root.handlers[:], root.level = handlers, level


def read(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_says_when_who_and_what_with_its_offsets(lines: io.StringIO) -> None:
    logging.getLogger("mingjian.x").warning("%d records", 3, extra={"topic": "facts", "offset": 17})
    (line,) = read(lines)
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "WARNING", "service": "intake", "logger": "mingjian.x", "message": "3 records", "topic": "facts", "offset": 17,
    }  # fmt: skip


def test_an_exception_shows_its_type_and_place_and_never_its_text(lines: io.StringIO) -> None:
    try:
        try:
            int(SECRET)
        except ValueError as error:
            raise LookupError(f"no such person: {SECRET}") from error
    except LookupError:
        logging.getLogger("mingjian.x").exception("a record can't be read")
    (line,) = read(lines)
    assert SECRET not in lines.getvalue()
    assert line["error"]["type"] == "builtins.LookupError"
    assert line["error"]["cause"]["type"] == "builtins.ValueError"
    assert "test_an_exception_shows" in line["error"]["at"][-1]


def test_an_operating_systems_error_keeps_its_words(lines: io.StringIO) -> None:
    try:
        open("/nowhere/at/all")
    except OSError:
        logging.getLogger("mingjian.x").exception("a file can't be read")
    assert read(lines)[0]["error"]["words"] == "No such file or directory"


def test_a_group_shows_what_is_in_it(lines: io.StringIO) -> None:
    try:
        raise ExceptionGroup("two", [ValueError(SECRET), KeyError(SECRET)])
    except ExceptionGroup:
        logging.getLogger("mingjian.x").exception("stopped")
    (line,) = read(lines)
    assert [one["type"] for one in line["error"]["inner"]] == ["builtins.ValueError", "builtins.KeyError"]
    assert SECRET not in lines.getvalue()


def test_a_line_within_a_request_has_its_trace(lines: io.StringIO, tmp_path) -> None:
    telemetry = setup("intake", env={"OTEL_METRICS_EXPORTER": "none"}, home=tmp_path)
    with telemetry.request("r", {}, {}):
        logging.getLogger("mingjian.x").info("within")
        trace_id = telemetry.traceparent().split("-")[1]
    logging.getLogger("mingjian.x").info("after")
    telemetry.shutdown()
    assert [line.get("trace_id") for line in read(lines)] == [trace_id, None]


def test_an_extra_can_not_replace_what_every_line_has(lines: io.StringIO) -> None:
    logging.getLogger("mingjian.x").info("m", extra={"service": "other", "level": "other"})
    assert (read(lines)[0]["service"], read(lines)[0]["level"]) == ("intake", "INFO")


def test_libraries_speak_from_warning_on(lines: io.StringIO) -> None:
    logging.getLogger("aiokafka.consumer").info("chatter")
    logging.getLogger("aiokafka.consumer").warning("trouble")
    assert [line["message"] for line in read(lines)] == ["trouble"]
