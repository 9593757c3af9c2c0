"""Decisions and their services in either order, and by which regimes a subject's facts are judged: on any store."""

from __future__ import annotations

from typing import Any

from services.audit.domain.frame import Record
from tests.unit.audit.detector_suite import OFFICE, YEAR_2026, YEAR_2027, Scene, are_valid

OFFICE_B = "/departments/drug/offices/other"
DECISION = 7


def decided(scene: Scene, entered: str, occurred: str = "2026-03-02", number: int = DECISION, office: str = OFFICE, **data: Any) -> Record:
    """A fine that awaits service, entered at noon in Shanghai."""
    said = {"occurred_on": occurred, "document_no": "d", **data}
    return scene.say("penalty.decided", said, number=number, office=office, received_at=f"{entered}T04:00:00.000Z")


def served(scene: Scene, entered: str, on: str = "2026-03-16", number: int = 8, document: int = DECISION, **more: Any) -> Record:
    """Its service by a record of its own. Served on Monday 16 March the deadline is the 23rd."""
    data = {
        "occurred_on": on,
        "document": f"018f0000-0000-7000-8000-{document:012x}",
        "document_no": "d",
        "service": {"served_on": on, "method": "post"},
    }
    return scene.say("document.served", data, number=number, received_at=f"{entered}T04:00:00.000Z", **more)


async def told(scene: Scene) -> list[tuple[int, str, int]]:
    """(offset of the fact, its deadline, offset of the cause) of the findings that stand."""
    return [(one["event"]["offset"], one["late"]["deadline"], one["cause"]["offset"]) for one in await scene.data() if "late" in one]


async def a_decision_is_judged_when_its_service_comes_by_itself(store: Any) -> None:
    for number, (entered, late) in enumerate([("2026-03-22", False), ("2026-03-23", False), ("2026-03-24", True)]):
        scene = Scene(store, partition=number)
        scene.say("calendar.issued", YEAR_2026)
        decision = decided(scene, entered, number=100 + number)
        await scene.fold()
        assert await told(scene) == [], "awaiting service there is no deadline"
        await scene.restart()
        service = served(scene, "2026-03-23", number=200 + number, document=100 + number)
        await scene.fold([service])
        assert await told(scene) == ([(decision.offset, "2026-03-23", service.offset)] if late else []), entered
    are_valid(await scene.data())


async def a_decision_entered_after_its_service_is_judged_at_once(store: Any) -> None:
    for number, (entered, late) in enumerate([("2026-03-22", False), ("2026-03-23", False), ("2026-03-24", True)]):
        scene = Scene(store, partition=number)
        scene.say("calendar.issued", YEAR_2026)
        served(scene, "2026-03-17", number=200 + number, document=100 + number)
        await scene.fold()
        await scene.restart()
        decision = decided(scene, entered, number=100 + number)
        await scene.fold([decision])
        assert await told(scene) == ([(decision.offset, "2026-03-23", decision.offset)] if late else []), entered


async def in_one_batch_or_two_the_findings_are_the_same(store: Any) -> None:
    whole = Scene()
    for scene in (whole, again := Scene(store)):
        scene.say("calendar.issued", YEAR_2026)
        decided(scene, "2026-03-24")
        served(scene, "2026-03-25")
    await whole.fold()
    for record in again.records:
        await again.restart()
        await again.fold([record])
    found = await whole.store.everything()
    assert [one.value for one in await again.store.everything()] == [one.value for one in found]
    assert len(found) == 2, "the decision, and the record of its service"


async def the_end_of_the_activity_after_its_service_is_day_zero(store: Any) -> None:
    scene = Scene(store)
    scene.say("calendar.issued", YEAR_2026)
    decision = decided(scene, "2026-03-26", ended_at="2026-03-17T16:30:00.000Z")
    served(scene, "2026-03-17")
    await scene.fold()
    assert await told(scene) == [(decision.offset, "2026-03-25", decision.offset + 1)]


async def the_first_service_counts_and_only_the_decision_of_the_same_subject(store: Any) -> None:
    scene = Scene(store)
    scene.say("calendar.issued", YEAR_2026)
    decision = decided(scene, "2026-03-24")
    served(scene, "2026-03-17", subject="uscc:91440300M000200X17")
    await scene.fold()
    assert await told(scene) == []
    first = served(scene, "2026-03-18", number=9)
    await scene.fold([first, served(scene, "2026-03-24", on="2026-03-23", number=10)])
    assert await told(scene) == [(decision.offset, "2026-03-23", first.offset)]


async def another_sources_decision_of_the_same_id_is_judged_for_itself(store: Any) -> None:
    scene = Scene(store)
    scene.say("calendar.issued", YEAR_2026)
    decided(scene, "2026-03-24")
    decided(scene, "2026-03-23", office=OFFICE_B)
    decided(scene, "2026-03-24", office=f"{OFFICE_B}-c")
    served(scene, "2026-03-17")
    await scene.fold()
    assert [one[0] for one in await told(scene)] == [1, 3]


