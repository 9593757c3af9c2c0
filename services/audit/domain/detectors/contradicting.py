"""The rules of ``contradiction``, each over the entries of one group: of a subject's day, of a case, of a sample, of one inspection.

A pair is said once for each rule, with all codes that it contradicts itself in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

from services.audit.domain.dates import en_day, zh_day
from services.audit.domain.detectors.groups import Key, Member
from services.audit.domain.detectors.saying import value
from services.audit.domain.detectors.wording import OUTCOMES

Look = Callable[[Key], list[Member]]
"""The members of a group."""

# An inspection of these kinds says how things are now, after what was found before.
_AFTERWARDS = frozenset({"recheck", "reopening"})


@dataclass(frozen=True, slots=True)
class Clash:
    """Entries that can't all be so, by which rule, in words."""

    rule: str
    members: tuple[Member, ...]
    zh: str
    en: str
    values: tuple[tuple[str, str, str | None], ...] = ()
    supported: frozenset[str] = frozenset()

    @property
    def matter(self) -> str:
        """The rule and the entries it is about."""
        return " ".join((self.rule, *sorted(f"{one.entry.source} {one.entry.id}" for one in self.members)))


def clashes(key: Key, look: Look) -> Iterator[Clash]:
    """All of a group, by every rule that is about such groups."""
    members = look(key)
    if key[0] == "inspection":
        yield from _item_both_ways(members)
    elif key[0] == "day":
        yield from _passed_beside_case(members)
        yield from _opposite_inspections(members)
        yield from _full_score_despite(members, look)
    elif key[0] == "case":
        yield from _closed_yet_penalised(members)
        yield from _case_closed_two_ways(members)
    else:
        yield from _sample_two_results(members)


def _item_both_ways(members: list[Member]) -> Iterator[Clash]:
    for one in members:
        if codes := passed(one) & violated(one):
            day, listed = one.words.data["occurred_on"], _listed(codes)
            zh = f"{zh_day(day)}的检查记录将条目{listed}记为合格，又将其列为发现的违法行为。"
            en = f"The inspection of {en_day(day)} passes item {listed} and lists it as a violation found."
            yield Clash("item_both_ways", (one,), zh, en, (("codes", listed, None),), frozenset())


def _passed_beside_case(members: list[Member]) -> Iterator[Clash]:
    for inspection in _of(members, "inspection.recorded"):
        for case in _of(members, "case.opened"):
            codes = passed(inspection) & set(case.words.data["violations"]) - violated(inspection) - corrected(inspection)
            if not codes or inspection.words.data["kind"] in _AFTERWARDS:
                continue
            day, listed, number = inspection.words.data["occurred_on"], _listed(codes), case.words.data["case_no"]
            found = any(codes & violated(one) for one in _of(members, "inspection.recorded") if one is not inspection)
            apart = inspection.entry.source != case.entry.source
            yield Clash(
                "passed_beside_case",
                (inspection, case),
                f"{zh_day(day)}的检查将条目{listed}记为合格，同日却就{listed}立案（{number}）。",
                f"The inspection of {en_day(day)} passes item {listed}; on the same day a case ({number}) was opened for {listed}.",
                (("codes", listed, None), ("case_no", value(number), None)),
                _codes(two_looks=found, other_office=apart, another_source=apart),
            )


def _opposite_inspections(members: list[Member]) -> Iterator[Clash]:
    for one, other in combinations(_of(members, "inspection.recorded"), 2):
        regimes = {one.words.data.get("regime"), other.words.data.get("regime")} - {None}
        if len(regimes) == 2 or _AFTERWARDS & {one.words.data["kind"], other.words.data["kind"]}:
            continue
        put_right = corrected(one) | corrected(other)
        # What one of them says both ways is its own contradiction, not one between the two.
        codes = {code for a, b in ((one, other), (other, one)) for code in passed(a) - violated(a) & violated(b) - passed(b) - put_right}
        if codes:
            day, listed = one.words.data["occurred_on"], _listed(codes)
            yield Clash(
                "opposite_inspections",
                (one, other),
                f"{zh_day(day)}的两次检查，一次将条目{listed}记为合格，另一次将其列为违法行为。",
                f"Of the two inspections of {en_day(day)} one passes item {listed}, the other lists it as a violation.",
                (("codes", listed, None),),
                _codes(two_looks=_apart(one, other), other_office=one.entry.source != other.entry.source),
            )


