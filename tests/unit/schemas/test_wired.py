"""``wired`` is true: every wired type has a fold or a projection that acts on it or a service that writes it, no other type has."""

from __future__ import annotations

import pytest

from schemas.envelope import open_record
from schemas.events import CATALOGUE
from schemas.rulebook import load_all
from schemas.topics import FACTS
from services.audit import entries as audit_entries
from services.audit.domain import evaluations, people, regimes, signs
from services.audit.domain import findings as audit_findings
from services.audit.domain import registry as audit_registry
from services.audit.domain.detectors.all import every
from services.audit.domain.late import EntryRule, word_of
from services.intake.domain import registry as intake
from services.publication.domain import lists, subjects
from services.publication.domain import registry as publication
from services.publication.domain.rows import Seen, fact_row
from services.rating.domain import duty_events, emit, facts
from services.rating.domain.parts import entries
from tests import toolkit
from tests.cases.ledger import RULEBOOKS


def of(*names: str) -> set[str]:
    return {f"mingjian.{name}.v1" for name in names}


def judged() -> set[str]:
    """What has to be entered in time, by any rulebook's parameters."""
    rules = [rule for book in load_all(RULEBOOKS).values() if (rule := EntryRule.of(book))]
    words = {word for rule in rules for value in rule.activities.values for word in value.value or ()}
    found = {row.type for row in CATALOGUE.values() if word_of(row.type) in words}
    assert len(found) == len(words) > 0, "a word of the rulebook is no type"
    return found


def detected() -> set[str]:
    """What detectors of signs ask for by name; those that look at every fact ask for none in particular."""
    asked = {name for one in every({}) if "permit.granted" not in one.types for name in one.types}
    return of(*asked) - of(*facts.FILES_ONLY)


ACTING = {
    "intake's register": set(intake._FOLDS) | intake._STEPS | {publication.GENESIS},
    "rating's fold": of(*(facts.KEPT.keys() - facts.FILES_ONLY), *facts.CONTROLS),
    "publication's subjects": set(subjects.REGISTRATION_TYPES),
    "publication's register": set(publication.KEPT),
    "audit's detectors": {
        *(audit_entries.CALENDAR, evaluations.CLOSED),
        *regimes.TYPES,
        *(audit_registry.GO_LIVE, audit_registry.OUTAGE, audit_registry.ANNOUNCED),
        *people.TYPES,
        *detected(),
        *judged(),
    },
    "written": {
        entries.TYPE,
        *duty_events.TYPES,
        emit.TYPE,
        emit.TYPE_CORRECTED,
        emit.TYPE_PROPOSED,
        emit.TYPE_CLOSED,
        audit_findings.TYPE,
        signs.SCAN,
        *of("finding.assessed"),
        lists.ENTERED,
        lists.LEFT,
    },
}


def on_the_timeline(type_name: str) -> bool:
    """Whether a fact of this type stands on its subject's public page."""
    one = {**toolkit.golden(type_name.removeprefix("mingjian.").removesuffix(".v1"))}
    value = toolkit.record({"event": one, "signature": {}})
    return fact_row(Seen(FACTS, 0, 1, 1_780_000_000_000, 1_780_000_000_000, open_record(value))) is not None


@pytest.mark.parametrize("row", CATALOGUE.values(), ids=lambda row: row.name)
def test_wired_means_that_somebody_acts_on_it(row) -> None:
    acting = {who for who, types in ACTING.items() if row.type in types}
    if row.wired:
        assert acting or (row.route == "facts" and on_the_timeline(row.type)), "wired, but nobody acts on it"
    else:
        assert not acting, f"catalogued, yet {acting} would act on it"


def test_what_only_files_may_hold_is_taken_by_nobody() -> None:
    assert not any(row.wired for row in CATALOGUE.values() if row.type in of(*facts.FILES_ONLY))


def test_what_stands_on_the_timeline_alone() -> None:
    """What nothing but the subject's page uses is named here, so that it doesn't grow unseen."""
    others = set().union(*ACTING.values())
    assert [row.name for row in CATALOGUE.values() if row.wired and row.type not in others] == [
        "reconsideration.opened",
        "litigation.opened",
        "stay.ordered",
        "stay.lifted",
        "repair.applied_for",
        "objection.raised",
        "permit.granted",
    ]
