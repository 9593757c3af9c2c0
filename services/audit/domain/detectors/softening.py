"""In what a new wording of an entry is milder than the old one, or takes it out of a period that was evaluated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple, get_args

from schemas.events.penalty import PenaltyKind
from services.audit.domain.detectors.acting import Words
from services.audit.domain.detectors.saying import value
from services.audit.domain.detectors.wording import OUTCOMES, penalties

# In the contract's order, which runs from the mildest to the gravest.
_RANK = {kind: place for place, kind in enumerate(get_args(PenaltyKind))}
_ACTS = ("penalty.decided", "other_department.penalised")
# Documents that are one sanction by their type; below and above what a penalty may impose.
_SANCTION = {
    "correction.ordered": ("correction_ordered", -3),
    "announcement.made": ("announcement", -2),
    "warning.issued": ("warning", _RANK["warning"]),
    "permit.revoked": ("permit_revoked", _RANK["permit_revoked"]),
    "obstruction.determined": ("obstruction", len(_RANK)),
    "crime.judged": ("crime", len(_RANK) + 1),
}
_OUTCOMES = ("no_violation", "transferred", "violation_no_penalty", "penalised")
_FAVOURABLE = frozenset({"rectification.reported", "self_inspection.reported"})
TYPES = frozenset({*_ACTS, *_SANCTION, *_FAVOURABLE, "inspection.recorded", "sampling.recorded", "case.closed", "score.recorded"}) | {
    "document.served"
}


class Evaluated(NamedTuple):
    """An evaluation that was closed. ``first``, ``last``: its period; ``place``: of the event in the ledger."""

    regime: str
    first: date
    last: date
    on: date
    place: int


class Milder(NamedTuple):
    """In what: ``name`` is a word for it; ``zh`` and ``en`` say it."""

    name: str
    now: str
    before: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Read:
    """What of an entry's words can be milder."""

    kinds: Counter[str]
    worst: int
    codes: frozenset[str]
    day: date
    awaits: bool
    adverse: bool
    favourable: bool
    total: Decimal | None
    outcome: str | None


def day_of(words: Words) -> date:
    """The day on which it takes effect: of its service, of a year's score the year's last day, else of the act."""
    data = words.data
    if words.type == "score.recorded":
        return date(data["year"], 12, 31)
    return date.fromisoformat((data.get("service") or {}).get("served_on") or data["occurred_on"])


def read(words: Words) -> Read:
    """The same."""
    data = words.data
    kinds, codes = _kinds(words), frozenset(_codes(words))
    outcome = data.get("outcome") if words.type == "case.closed" else data.get("result") if words.type == "sampling.recorded" else None
    ranks = dict(_SANCTION.values()) | _RANK
    return Read(
        kinds=kinds,
        worst=max((ranks[kind] for kind in kinds), default=-9),
        codes=codes,
        day=day_of(words),
        awaits=words.type in (*_ACTS, *_SANCTION) and not data.get("service"),
        adverse=bool(kinds or codes) or outcome in ("unqualified", "penalised", "violation_no_penalty") or words.type == "document.served",
        favourable=words.type in _FAVOURABLE or bool(data.get("corrected")),
        total=Decimal(data["total"]) if words.type == "score.recorded" and data["final"] else None,
        outcome=outcome,
    )


def _kinds(words: Words) -> Counter[str]:
    if words.type in _ACTS:
        return Counter(kind for act in words.data["acts"] for kind in act["kinds"])
    return Counter([_SANCTION[words.type][0]] if words.type in _SANCTION else [])


def _codes(words: Words) -> Iterator[str]:
    data: Mapping[str, Any] = words.data
    if words.type in _FAVOURABLE:
        return
    yield from data.get("violations") or ()
    yield from filter(None, [data.get("violation")])
    if words.type in _ACTS:
        yield from (act["violation"] for act in data["acts"])
    yield from (item["code"] for item in data.get("items") or () if item["result"] == "fail")


def milder(before: Words, after: Words | None, evaluated: Iterable[Evaluated]) -> list[Milder]:
    """In what ``after`` is milder; ``after`` None: taken back. ``evaluated``: those closed before the new words came.

    A code or day that is only put in the place of another is an error put right, and none of it is milder."""
    old = read(before)
    if after is None:
        back = Milder("taken_back", "-", value(before.type), "录入被撤回", "the entry was taken back")
        return [back] if old.adverse else []
    new = read(after)
    return [*_less(old, new), *_moved(old, new, list(evaluated))]


def _less(old: Read, new: Read) -> Iterator[Milder]:
    gone, added = old.kinds - new.kinds, new.kinds - old.kinds
    if gone and (not added or new.worst < old.worst):
        names = (_text(new.kinds), _text(old.kinds))
        (zh, en), (zh_old, en_old) = penalties(new.kinds), penalties(old.kinds)
        yield Milder("kinds", *names, f"处罚种类由{zh_old}改为{zh}", f"the kinds of penalty went from {en_old} to {en}")
    if old.codes > new.codes:
        codes = (_text(new.codes), _text(old.codes))
        yield Milder("codes", *codes, f"违法条目由{codes[1]}改为{codes[0]}", f"the violations went from {codes[1]} to {codes[0]}")
    if old.total is not None and new.total is not None and new.total > old.total:
        totals = (str(new.total), str(old.total))
        yield Milder("total", *totals, f"最终评分由{totals[1]}改为{totals[0]}", f"the final score went from {totals[1]} to {totals[0]}")
    if old.outcome == "unqualified" and new.outcome == "qualified":
        yield Milder("result", "qualified", "unqualified", "抽验结果由不合格改为合格", "the sample went from unqualified to qualified")
    if old.outcome in _OUTCOMES and new.outcome in _OUTCOMES and _OUTCOMES.index(new.outcome) < _OUTCOMES.index(old.outcome):
        outcomes = (str(new.outcome), str(old.outcome))
        (zh, en), (zh_old, en_old) = (OUTCOMES[one] for one in outcomes)
        yield Milder("outcome", *outcomes, f"案件结果由{zh_old}改为{zh}", f"the outcome of the case went from {en_old} to {en}")
    if new.awaits and not old.awaits and old.kinds:
        yield Milder("service", "-", old.day.isoformat(), "删去了送达", "its service was left out")


def _moved(old: Read, new: Read, evaluated: list[Evaluated]) -> Iterator[Milder]:
    days = (new.day.isoformat(), old.day.isoformat())
    if old.day == new.day:
        return
    for one in evaluated:
        period = f"{one.first}–{one.last}"
        if old.adverse and one.first <= old.day <= one.last and not one.first <= new.day <= one.last:
            zh, en = f"日期由{days[1]}移出已评定的期间（{period}）", f"the day {days[1]} was moved out of the evaluated period {period}"
            yield Milder("day", *days, f"{zh}，改为{days[0]}", f"{en}, to {days[0]}")
            return
        if old.adverse and one.first <= new.day <= one.last < old.day:
            zh, en = (
                f"日期由{days[1]}移入更早的已评定期间（{period}）",
                f"the day {days[1]} was moved back into the evaluated period {period}",
            )
            yield Milder("day", *days, f"{zh}，改为{days[0]}", f"{en}, to {days[0]}")
            return
        if old.favourable and not old.adverse and one.first <= new.day <= one.last < old.day:
            zh, en = f"日期由{days[1]}移入已评定的期间（{period}）", f"the day {days[1]} was moved into the evaluated period {period}"
            yield Milder("day", *days, f"{zh}，改为{days[0]}", f"{en}, to {days[0]}")
            return


def _text(names: Iterable[str]) -> str:
    return value(", ".join(sorted(names)))
