"""A file that holds shops and their chain: one answer, the same as by the log, whatever the lines' order across subjects."""

from __future__ import annotations

import random
from datetime import date

import orjson

from schemas.times import instant
from services.rating.bulk import explained, fold_lines, rate, row
from services.rating.domain.digest import final_line
from services.rating.domain.facts import CONTROLS
from tests.cases.chain import CHAIN, REGIME, Town
from tests.cases.ledger import OFFICE, book, morning


def lines(town: Town) -> list[bytes]:
    """The town as bare events; each subject's own in their order."""
    found, seen = [], set()
    for ledger in town.ledgers():
        for fact in ledger.facts:
            if fact.name in CONTROLS and fact.id in seen:
                continue
            seen.add(fact.id)
            event = {"id": fact.id, "source": OFFICE, "type": fact.type, "subject": ledger.subject, "data": fact.data}
            found.append(orjson.dumps(event | {"received_at": instant(fact.known)}))
    return found


def test_shops_and_their_chain_from_one_file() -> None:
    town = Town(5).graded("AAABB")
    town.shops[4].left(CHAIN, "2025-03-10")
    folded = fold_lines(lines(town), book(REGIME))
    day = date(2025, 4, 1)
    found = dict(rate(folded, book(REGIME), as_of=day))
    assert {CHAIN, *(shop.subject for shop in town.shops)} == set(found)
    by_log = town.on("2025-04-01")
    assert final_line(CHAIN, REGIME, by_log) == final_line(CHAIN, REGIME, found[CHAIN])
    said = row(CHAIN, found[CHAIN]) | explained(folded, book(REGIME), CHAIN, found[CHAIN], day)
    assert ("B", "2025-01-15", [], []) == (said["grade"], said["in_force_from"], said["near"], said["better"])
    assert (4, 3) == (said["parts"]["counted"], said["parts"]["grades"][0]["parts"])
    scores = {fact.id for shop in town.shops[:3] for fact in shop.facts if fact.name == "score.recorded"}
    assert scores == set(said["decisive_events"])
    shop = town.shops[0].subject
    assert "parts" not in row(shop, found[shop]) | explained(folded, book(REGIME), shop, found[shop], day)


def test_the_lines_of_other_subjects_may_stand_anywhere() -> None:
    town = Town(5).graded("AAAAB")
    given = lines(town)
    answers = set()
    for seed in range(4):
        mixed = given[:]
        random.Random(seed).shuffle(mixed)
        # A subject's lines stand in the order in which they became known.
        mixed.sort(key=lambda one: orjson.loads(one)["received_at"])
        answers.add(
            tuple(
                final_line(name, REGIME, one) for name, one in rate(fold_lines(mixed, book(REGIME)), book(REGIME), as_of=date(2025, 2, 1))
            )
        )
    assert 1 == len(answers)


def test_as_known_before_a_paper_came_in_it_does_not_count() -> None:
    town = Town(5).graded("AAAAB")
    town.shops[0].left(CHAIN, "2025-03-10", known="2025-06-01")
    at = morning(date(2025, 5, 1))
    [early, late] = [
        dict(rate(fold_lines(lines(town), book(REGIME), known_at=known), book(REGIME), as_of=date(2025, 3, 11)))[CHAIN].grade
        for known in (at, None)
    ]
    assert ("A", "B") == (early, late)
