"""Another department's decisions that have no entry here, and entries that its list doesn't have.

五(四) ¶4, R7: a penalty of another department lowers the grade. The department's own list (``other_department_list.received``) is the other
source. A decision on it about an enterprise that is rated here has to be entered within so many working days after the list came; how
many is a parameter of the rulebook (``reconciliation_working_days``), set by the operator. The other way round, an entry
of an office about a decision of a department whose list it has for the day should be on that list.

A decision entered late stays a matter, with the day; one that was never due here (a subject that isn't rated, before go-live) is none.
Entered for the enterprise's predecessor or successor it is entered (R19), and so it is as a penalty under its number. An entry taken
back is none; numbers are compared as they are read, whatever the brackets (``numbers``). An unlisted entry's matter ends when a later
list has it or the entry is taken back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from schemas.ids import scheme_of
from schemas.rulebook import Parameter, Rulebook
from services.audit.domain import regimes
from services.audit.domain.dates import en_day, zh_day
from services.audit.domain.detectors import acting
from services.audit.domain.detectors.acting import Words
from services.audit.domain.detectors.groups import Groups, Key, Matters, Member
from services.audit.domain.detectors.ledger import Ledger
from services.audit.domain.detectors.model import Closed, Declared, Entry, Innocent, Scene, Sign, shown
from services.audit.domain.detectors.numbers import written
from services.audit.domain.detectors.saying import ended, local_day, value
from services.audit.domain.detectors.succession import SUCCEEDED, Successions

DECLARED = Declared(
    kind="not_entered",
    version=2,
    about="office",
    proposes="hearing",
    clause="五(四) ¶4",
    readings=("R7", "R12", "R19"),
    zh="其他部门的决定与录入不符",
    en="Another department's decisions and the entries don't match",
    rests_on_zh="五(四) ¶4、R7：该部门自己的名单是其处罚的另一来源。",
    rests_on_en="五(四) ¶4, R7: the department's own list is the second source for its penalties.",
    explanations=(
        Innocent("entered_since", "期限届满后已录入", "entered since, after the term"),
        Innocent("entered_for_another", "以另一企业的名义录入", "entered for another enterprise"),
        Innocent("other_number", "录入时使用了另一文号", "entered under another number"),
        Innocent("list_incomplete", "该部门的名单不完整", "the department's list is incomplete"),
        Innocent("another_period", "决定载于另一期名单", "the decision belongs into another period's list"),
        Innocent("provisional_calendar", "涉及的年度尚未发布工作日历", "the calendar of a year concerned is not issued yet"),
    ),
    clears_zh="该决定已录入；或者该部门更正其名单，或证明决定已撤销、与该企业无关。",
    clears_en="The decision is entered; or the department mends its list, or shows that it was undone or concerns somebody else.",
)

DAYS = "reconciliation_working_days"
LIST = "other_department_list.received"
_OTHER, _OWN = "other_department.penalised", "penalty.decided"


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What a regime's rulebook says about entering other departments' decisions."""

    regime: str
    time_zone: str
    schemes: frozenset[str]
    days: Parameter

    @staticmethod
    def of(rulebook: Rulebook) -> Reconciliation | None:
        """The rulebook's rule, or None where it has none."""
        found = next((one for one in rulebook.parameters if one.name == DAYS), None)
        header = rulebook.header
        return Reconciliation(header.regime, header.time_zone, frozenset(header.schemes), found) if found else None


@dataclass(frozen=True, slots=True)
class _List:
    """A list as received by an office, or a part of one. ``first``, ``last``: its period."""

    entry: Entry
    office: str
    authority: str
    first: str
    last: str
    received: date


@dataclass(frozen=True, slots=True)
class _Line:
    """A decision on a list, by the rule of one regime."""

    rule: Reconciliation
    of: _List
    number: str
    subject: str
    decided: str | None

    @property
    def matter(self) -> str:
        return f"missing {self.of.authority} {self.number} {self.subject} {self.rule.regime}"


