"""The driver of detectors: the same findings, byte for byte, however records come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.rulebook import load_all_editions
from schemas.topics import CONTROL_KEY, FACTS, PARTITIONS
from services.audit.domain.detectors.all import every
from services.audit.domain.detectors.model import Closed, Declared, Detector, Entry, Scanned, Scene, Sign, shown
from services.audit.domain.findings import TYPE
from services.audit.domain.scanning import Scan
from services.audit.domain.signs import SCAN, Found
from tests.toolkit import COLLEAGUE, IMPORTER, OFFICE, inspection, key, new_id, score, warning
from tests.unit.audit.signs_world import DAY, World, standing

EDITIONS = load_all_editions(Path(__file__).resolve().parents[3] / "rulebooks")
DAYS = tuple(f"2026-03-{day:02d}" for day in range(2, 12))


class Told:
    """A detector that says what it is given: every entry, with how many came before, and every close."""

    declared = Declared("told", 1, "pattern", "check", None, (), "记", "told", "顺序", "the driver's order", (), "无", "nothing")
    types = frozenset({"inspection.recorded", "warning.issued", "score.recorded", "enterprise.succeeded", "evaluation.announced"})

    def __init__(self) -> None:
        self.count = 0

    def take(self, entry: Entry, scene: Scene) -> Iterable[Sign]:
        self.count += 1
        years = ",".join(map(str, sorted(scene.calendar.years)))
        yield Sign(f"{self.count}", entry.source, f"{entry.id} {scene.stamp} {years}", "told", entry=shown(entry, "told"))

    def close(self, closed: Closed) -> Iterable[Sign | Scanned]:
        yield Sign(f"close {closed.through}", OFFICE, f"{self.count}", "closed")


def detectors() -> list[Detector]:
    return [*every(EDITIONS), Told()]


@cache
def world() -> World:
    """Ten days, thirty subjects over all partitions, each of whom several things are said, and something wrong."""
    made = World()
    number = 0
    for day in DAYS:
        for hour in range(4):
            number += 1
            subject, at = f"fhrs:{number % 30 + 1}", f"{day}T{hour:02d}:00:00.000Z"
            made.say("inspection.recorded", inspection(day), subject=subject, at=at, partition=number % PARTITIONS)
            made.say(
                "score.recorded",
                score("96", final=True),
                subject=subject,
                at=at,
                by=IMPORTER,
                channel="feed",
                partition=number % PARTITIONS,
            )
            text = f"样例警〔2026〕{number}号"
            made.say("warning.issued", warning(day, day, document_no=text), subject=subject, at=at, by=COLLEAGUE, partition=number % 5)
        if day == DAYS[3]:
            made.say("warning.issued", warning(DAYS[0], DAYS[0], document_no="样例警〔2026〕900号"), at=f"{day}T07:00:00.000Z")
            made.say("inspection.recorded", inspection("2026-03-29"), at=f"{day}T08:00:00.000Z", by=key("nobody's"))
        made.close(day)
    return made


@cache
def expected() -> tuple[bytes, ...]:
    return tuple(one.value for one in world().scan(detectors()))


def test_there_is_something_to_find() -> None:
    kinds = {orjson.loads(value)["event"]["data"].get("kind") for value in expected()}
    assert {"told", "deductions_wrong", "two_final_scores", "numbers_out_of_order", "key_not_valid", None} <= kinds


@given(st.data())
@settings(max_examples=8, deadline=None)
def test_neither_batches_nor_the_order_of_partitions_nor_reading_ahead_change_a_byte(data: st.DataObject) -> None:
    """Partitions are fed in pieces of any size, in any order; found is asked at any moment."""
    rng, most = data.draw(st.randoms(use_true_random=False)), data.draw(st.sampled_from([1, 7, 40, 400]))

    def feed(scan: Scan) -> Iterator[Found]:
        left = {number: list(some) for number, some in world().partitions.items()}
        while any(left.values()):
            number = rng.choice(scan.lacking() if rng.random() < 0.5 and scan.lacking() else [one for one, some in left.items() if some])
            size = rng.randint(1, most)
            scan.take(number, left[number][:size])
            del left[number][:size]
            if rng.random() < 0.5:
                yield from scan.found()
        yield from scan.found()

    assert expected() == tuple(one.value for one in world().scan(detectors(), feed))


def test_what_each_night_tells_is_the_beginning_of_what_a_rerun_tells() -> None:
    """After each close as much was found as a whole rerun finds up to there, byte for byte, with what stood in the log by then."""
    whole, found = world(), []
    offsets = [one.offset for one in whole.registry if b"day.closed" in (one.value or b"")]
    for number, end in enumerate(offsets):
        night = replace(
            whole, registry=whole.registry[: end + 1], partitions={n: _until(some, number) for n, some in whole.partitions.items()}
        )
        now = [one.value for one in night.scan(detectors())]
        assert now[: len(found)] == found
        assert len(now) > len(found)
        found = now
    assert expected() == tuple(found)


def _until(records: list[Any], closing: int) -> list[Any]:
    """Up to the partition's copy of the day's close, and a few that came while the night ran."""
    at = [place for place, one in enumerate(records) if one.key == CONTROL_KEY and b"day.closed" in (one.value or b"")][closing]
    return records[: at + 3]


def test_copies_change_nothing_in_whatever_partition_they_stand() -> None:
    """Every fact stands once more in another partition, and once more in its own, before the last day closes."""
    whole = world()
    copied = {number: list(some) for number, some in whole.partitions.items()}
    for number, some in whole.partitions.items():
        for place in (number, (number + 5) % PARTITIONS):
            close = copied[place].pop()
            copied[place] += [replace(one, partition=place, timestamp=close.timestamp) for one in some if one.key != CONTROL_KEY]
            copied[place] = [replace(one, offset=offset) for offset, one in enumerate([*copied[place], close])]
    assert expected() == tuple(one.value for one in replace(whole, partitions=copied).scan(detectors()))


def test_an_event_that_stands_in_two_partitions_is_taken_once_from_where_it_was_known_first() -> None:
    made = World()
    data = {"occurred_on": DAY, "predecessor": "uscc:91990000YL0000012A", "kind": "merger"}
    event = made.say("inspection.recorded", inspection(DAY), partition=7, at=f"{DAY}T03:00:00.000Z", id=new_id("copied"))
    assert data and event
    made.put(2, made.partitions[7][0].value or b"", f"{DAY}T04:00:00.000Z", b"x")
    made.close(DAY)
    told = [one for one in made.findings(Told()) if one.get("event")]
    assert [(7, 0)] == [(one["event"]["partition"], one["event"]["offset"]) for one in told]


def test_a_partition_without_its_copy_of_the_close_holds_the_day_back_until_it_has_a_later_one() -> None:
    made = World()
    made.say("inspection.recorded", inspection(DAY), partition=0)
    made.close(DAY)
    lost = made.partitions[4].pop()
    assert [] == made.scan([Told()])
    made.say("inspection.recorded", inspection("2026-03-03"), partition=4, at="2026-03-03T08:00:00.000Z")
    assert [] == made.scan([Told()])
    made.close("2026-03-03")
    found = [one for one in made.scan([Told()]) if one.type == TYPE]
    assert [True, True, False, False] == [one.event_id is not None for one in found]
    assert lost.key == CONTROL_KEY


def test_other_bytes_under_the_id_of_a_close_close_nothing() -> None:
    made = World()
    made.say("inspection.recorded", inspection(DAY), partition=0)
    made.close(DAY)
    made.partitions[3][0] = made.changed(made.partitions[3][0], "Asia/Shanghai", "Asia/Hongkong")
    assert [] == made.scan([Told()])


def test_what_is_known_runs_on_when_a_record_s_time_goes_back() -> None:
    made = World()
    made.say("inspection.recorded", inspection(DAY), partition=1, at=f"{DAY}T09:00:00.000Z")
    made.say("inspection.recorded", inspection(DAY), partition=1, at=f"{DAY}T07:00:00.000Z")
    made.say("inspection.recorded", inspection(DAY), partition=2, at=f"{DAY}T08:00:00.000Z")
    made.close(DAY)
    told = [one for one in made.findings(Told()) if one.get("event")]
    assert [2, 1, 1] == [one["event"]["partition"] for one in told]
    assert 2 == len({one["evidence"][0]["known_from"] for one in told})


def test_a_sign_that_rests_on_a_record_nobody_signed_is_none_and_the_others_stay() -> None:
    made = World()
    made.say("inspection.recorded", inspection(DAY), by=key("nobody's"))
    made.say("inspection.recorded", inspection(DAY))
    made.close(DAY)
    told = [one for one in made.findings(Told()) if one.get("event")]
    assert 1 == len(told)


def test_an_exact_detectors_scan_is_on_record_for_each_day_with_entries_and_no_other() -> None:
    made = World()
    for day in ("2026-03-02", "2026-03-03", "2026-03-04"):
        if day != "2026-03-03":
            made.say("inspection.recorded", inspection(day), at=f"{day}T08:00:00.000Z")
            made.say("inspection.recorded", inspection(day), at=f"{day}T08:00:00.000Z")
        made.close(day)
    scans = [one.data for one in made.scan(detectors()) if one.type == SCAN and one.kind == "entry_before_act"]
    assert [("2026-03-02", "2026-03-02", 2, 0), ("2026-03-03", "2026-03-04", 2, 0)] == [
        (one["first"], one["through"], one["looked_at"], one["hits"]) for one in scans
    ]


def test_a_detector_that_cannot_read_what_went_past_intake_is_counted_and_the_others_go_on() -> None:
    made = World()
    made.say("score.recorded", {"occurred_on": DAY, "maximum": "x"})
    made.say("score.recorded", score("96"))
    made.close(DAY)
    scan = Scan(made.genesis, detectors())
    scan.read_registry(made.registry)
    found = list(made.at_once(scan))
    assert {"deductions_wrong": 1} == {kind: count for kind, count in scan.odd.items() if kind == "deductions_wrong"}
    assert 1 == sum(one.kind == "deductions_wrong" and one.type == TYPE for one in found)


@pytest.mark.parametrize("stamp", [-1, 10_000])
def test_a_stamp_that_the_registry_never_reached_is_nobodys_entry(stamp: int) -> None:
    made = World()
    made.say("inspection.recorded", inspection(DAY), stamp=stamp)
    made.close(DAY)
    assert [] == [one for one in made.findings(Told()) if one.get("event")]


def test_the_topic_of_a_place_is_one_of_facts() -> None:
    assert {FACTS} == {one["event"]["topic"] for one in standing(world().findings(Told())) if one.get("event")}
