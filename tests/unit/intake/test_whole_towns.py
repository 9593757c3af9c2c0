"""What is made to be taken whole is taken whole: the sample town from its first control event, and a file of premises."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from pathlib import Path
from random import Random

import pytest

from schemas.keys import SigningKey
from services._cli.sample.acts import ZONE, instant
from services._cli.sample.bootstrap import bootstrap, enrolment
from services._cli.sample.load import Order, active_rulebooks, in_order, make_town
from services._cli.sample.people import OFFICERS, Officer
from services._cli.signing import submission
from services.intake.domain.judging import Admitted, judge
from services.intake.domain.registry import Registry
from services.intake.domain.standing import Facts, known
from services.intake.importers import fhrs, nyc
from services.intake.importers.rows import CHANNEL, PublishedFormat, Row
from tests import toolkit as kit

pytestmark = pytest.mark.sweep

UNTIL = datetime(2026, 11, 23, 14, 30, tzinfo=ZONE)
DAWN = "2000-01-01T00:00:00.000Z"


def begun() -> Registry:
    registry = Registry.empty()
    registry.apply(0, kit.record(kit.genesis(clock_mode="simulated", time=DAWN), received_at=DAWN))
    return registry


@pytest.mark.parametrize("seed", [1, 7])
def test_every_event_of_a_sample_town_is_admitted_in_its_order(repository: Path, seed: int) -> None:
    rulebooks = repository / "rulebooks"
    town = make_town(Order(seed, 25, 2, UNTIL.isoformat()), rulebooks)
    signers = {one.name: one.key(seed) for one in OFFICERS} | {"registrar": kit.REGISTRAR.key}
    control = bootstrap(town.plan, source=kit.REGISTER, rulebooks=active_rulebooks(rulebooks, town.plan.first))
    registry, facts = begun(), Facts()
    sent = in_order(control, town)
    assert len(sent) > 500
    for one in sent:
        made, at = submission(one.event, signers[one.signer], one.private), instant(one.received)
        found = judge(made, registry=registry, channel=one.channel, received_at=at, standing=[facts])
        assert isinstance(found, Admitted), (one.event["type"], found)
        assert found.marks == ()
        if found.event_type.route != "facts":
            kit.fold(registry, [made], received_at=at)
        elif fact := known(one.event):
            facts.add(fact)
    assert registry.ignored == []
    assert all(registry.grants(one.pseudonym) for one in OFFICERS)


def premises(many: int) -> str:
    """A published file as authorities write it: made-up names with digits, telephone-like references and postcodes."""
    rng = Random("premises")
    out = io.StringIO()
    rows = csv.DictWriter(out, fhrs.COLUMNS)
    rows.writeheader()
    for number in range(many):
        references = (f"PI/{rng.randint(10**8, 10**9)}", f"{rng.randint(10**5, 10**6)}", f"23/00{number:03d}/COMM")
        rated = rng.random() < 0.8
        scored = rated and rng.random() < 0.9
        rows.writerow(
            {
                "FHRSID": 1_000_000 + number,
                "LocalAuthorityBusinessID": rng.choice(references),
                "BusinessName": rng.choice(("Café 1885", "The 7 Stars", "5,000 Plates", "O'Neill & Söhne", "24/7 Kiosk No. 16")),
                "BusinessType": rng.choice(("Restaurant/Cafe/Canteen", "Retailers - other", "Hospitals/Childcare/Caring Premises")),
                "AddressLine1": f"Unit {rng.randint(1, 99)}, {rng.randint(1, 400)}-{rng.randint(401, 800)} High Street",
                "AddressLine2": rng.choice(("", "Ground Floor 01-02", "Level 02 03 04")),
                "AddressLine3": "Made-up Town",
                "AddressLine4": "",
                "PostCode": f"ZZ{rng.randint(1, 9)} {rng.randint(1, 9)}QQ",
                "RatingValue": str(rng.randint(0, 5)) if rated else rng.choice(("AwaitingInspection", "Exempt")),
                "RatingDate": f"20{rng.randint(15, 25)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}" if rated else "",
                "LocalAuthorityName": rng.choice(("Made-up Borough", "City of Nowhere")),
                "Hygiene": "5" if scored else "",
                "Structural": "10" if scored else "",
                "ConfidenceInManagement": "0" if scored else "",
                "NewRatingPending": rng.choice(("True", "False")),
            }
        )
    return out.getvalue()


def importing(rows: list[Row], given: PublishedFormat) -> tuple[Registry, SigningKey]:
    """A register in which the importer has a role at each authority's office, with one key."""
    registry, key = begun(), kit.key("importer")
    for office in sorted({row.office for row in rows}):
        officer = Officer(given.OFFICER.removeprefix("officer:"), office, "importer", (CHANNEL,))
        scopes = {"schemes": (given.SCHEME,), "regimes": (given.REGIME,)}
        for kind, subject, data in enrolment(officer, key.public_object(), date(2026, 11, 23), **scopes):
            made = kit.by_registrar(kind, subject, data)
            assert isinstance(kit.judged(made, registry), Admitted)
            kit.fold(registry, [made])
    return registry, key


def admitted_rows(lines: list[str], given: PublishedFormat) -> int:
    """How many lines there are, all of them admitted."""
    rows = list(given.read(lines))
    taken = [row for row in rows if isinstance(row, Row)]
    assert len(taken) == len(rows)
    registry, key = importing(taken, given)
    for row in taken:
        for event in row.events:
            found = kit.judged(kit.signed(event, key), registry, channel=CHANNEL)
            assert isinstance(found, Admitted), (row.line, found)
    return sum(len(row.lines) for row in taken)


def test_every_row_of_a_file_of_premises_is_admitted() -> None:
    assert admitted_rows(premises(200).splitlines(keepends=True), fhrs) == 200


@pytest.mark.parametrize(("name", "given", "rows"), [("fhrs_westminster.csv", fhrs, 5160), ("nyc_restaurants.csv", nyc, 5000)])
def test_every_row_of_a_published_file_is_admitted(shared: Path, name: str, given: PublishedFormat, rows: int) -> None:
    with (shared / "data" / name).open(encoding="utf-8", newline="") as lines:
        assert admitted_rows(list(lines), given) == rows
