"""What a whole's page shows of its parts. Pure: everything comes as an argument."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from services.publication.adapters.postgres_reader import Row
from services.publication.domain.parts import members, shares
from services.publication.web.views import Speaker

SHOWN = 100
"""Parts on a page; the worst grades first."""


def wholes(rows: Sequence[Row], on: date, speaker: Speaker) -> list[dict[str, Any]]:
    """For each regime by which the subject has parts: how many have which grade, the share of each, and the parts themselves."""
    found = members(rows, on, subject="part")
    answer = []
    for regime in sorted({one.regime for one in found}):
        mine = [one for one in found if one.regime == regime]
        grades = [term.word for term in speaker.vocabulary.grades(regime)]
        place = {grade: number for number, grade in enumerate(grades)}
        worst = sorted(mine, key=lambda one: (one.grade is None, -place.get(one.grade or "", 0), one.subject))
        counted = sum(one.grade is not None for one in mine)
        answer.append(
            {
                "regime": regime,
                "parts": worst[:SHOWN],
                "more": max(0, len(worst) - SHOWN),
                "total": len(mine),
                "counted": counted,
                "shares": [(speaker.vocabulary.grade(regime, grade), number, share) for grade, number, share in shares(mine, grades)],
            }
        )
    return answer
