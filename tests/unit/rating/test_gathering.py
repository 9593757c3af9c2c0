"""What the bulk replay keeps of a record at sight is what decoding the whole event gives, however the record is written."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from services.rating.domain.facts import Fact, compact
from services.rating.gathering import Entry, Gathered

SUBJECT = "uscc:91990000000000000X"
EVENT: dict[str, Any] = {
    "data": {"entered_by": "officer:one", "occurred_on": "2026-01-05", "until": None, "violations": ["GSP-01"]},
    "datacontenttype": "application/json",
    "id": "50a74cff-026f-4c84-aa8f-f5f8d837115f",
    "source": "/departments/market/offices/retail",
    "specversion": "1.0",
    "subject": SUBJECT,
    "time": "2026-01-05T08:00:00.000Z",
    "type": "mingjian.inspection.recorded.v1",
}


def entry(offset: int, event: dict[str, Any], header: str | None = None) -> Entry:
    """A record as intake writes it. ``header``: the id that its header says, where it is another."""
    said = b'{"entry":{"channel":"desk"},"event":%b,"signature":{"alg":"Ed25519"}}' % orjson.dumps(event, option=orjson.OPT_SORT_KEYS)
    headers = [("ce_id", (header or event["id"]).encode()), ("ce_type", event["type"].encode())]
    return offset, 1_790_000_000_000 + offset, SUBJECT.encode(), said, headers


def read(*entries: Entry) -> list[Fact]:
    found = Gathered(3)
    found.take(entries)
    facts = [fact for _, some in found.each(every=True) for fact in some]
    assert found.unreadable == 0
    return facts


def whole(one: Entry) -> Fact:
    event = orjson.loads(one[3] or b"")["event"]
    found = compact(event, {}, partition=3, offset=one[0], known=one[1], stamp=one[1])
    assert found is not None
    return found


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"id": "a\\u0041"},
        {"id": 'a"b'},
        {"id": "编号"},
        {"source": 'a"b'},
        {"source": "a\\b"},
        {"source": "/部门"},
        {"data": {}},
        {"data": {"occurred_on": None, "violations": ["GSP-01", 'a},"datacontenttype":"application/json","id":"']}},
        {"data": {"violations": [], "z": {"datacontenttype": "application/json", "id": "other"}}},
        {"dataschema": "urn:x"},
        {"datacontenttype": "application/xml"},
        {"specversion": "1.1"},
        {"a": {"data": {"violations": ["other"]}}},
    ],
)
def test_what_is_kept_at_sight_is_what_the_whole_event_says(changes: dict[str, Any]) -> None:
    # The first teaches its source; the second is the same again, and is kept at sight where it may be.
    entries = [entry(0, EVENT), entry(1, EVENT | {"id": "other"} | changes), entry(2, EVENT | {"id": "third"} | changes)]
    assert [whole(one) for one in entries] == read(*entries)


@pytest.mark.parametrize("header", ["other", EVENT["id"] + '","source":"/other', EVENT["id"][:-1], "a\\u0041"])
def test_the_id_is_that_of_the_event_whatever_its_header_says(header: str) -> None:
    taught = entry(0, EVENT | {"id": "first"})
    assert [EVENT["id"], EVENT["source"]] == [(fact := read(taught, entry(1, EVENT, header))[1]).id, fact.source]


def test_an_id_that_is_written_otherwise_is_read_as_what_it_means() -> None:
    offset, known, key, value, headers = entry(1, EVENT | {"id": "aA"})
    written = (offset, known, key, (value or b"").replace(b'"aA"', b'"a\\u0041"'), [("ce_id", b"a\\u0041"), headers[1]])
    assert ["first", "aA"] == [one.id for one in read(entry(0, EVENT | {"id": "first"}), written)]
