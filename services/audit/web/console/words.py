"""Words of the console: names of kinds, grades, statuses, lists and clauses, as rulebooks and detectors give them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.events import CATALOGUE
from schemas.events.derived import NOT_RATED
from schemas.rulebook import Rulebook
from services.audit.domain.detectors.model import Declared
from services.audit.web.pages import KINDS

_SHADES = 6
_Names = tuple[str, str]

ABOUT: Mapping[str, _Names] = {
    "entry": ("录入", "Entries"),
    "office": ("部门职责", "Duties of offices"),
    "pattern": ("统计迹象", "Patterns"),
    "operation": ("系统运行", "The operation"),
}
PROPOSES: Mapping[str, _Names] = {
    "hearing": ("建议听取当事方意见", "Proposes to hear those concerned"),
    "check": ("建议核查，不构成处理依据", "Proposes a check, and no sanction can rest on it"),
    "correction": ("建议更正", "Proposes a correction"),
}
SUPPOSING: Mapping[str, _Names] = {
    "on_time": ("假如按期录入", "Had it been entered on time"),
    "true": ("假如如实录入", "Had it been true"),
    "never": ("假如没有这条录入", "Had it never been entered"),
}
APPROVALS: Mapping[str, _Names] = {
    "no_approval": ("无需审批", "no approval needed"),
    "soonest": ("提出当日即获批准", "approved on the day of the proposal"),
    "as_long": ("经过与实际相同的时间获批准", "approved as long after as it really was"),
    "never": ("仅以实际作出的审批为准", "approved only when it really was"),
}
WRONG: Mapping[str, _Names] = {
    "grade": ("所示等级", "Grade shown"),
    "list": ("名单", "List"),
    "measure": ("监管措施", "Measure"),
    "benefit": ("激励措施", "Benefit"),
}
ON_OFF: Mapping[str, Mapping[str, _Names]] = {
    "list": {"on": ("在名单上", "on it"), "off": ("不在名单上", "not on it")},
    "measure": {"on": ("适用", "applied"), "off": ("未适用", "not applied")},
    "benefit": {"on": ("享有", "enjoyed"), "off": ("不享有", "not enjoyed")},
}
MARKS: Mapping[str, _Names] = {
    "signed_in_time": ("签署在期限内", "signed in time"),
    "outage": ("期限内有申明的故障", "a declared outage touched its term"),
    "provisional": ("期限是暂定的：所涉年度的日历尚未发布", "its deadline is provisional: a year's calendar is not issued"),
    "ongoing": ("两条路径至今仍不同", "the paths still differ"),
    "undone_since": ("此后已无影响：按现在所知，这些日子无一应为别的等级", "undone since: none of the days holds by all that is known now"),
    "joint": ("与其他录入一起还造成另外的差错", "with other entries it made further days wrong"),
    "truth_unknown": ("真实情况尚未认定或更正", "nobody has determined or put right what is true"),
}
CONSEQUENCE: Mapping[str, _Names] = {
    "none": ("无", "None"),
    "circulated_criticism": ("通报批评", "Circulated criticism"),
    "referral_for_accountability": ("移送追责", "Referral for accountability"),
}
INTENT: Mapping[str, _Names] = {"on_purpose": ("认定故意", "found to be on purpose")}
# Said of kinds that no detector declares.
LATE_EXPLANATIONS: Mapping[str, _Names] = {
    "signed_in_time": ("签署在期限内：设备离线或线路中断会推迟收到", "Signed in time: a device offline or a line down delays receipt"),
    "outage": ("期限内有申明的故障", "A declared outage touches the term"),
    "provisional": ("所涉年度的工作日历尚未发布，期限是暂定的", "A year's calendar is not issued, so the deadline is provisional"),
}
LATE_CLEARS: _Names = (
    "送达或活动结束的日期另有证明；由他人负责录入；日历或更正使期限后移。届时重新计算。",
    "Proof of another day of service or of the activity's end; that someone else had to enter it; a calendar or a correction that moves"
    " the deadline. The finding is then worked out again.",
)


@dataclass(frozen=True, slots=True)
class Grade:
    """A grade or status as a page shows it. ``letter`` None: a status; ``shade``: 0 the best to 5 the worst."""

    letter: str | None
    zh: str
    en: str
    shade: int | None

    def name(self, lang: str) -> str:
        """In ``zh`` or ``en``."""
        return self.zh if lang == "zh" else self.en


class Words:
    """``editions``: rulebooks by regime, of each the newest first; ``declared``: what the detectors say of themselves."""

    def __init__(self, editions: Mapping[str, Sequence[Rulebook]], declared: Iterable[Declared] = ()) -> None:
        self._editions = editions
        self.declared = {one.kind: one for one in declared}

    def kind(self, kind: str, lang: str) -> str:
        """The name of a finding's kind; the bare word of one that nobody declares any more."""
        if kind in KINDS[lang]:
            return KINDS[lang][kind]
        one = self.declared.get(kind)
        return kind.replace("_", " ") if one is None else one.zh if lang == "zh" else one.en

    def regime(self, regime: str, lang: str) -> str:
        """A regime's title."""
        book = next(iter(self._editions.get(regime, ())), None)
        return regime if book is None else (book.header.name.zh if lang == "zh" else book.header.name.en)

    def grade(self, regime: str, grade: str | None, status: str) -> Grade:
        """By the newest edition that knows it; bare words where none does."""
        if grade is not None:
            for book in self._editions.get(regime, ()):
                found = next((one for one in book.grades if one.grade == grade), None)
                if found is not None:
                    return Grade(grade, found.name.zh, found.name.en, _shade(book.rank[grade], len(book.grades)))
            return Grade(grade, grade, grade, None)
        if status == NOT_RATED:
            return Grade(None, "不再评定", "No longer rated", None)
        for book in self._editions.get(regime, ()):
            if status in book.status_words:
                name = book.status_words[status].name
                return Grade(None, name.zh, name.en, None)
        plain = status.replace("_", " ")
        return Grade(None, plain, plain, None)

    def said(self, regime: str, word: str | None, lang: str) -> str:
        """A grade or status, given as one word."""
        if word is None:
            return "–"
        known = any(one.grade == word for book in self._editions.get(regime, ()) for one in book.grades)
        found = self.grade(regime, word if known else None, word)
        return f"{word} {found.name(lang)}" if known and found.name(lang) != word else found.name(lang)

    def listed(self, regime: str, name: str, lang: str) -> str:
        """A list's title."""
        for book in self._editions.get(regime, ()):
            for one in book.lists:
                if one.name == name:
                    return one.title.zh if lang == "zh" else one.title.en
        return name

    def event(self, type: str | None, lang: str) -> str | None:
        """The name of an event's type."""
        row = CATALOGUE.get(type or "")
        return row and (row.zh if lang == "zh" else row.en)


