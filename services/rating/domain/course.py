"""A regime's evaluations one after the other, as one subject goes through them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import field, replace
from datetime import date

from schemas.rulebook import Rulebook
from services.rating.domain.approval import Admitted, Gate, When
from services.rating.domain.controls import Evaluation
from services.rating.domain.final_score import FinalScore
from services.rating.domain.law import Law
from services.rating.domain.sentences import Reason
from services.rating.domain.standing import Standing
from services.rating.domain.values import quick


@quick
class Course:
    """Evaluations one after the other. ``gate``: what must be approved to count, where anything must; ``met``: what the newest of so
    many evaluations met, worked out once; ``assumed``: a score for the newest period, where none is entered; ``law``: where there was more
    than one."""

    go_live: date
    evaluations: Sequence[Evaluation]
    gate: Gate | None = None
    met: dict[int, Standing] = field(default_factory=dict)
    assumed: FinalScore | None = None
    law: Law | None = None

    def admit(self, reasons: Iterable[Reason], *, on: date | None, known: int, by: date) -> Admitted:
        """What of the reasons counts: see ``Gate.admit``."""
        return self.gate.admit(reasons, When(on, known, by)) if self.gate else Admitted(list(reasons), [])

    def before(self) -> Course:
        """Without the newest."""
        return Course(self.go_live, self.evaluations[:-1], self.gate, self.met, law=self.law)

    def rulebook(self, rulebook: Rulebook, on: date) -> Rulebook:
        """The one of a day; ``rulebook`` where there is no other."""
        return self.law.on(on).rulebook if self.law else rulebook

    def by(self, found: Standing, on: date) -> Standing:
        """The standing as one by the law of a day."""
        return replace(found, by=self.law.on(on)) if self.law else found
