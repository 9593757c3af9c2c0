"""What the sample town promises: the same seed, the same bytes; events the contract takes; and no real enterprise in it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from schemas.canonical import canonical_bytes, sha256_hex
from schemas.envelope import Event, check_data, lookup
from services._cli.sample.acts import ZONE, instant
from services._cli.sample.bootstrap import ActiveRulebook, bootstrap
from services._cli.sample.load import approved
from services._cli.sample.tables import calendar_tables
from services._cli.sample.town import Plan, Town

pytestmark = pytest.mark.sweep

UNTIL = datetime(2026, 11, 23, 14, 30, tzinfo=ZONE)


@pytest.fixture(scope="module")
def town(repository: Path) -> Town:
    return make(repository, 1)


def make(repository: Path, seed: int, enterprises: int = 100) -> Town:
    tables = calendar_tables(repository / "rulebooks", 2022, 2026)
    return approved(Plan(seed=seed, enterprises=enterprises, years=3, until=UNTIL, tables=tables), repository / "rulebooks")


def digest(town: Town) -> str:
    return sha256_hex(canonical_bytes([[one.event, one.signer, one.channel, instant(one.received), one.private] for one in town.sent]))


def test_the_same_seed_gives_the_same_town_and_another_seed_another(repository: Path, town: Town) -> None:
    assert digest(make(repository, 1)) == digest(town)
    assert digest(make(repository, 2)) != digest(town)


def test_every_event_is_one_the_contract_takes_and_a_service_acts_on(town: Town) -> None:
    books = (ActiveRulebook("liyujiang", "2026.1", "0" * 64, town.plan.first),)
    for one in (*bootstrap(town.plan, source="/departments/yangli/offices/bureau", rulebooks=books), *town.sent):
        event = Event.model_validate(one.event)
        row = lookup(event.type)
        assert row is not None and row.wired, event.type
        check_data(row, event.data)
        assert event.subject.partition(":")[0] in row.subjects


def test_ids_are_unique_and_nothing_is_entered_before_it_was_signed_or_after_the_end(town: Town) -> None:
    assert len({one.event["id"] for one in town.sent}) == len(town.sent)
    for one in town.sent:
        assert one.event["time"] <= instant(one.received)
        assert one.received <= UNTIL
        data = one.event["data"]
        assert data["occurred_on"] <= one.received.astimezone(ZONE).date().isoformat()
        assert "ended_at" not in data or data["ended_at"] <= one.event["time"]


def test_entries_come_in_the_order_of_their_entry(town: Town) -> None:
    received = [one.received for one in town.sent]
    assert sorted(received) == received


def test_a_later_service_names_a_decision_that_was_entered_before_it(town: Town) -> None:
    seen: dict[str, str] = {}
    served = 0
    for one in town.sent:
        if one.event["type"] == "mingjian.document.served.v1":
            served += 1
            assert seen[one.event["data"]["document"]] == one.event["subject"]
        seen[one.event["id"]] = one.event["subject"]
    assert served > 0


def test_the_town_is_plainly_made_up(town: Town) -> None:
    """Names say 样例, and no credit code lies in a region that exists (they end at 82)."""
    assert all(one.name.startswith("样例") for one in town.enterprises)
    assert all(one.subject.startswith("uscc:9199") for one in town.enterprises)
    assert len({one.subject for one in town.enterprises}) == len({one.name for one in town.enterprises}) == len(town.enterprises)


def test_every_standing_is_asked_for_in_a_town_of_any_size(repository: Path, town: Town) -> None:
    shares = Counter(one.final for one in town.enterprises)
    assert 10 <= shares["A"] <= 20 and 38 <= shares["B"] <= 52 and 15 <= shares["C"] <= 25
    assert set(Counter(one.final for one in make(repository, 3, 7).enterprises)) == {"A", "B", "C", "D", "E", "new", "closed"}


def test_personal_names_travel_beside_the_event_with_their_salt(town: Town) -> None:
    registered = [one for one in town.sent if one.event["type"] == "mingjian.enterprise.registered.v1"]
    assert registered and all(set(one.private or ()) == {"legal_representative"} for one in registered)
    for one in registered:
        assert (one.private or {})["legal_representative"]["value"] not in canonical_bytes(one.event).decode()
