"""Evaluate one subject under one rulebook at one moment: the function that all drivers share."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from schemas.rulebook import Rulebook, Status
from services.rating.domain import latest, periodic
from services.rating.domain.acts import Act
from services.rating.domain.controls import Controls
from services.rating.domain.days import ONE_DAY
from services.rating.domain.index import index_of
from services.rating.domain.sentences import Decisive, Reason
from services.rating.domain.standing import Standing
from services.rating.domain.subject import Subject
from services.rating.domain.view import View


def standing(
    subject: Subject, controls: Controls, rulebook: Rulebook, *, sha256: str, upto: int, as_of: date, proposing: bool = True
) -> Standing | None:
    """The subject's standing on ``as_of`` from facts and controls up to offset ``upto``. Without ``proposing`` what awaits approval is
    not worked out beside it (R8).

    None where the regime doesn't rate the subject, or where the rulebook in force on that day, as activated up to that offset,
    isn't the one whose digest is ``sha256``: rating by other rules than the activated ones is refused.
    """

    def on(day: date) -> Standing | None:
        return _on(subject, controls, rulebook, sha256, upto, day, proposing)

    found = on(as_of)
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


def _on(subject: Subject, controls: Controls, rulebook: Rulebook, sha256: str, upto: int, as_of: date, proposing: bool) -> Standing | None:
    if subject.scheme not in rulebook.header.schemes:
        return None
    view = subject.view_on(as_of)
    if rulebook.regime not in view.regimes:
        return None
    basis = controls.basis(rulebook.regime, upto=upto, as_of=as_of)
    if basis is None or basis.activation.sha256 != sha256:
        return None
    if ended := _ended(view, rulebook, as_of):
        return ended
    if rulebook.latest:
        return latest.standing(view, rulebook, as_of)
    return periodic.standing(view, rulebook, basis.go_live, basis.evaluations, as_of, proposing)


def _ended(view: View, rulebook: Rulebook, as_of: date) -> Standing | None:
    """三(二)1 chapeau: closed, licence or whole permit revoked. A status, no grade."""
    for act, word in index_of(view, rulebook).terminal:
        if act.effective <= as_of:
            return _terminal(rulebook.status_words[word], act)
    return None


def _terminal(status: Status, act: Act) -> Standing:
    facts = (Decisive(act.fact, act.served),) + ((Decisive(act.served_by, act.served),) if act.served_by else ())
    reason = Reason(status.status, status.clause, None, status.sentence or status.name, {"day": act.effective}, facts=facts)
    return Standing(None, status.status, act.effective, "status", (reason,))
