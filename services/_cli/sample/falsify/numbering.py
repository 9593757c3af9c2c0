"""The falsified town's running numbers: where a row says so, its number is of another day's, or another row's."""

from __future__ import annotations

from random import Random

from services._cli.sample.falsify.ground import Ground, Row
from services._cli.sample.numbering import Paper, numbers, renumber


def number(ground: Ground) -> None:
    """Replace what stands as a document's number by the next of its series."""
    rng = Random(f"town {ground.plan.seed} falsified numbers")
    new = numbers((_paper(row) for row in ground.rows if row.number_of is None), rng)
    lent = {_paper(row).own: new[_paper(row.number_of).own] for row in ground.rows if row.number_of is not None}
    borne = new | lent
    for row in ground.rows:
        renumber(row.event, borne)


def _paper(row: Row) -> Paper:
    return Paper(row.event, row.received, row.number_as)
