"""An officer at two places at once is found; whoever only wrote it down, and whatever a doubt explains, is not."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from services.audit.domain.detectors.model import Entry
from services.audit.domain.detectors.places import apart_m, distance_m
from services.audit.domain.detectors.two_places import TwoPlaces
from tests.unit.audit.detectors.bench import OTHER, THIRD, USCC, ZONES, corrected, entry, instant, retracted, run, stays_the_same

make = partial(TwoPlaces, ZONES)
WHO = "officer:test-officer"
HERE, NEXT_DOOR = ("30.0000000", "104.0000000"), ("30.0010000", "104.0010000")
FIFTY_KM = ("30.4500000", "104.0000000")


def position(at: tuple[str, str], accuracy: int = 10) -> dict[str, Any]:
    return {"lat": at[0], "lon": at[1], "accuracy_m": accuracy}


def visit(begin: str, end: str, *, day: str = "2026-03-02", officers: tuple[str, ...] = (WHO,), **more: Any) -> dict[str, Any]:
    times = {"started_at": instant(f"{day} {begin}"), "ended_at": instant(f"{day} {end}")}
    return {"occurred_on": day, "kind": "routine", "mode": "on_site", "officers": list(officers), **times, **more}


def first(**more: Any) -> Entry:
    return entry("inspection.recorded", visit("09:00", "10:30", **more), "2026-03-03 10:00")


def second(begin: str, end: str, *, subject: str = OTHER, **more: Any) -> Entry:
    return entry("inspection.recorded", visit(begin, end, **more), "2026-03-04 10:00", subject=subject)


PLANTED = {
    "overlapping": [first(), second("10:00", "11:00")],
    "one within the other": [first(), second("09:30", "09:50")],
    "with a colleague": [first(), second("10:00", "11:00", officers=("officer:test-colleague", WHO))],
    "far apart and overlapping": [first(position=position(HERE)), second("10:00", "11:00", position=position(FIFTY_KM))],
    "too far for the time between": [first(position=position(HERE)), second("10:40", "11:00", position=position(FIFTY_KM, 100))],
    "a sample": [
        first(),
        entry(
            "sampling.recorded",
            {name: value for name, value in visit("10:00", "11:00").items() if name not in ("kind", "mode")}
            | {"product": "样例", "result": "qualified"},
            "2026-03-04 10:00",
            subject=OTHER,
        ),
    ],
}


@pytest.mark.parametrize("name", PLANTED)
def test_two_places_at_once_are_found(name: str) -> None:
    told = run(make(), PLANTED[name])
    assert (WHO,) == told.only.concerns and PLANTED[name][1].id == told.only.entry.id  # type: ignore[union-attr]
    assert "09:00–10:30" in told.only.en and "09:00至10:30" in told.only.zh and USCC in told.only.zh


def registered(subject: str, address: str) -> Entry:
    data = {"occurred_on": "2025-01-02", "name": "样例", "business_kind": "drug_retail", "address": address, "regimes": ["liyujiang"]}
    return entry("enterprise.registered", data, "2026-03-01 10:00", subject=subject)


LOOK_ALIKES: dict[str, list[Entry]] = {
    "one after the other": [first(), second("10:30", "11:30")],
    "overlapping by what is rounded": [first(), second("10:25", "11:30")],
    "another officer": [first(), second("10:00", "11:00", officers=("officer:test-colleague",))],
    "who only entered": [first(), second("10:00", "11:00", officers=("officer:test-colleague",), entered_by=WHO, reviewed_by=WHO)],
    "the same subject": [first(), second("10:00", "11:00", subject=USCC)],
    "a written check": [first(), second("10:00", "11:00", mode="written")],
    "no times": [
        first(),
        entry("inspection.recorded", {"occurred_on": "2026-03-02", "kind": "routine", "mode": "on_site"}, "2026-03-04 10:00"),
    ],
    "the same building": [first(position=position(HERE)), second("10:00", "11:00", position=position(NEXT_DOOR))],
    "the same address": [registered(USCC, "样例镇样例街1号"), registered(OTHER, "样例镇 样例街1号"), first(), second("10:00", "11:00")],
    "poor accuracy": [first(position=position(HERE, 30_000)), second("10:00", "11:00", position=position(FIFTY_KM, 25_000))],
    "time enough for the way": [first(position=position(HERE)), second("11:00", "11:30", position=position(FIFTY_KM))],
    "over days": [
        entry(
            "inspection.recorded",
            {**visit("09:00", "17:00"), "ended_at": instant("2026-03-06 17:00")},
            "2026-03-07 10:00",
            subject=THIRD,
        ),
        second("10:00", "11:00"),
    ],
    "taken back before": [first(), retracted(first(), "2026-03-03 11:00"), second("10:00", "11:00")],
}


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_what_looks_alike_is_no_sign(name: str) -> None:
    assert [] == run(make(), LOOK_ALIKES[name]).signs


def test_a_poor_position_is_said_where_it_doesnt_explain() -> None:
    far = [first(position=position(HERE, 1000)), second("10:00", "11:00", position=position(FIFTY_KM, 10))]
    assert {"poor_position"} == run(make(), far).only.supported


@pytest.mark.parametrize("minutes, found", [(19, 0), (14, 1)])
def test_the_way_between_needs_its_time(minutes: int, found: int) -> None:
    """50 km at 150 km/h are 20 minutes, of which five are allowed for rounding."""
    begin = f"10:{30 + minutes}"
    told = run(make(), [first(position=position(HERE)), second(begin, "11:30", position=position(FIFTY_KM))])
    assert found == len(told.standing)


def test_midnight_and_the_days_of_another_zone_make_no_difference() -> None:
    """08:00 in the office is midnight of UTC."""
    early = entry("inspection.recorded", visit("06:00", "07:50", position=position(HERE)), "2026-03-03 10:00")
    told = run(make(), [early, second("08:05", "09:00", position=position(("31.5000000", "104.0000000")))])
    assert 1 == len(told.standing)


ENDS = {
    "taken back": retracted(PLANTED["overlapping"][0], "2026-03-20 10:00"),
    "other times": corrected(PLANTED["overlapping"][1], visit("14:00", "15:00"), "2026-03-20 10:00"),
    "another day": corrected(PLANTED["overlapping"][1], visit("10:00", "11:00", day="2026-03-01"), "2026-03-20 10:00"),
    "other officers": corrected(
        PLANTED["overlapping"][1], visit("10:00", "11:00", officers=("officer:test-colleague",)), "2026-03-20 10:00"
    ),
}


@pytest.mark.parametrize("name", ENDS)
def test_what_puts_it_right_ends_the_matter(name: str) -> None:
    told = run(make(), [*PLANTED["overlapping"], ENDS[name]])
    assert [False, True] == [one.retracted for one in told.signs] and {} == told.standing


def test_a_correction_that_leaves_the_overlap_says_it_anew() -> None:
    moved = corrected(PLANTED["overlapping"][1], visit("10:10", "11:00"), "2026-03-20 10:00")
    told = run(make(), [*PLANTED["overlapping"], moved])
    assert [False, False] == [one.retracted for one in told.signs] and ("overlap_minutes", "20", None) in told.only.values


def test_distances_are_those_of_the_earth() -> None:
    """One degree of latitude is 111.2 km; accuracies count in favour."""
    here, north = position(("30", "104")), position(("31", "104"), 200)
    assert 111_195 == round(distance_m(here, north)) and 110_985 == round(apart_m(here, north) or 0)
    assert apart_m(here, None) is None and 0 == apart_m(here, position(("30", "104"), 5))


EVERYTHING = {one.id: one for some in (*PLANTED.values(), LOOK_ALIKES["one after the other"]) for one in some}
test_copies_and_partitions_change_nothing = stays_the_same(make, [*EVERYTHING.values(), ENDS["other officers"]])
