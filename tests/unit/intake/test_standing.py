"""A second final score and a fact that names one that isn't there: sent back to people, marked from other systems, asked for once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import CATALOGUE
from services.intake import handlers
from services.intake.domain.standing import Facts, Known, Mention, asks, known, mentions
from tests import toolkit as kit
from tests.unit.intake.fakes import Whole, a_desk

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for seconds in these tests."""
    monkeypatch.setattr(handlers, "ANSWER_WITHIN_S", 0.2)
    monkeypatch.setattr(handlers, "STORED_WITHIN_S", 0.5)


def decided(**more: Any) -> dict[str, Any]:
    data = {key: value for key, value in kit.warning("2027-01-05").items() if key != "service"}
    return kit.event("warning.issued", data, **more)


def served(of: dict[str, Any], **more: Any) -> dict[str, Any]:
    service = {"served_on": "2027-01-06", "method": "post"}
    data = {"occurred_on": "2027-01-06", "document": of["id"], "document_no": "样例警〔2026〕7号", "service": service}
    return kit.event("document.served", data, **{"subject": of["subject"], **more})


def scored(total: str = "97.5", **more: Any) -> dict[str, Any]:
    return kit.event("score.recorded", kit.score(total, occurred_on="2027-01-05", final=True, **more))


def by(one: dict[str, Any], signer: kit.Person = kit.OFFICER) -> dict[str, Any]:
    return kit.signed(one, signer)


def codes(answers: list[Any]) -> list[Any]:
    return [one.fault.code if one.fault else one.status for one in answers]


def marks(whole: Whole, one: dict[str, Any]) -> Any:
    [row] = [row for row in whole.store.rows.values() if row.name[1] == one["id"]]
    return json.loads(row.value)["entry"].get("marks")


async def test_a_service_needs_its_document_from_people_and_gets_a_mark_from_other_systems() -> None:
    async with a_desk() as whole:
        document = decided()
        [answer] = await whole.take(by(served(document)))
        assert ("counterpart-missing", "/event/data/document") == (answer.fault.code, answer.fault.field)  # type: ignore[union-attr]
        assert answer.refusal
        fed = served(document)
        assert [201] == codes(await whole.take(by(fed, kit.IMPORTER), channel="feed"))
        assert ["counterpart-missing"] == marks(whole, fed)
        assert [201] == codes(await whole.take(by(document)))
        for channel in ("desk", "field"):
            assert [201] == codes(await whole.take(by(served(document)), channel=channel))
        later = served(document)
        assert [201] == codes(await whole.take(by(later, kit.IMPORTER), channel="feed"))
        assert marks(whole, later) is None


async def test_a_document_about_another_subject_is_no_counterpart() -> None:
    async with a_desk() as whole:
        document = decided()
        assert [201] == codes(await whole.take(by(document)))
        assert ["counterpart-missing"] == codes(await whole.take(by({**served(document), "subject": "fhrs:7"})))


async def test_what_stands_before_it_in_the_same_request_is_there_and_what_stands_after_it_is_not() -> None:
    async with a_desk() as whole:
        document = decided()
        assert [201, 201] == codes(await whole.take(by(document), by(served(document))))
        other = decided()
        assert ["counterpart-missing", 201] == codes(await whole.take(by(served(other)), by(other)))


async def test_a_year_has_one_final_score_from_people_and_a_mark_on_the_second_from_other_systems() -> None:
    async with a_desk() as whole:
        first, second = scored(), scored()
        assert [201, "second-final-score", 201] == codes(await whole.take(by(first), by(second), by(first)))
        assert ["second-final-score"] == codes(await whole.take(by(scored())))
        for other in (
            scored(year=2025),
            scored(regime="other"),
            {**scored(), "subject": "fhrs:7"},
            kit.event("score.recorded", kit.score()),
        ):
            assert [201] == codes(await whole.take(by(other)))
        fed = scored()
        assert [201] == codes(await whole.take(by(fed, kit.IMPORTER), channel="migration"))
        assert ["second-final-score"] == marks(whole, fed)
        assert [201] == codes(await whole.take(by(first))), "what was entered once stays entered"


async def test_what_could_not_be_stored_is_no_counterpart() -> None:
    async with a_desk() as whole:
        await whole.take(by(kit.event("inspection.recorded", kit.inspection("2027-01-05"))))
        document, score = decided(), scored()
        whole.store.down = True
        assert {"store-unavailable"} == set(codes(await whole.take(by(document), by(score))))
        assert ["store-unavailable"] == codes(await whole.take(by(served(document))))
        whole.store.down = False
        assert ["counterpart-missing"] == codes(await whole.take(by(served(document))))
        assert [201] == codes(await whole.take(by(scored())))


