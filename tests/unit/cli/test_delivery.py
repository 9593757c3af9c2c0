"""Sending goes on with the same bytes until every event has a receipt or a refusal, whatever lies between."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from services._cli.delivery import Intake
from services._cli.errors import CliError

pytestmark = pytest.mark.sweep

Script = Callable[[int, list[str]], tuple[int, object] | None]


@contextmanager
def counter(script: Script, bodies: list[dict[str, object]] | None = None) -> Iterator[tuple[str, list[list[str]]]]:
    """A counter on a real socket that answers by ``script(number of the request, ids)``; None hangs up. Keeps what it was sent:
    the ids, and whole in ``bodies``."""
    asked: list[list[str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            ids = [one["event"]["id"] for one in body["events"]]
            asked.append(ids)
            if bodies is not None:
                bodies.append(body)
            said = script(len(asked), ids)
            if said is None:
                self.connection.close()
                return
            text = json.dumps(said[1]).encode()
            self.send_response(said[0])
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *words: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def receipt(id: str) -> dict[str, object]:
    return {"status": 201, "receipt": {"receipt": {"id": id}, "signature": {}}}


def submissions(*ids: str) -> list[dict[str, object]]:
    return [{"event": {"id": one}} for one in ids]


def deliver(script: Script, *ids: str, patience_s: float = 20.0) -> tuple[list[tuple[int, str]], list[list[str]]]:
    with counter(script) as (url, asked):
        outcomes = Intake(url, patience_s=patience_s).deliver(submissions(*ids), channel="desk")
    return [(one.status, (one.receipt or {}).get("receipt", {}).get("id") or (one.problem or {}).get("title")) for one in outcomes], asked


def test_a_lost_connection_and_503_are_waited_out_with_the_same_events() -> None:
    def script(number: int, ids: list[str]) -> tuple[int, object] | None:
        return {1: None, 2: (503, {"title": "not now"})}.get(number, (200, {"results": [receipt(one) for one in ids]}))

    outcomes, asked = deliver(script, "a", "b")
    assert outcomes == [(201, "a"), (201, "b")]
    assert asked == [["a", "b"]] * 3


def test_only_events_without_an_answer_are_sent_again() -> None:
    def script(number: int, ids: list[str]) -> tuple[int, object]:
        if number == 1:
            return 200, {"results": [receipt("a"), {"status": 202}, {"status": 422, "problem": {"title": "wrong"}}]}
        return 200, {"results": [receipt(one) for one in ids]}

    outcomes, asked = deliver(script, "a", "b", "c")
    assert outcomes == [(201, "a"), (201, "b"), (422, "wrong")]
    assert asked == [["a", "b", "c"], ["b"]]


def test_a_batch_that_is_refused_as_a_whole_is_asked_for_in_halves_until_the_event_at_fault_stands_alone() -> None:
    def script(number: int, ids: list[str]) -> tuple[int, object]:
        return (422, {"title": "bad batch"}) if "5" in ids else (200, {"results": [receipt(one) for one in ids]})

    ids = [str(number) for number in range(16)]
    outcomes, asked = deliver(script, *ids)
    assert outcomes == [(422, "bad batch") if one == "5" else (201, one) for one in ids]
    assert [one for part in asked if "5" not in part for one in part] == [one for one in ids if one != "5"], "in their order, each once"
    assert ["5"] in asked and len(asked) < 16


def test_a_refusal_that_has_nothing_to_do_with_the_events_is_not_asked_for_again() -> None:
    outcomes, asked = deliver(lambda number, ids: (404, {"title": "not here"}), "a", "b")
    assert outcomes == [(404, "not here")] * 2
    assert len(asked) == 1


def test_a_request_is_never_larger_than_intake_takes() -> None:
    bodies: list[dict[str, object]] = []
    large = [{"event": {"id": str(number), "data": "x" * 4_000_000}} for number in range(9)]
    with counter(lambda number, ids: (200, {"results": [receipt(one) for one in ids]}), bodies) as (url, asked):
        outcomes = Intake(url).deliver(large, channel="desk")
    assert [len(json.dumps(one)) <= 16 << 20 for one in bodies] == [True] * 3
    assert [one for part in asked for one in part] == [str(number) for number in range(9)]
    assert all(one.accepted for one in outcomes)


class Over(Exception):
    """Somebody pressed Ctrl-C."""


def test_who_is_told_to_stop_ends_before_the_next_request_without_a_word_about_intake() -> None:
    said: list[str] = []

    def alive() -> None:
        if asked:
            raise Over

    with counter(lambda number, ids: None) as (url, asked):
        intake = Intake(url, said=said.append, alive=alive)
        with pytest.raises(Over):
            intake.deliver(submissions("a"), channel="desk")
    assert (len(asked), said) == (1, [])


def test_without_any_answer_it_gives_up_in_one_sentence() -> None:
    with pytest.raises(CliError, match="gave no receipt") as caught:
        deliver(lambda number, ids: (503, {}), "a", patience_s=0.5)
    assert caught.value.code == 5


def test_where_nothing_listens_it_gives_up_in_one_sentence() -> None:
    with pytest.raises(CliError, match="gave no receipt"):
        Intake("http://127.0.0.1:9", patience_s=0.3).deliver(submissions("a"), channel="desk")


def test_what_is_sent_again_keeps_its_own_channel_and_instant() -> None:
    bodies: list[dict[str, object]] = []

    def script(number: int, ids: list[str]) -> tuple[int, object]:
        return 200, {"results": [{"status": 202} if number == 1 and one == "b" else receipt(one) for one in ids]}

    with counter(script, bodies) as (url, _):
        Intake(url).deliver(submissions("a", "b"), channel=["field", "desk"], at=["first", "second"])
    assert [(one["channels"], one["simulated_at"]) for one in bodies] == [(["field", "desk"], ["first", "second"]), (["desk"], ["second"])]
