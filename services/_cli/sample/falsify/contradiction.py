"""Records of the same days that can't both be so; and records that only seem to gainsay each other."""

from __future__ import annotations

from datetime import date
from random import Random

from services._cli.sample.acts import at
from services._cli.sample.enterprises import Enterprise
from services._cli.sample.falsify.doings import fine, items, pair, penalty, sample, visit
from services._cli.sample.falsify.ground import Ground, Row
from services._cli.sample.people import RETAIL, staff

KIND = "contradiction"


def sow(ground: Ground) -> None:
    """Of visits, of samples, of a case."""
    rng = ground.chance(KIND)
    if ground.plants:
        one, day = ground.take(office=RETAIL), ground.evening(rng)
        bad = [{"code": "GSP-51", "result": "fail", "remark": "样例：冷藏柜温度超限"}, *items(rng, first=12)]
        good = [{"code": "GSP-51", "result": "pass"}, *items(rng, first=12)]
        four = rng.sample(staff(one.office), 4)
        times = [(at(day, 18, 5), at(day, 18, 40)), (at(day, 18, 50), at(day, 19, 20))]
        first = visit(ground, one, day, rng, officers=(four[0], four[1]), time=times[0], items=bad, violations=["GSP-51"])
        second = visit(ground, one, day, rng, officers=(four[2], four[3]), time=times[1], items=good)
        ground.sow(KIND, True, [first, second], "the same item failed and passed at two visits of one day")
        one, day = ground.take(office=RETAIL), ground.day(rng)
        number = f"样例样〔{day.year}〕{rng.randint(1, 99999)}号"
        first = sample(ground, one, day, rng, result="unqualified", sample_no=number)
        again = {name: value for name, value in first.data.items() if name not in ("entered_by", "result", "report_no")}
        second = sample(ground, one, day, rng, days_later=2, **again)
        ground.sow(KIND, True, [first, second], "one sample, found unqualified and qualified")
        _case(ground, rng, True)
        row = visit(ground, ground.take(office=RETAIL), ground.day(rng), rng, items=good, violations=["GSP-51"])
        ground.sow(KIND, True, [row], "one record passes an item and finds it violated")
        one = ground.take(office=RETAIL)
        row = visit(ground, one, ground.day(rng), rng, items=[{"code": "YP-305", "result": "pass"}, *items(rng)])
        opened = _opened(ground, one, row.day, rng, ["YP-305"])
        ground.sow(KIND, True, [row, opened], "an item passed on the day on which a case was opened for it")
    if ground.likens:
        one, day = ground.take(office=RETAIL), ground.evening(rng)
        team = pair(one, rng)
        bad = [{"code": "GSP-52", "result": "fail", "remark": "样例：标识缺失"}, *items(rng, first=13)]
        good = [{"code": "GSP-52", "result": "pass"}, *items(rng, first=13)]
        times = [(at(day, 18, 5), at(day, 18, 35)), (at(day, 19, 10), at(day, 19, 30))]
        first = visit(ground, one, day, rng, officers=team, time=times[0], items=bad, violations=["GSP-52"])
        second = visit(ground, one, day, rng, officers=team, time=times[1], kind="recheck", items=good, corrected=["GSP-52"])
        ground.sow(KIND, False, [first, second], "put right on the same day, and found so by a re-check in the evening")
        one, day = ground.take(office=RETAIL), ground.day(rng)
        first = visit(ground, one, day, rng, items=[{"code": "GSP-61", "result": "fail"}, *items(rng, first=22)], violations=["GSP-61"])
        second = visit(ground, one, first.day, rng, kind="special", items=items(rng, first=22))
        ground.sow(KIND, False, [first, second], "a special visit on the same day that looked at other items")
        one, day = ground.take(office=RETAIL), ground.day(rng)
        numbers = [f"样例样〔{day.year}〕{rng.randint(1, 99999)}号" for _ in range(2)]
        first = sample(ground, one, day, rng, result="unqualified", sample_no=numbers[0], batch_no="YL700555")
        second = sample(ground, one, day, rng, sample_no=numbers[1], batch_no="YL700556")
        ground.sow(KIND, False, [first, second], "samples of two batches, taken on one day")
        one, day = ground.take(office=RETAIL), ground.day(rng)
        numbers = [f"样例样〔{day.year}〕{rng.randint(1, 99999)}号" for _ in range(2)]
        taken = sample(ground, one, day, rng, result="pending", sample_no=numbers[0])
        del taken.data["report_no"]
        done = ground.after(day, 6)
        result = sample(
            ground, one, day, rng, days_later=7, sample_no=numbers[0], batch_no=taken.data["batch_no"], result_on=done.isoformat()
        )
        ground.sow(KIND, False, [taken, result], "a sample that was pending, and its result")
        _case(ground, rng, False)
        one = ground.take(office=RETAIL)
        row = visit(ground, one, ground.day(rng), rng, kind="recheck", items=[{"code": "YP-305", "result": "pass"}], corrected=["YP-305"])
        opened = _opened(ground, one, row.day, rng, ["YP-305"])
        ground.sow(KIND, False, [row, opened], "put right by now, as a re-check found on the day on which the case was opened")


def _case(ground: Ground, rng: Random, planted: bool) -> None:
    """Closed without a violation on the day of its penalty; or penalised for one act and closed so."""
    one, day = ground.take(office=RETAIL), ground.day(rng)
    lead = staff(one.office)[0]
    opened = _opened(ground, one, day, rng, ["YP-203", "YP-104"])
    number = opened.data["case_no"]
    decided = ground.after(day, 12)
    decision = penalty(ground, one, decided, rng, act=fine(one, rng, violation="YP-203"), case_no=number)
    closed = ground.enter(
        "case.closed",
        one.subject,
        lead,
        {"occurred_on": decided.isoformat(), "case_no": number, "outcome": "no_violation" if planted else "penalised"},
        at(ground.after(decided, 2), 10),
    )
    if planted:
        ground.sow(KIND, True, [decision, closed], "a case closed as without a violation on the day of its penalty")
    else:
        ground.sow(KIND, False, [opened, decision, closed], "of two suspicions one was penalised, and the case closed so")


def _opened(ground: Ground, one: Enterprise, day: date, rng: Random, violations: list[str]) -> Row:
    data = {"occurred_on": day.isoformat(), "case_no": f"待编{rng.getrandbits(60):015x}", "violations": violations}
    return ground.enter("case.opened", one.subject, staff(one.office)[0], data, at(ground.after(day, 1), 10))