def _full_score_despite(members: list[Member], look: Look) -> Iterator[Clash]:
    samples = [one for one in _of(members, "sampling.recorded") if one.words.data["result"] == "unqualified"]
    clean = [one for one in _of(members, "inspection.recorded") if not violated(one) and not failed(one)]
    for sample in samples if clean else ():
        day = sample.words.data["occurred_on"]
        known = sample.words.data.get("result_on") or day
        for score in _of(look(("year", sample.entry.subject, day[:4])), "score.recorded"):
            if score.words.data["occurred_on"] < known:
                continue
            total = score.words.data["total"]
            yield Clash(
                "full_score_despite",
                (clean[0], sample, score),
                f"{zh_day(day)}抽验不合格，同日的检查却未发现问题，当年最终评分为满分{total}。",
                f"The sample of {en_day(day)} failed, the inspection of that day found nothing, and the year's final score is the full "
                f"{total}.",
                (("total", total, score.words.data["maximum"]),),
                _codes(other_office=len({one.entry.source for one in (clean[0], sample, score)}) > 1),
            )


def _closed_yet_penalised(members: list[Member]) -> Iterator[Clash]:
    for closed in _of(members, "case.closed"):
        for penalty in _of(members, "penalty.decided"):
            if closed.words.data["outcome"] != "no_violation":
                continue
            number, days = closed.words.data["case_no"], (closed.words.data["occurred_on"], penalty.words.data["occurred_on"])
            decision = penalty.words.data["document_no"]
            yield Clash(
                "closed_without_violation_yet_penalised",
                (closed, penalty),
                f"案件{number}于{zh_day(days[0])}以“无违法行为”结案，而该案另有{zh_day(days[1])}的处罚决定（{decision}）。",
                f"Case {number} was closed on {en_day(days[0])} as no violation; a penalty of the case ({decision}) was decided on "
                f"{en_day(days[1])}.",
                (("case_no", value(number), None), ("document_no", value(decision), None)),
                _codes(code_mistyped=closed.entry.subject != penalty.entry.subject),
            )


def _case_closed_two_ways(members: list[Member]) -> Iterator[Clash]:
    for one, other in combinations(_of(members, "case.closed"), 2):
        outcomes = one.words.data["outcome"], other.words.data["outcome"]
        if outcomes[0] != outcomes[1]:
            number, days = one.words.data["case_no"], (one.words.data["occurred_on"], other.words.data["occurred_on"])
            (zh_one, en_one), (zh_other, en_other) = (OUTCOMES[outcome] for outcome in outcomes)
            yield Clash(
                "case_closed_two_ways",
                (one, other),
                f"案件{number}录入了两种结果：{zh_day(days[0])}{zh_one}，{zh_day(days[1])}{zh_other}。",
                f"Case {number} was entered with two outcomes: {en_one} on {en_day(days[0])}, {en_other} on {en_day(days[1])}.",
                (("outcome", outcomes[1], outcomes[0]),),
                _codes(code_mistyped=one.entry.subject != other.entry.subject),
            )


def _sample_two_results(members: list[Member]) -> Iterator[Clash]:
    for one, other in combinations(_of(members, "sampling.recorded"), 2):
        if {one.words.data["result"], other.words.data["result"]} == {"qualified", "unqualified"}:
            number, days = one.words.data["sample_no"], (one.words.data["occurred_on"], other.words.data["occurred_on"])
            yield Clash(
                "sample_two_results",
                (one, other),
                f"样品{number}录入了合格和不合格两种结果（{zh_day(days[0])}、{zh_day(days[1])}）。",
                f"Sample {number} was entered as qualified and as unqualified ({en_day(days[0])}, {en_day(days[1])}).",
                (("sample_no", value(number), None),),
                _codes(code_mistyped=one.entry.subject != other.entry.subject),
            )


def passed(one: Member) -> set[str]:
    """Codes of items that the inspection passes."""
    return {item["code"] for item in one.words.data.get("items") or () if item["result"] == "pass"}


def failed(one: Member) -> set[str]:
    """Codes of items that it fails."""
    return {item["code"] for item in one.words.data.get("items") or () if item["result"] == "fail"}


def violated(one: Member) -> set[str]:
    """Codes of violations that it found."""
    return set(one.words.data.get("violations") or ())


def corrected(one: Member) -> set[str]:
    """Codes that it found put right."""
    return set(one.words.data.get("corrected") or ())


def _of(members: Iterable[Member], kind: str) -> list[Member]:
    return [one for one in members if one.words.type == kind]


def _apart(one: Member, other: Member) -> bool:
    """Whether their times say that one look was over before the other began."""
    spans = [(member.words.data.get("started_at"), member.words.data.get("ended_at")) for member in (one, other)]
    if not all(begin and end for begin, end in spans):
        return False
    (_, first_end), (second_begin, _) = sorted(spans)
    return bool(first_end[:19] <= second_begin[:19])


def _codes(**holds: bool) -> frozenset[str]:
    return frozenset(code for code, so in holds.items() if so)


def _listed(codes: Iterable[str]) -> str:
    return value(", ".join(sorted(codes)))
