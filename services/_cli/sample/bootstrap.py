"""What has to be said before a town can speak: officers, keys, roles, calendars, rulebooks, go-live. Signed by the registrar."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from schemas.events import CATALOGUE
from schemas.ids import ENTERPRISE_SCHEMES
from services._cli.sample.acts import at, instant
from services._cli.sample.people import OFFICERS, REGIME, Officer
from services._cli.sample.town import REGISTRAR, Plan, Sent, event_of, uuid7

Said = tuple[str, str, Mapping[str, Any], datetime]
"""Type, subject, data, the instant of entry."""

_ENTERPRISE = "uscc"
# The next year's schedule comes out in November.
_ISSUED_MONTH, _ISSUED_DAY = 11, 10


@dataclass(frozen=True)
class ActiveRulebook:
    """What ``rulebook.activated`` says of a rulebook."""

    regime: str
    version: str
    sha256: str
    in_force_from: date


def enrolment(
    officer: Officer, public_key: Mapping[str, str], on: date, *, schemes: Iterable[str], regimes: Iterable[str]
) -> list[tuple[str, str, dict[str, Any]]]:
    """(type, subject, data) of the three events that let someone enter: enrolled, key registered, role granted."""
    day = on.isoformat()
    grant = {"role": officer.role, "office": officer.office, "schemes": list(schemes), "regimes": list(regimes)}
    return [
        ("officer.enrolled", officer.pseudonym, {"occurred_on": day, "office": officer.office}),
        ("key.registered", officer.pseudonym, {"occurred_on": day, "key": dict(public_key), "channels": list(officer.channels)}),
        ("role.granted", officer.pseudonym, {"occurred_on": day, **grant}),
    ]


def schemes_of(role: str) -> list[str]:
    """What the events of a role are about (an officer also replies to what was found of them); of enterprises those that a town
    registers."""
    about = {scheme for row in CATALOGUE.values() if role in row.roles for scheme in row.subjects}
    return sorted({_ENTERPRISE if one in ENTERPRISE_SCHEMES else one for one in about} or {_ENTERPRISE})


def bootstrap(plan: Plan, *, source: str, rulebooks: Iterable[ActiveRulebook], more: Iterable[Said] = ()) -> list[Sent]:
    """The registrar's events over the town's whole time, in their order. ``source``: the registrar's office; ``more``: what a falsified
    town has the registrar say besides."""
    rng = Random(f"town {plan.seed} bootstrap")
    dawn = at(plan.first, 8)
    sent: list[Sent] = []

    def say(kind: str, subject: str, data: dict[str, Any], moment: datetime) -> None:
        signed = moment - timedelta(minutes=1)
        event = event_of(id=uuid7(signed, rng), source=source, kind=kind, subject=subject, signed=signed, data=data)
        sent.append(Sent(event, REGISTRAR, "desk", moment))

    for officer in OFFICERS:
        key = officer.key(plan.seed).public_object()
        for kind, subject, data in enrolment(officer, key, plan.first, schemes=schemes_of(officer.role), regimes=(REGIME,)):
            say(kind, subject, data, dawn)
    for book in rulebooks:
        data = {
            "occurred_on": plan.first.isoformat(),
            "regime": book.regime,
            "version": book.version,
            "sha256": book.sha256,
            "in_force_from": book.in_force_from.isoformat(),
        }
        say("rulebook.activated", f"regime:{book.regime}", data, dawn)
    for table in plan.tables:
        issued = at(date(table["year"] - 1, _ISSUED_MONTH, _ISSUED_DAY), 10)
        if issued > plan.until:
            continue
        data = {
            "occurred_on": issued.date().isoformat(),
            "country": "CN",
            "year": table["year"],
            "days_off": [day.isoformat() for day in table["days_off"]],
            "make_up_days": [day.isoformat() for day in table["make_up_days"]],
            "document": table["document"],
        }
        say("calendar.issued", "stack:calendar", data, max(dawn, issued))
    # Declared in advance, for the day itself decides from when on entries can be late.
    say("go_live.declared", f"regime:{REGIME}", {"occurred_on": plan.go_live.isoformat(), "regime": REGIME}, dawn)
    day = plan.outage_day
    outage = {
        "occurred_on": day.isoformat(),
        "started": instant(at(day, 9)),
        "ended": instant(at(day, 16)),
        "cause": "样例:线路检修",
    }
    say("outage.declared", f"office:{plan.outage_office}", outage, at(day, 16, 30))
    for kind, subject, data, moment in more:
        say(kind, subject, dict(data), moment)
    return sorted(sent, key=lambda one: one.received)
