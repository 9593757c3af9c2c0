"""The section of a rulebook whose grades change at announced evaluations."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from schemas import fields as f
from schemas.rulebook.parts import ParameterName, ReadingId, Section


class NewEnterprises(Section):
    """三(三): who is new, and by what it is graded all the same. The values are names of parameters and act sets."""

    months: ParameterName
    start_unknown: ParameterName
    graded_when: f.Word
    legal_fields: ParameterName
    clause: f.Name
    readings: tuple[ReadingId, ...] = ()
    zh: f.Text
    en: f.Text


class Stays(Section):
    """What an evaluation has to say besides the conditions that hold: why the grade stays as it was (there is no final score, no
    condition holds), and how the score was come by."""

    clause: f.Name
    readings: tuple[ReadingId, ...] = ()
    zh: f.Text
    en: f.Text


class Lowering(Section):
    """五(四) ¶4, R7: which penalties outside the regime's own law lower the existing grade, by how many steps each. ``acts`` names an
    act set, the rest parameters; the sentences may show {was}, {now}, {steps}, {day}, {documents} and {authorities}."""

    acts: f.Word
    legal_fields: ParameterName
    steps: ParameterName
    counted_by: ParameterName
    clause: f.Name
    readings: tuple[ReadingId, ...] = ()
    zh: f.Text
    en: f.Text


class Approval(Section):
    """五(四) ¶3, R8: which grades a person has to approve before they are in force. Two parameters, and the sentence that an approved
    grade's explanation ends with, which may show {grade}, {day} and {document}. ``stays``: what is said of an evaluation whose only
    conditions that hold await approval."""

    required: ParameterName
    grades: ParameterName
    stays: Stays
    clause: f.Name
    readings: tuple[ReadingId, ...] = ()
    zh: f.Text
    en: f.Text


class Periodic(Section):
    """Grades change at announced evaluations, and at once by rules whose ``at`` says so. What concerns final scores stands together
    or not at all: without it no score is owed."""

    mode: Annotated[str, StringConstraints(pattern="^periodic$")]
    clause: f.Name
    readings: tuple[ReadingId, ...] = ()
    precedence_readings: tuple[ReadingId, ...] = ()
    contradicting_scores: ParameterName | None = None
    score_maximum: ParameterName | None = None
    missing_score: Stays | None = None
    no_condition: Stays
    several_scores: Stays | None = None
    other_maximum: Stays | None = None
    served_too_early: Stays
    new_enterprises: NewEnterprises
    lowering: Lowering | None = None
    approval: Approval | None = None

    @property
    def by_scores(self) -> bool:
        """Whether an evaluation looks at a final score of the year."""
        return self.score_maximum is not None
