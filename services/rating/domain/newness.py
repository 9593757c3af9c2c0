"""R4: who is new, and takes no part in the grades that need a full year of operation."""

from __future__ import annotations

from datetime import date

from schemas.rulebook import Rulebook
from services.rating.domain.conditions.operated_for import Operating, operating
from services.rating.domain.terms import Terms, terms_of
from services.rating.domain.view import View


def operating_by(view: View, terms: Terms) -> Operating:
    """How long the subject has operated, by the terms of a day."""
    return Operating(None, None, ()) if terms.months is None else operating(view, terms.months)


def new_on(view: View, rulebook: Rulebook, on: date) -> bool:
    """Whether the subject is new on a day, by the terms of that day."""
    terms = terms_of(rulebook, on)
    return operating_by(view, terms).new_on(on, terms.unknown_is_new)


def takes_no_part(view: View, rulebook: Rulebook, on: date) -> bool:
    """True for a subject that is new on a day and on whose record there is nothing that could give it a grade all the same."""
    return rulebook.periodic is not None and not view.acts and new_on(view, rulebook, on)