async def a_service_before_go_live_s_decision_sets_no_deadline(store: Any) -> None:
    """The act's own day: a decision from before go-live (1 January 2026) is not judged, in whichever way its service was entered."""
    for number, (occurred, late) in enumerate([("2025-12-31", False), ("2026-01-01", True)]):
        scene = Scene(store, partition=number)
        scene.say("calendar.issued", YEAR_2026)
        decided(scene, "2026-03-05", occurred=occurred, number=100 + number)
        service = served(scene, "2026-03-24", number=200 + number, document=100 + number)
        data = {"occurred_on": occurred, "document_no": "e", "service": {"served_on": "2026-03-16", "method": "post"}}
        both = scene.say("penalty.decided", data, number=300 + number, received_at="2026-03-24T04:00:00.000Z")
        await scene.fold()
        found = {one["event"]["id"][-3:] for one in await scene.data()}
        assert found == ({f"{200 + number:03x}", f"{300 + number:03x}"} if late else set()), occurred
    assert {service.offset, both.offset} <= {offset for offset, _, _ in await told(scene)}
    alone = Scene(store, partition=9)
    alone.say("calendar.issued", YEAR_2026)
    service = served(alone, "2026-03-24", number=400, document=399)
    await alone.fold()
    assert (service.offset, "2026-03-23", service.offset) in await told(alone), "of an unknown decision the service's own day counts"


async def a_decision_served_over_a_years_end_is_settled_by_its_calendar(store: Any) -> None:
    scene = Scene(store)
    scene.say("calendar.issued", YEAR_2026)
    decision = decided(scene, "2027-01-07", occurred="2026-12-01")
    served(scene, "2027-01-04", on="2026-12-29")
    await scene.fold()
    assert await told(scene) == [(decision.offset, "2027-01-05", decision.offset + 1)]
    await scene.restart()
    issued = scene.say("calendar.issued", YEAR_2027)
    await scene.fold([issued])
    assert await told(scene) == []
    assert [(one["kind"], one["event"]["offset"]) for one in await scene.data()] == [("late_entry_retracted", decision.offset)]


async def a_services_shape_is_checked(store: Any) -> None:
    scene = Scene(store)
    unreadable = [
        scene.say("document.served", {"occurred_on": "2026-03-16", "document": 7, "service": {"served_on": "2026-03-16"}}),
        scene.say("document.served", {"occurred_on": "2026-03-16", "document": "\0", "service": {"served_on": "2026-03-16"}}),
        scene.say("document.served", {"occurred_on": "2026-03-16", "document": "d"}),
        scene.say("inspection.recorded", {"occurred_on": "2026-03-16", "regime": 7}),
        scene.say("sampling.recorded", {"occurred_on": "2026-03-16", "result_on": "soon"}),
        scene.say("score.recorded", {"occurred_on": "2026-03-16", "regime": "\0"}),
    ]
    await scene.fold()
    assert [one["cause"]["offset"] for one in await scene.data() if one["kind"] == "unreadable_fact"] == [one.offset for one in unreadable]


async def no_further_registration_takes_a_regime_away(store: Any) -> None:
    """As rating folds them: registrations, declared statuses, scores and inspections with a result add up."""
    scene = Scene(store)
    others = [
        ("enterprise.registered", {"regimes": ["elsewhere"]}),
        ("enterprise.status.declared", {"regime": "elsewhere", "status": "exempt"}),
        ("score.recorded", {"regime": "elsewhere", "year": 2025}),
        ("inspection.recorded", {"regime": "elsewhere", "component_scores": {"a": 5}}),
    ]
    scene.say("enterprise.registered", {"regimes": ["liyujiang"]})
    for kind, data in others:
        scene.say(kind, data)
        scene.say("inspection.recorded", {"occurred_on": "2026-03-02"})
    await scene.fold()
    assert len(await told(scene)) == 4
    await scene.restart()
    await scene.fold([scene.say("inspection.recorded", {"occurred_on": "2026-03-02", "regime": "elsewhere"})])
    assert len(await told(scene)) == 5, "naming another regime exempts from none that rates the subject"


async def a_declared_status_a_score_or_a_result_alone_makes_a_regime_rate(store: Any) -> None:
    for number, (kind, data) in enumerate(
        [
            ("enterprise.status.declared", {"regime": "liyujiang", "status": "exempt"}),
            ("score.recorded", {"regime": "liyujiang", "year": 2025}),
            ("inspection.recorded", {"regime": "liyujiang", "published_outcome": "5"}),
        ]
    ):
        scene = Scene(store, partition=number)
        subject = f"uscc:{number:018d}"
        scene.say("enterprise.registered", {"regimes": ["elsewhere"]}, subject=subject)
        scene.say("inspection.recorded", {"occurred_on": "2026-03-02"}, subject=subject, number=500 + number)
        scene.say(kind, data, subject=subject, number=600 + number)
        late = scene.say("inspection.recorded", {"occurred_on": "2026-03-03"}, subject=subject, number=700 + number)
        before = len(await told(scene))
        await scene.fold()
        found = (await told(scene))[before:]
        assert [offset for offset, _, _ in found] == [late.offset], kind


SERVICES = [
    a_decision_is_judged_when_its_service_comes_by_itself,
    a_decision_entered_after_its_service_is_judged_at_once,
    in_one_batch_or_two_the_findings_are_the_same,
    the_end_of_the_activity_after_its_service_is_day_zero,
    the_first_service_counts_and_only_the_decision_of_the_same_subject,
    another_sources_decision_of_the_same_id_is_judged_for_itself,
    a_service_before_go_live_s_decision_sets_no_deadline,
    a_decision_served_over_a_years_end_is_settled_by_its_calendar,
    a_services_shape_is_checked,
    no_further_registration_takes_a_regime_away,
    a_declared_status_a_score_or_a_result_alone_makes_a_regime_rate,
]
