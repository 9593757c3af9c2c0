"""A shop's false score and what it did to its chain, on a real stack: at night, on demand, as it is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import orjson
import psycopg
import pytest

from schemas.rulebook import digest, load_rulebook
from schemas.topics import FACTS, FINDINGS, PARTS, REGISTRY
from services.audit.domain.assessed import TYPE, digest_of
from tests.cases.chain import CHAIN, REGIME, SCORES, shop_id
from tests.cases.ledger import RULEBOOKS
from tests.integration.audit.test_effect_live import Town
from tests.integration.audit.world import OFFICE, Say, fact, genesis

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]
SHOPS = [shop_id(number) for number in range(5)]
WRONG = SHOPS[4]
ENTERED = "2026-01-02T02:00:00.000Z"
SCORE = {"occurred_on": "2025-12-20", "regime": REGIME, "year": 2025, "maximum": "10", "deductions": [], "final": True, "standard": "x"}
WRONG_SCORE = 0x104


class ChainTown(Town):
    """Five shops of a chain, all A by the evaluation of 15 January 2026; that the last was a D is found on 10 March."""

    def begin(self) -> None:
        book = load_rulebook(RULEBOOKS / REGIME)
        active = {"occurred_on": "2025-01-01", "regime": REGIME, "version": book.header.version, "sha256": digest(book)}
        self.say([genesis()])
        self.everywhere(4, "rulebook.activated", f"regime:{REGIME}", active | {"in_force_from": "2025-01-01"}, "2026-01-01T00:00:00.000Z")
        self.say([Say(REGISTRY, _go_live(), f"regime:{REGIME}".encode())])
        self.enter(0x80, "enterprise.registered", CHAIN, _registered("drug_chain"))
        for number, shop in enumerate(SHOPS):
            self.enter(0x90 + number, "enterprise.registered", shop, _registered("drug_retail"))
            self.enter(0xA0 + number, "operation.started", shop, {"occurred_on": "2010-03-01"})
            self.enter(0xB0 + number, "part.joined", shop, {"occurred_on": "2010-03-01", "parent": CHAIN})
            self.enter(0x100 + number, "score.recorded", shop, SCORE | {"total": SCORES["A"]})
        evaluation = {"occurred_on": "2026-01-15", "regime": REGIME, "period": {"first": "2025-01-01", "last": "2025-12-31"}}
        self.everywhere(
            13, "evaluation.closed", f"regime:{REGIME}", evaluation | {"evaluation_date": "2026-01-15"}, "2026-01-15T01:00:00.000Z"
        )

    def enter(self, number: int, kind: str, subject: str, data: dict[str, Any], received: str = ENTERED) -> None:
        self.say([fact(number, kind, data, received=received, subject=subject, channel="migration")])

    def determined(self, number: int, total: str, on: str) -> None:
        """That the score should have been another."""
        entry = {"source": OFFICE, "id": f"018f0000-0000-7000-8000-{WRONG_SCORE:012x}"}
        sources = [{"kind": "document", "description": "x", "origin": one} for one in ("one", "two")]
        truth = {"type": "mingjian.score.recorded.v1", "data": SCORE | {"total": total}}
        data = {"occurred_on": on, "document_no": f"T-{number}", "entry": entry, "result": "false", "took_place": True, "truth": truth}
        data |= {"sources": sources, "decided_by": "officer:decider-one", "involved": [], "explanations_weighed": []}
        self.enter(number, "truth.determined", WRONG, data, f"{on}T02:00:00.000Z")

    def told_of(self, affected: str) -> list[dict[str, Any]]:
        events = [orjson.loads(one.value)["event"] for one in self.read(FINDINGS)]
        return [one["data"] for one in events if one["type"] == TYPE and one["data"]["affected"] == affected]

    def rows(self) -> list[tuple[str, bool, int]]:
        """Effects as they are kept: whose grades, whether another stands, most days."""
        asked = f"SELECT affected, superseded, days_most FROM audit.finding WHERE type = '{TYPE}' ORDER BY sequence"  # noqa: S608
        with psycopg.connect(self.stack.admin_dsn) as connection:
            return connection.execute(asked).fetchall()  # type: ignore[call-overload, no-any-return]


def _registered(kind: str) -> dict[str, Any]:
    return {"occurred_on": "2010-03-01", "name": "样例药店", "business_kind": kind, "regimes": [REGIME]}


def _go_live() -> bytes:
    data = {"occurred_on": "2025-01-01", "regime": REGIME}
    return fact(2, "go_live.declared", data, received="2026-01-01T00:00:00.000Z", subject=f"regime:{REGIME}", registry_offset=1).value


@pytest.fixture
def town(fresh_stack) -> Iterator[ChainTown]:  # type: ignore[no-untyped-def]
    stack = fresh_stack(clock_mode="simulated")
    made = ChainTown(stack)
    yield made
    made.close()


def test_a_shops_false_score_and_its_chain(town: ChainTown) -> None:
    town.begin()
    town.stack.start("rating")
    town.until(lambda: len(town.read(PARTS)) >= 6)
    town.wait_ready(town.start(wait=False), 240)
    town.determined(0x200, SCORES["D"], "2026-03-10")
    town.close_day("2026-03-31", "2026-03-31T16:00:05.000Z")
    town.until(lambda: town.told_of(CHAIN) and town.told_of(WRONG))
    (chain,), (shop,) = town.told_of(CHAIN), town.told_of(WRONG)
    # from the evaluation on, to the last day that is over: 17 of January, 28, 31
    assert ({76}, {"A"}, {"D"}) == ({chain["most"], shop["most"]}, _grades(chain, "was"), _grades(chain, "should"))
    assert WRONG == chain["subject_of"]

    asked = town.mingjian("effect", shop["finding"], "--json")
    assert asked.returncode == 0, asked.stderr
    told = [json.loads(line)["data"] for line in asked.stdout.splitlines()]
    assert [digest_of(shop), digest_of(chain)] == [digest_of(one) for one in told]
    drawn = town.mingjian("effect", shop["finding"]).stdout
    assert CHAIN in drawn and "graded by its parts" in drawn, drawn

    # Determined otherwise: a B, with which the chain keeps what it showed. That is told, for it was told otherwise before.
    town.determined(0x201, SCORES["B"], "2026-04-02")
    town.close_day("2026-04-02", "2026-04-02T16:00:05.000Z")
    town.until(lambda: len(town.told_of(CHAIN)) == 2 and len(town.told_of(WRONG)) == 2)
    assert [(WRONG, True, 76), (CHAIN, True, 76), (WRONG, False, 78), (CHAIN, False, 0)] == town.rows()

    size = sum(len(town.read(topic)) for topic in (FACTS, REGISTRY, FINDINGS, PARTS))
    town.until(lambda: town.state()["size"] >= size)
    verified = town.mingjian("verify", "--json", "--genesis", town.env["MINGJIAN_GENESIS"], "--log-dir", str(town.log_dir))
    assert [] == [one for one in json.loads(verified.stdout)["faults"] if one["code"] in ("finding", "regrading")]


def _grades(data: dict[str, Any], name: str) -> set[str]:
    return {one[name] for one in data["wrong"] if one["what"] == "grade"}
