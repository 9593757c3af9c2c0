"""R18 for what rating leaves alone: a stay or a determination that was taken back, annulled or put in other words, against a plain rule."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from services.audit.domain.asides import standing_asides
from services.audit.domain.frame import Record
from services.audit.domain.replay import Fact, Facts
from services.audit.domain.shown import stays_of

SOURCE = "/departments/drug/offices/one"
ACT = {"source": SOURCE, "id": "act"}
STAY = {"occurred_on": "2026-03-01", "document_no": "S-1", "act": ACT, "from_day": "2026-03-02", "until": "2026-05-31"}


def fact(offset: int, id: str, name: str, data: dict[str, Any]) -> Fact:
    return Fact(0, offset, offset, offset, offset, id, SOURCE, name, data)


def on(id: str, **more: Any) -> dict[str, Any]:
    return {"entry": {"source": SOURCE, "id": id}, **more}


def stay() -> Fact:
    return fact(0, "stay", "stay.ordered", STAY)


def worded(offset: int, id: str, until: str) -> Fact:
    return fact(offset, id, "entry.corrected", on("stay", replacement={"name": "stay.ordered", "data": STAY | {"until": until}}))


def untils(asides: list[Fact], facts: list[Fact]) -> list[str]:
    return [one.data["until"] for one in standing_asides(asides, facts)]


def test_the_last_wording_that_stands_counts() -> None:
    one, two = worded(1, "one", "2026-04-30"), worded(2, "two", "2026-04-01")
    assert ["2026-05-31"] == untils([stay()], [])
    assert ["2026-04-01"] == untils([stay(), one, two], [one, two])
    # the second wording is taken back: the first counts again; taken back too, the stay's own words do
    back = [fact(3, "back", "entry.retracted", on("two")), fact(4, "further", "entry.retracted", on("one"))]
    assert ["2026-04-30"] == untils([stay(), one, two], [one, two, back[0]])
    assert ["2026-05-31"] == untils([stay(), one, two], [one, two, *back])


def test_what_was_taken_back_stays_away_until_that_is_taken_back() -> None:
    back = fact(1, "back", "entry.retracted", on("stay"))
    assert [] == untils([stay(), worded(2, "one", "2026-04-30")], [back])
    assert ["2026-05-31"] == untils([stay()], [back, fact(2, "again", "entry.retracted", on("back"))])
    annulled = fact(1, "annulled", "act.annulled", {"act": {"source": SOURCE, "id": "stay"}})
    upheld = fact(1, "upheld", "objection.decided", on("stay", outcome="upheld"))
    assert [] == untils([stay()], [annulled]) == untils([stay()], [upheld])
    assert ["2026-05-31"] == untils([stay()], [fact(1, "denied", "objection.decided", on("stay", outcome="rejected"))])


def test_a_changed_decision_waits_for_its_service() -> None:
    words = {"name": "stay.ordered", "data": STAY | {"until": "2026-04-30"}}
    change = {"act": {"source": SOURCE, "id": "stay"}, "replacement": words}
    assert ["2026-05-31"] == untils([stay(), fact(1, "change", "act.changed", change)], [])
    assert ["2026-04-30"] == untils([stay(), fact(1, "change", "act.changed", change | {"service": {"served_on": "2026-03-05"}})], [])


@given(st.lists(st.tuples(st.sampled_from(("word", "back")), st.integers(0, 7)), max_size=8))
def test_against_a_plain_recursion(steps: list[tuple[str, int]]) -> None:
    """``steps``: the wording of the stay, or the taking back of an earlier step (0: of the stay itself)."""
    ids, facts = ["stay"], list[Fact]()
    for number, (what, about) in enumerate(steps, 1):
        id = f"step{number}"
        target = ids[about % len(ids)]
        facts.append(worded(number, id, f"2026-04-{number:02}") if what == "word" else fact(number, id, "entry.retracted", on(target)))
        ids.append(id)

    def stands(id: str, since: int) -> bool:
        backs = [one for one in facts if one.name == "entry.retracted" and one.data["entry"]["id"] == id and one.offset > since]
        return not any(stands(one.id, one.offset) for one in backs)

    words = [one for one in facts if one.name == "entry.corrected" and stands(one.id, one.offset)]
    expected = [words[-1].data["replacement"]["data"]["until"] if words else "2026-05-31"] if stands("stay", 0) else []
    assert expected == untils([stay(), *(one for one in facts if one.name == "entry.corrected")], facts)


def test_read_from_the_log_a_corrected_stay_has_its_new_days() -> None:
    """What rating keeps of a correction has no words of a stay: they are kept beside."""
    facts = Facts(0)
    said = [
        ("stay", "stay.ordered", STAY | {"authority": "x", "ground": "reconsideration"}),
        ("one", "entry.corrected", on("stay", occurred_on="2026-03-05", replacement=_typed(STAY | {"until": "2026-04-30"}))),
    ]
    for offset, (id, name, data) in enumerate(said):
        event = {"specversion": "1.0", "id": id, "source": SOURCE, "type": f"mingjian.{name}.v1", "subject": "uscc:x"}
        event |= {"time": "2026-03-01T00:00:00Z", "datacontenttype": "application/json", "data": data}
        entry = {"received_at": "2026-03-01T00:00:00.000Z", "channel": "desk", "batch": None, "registry_offset": 0}
        value = orjson.dumps({"entry": entry, "event": event, "signature": {}})
        facts.take(Record("mingjian.facts.v1", 0, offset, 1_772_323_200_000 + offset, 1, b"uscc:x", (), value))
    assert 0 == facts.unreadable
    (found,) = stays_of(standing_asides(facts.asides["uscc:x"], facts.subjects["uscc:x"]), ())
    assert ("2026-03-02", "2026-04-30") == (found.first.isoformat(), found.last.isoformat())


def _typed(data: dict[str, Any]) -> dict[str, Any]:
    return {"type": "mingjian.stay.ordered.v1", "data": data}