def pick(names: Mapping[str, _Names], word: str, lang: str) -> str:
    """The word's name, or the word itself."""
    found = names.get(word)
    return word.replace("_", " ") if found is None else found[0 if lang == "zh" else 1]


def explained(data: Mapping[str, Any], declared: Declared | None, outages: Sequence[Any], lang: str) -> list[tuple[str, bool]]:
    """The innocent explanations of a finding, and whether the records speak for each."""
    if late := data.get("late"):
        supported = {
            "signed_in_time": late["signed_in_time"],
            "outage": late["outage"] or bool(outages),
            "provisional": late["provisional"],
        }
        return [(pick(LATE_EXPLANATIONS, code, lang), bool(one)) for code, one in supported.items()]
    names = {one.code: one.zh if lang == "zh" else one.en for one in declared.explanations} if declared else {}
    return [(names.get(one["code"], one["code"].replace("_", " ")), one["supported"]) for one in data.get("explanations") or ()]


def clears(data: Mapping[str, Any], declared: Declared | None, lang: str) -> str | None:
    """What would end the matter."""
    if data.get("late"):
        return LATE_CLEARS[0 if lang == "zh" else 1]
    return None if declared is None else declared.clears_zh if lang == "zh" else declared.clears_en


def _shade(rank: int, grades: int) -> int:
    """Any regime's grades over the shades, the first and the last at the ends."""
    return 0 if grades < 2 else (2 * rank * (_SHADES - 1) + grades - 1) // (2 * (grades - 1))
