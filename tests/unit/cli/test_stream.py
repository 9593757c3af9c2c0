"""Server-sent events are read as the standard has them."""

from __future__ import annotations

from services._cli.stream import Message, messages

LINES = """id: 7
event: grade
data: {"a":
data: 1}

: heartbeat
id: 9

event: grade
data: {}
id: 10

data: {"cut":""".splitlines()


def test_what_has_no_number_leaves_the_last_one_as_it_was() -> None:
    lines = [*LINES[:5], "event: suspensions", 'data: {"items": []}', "", ": only a comment", ""]
    assert list(messages(lines)) == [Message("7", "grade", {"a": 1}), Message("7", "suspensions", {"items": []})]


def test_data_over_several_lines_a_heartbeat_with_a_number_and_a_cut_end() -> None:
    assert list(messages(LINES)) == [Message("7", "grade", {"a": 1}), "9", Message("10", "grade", {})]