async def test_the_table_is_looked_at_once_a_request_and_not_at_all_where_nothing_asks() -> None:
    async with a_desk() as whole:
        plain = [by(kit.event("inspection.recorded", kit.inspection("2027-01-05"))) for _ in range(3)]
        assert [201] * 3 == codes(await whole.take(*plain))
        assert 0 == whole.store.looked
        documents = [decided() for _ in range(4)]
        assert [201] * 4 == codes(await whole.take(*map(by, documents)))
        assert 0 == whole.store.looked
        asking = [by(served(one)) for one in documents] + [by(scored(year=year)) for year in (2024, 2025)]
        assert [201] * 6 == codes(await whole.take(*plain, *asking))[3:]
        assert 1 == whole.store.looked


async def test_a_fact_of_another_process_is_known_once_it_was_read_back() -> None:
    async with a_desk() as whole:
        document, score = decided(), scored()
        for one in (document, score):
            whole.broker.put("mingjian.facts.v1", 3, one["subject"].encode(), kit.record(by(one)))
        await whole.until(lambda: (score["source"], score["id"]) in whole.store.firsts)
        [answer, other] = await whole.take(by(served(document)), by(scored()))
        assert (201, "second-final-score") == tuple(codes([answer, other]))


REFERENCE = {"source": kit.OFFICE, "id": kit.new_id()}


@pytest.mark.parametrize(
    ("kind", "data", "wanted"),
    [
        ("document.served", {"document": REFERENCE["id"]}, [("/event/data/document", None)]),
        ("entry.corrected", {"entry": REFERENCE}, [("/event/data/entry", kit.OFFICE)]),
        ("repair.decided", {"application": REFERENCE["id"], "acts": [REFERENCE]}, [("application", None), ("acts/0", kit.OFFICE)]),
        ("act.annulled", {"act": REFERENCE, "decided_by_event": REFERENCE["id"]}, [("decided_by_event", None), ("act", kit.OFFICE)]),
        # Ids of what services derive, and of what stands in the registry.
        ("grade.approved", {"proposal": REFERENCE["id"]}, []),
        ("truth.determined", {"entry": REFERENCE, "finding": REFERENCE["id"]}, [("entry", kit.OFFICE)]),
        ("objection.raised", {"derived": REFERENCE["id"]}, []),
        ("finding.replied", {"finding": REFERENCE["id"]}, []),
    ],
)
def test_the_signed_facts_that_an_event_names_are_read_off_it(
    kind: str, data: dict[str, Any], wanted: list[tuple[str, str | None]]
) -> None:
    found = mentions(kit.event(kind, data))
    assert [(f"/event/data/{where.removeprefix('/event/data/')}", source) for where, source in wanted] == [
        (one.where, one.source) for one in found
    ]
    assert {REFERENCE["id"]} >= {one.id for one in found}


_JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(
    _JSON
    | st.fixed_dictionaries(
        {"type": st.sampled_from(sorted(CATALOGUE)), "subject": st.sampled_from([kit.USCC, "uscc:\0", "\ud800", ""]) | _JSON, "data": _JSON}
    )
    | st.fixed_dictionaries(
        {
            "type": st.just("mingjian.score.recorded.v1"),
            "subject": st.just(kit.USCC),
            "data": st.fixed_dictionaries({"final": st.booleans() | _JSON, "regime": _JSON, "year": _JSON}),
        }
    )
)
def test_whatever_is_sent_asking_what_it_names_ends_in_an_answer(event: Any) -> None:
    assert asks(event) in (True, False)


def test_facts_are_dropped_one_by_one() -> None:
    one, other = Known("/a", "1", kit.USCC, "r 2026"), Known("/b", "1", kit.USCC, "r 2026")
    facts = Facts.of([one, other])
    facts.drop(one)
    assert not facts.has(kit.USCC, Mention("", "1", "/a")) and facts.has(kit.USCC, Mention("", "1", "/b"))
    assert facts.has(kit.USCC, Mention("", "1")) and {("/b", "1")} == facts.finals(kit.USCC, "r 2026")
    facts.drop(other), facts.drop(other)
    assert Facts() == facts


def test_only_what_can_be_a_subject_is_remembered() -> None:
    for subject in ("uscc:\0", "\ud800:1", "", "x" * 200, 7):
        assert known({**decided(), "subject": subject}) is None
