"""The statistical detectors over a register's records: one sign where something was planted, a scan on record either way."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

import pytest

from services.audit.domain.detectors.copied_findings import CopiedFindings
from services.audit.domain.detectors.heaped_scores import HeapedScores
from services.audit.domain.findings import TYPE
from services.audit.domain.signs import SCAN, Found
from tests.statistics import texts
from tests.statistics.fold import editions
from tests.toolkit import OFFICE, Person, inspection
from tests.unit.audit.signs_world import World

PEOPLE = tuple(Person(f"made-{number:02d}") for number in range(7))


def _of(found: Iterable[Found], kind: str) -> list[dict[str, object]]:
    return [one.data for one in found if one.type == kind]


def _written(copies: int, *, standard: bool = False) -> World:
    """March: each of seven officers writes twelve remarks in words of their own; the first repeats one ``copies`` times elsewhere."""
    rng = Random(11)
    world = World(people=PEOPLE)
    number = 0
    for person in PEOPLE:
        first = texts.remark(rng)
        for turn in range(12):
            number += 1
            text = texts.copied(first, rng) if person is PEOPLE[0] and 0 < turn <= copies else first if turn == 0 else texts.remark(rng)
            text = texts.with_standard_phrases("" if standard else text, rng)
            items = [{"code": "G-1", "result": "fail", "remark": text}]
            at = f"2026-03-{2 + turn:02d}T08:00:{number % 60:02d}.000Z"
            subject = f"uscc:91990000YL{number:04d}0000"[:23]
            world.say("inspection.recorded", inspection(at[:10], items=items), by=person, subject=subject, at=at)
    return world


def test_copied_text_is_found_once_the_month_has_ended() -> None:
    world = _written(7)
    world.close("2026-03-30")
    assert [] == world.scan([CopiedFindings()])
    world.close("2026-03-31")
    world.close("2026-04-01")
    found = world.scan([CopiedFindings()])
    [sign] = _of(found, TYPE)
    assert ("pattern", "check", OFFICE, ["officer:made-00"]) == (sign["about"], sign["proposes"], sign["office"], sign["concerns"])
    assert "7 of 12" == sign["statistic"]["observed"]  # type: ignore[index]
    assert 8 == len(sign["evidence"])  # type: ignore[arg-type]
    [scan] = _of(found, SCAN)
    assert (84, 7, 1, "0.05", "2026-03-01") == tuple(scan[name] for name in ("looked_at", "units", "hits", "alpha", "first"))


@pytest.mark.parametrize("world", [_written(1), _written(11, standard=True)], ids=["one copy", "standard phrases alone"])
def test_one_copy_and_standard_phrases_are_no_sign_and_the_scan_is_on_record(world: World) -> None:
    world.close("2026-03-31")
    found = world.scan([CopiedFindings()])
    assert [] == _of(found, TYPE)
    assert [0] == [scan["hits"] for scan in _of(found, SCAN)]


def test_the_tested_population_has_the_hash_that_the_contract_names() -> None:
    from services.audit.domain.detectors.model import population_sha256

    world = _written(7)
    world.close("2026-03-31")
    [sign] = world.findings(CopiedFindings())
    names = []
    for some in world.partitions.values():
        for record in some:
            import orjson

            event = orjson.loads(record.value or b"")["event"]
            if event["data"].get("entered_by") == "officer:made-00":
                names.append((event["source"], event["id"]))
    assert population_sha256(names) == sign["statistic"]["population_sha256"]


def test_a_year_without_scores_writes_a_scan_that_tested_nothing() -> None:
    world = World(people=PEOPLE)
    world.close("2026-12-30")
    world.close("2026-12-31")
    world.close("2027-01-01")
    [scan] = _of(world.scan([HeapedScores(editions())]), SCAN)
    assert ("heaped_scores", 0, 0, 0) == tuple(scan[name] for name in ("detector", "looked_at", "units", "hits"))
