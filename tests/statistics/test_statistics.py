"""The statistical detectors are as often wrong as they say."""

from __future__ import annotations

import re

import pytest

from services.audit.domain.statistics.distributions import wilson
from tests.statistics.measure import SEEDS, Seen, measure, one
from tests.statistics.page import MODULES, PAGE
from tests.statistics.towns import TOWNS, What

_LINE = re.compile(r"^\| (?P<name>\w+)[^|]* \| (?P<alarms>\d+) of (?P<towns>\d+): [^|]*\|[^|]*\| (?P<hits>\d+) of (?P<planted>\d+):", re.M)


@pytest.mark.sweep
@pytest.mark.parametrize("name", TOWNS)
def test_a_few_clean_towns_and_look_alikes_stay_within_the_interval(name: str) -> None:
    """Of ten clean towns and look-alikes at most one has a finding, at a level where more than one is as improbable as 1 in 10."""
    seen = [one(name, what, seed) for what in ("clean", "innocent") for seed in range(1000, 1005)]
    assert sum(each.alarms for each in seen) <= 1


@pytest.mark.sweep
@pytest.mark.parametrize("name", TOWNS)
def test_of_a_few_planted_towns_some_are_found(name: str) -> None:
    """Of six planted towns at least one: as the page says, most are found."""
    assert any(one(name, "planted", seed).hits for seed in range(1000, 1006))


def test_what_a_finding_says_of_false_alarms_is_what_was_measured() -> None:
    """The number in the code is not below the upper end of the measured interval, for every kind of town."""
    lines = [found.groupdict() for found in _LINE.finditer(PAGE.read_text(encoding="utf-8"))]
    assert {line["name"] for line in lines} == set(MODULES)
    for line in lines:
        _, high = wilson(int(line["alarms"]), int(line["towns"]))
        assert float(MODULES[line["name"]].FALSE_ALARMS) >= high, line["name"]


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_measured_again_with_more_seeds_the_shares_fit_what_the_code_says() -> None:
    """Over all seeds of every kind of town: false alarms are not above what a finding says of them, beyond what chance explains."""
    found: dict[tuple[str, What], Seen] = measure(SEEDS)
    for (name, what), seen in found.items():
        if what == "clean":
            low, _ = wilson(seen.alarms, seen.towns)
            assert low <= float(MODULES[name.partition(",")[0]].FALSE_ALARMS), name
        if what == "planted":
            assert seen.hits > seen.towns / 3, name