class NotEntered:
    """Lists and entries, held against each other when a day closes. ``rules``: of every regime with the parameter its newest edition's."""

    declared = DECLARED
    types = acting.TYPES | {LIST, _OTHER, _OWN, SUCCEEDED} | {acting.short(kind) for kind in regimes.TYPES}

    def __init__(self, rules: Sequence[Reconciliation], ledger: Ledger | None = None) -> None:
        self._rules = tuple(rules)
        self._groups = Groups(ledger or Ledger(), _keys, most=None)
        self._matters = Matters()
        self._successions = Successions()
        self._rated: dict[str, frozenset[str]] = {}
        self._lists: dict[tuple[str, str], list[_List]] = {}
        self._listed: set[tuple[str, str]] = set()
        self._lines: dict[str, _Line] = {}
        self._by_number: dict[str, list[str]] = {}
        # What has to be looked at when the day closes: lines not settled yet or touched since, and pairs of office and authority.
        self._open: dict[str, None] = {}
        self._touched: dict[tuple[str, str], None] = {}

    def take(self, entry: Entry, scene: Scene) -> Iterable[Sign]:
        if entry.type == LIST:
            self._receive(entry)
        elif entry.type == SUCCEEDED:
            self._successions.take(entry)
            self._open |= dict.fromkeys(self._lines)
        elif entry.type in (_OTHER, _OWN) or entry.type in acting.TYPES:
            for key in self._groups.take(entry):
                if key[0] == "authority":
                    self._touched[key[1], key[2]] = None
                else:
                    self._open |= dict.fromkeys(self._by_number.get(key[-1], ()))
        else:
            found = regimes.regimes_in({"type": f"mingjian.{entry.type}.v1", "data": entry.data})
            if found:
                self._rated[entry.subject] = self._rated.get(entry.subject, frozenset()).union(found)
        return ()

    def _receive(self, entry: Entry) -> None:
        data, office = entry.data, entry.subject.partition(":")[2]
        one = _List(entry, office, data["authority"], data["period_from"], data["period_to"], date.fromisoformat(data["occurred_on"]))
        held = self._lists.setdefault((office, one.authority), [])
        if any((other.entry.source, other.entry.id) == (entry.source, entry.id) for other in held):
            return
        held.append(one)
        for decision in data["decisions"]:
            number, subject = decision["document_no"], decision["subject"]
            self._listed.add((one.authority, written(number)))
            for rule in self._rules:
                line = _Line(rule, one, number, subject, decision.get("decided_on"))
                if scheme_of(subject) in rule.schemes and line.matter not in self._lines:
                    self._lines[line.matter] = line
                    self._by_number.setdefault(written(number), []).append(line.matter)
                    self._open[line.matter] = None
        # A list may have what an earlier one lacked, of whichever office it was.
        self._touched |= dict.fromkeys(pair for pair in self._lists if pair[1] == one.authority)

    def close(self, closed: Closed) -> Iterator[Sign]:
        known = closed.scene.registry.at(closed.scene.stamp)
        live = {rule.regime: day for rule in self._rules if rule.regime in known.active and (day := known.go_live.get(rule.regime))}
        still: dict[str, None] = {}
        for matter in self._open:
            line = self._lines[matter]
            begins = live.get(line.rule.regime)
            if begins is not None and line.of.received >= begins and line.rule.regime in self._rated.get(line.subject, ()):
                signs, settled = self._of_line(line, closed)
                yield from self._matters.settle({("line", matter): signs}, lambda sign: ended(sign, (), *_ENDED))
                still |= {} if settled else {matter: None}
        self._open = still
        unsettled: dict[tuple[str, str], None] = {}
        for office, authority in self._touched:
            signs, settled = self._unlisted(office, authority, live, closed)
            yield from self._matters.settle({("authority", office, authority): signs}, lambda sign: ended(sign, (), *_ENDED))
            unsettled |= {} if settled else {(office, authority): None}
        self._touched = unsettled

    def _of_line(self, line: _Line, closed: Closed) -> tuple[list[Sign], bool]:
        """The signs of a line, and whether only new entries could change them."""
        days = line.rule.days.at(line.of.received)
        if days is None:
            return [], True
        term = closed.scene.calendar.nth_after(line.of.received, int(days))
        same = self._successions.same
        others = self._groups.members(("other", line.of.authority, written(line.number)))
        entries = [*others, *self._groups.members(("own", written(line.number)))]
        own = [one for one in entries if same(one.entry.subject, line.subject)]
        late = min((local_day(one.entry.received, line.rule.time_zone) for one in own), default=None)
        if late is not None and late <= term.day:
            return [], not term.provisional
        if closed.through < term.day:
            return [], False
        of_office = self._groups.members(("authority", line.of.office, line.of.authority))
        holds = {
            "entered_since": late is not None,
            "entered_for_another": len(others) > len([one for one in others if one in own]),
            "other_number": any(_same_decision(line, one) for one in of_office),
            "provisional_calendar": term.provisional,
        }
        return [_missing(line, own, (term.day, int(days), late), holds, closed)], not term.provisional

    def _unlisted(self, office: str, authority: str, live: Mapping[str, date], closed: Closed) -> tuple[list[Sign], bool]:
        """Entries of an office that no list of the authority has, and whether only new entries or lists could change that."""
        signs, settled = [], True
        for one in self._groups.members(("authority", office, authority)):
            day = one.words.data["occurred_on"]
            lists = [each for each in self._lists.get((office, authority), ()) if each.first <= day <= each.last]
            rule = next((each for each in self._rules if scheme_of(one.entry.subject) in each.schemes and each.regime in live), None)
            if not lists or rule is None or (authority, written(one.words.data["document_no"])) in self._listed:
                continue
            latest = max(lists, key=lambda each: each.received)
            days = rule.days.at(latest.received)
            if days is None or latest.received < live[rule.regime]:
                continue
            if closed.through < closed.scene.calendar.nth_after(latest.received, int(days)).day:
                settled = False
            else:
                signs.append(_extra(rule, latest, one))
        return signs, settled


