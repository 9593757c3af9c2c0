"""A visit that performs a duty and left nothing behind is found; where the office's visits leave nothing anyway, it is not."""

from __future__ import annotations

from typing import Any

import pytest

from services.audit.domain.detectors.model import Entry
from services.audit.domain.detectors.no_visit import NoVisit
from tests.unit.audit.detectors.bench import OFFICE, OTHER, USCC, corrected, entry, instant, retracted, run, stays_the_same

HERE, FAR = ("30.0000000", "104.0000000"), ("30.0200000", "104.0000000")
DUTY = "0190f000-0000-7000-8000-00000000d001"
PHOTO = [{"sha256": "a" * 64, "media_type": "image/jpeg", "size": 1000}]


def position(at: tuple[str, str], accuracy: int = 20) -> dict[str, Any]:
    return {"lat": at[0], "lon": at[1], "accuracy_m": accuracy}


def bare(day: str = "2026-06-01", **more: Any) -> dict[str, Any]:
    return {"occurred_on": day, "kind": "recheck", "mode": "on_site", "officers": ["officer:test-officer"], **more}


def timed(begin: str = "09:00", end: str = "10:00", day: str = "2026-06-01", **more: Any) -> dict[str, Any]:
    return bare(day, started_at=instant(f"{day} {begin}"), ended_at=instant(f"{day} {end}"), **more)


def visit(data: dict[str, Any], at: str = "2026-06-02 10:00", **more: Any) -> Entry:
    return entry("inspection.recorded", data, at, **more)


def others(count: int = 20, **with_some: Any) -> list[Entry]:
    """Other visits of the office, each with times unless told otherwise."""
    days = [f"2026-05-{number + 1:02d}" for number in range(count)]
    made = [bare(day, **with_some) if with_some else timed(day=day) for day in days]
    return [visit(data, f"{data['occurred_on']} 18:00", subject=OTHER) for data in made]


def duty(by: Entry, state: str = "performed", at: str = "2026-06-02 10:00", kind: str = "duty.performed", id: str = DUTY) -> Entry:
    """What rating tells, with the order of its cause."""
    named = {"id": by.id, "type": f"mingjian.{by.type}.v1", "partition": by.order.partition, "offset": by.order.offset}
    data = {"duty": id, "state": state, "regime": "liyujiang", "clause": "四(三)1", "office": OFFICE, "events": [named]}
    return entry(kind, data, at, subject=by.subject, source="/services/rating/offices/none", order=by.order._replace(offset=2**50))


def judged(data: dict[str, Any], around: list[Entry], **more: Any) -> tuple[Entry, list[Entry]]:
    one = visit(data, **more)
    return one, [*around, one, duty(one)]


def elsewhere(count: int = 2, at: tuple[str, str] = HERE, accuracy: int = 20) -> list[Entry]:
    """Other visits of the subject, with their positions."""
    days = [f"2026-04-{number + 1:02d}" for number in range(count)]
    return [visit(timed(day=day, position=position(at, accuracy)), f"{day} 18:00") for day in days]


PLANTED = {
    "left_behind": judged(bare(), others()),
    "seconds": judged(timed("09:00", "09:04"), []),
    "km_away": judged(timed(position=position(FAR)), elsewhere()),
}


@pytest.mark.parametrize("what", PLANTED)
def test_a_duty_performed_by_a_visit_that_shows_none_is_found(what: str) -> None:
    one, entries = PLANTED[what]
    told = run(NoVisit(), entries).only
    assert one.id == told.entry.id and [what] == [value[0] for value in told.values]  # type: ignore[union-attr]
    assert "四(三)1" in told.zh and "2026-06-01 (Mon)" in told.en and "liyujiang" == told.regime


def registered(day: str, address: str, kind: str = "enterprise.changed") -> Entry:
    data = {"occurred_on": day, "address": address}
    more = {"name": "样例", "business_kind": "drug_retail", "regimes": ["liyujiang"]} if kind == "enterprise.registered" else {}
    return entry(kind, {**data, **more}, f"{day} 18:00")


