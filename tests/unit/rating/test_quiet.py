"""What faust forgot is told from what it only holds: else a slow batch makes everything be worked off twice."""

from __future__ import annotations

import pytest

from services.rating.adapters.quiet import FORGOTTEN_AFTER_S, HELD_BATCHES, Quiet

LATER = FORGOTTEN_AFTER_S + 0.1


def test_a_partition_that_stands_while_nothing_comes_is_left() -> None:
    quiet = Quiet(0.0)
    assert not quiet.is_left(3, 7, 0.0)
    assert not quiet.is_left(3, 7, FORGOTTEN_AFTER_S)
    assert quiet.is_left(3, 7, LATER)


def test_a_partition_that_moves_is_not() -> None:
    quiet = Quiet(0.0)
    quiet.is_left(3, 7, 0.0)
    assert not quiet.is_left(3, 8, LATER)
    assert quiet.is_left(3, 8, 2 * LATER)


def test_while_a_batch_is_worked_off_nothing_is_left_however_long_it_takes() -> None:
    quiet = Quiet(0.0)
    quiet.is_left(3, 7, 0.0)
    quiet.began()
    assert not quiet.is_left(3, 7, 100.0)
    quiet.ended(100.0)
    assert not quiet.is_left(3, 7, 100.0 + FORGOTTEN_AFTER_S), "the next one may be on its way"
    assert quiet.is_left(3, 7, 100.0 + LATER)


@pytest.mark.parametrize(("batches", "left"), [(HELD_BATCHES, False), (HELD_BATCHES + 1, True)])
def test_under_load_a_partition_is_left_once_all_that_was_held_has_come_by(batches: int, left: bool) -> None:
    quiet = Quiet(0.0)
    quiet.is_left(3, 7, 0.0)
    for number in range(batches):
        quiet.began()
        quiet.ended(float(number))
    quiet.began()
    assert left == quiet.is_left(3, 7, 100.0)


def test_after_a_rebalance_it_is_seen_anew() -> None:
    quiet = Quiet(0.0)
    quiet.is_left(3, 7, 0.0)
    quiet.clear()
    assert not quiet.is_left(3, 7, LATER)