_ENDED = (
    "名单与录入现已相符，或者该项录入已不再有效。",
    "List and entries match by now, or the entry is no longer in effect.",
)


def _keys(entry: Entry, words: Words) -> list[Key]:
    data = words.data
    if words.type == _OTHER:
        return [("other", data["authority"], written(data["document_no"])), ("authority", entry.source, data["authority"])]
    return [("own", written(data["document_no"]))] if words.type == _OWN else []


def _same_decision(line: _Line, one: Member) -> bool:
    """An entry for the same enterprise and day under another number."""
    data = one.words.data
    return (
        one.entry.subject == line.subject and data["occurred_on"] == line.decided and written(data["document_no"]) != written(line.number)
    )


def _missing(line: _Line, own: list[Member], term: tuple[date, int, date | None], holds: Mapping[str, bool], closed: Closed) -> Sign:
    last, days, late = term
    first = min(own, key=lambda one: one.entry.received) if own else None
    of_zh = f"（{zh_day(line.decided)}）" if line.decided else ""
    of_en = f" of {en_day(line.decided)}" if line.decided else ""
    zh_after = f"{zh_day(late)}录入" if late else "截至该日未录入"
    en_after = f"it was entered on {en_day(late)}" if late else "by then there was no entry"
    return Sign(
        matter=line.matter,
        office=line.of.office,
        subject=line.subject,
        regime=line.rule.regime,
        zh=f"{line.of.authority}的名单于{zh_day(line.of.received)}收到，载有决定{line.number}{of_zh}；其后{days}个工作日的最后一天为{zh_day(last)}，"
        f"{zh_after}。",
        en=f"The list of {line.of.authority} received on {en_day(line.of.received)} has the decision {line.number}{of_en}. The last of "
        f"{days} working days after it was {en_day(last)}; {en_after}.",
        entry=shown(first.entry, "entry") if first else None,
        shown=(shown(line.of.entry, "list"), *((shown(first.entry, "entry"),) if first else ())),
        values=(("entered_on", late.isoformat() if late else "-", last.isoformat()), ("document_no", value(line.number), None)),
        supported=frozenset(code for code, so in holds.items() if so),
    )


def _extra(rule: Reconciliation, of: _List, one: Member) -> Sign:
    data = one.words.data
    return Sign(
        matter=f"unlisted {one.entry.source} {one.entry.id}",
        office=one.entry.source,
        subject=one.entry.subject,
        regime=rule.regime,
        zh=f"录入的{of.authority}{zh_day(data['occurred_on'])}的决定{data['document_no']}，不在该部门的名单上；名单涵盖{zh_day(of.first)}至"
        f"{zh_day(of.last)}，于{zh_day(of.received)}收到。",
        en=f"The decision {data['document_no']} of {of.authority} of {en_day(data['occurred_on'])} was entered, and the authority's list "
        f"from {en_day(of.first)} to {en_day(of.last)}, received on {en_day(of.received)}, doesn't have it.",
        entry=shown(one.entry, "entry"),
        shown=(shown(one.entry, "entry"), shown(of.entry, "list")),
        concerns=tuple(filter(None, [one.entry.data.get("entered_by")])),
        values=(("document_no", value(data["document_no"]), None),),
    )