MOVED = [registered("2026-01-05", "样例街1号", "enterprise.registered"), registered("2026-05-05", "样例街2号")]
LOOK_ALIKES: dict[str, list[Entry]] = {
    "no duty": [*others(), visit(bare())],
    "an attachment": judged(bare(attachments=PHOTO), others())[1],
    "a position": judged(bare(position=position(HERE)), others())[1],
    "the office's visits leave nothing": judged(bare(), others(note="样例"))[1],
    "an office of few visits": judged(bare(), others(19))[1],
    "five minutes": judged(timed("09:00", "09:05"), [])[1],
    "one other position": judged(timed(position=position(FAR)), elsewhere(1))[1],
    "poor accuracy": judged(timed(position=position(FAR, 1500)), elsewhere())[1],
    "near one of the others": judged(timed(position=position(FAR)), [*elsewhere(), *elsewhere(3, FAR)[2:]])[1],
    "moved": judged(timed(position=position(FAR)), [*MOVED, *elsewhere()])[1],
    "a written check": judged({**bare(), "mode": "written"}, others())[1],
    "open": [*others(), visit(bare()), duty(visit(bare()), "open")],
    "taken back before": [
        *others(),
        visit(bare()),
        retracted(visit(bare()), "2026-06-02 10:00"),
        duty(visit(bare()), at="2026-06-03 10:00"),
    ],
}


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_what_looks_alike_is_no_sign(name: str) -> None:
    assert [] == run(NoVisit(), LOOK_ALIKES[name]).signs


def test_nine_in_ten_are_nearly_all() -> None:
    some = others(20)
    blank = [visit(bare(f"2026-04-{day:02d}"), f"2026-04-{day:02d} 18:00", subject=OTHER) for day in (1, 2)]
    assert 1 == len(run(NoVisit(), judged(bare(), [*some[2:], *blank])[1]).standing)
    assert [] == run(NoVisit(), judged(bare(), [*some[2:], *blank, visit(bare("2026-04-03"), "2026-04-03 18:00", subject=OTHER)])[1]).signs


def test_paper_and_a_poor_position_are_spoken_for() -> None:
    assert {"entered_from_paper"} == run(NoVisit(), judged(bare(), others(), channel="migration")[1]).only.supported
    poor = judged(timed(position=position(("31.0000000", "104.0000000"), 5000)), elsewhere())
    assert {"poor_position"} == run(NoVisit(), poor[1]).only.supported


def ends(name: str, one: Entry) -> Entry:
    made = {
        "times added": corrected(one, timed(), "2026-06-10 10:00"),
        "taken back": retracted(one, "2026-06-10 10:00", ground="wrong_content"),
        "no longer performed": duty(one, "overdue", "2026-06-10 10:00", "duty.corrected"),
    }
    if name == "no longer performed":
        order = made[name].order._replace(known=made["taken back"].order.known)
        return entry("duty.corrected", made[name].data, "2026-06-10 10:00", subject=USCC, source=made[name].source, order=order)
    return made[name]


@pytest.mark.parametrize("name", ["times added", "taken back", "no longer performed"])
def test_what_explains_it_ends_the_matter(name: str) -> None:
    one, entries = PLANTED["left_behind"]
    told = run(NoVisit(), [*entries, ends(name, one)])
    assert [False, True] == [sign.retracted for sign in told.signs] and {} == told.standing


def test_one_visit_for_two_duties_is_two_matters() -> None:
    one, entries = PLANTED["left_behind"]
    second = duty(one, id="0190f000-0000-7000-8000-00000000d002")
    assert 2 == len(run(NoVisit(), [*entries, second]).standing)


test_copies_and_partitions_change_nothing = stays_the_same(NoVisit, PLANTED["left_behind"][1])
