"""Evaluate one subject under one regime's law at one moment: the function that all drivers share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from schemas.rulebook import Rulebook, Status
from services.rating.domain import latest, periodic
from services.rating.domain.acts import Act
from services.rating.domain.book import Book
from services.rating.domain.controls import Controls
from services.rating.domain.days import ONE_DAY
from services.rating.domain.facts import Fact
from services.rating.domain.index import index_of
from services.rating.domain.law import Law, Part, law_of
from services.rating.domain.sentences import Decisive, Reason
from services.rating.domain.standing import Standing
from services.rating.domain.subject import Subject
from services.rating.domain.view import View


def standing(subject: Subject, controls: Controls, book: Book, *, upto: int, as_of: date, proposing: bool = True) -> Standing | None:
    """The subject's standing on ``as_of`` from facts and controls up to offset ``upto``, each day and each act by its law (ADR 0025).
    Without ``proposing`` what awaits approval is not worked out beside it (R8).

    None where the regime doesn't rate the subject, or where an edition that is in force on that day or was before it, as activated up to
    that offset, isn't held: rating by other rules than the activated ones is refused.
    """
    law = law_of(controls, book, upto=upto)

    def on(day: date) -> Standing | None:
        return _on(subject, controls, book.rulebook.regime, law, upto, day, proposing)

    found = on(as_of)
    if not subject.may_repair:
        return found
    for repaired in reversed(subject.repair_days()):
        if found is None or found.in_force_from is None or repaired > as_of:
            continue
        if repaired <= found.in_force_from:
            break
        # R18: what a repair gives back it gives from its date on, however long ago the evaluation was that now comes out better.
        before = on(repaired - ONE_DAY)
        if before is None or before.pair != found.pair:
            return replace(found, in_force_from=repaired)
        if before.in_force_from and before.in_force_from > found.in_force_from:
            # The same by other facts, which reach further back; those of the days before the repair don't.
            found = replace(found, in_force_from=before.in_force_from)
    return found


def _on(subject: Subject, controls: Controls, regime: str, law: Law, upto: int, as_of: date, proposing: bool) -> Standing | None:
    manners = law.manners(as_of)
    view = subject.view_on(as_of, manners)
    if regime not in view.regimes:
        return None
    basis = controls.basis(regime, upto=upto, as_of=as_of)
    if basis is None or as_of < basis.go_live or not law.says(as_of):
        return None
    rulebook = law.on(as_of).rulebook
    if subject.scheme not in rulebook.header.schemes:
        return None
    if by_parts(view, rulebook):
        # Told by what its parts tell (``domain.parts``), and by nothing else.
        return None
    several, found = None if law.one else law, ended_on(view, law, as_of)
    if found is None and rulebook.latest:
        found = latest.standing(view, rulebook, as_of, several)
    elif found is None:
        found = periodic.standing(view, rulebook, basis.go_live, basis.evaluations, as_of, several, proposing=proposing)
    taken_over = subject.taken_over(as_of, manners)
    return replace(found, reasons=(*found.reasons, *_taken_over(rulebook, taken_over))) if found and taken_over else found


def by_parts(view: View, rulebook: Rulebook) -> bool:
    """Whether the subject is graded by its parts: by what it is registered as."""
    kinds = rulebook.parts.business_kinds if rulebook.parts else ()
    return bool(kinds) and view.registered is not None and view.registered.data.get("business_kind") in kinds


def _taken_over(rulebook: Rulebook, successions: Sequence[Fact]) -> Iterator[Reason]:
    """R19: whose history it is as well."""
    said = rulebook.succession
    for fact in successions if said else ():
        values = {"predecessor": fact.data["predecessor"], "day": fact.data["occurred_on"]}
        yield Reason("succession", said.clause, None, said, values, facts=(Decisive(fact),), readings=said.readings)


def ended_on(view: View, law: Law, as_of: date) -> Standing | None:
    """三(二)1 chapeau: closed, licence or whole permit revoked. A status, no grade; by the law of the day on which that took effect."""
    first: tuple[Act, str, Part] | None = None
    for number, part in enumerate(law.parts):
        for act, word in index_of(view, part.rulebook).terminal:
            if act.effective > as_of:
                break
            if law.number(act.effective) == number and (first is None or act.order < first[0].order):
                first = (act, word, part)
                break
    if first is None:
        return None
    act, word, part = first
    found = _terminal(part.rulebook.status_words[word], act)
    return found if law.one else replace(found, by=part)


def _terminal(status: Status, act: Act) -> Standing:
    facts = (Decisive(act.fact, act.served),) + ((Decisive(act.served_by, act.served),) if act.served_by else ())
    reason = Reason(status.status, status.clause, None, status.sentence or status.name, {"day": act.effective}, facts=facts)
    return Standing(None, status.status, act.effective, "status", (reason,))
