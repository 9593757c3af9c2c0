"""A chain through live rating and publication on a real broker: what the portal answers for a day, as known at an instant, is what the
fold says, and the pages show who belongs to whom."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from deploy.local.stack import Stack
from schemas.times import instant
from schemas.topics import FACTS, PARTITIONS
from services.rating.domain.facts import CONTROLS, Fact
from tests.cases.chain import CHAIN, Town, shop_id
from tests.cases.ledger import OFFICE, morning
from tests.integration.publication_feed import Feed, Outgoing, event, value
from tests.integration.publication_service import Publication, begun, until
from tests.stack_fixtures import temporary_stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]
OTHER = "uscc:91440300MA5CHA2N4R"
NAMES = {CHAIN: "样例大药房连锁有限公司", OTHER: "样例惠民医药连锁有限公司"}
KNOWN = ("2025-01-20", "2025-03-20", "2025-05-21", "2026-01-20")
DAYS = ("2025-01-14", "2025-01-15", "2025-03-09", "2025-03-10", "2025-05-20", "2026-01-15")


def made() -> Town:
    """Two chains; a shop closes and the office enters it months late, another goes over to the other chain."""
    town = Town(5)
    town.chain(OTHER)
    for _ in range(5):
        town.shop(joined="2010-03-01", parent=OTHER)
    town.graded("AAAABABBCB", 2024)
    town.shops[0].left(CHAIN, "2025-03-10")
    town.shops[0].joined(OTHER, "2025-03-10")
    town.shops[4].enter("enterprise.closed", {"occurred_on": "2025-04-10", "reason": "closed"}, known=date(2025, 5, 20))
    town.graded("AAAB-BBBBA", 2025)
    return town.close("2026-01-31")


def enter(stack: Stack, town: Town) -> None:
    """Its facts, as intake would have put them there, in the order in which they became known."""
    feed = Feed(stack.bootstrap)
    told: list[tuple[int, str, Fact]] = []
    seen: set[str] = set()
    for ledger in town.ledgers():
        for fact in ledger.facts:
            if fact.name not in CONTROLS:
                told.append((fact.stamp, ledger.subject, fact))
            elif fact.name != "rulebook.activated" or not any(one[2].name == fact.name for one in told):
                if fact.id not in seen:
                    told.append((fact.stamp, "", fact))
                seen.add(fact.id)
    for stamp, subject, fact in sorted(told, key=lambda one: (one[0], one[1], one[2].offset)):
        data = dict(fact.data)
        if fact.name == "enterprise.registered":
            data["name"] = NAMES.get(subject, f"样例大药房{subject[-4:]}店")
        one = event(subject or "regime:shenzhen-pharmacy", fact.name, data, id=fact.id, source=OFFICE, ms=stamp)
        if subject:
            feed.fact(one, ms=stamp)
        else:
            copy = value(one, ms=stamp)
            feed.waiting += [Outgoing(FACTS, number, b"control", copy, stamp) for number in range(PARTITIONS)]
    feed.send()


@pytest.fixture(scope="module")
def shown() -> Iterator[tuple[Publication, Town]]:
    with temporary_stack() as stack:
        stack.start_servers("simulated")
        town = made()
        portal = begun(stack, sample=True)
        enter(stack, town)
        stack.start("rating")
        until(lambda: True if _grade(portal) == "B" else None, limit_s=90)
        portal.settled()
        yield portal, town


def _grade(portal: Publication) -> str | None:
    answer = portal.get(f"/api/v1/subjects/{CHAIN}").json()
    grades = answer.get("grades") or []
    return grades[0]["grade"] if grades and grades[0]["in_force_from"] == "2026-01-15" else None


@pytest.mark.parametrize("known_at", KNOWN)
@pytest.mark.parametrize("chain", [CHAIN, OTHER])
def test_each_day_as_known_at_each_instant_is_what_the_fold_says(shown: tuple[Publication, Town], chain: str, known_at: str) -> None:
    portal, town = shown
    at = instant(morning(date.fromisoformat(known_at)) + 43_000_000)
    for day in (one for one in DAYS if one <= known_at):
        body = portal.get(f"/api/v1/subjects/{chain}/grades", params={"as_of": day, "known_at": at}).json()
        found = [one["grade"] or one["status"] for one in body["grades"]]
        assert [town.grade(day, chain, known_at=known_at)] == found, (day, body)


def test_a_chains_page_lists_its_shops_with_grades_and_shares(shown: tuple[Publication, Town]) -> None:
    portal, town = shown
    page = portal.get(f"/subjects/{CHAIN}", headers={"accept-language": "en"}).text
    assert "Its shops" in page and "4 shops belong to it today" in page and "3 with a grade" in page
    for number in (1, 2, 3):
        assert f"/subjects/{shop_id(number)}" in page
    assert f"/subjects/{shop_id(0)}" not in page.partition("Its shops")[2].partition("What happened")[0], "it went over"
    other = portal.get(f"/subjects/{OTHER}", headers={"accept-language": "zh"}).text
    assert "今日所属门店 6 家" in other and f"/subjects/{shop_id(0)}" in other


def test_the_same_as_json(shown: tuple[Publication, Town]) -> None:
    """Who ever belonged there, with the days; what each was."""
    portal, town = shown
    chain = portal.get(f"/api/v1/subjects/{CHAIN}").json()
    assert {one["subject"] for one in chain["parts"]} == {shop.subject for shop in town.shops[:5]} and [] == chain["part_of"]
    [left] = [one for one in chain["parts"] if one["subject"] == shop_id(0)]
    assert "2025-03-09" == left["stretches"][-1]["last"]
    shop = portal.get(f"/api/v1/subjects/{shop_id(0)}").json()
    assert {CHAIN, OTHER} == {one["subject"] for one in shop["part_of"]} and [] == shop["parts"]


def test_a_shops_page_names_its_chain_of_today(shown: tuple[Publication, Town]) -> None:
    portal, _ = shown
    page = portal.get(f"/subjects/{shop_id(0)}", headers={"accept-language": "en"}).text
    assert "Belongs to" in page and f"/subjects/{OTHER}" in page and NAMES[OTHER] in page
    assert f"/subjects/{CHAIN}" not in page.partition("What happened")[0]


def test_the_explanation_leads_to_the_shops_facts(shown: tuple[Publication, Town]) -> None:
    portal, town = shown
    data = portal.get(f"/api/v1/subjects/{CHAIN}").json()["grades"][0]["data"]
    scores = {fact.id for shop in town.shops for fact in shop.facts if fact.name == "score.recorded" and fact.data["year"] == 2025}
    assert {one["id"] for one in data["decisive_events"]} <= scores and data["parts"]["named"]
    assert all(one["part"] in {shop.subject for shop in town.shops} for one in data["parts"]["named"])
