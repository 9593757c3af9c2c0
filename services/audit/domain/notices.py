"""The notice that begins a hearing, filled in from its finding.

Invariants
1. What follows from records is filled in; what a person decides stays open, in the angle brackets that `mingjian sign` refuses.
2. A notice is to one officer or office, as a hearing has one part for each. ``concerns`` names all whose entries these are: whoever is
   heard, none of them decides.
3. Nothing is written that intake would refuse for what stands: no notice on a matter that was retracted, none while a hearing is under way.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, get_args

from pydantic import ValidationError

from schemas.envelope import check_data
from schemas.events import CATALOGUE
from schemas.events.base import Service
from schemas.topics import FACTS
from services.audit.domain.hearing_terms import ReplyTerm
from services.audit.domain.hearings import Heard
from services.audit.domain.people import People

TYPE = "mingjian.finding.notified.v1"
METHODS: tuple[str, ...] = get_args(Service.model_fields["method"].annotation)
# As `mingjian event new finding.notified` words them.
_OPEN = {
    "document_no": "<number of a document, at most 80 characters>",
    "service.method": f"<{' | '.join(METHODS)}>",
    "reply_by": "<date such as 2026-01-15>",
    "clause": "<one line, at most 200 characters>",
}
_OFFICE = "office:"


class NoNotice(Exception):
    """There can be no such notice. ``zh``, ``en``: why, and what can be done instead."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


@dataclass(frozen=True, slots=True)
class Decided:
    """What a person decides, as far as it was said; None stays open. ``served_on``: the day of service, which is day 0 of the term."""

    served_on: date
    document_no: str | None = None
    method: str | None = None
    evidence_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """``event``: type, subject and data; id, time and source come with the signature. ``term``: None where no rule sets one.
    ``open``: the fields of ``data`` that a person still has to fill in."""

    event: Mapping[str, Any]
    term: ReplyTerm | None
    open: tuple[str, ...]

    @property
    def basis(self) -> tuple[str, str]:
        """What the day to reply follows from, in Chinese and English."""
        if self.term is not None:
            return self.term.sentences
        return (
            "没有已启用的评级规则规定答复期限，或其文件不在此处：最后一日由告知人确定。",
            "No rulebook that was activated and lies here sets a term to reply: whoever gives notice names the day.",
        )


def day_of_notice(wall: date, through: date | None) -> date:
    """Today where the stack is. A simulated clock may be ahead of the wall: it is at least the day after the last one that closed."""
    return wall if through is None else max(wall, through + timedelta(days=1))


def heard_by_finding(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Who is to be heard by a finding's data: the officers whom it concerns, else its office, else nobody."""
    return tuple(data.get("concerns") or ()) or office_of(data)


def office_of(data: Mapping[str, Any]) -> tuple[str, ...]:
    """The finding's office as a subject, where it has one."""
    return (f"{_OFFICE}{data['office']}",) if data.get("office") else ()


def proposes_hearing(data: Mapping[str, Any]) -> bool:
    """Whether the finding itself leads to a hearing: a pattern, or what proposes a check or a correction, does not."""
    return data["about"] in ("entry", "office") and data.get("proposes") in (None, "hearing")


def subject_of(data: Mapping[str, Any], people: People, officer: str | None = None, *, office: bool = False) -> str:
    """Who is heard: the officer named, the finding's office, or the only one whom it concerns. Raises ``NoNotice``."""
    concerned = tuple(data.get("concerns") or ())
    if officer is not None:
        named = officer if officer.startswith("officer:") else f"officer:{officer}"
        if concerned and named not in concerned:
            raise NoNotice(
                f"这一发现不涉及 {named}；它涉及 {'、'.join(concerned)}，请用 --officer 指明其中一人",
                f"the finding does not concern {named}; it concerns {', '.join(concerned)}: name one of them with --officer",
            )
        if not concerned and not people.was_enrolled(named):
            raise NoNotice(
                f"{named} 从未在本登记簿登记；`mingjian finding` 列出所涉录入，录入人见其签名",
                f"{named} was never enrolled in this register; `mingjian finding` names the entries, whose signatures say who entered them",
            )
        return named
    found = office_of(data) if office else heard_by_finding(data)
    if not found:
        raise NoNotice(
            "这一发现没有写明部门" if office else "这一发现既没有涉及的人员也没有写明部门：它是关于系统运行的，无须听取谁的意见",
            "the finding names no office"
            if office
            else "the finding names neither an officer nor an office: it is about the running of "
            "the system, and there is nobody to be heard on it",
        )
    if len(found) > 1:
        raise NoNotice(
            f"这一发现涉及 {len(found)} 人：{'、'.join(found)}。各人分别告知、分别听取意见，请用 --officer 指明其中一人，再对其他人重复",
            f"the finding concerns {len(found)} officers: {', '.join(found)}. Each is notified and heard apart: name one of them with "
            "--officer, then do the same for the others",
        )
    return found[0]


def check_may_begin(matter: str, subject: str, part: Heard | None, on: date, *, retracted: bool) -> None:
    """Raise ``NoNotice`` where a notice on day ``on`` would change nothing. ``part``: what was heard of the subject on the matter."""
    if retracted:
        raise NoNotice(
            "这一事项已撤回，没有可以听取意见的内容；`mingjian finding` 说明原因",
            "the matter was retracted, so there is nothing to hear anybody on; `mingjian finding` says why",
        )
    if part is not None and not part.may_begin_anew(on):
        raise NoNotice(
            f"对 {subject} 的听取意见正在进行，新的告知不会被接受；`mingjian hearing {matter}` 显示进展",
            f"the hearing of {subject} is under way, and a new notice would be refused; `mingjian hearing {matter}` shows how it stands",
        )


def notice(finding: Mapping[str, Any], matter: str, subject: str, term: ReplyTerm | None, decided: Decided) -> Notice:
    """The notice to ``subject`` on a finding that stands. ``finding``: the ``finding.raised`` event; ``matter``: its matter.

    Raises ``NoNotice`` for what a person gave that the contract doesn't take."""
    said = finding["data"]
    served = decided.served_on.isoformat()
    data: dict[str, Any] = {
        "occurred_on": served,
        "finding": finding["id"],
        "matter": matter,
        "document_no": decided.document_no or _OPEN["document_no"],
        "service": {"served_on": served, "method": decided.method or _OPEN["service.method"]},
        "entries": entries_of(said),
        "concerns": list(said.get("concerns") or ()),
        "reply_by": term.by.isoformat() if term else _OPEN["reply_by"],
        "clause": said.get("clause") or _OPEN["clause"],
    }
    if decided.evidence_sha256 is not None:
        data["evidence_sha256"] = decided.evidence_sha256
    left = tuple(name for name, words in _OPEN.items() if _at(data, name) == words)
    _check(data, left)
    return Notice({"type": TYPE, "subject": subject, "data": data}, term, left)


def entries_of(data: Mapping[str, Any]) -> list[dict[str, str]]:
    """The entries that a finding rests on, by source and id, each once; none where it is about what was not entered."""
    asked = data.get("event")
    if asked is None and data["about"] == "office":
        return []
    named = [(one["source"], one["id"]) for one in data.get("evidence") or () if one["topic"] == FACTS]
    # Findings by older versions name the record in question alone.
    if not named and asked is not None and asked["topic"] == FACTS and data.get("office"):
        named = [(data["office"], asked["id"])]
    return [{"source": source, "id": id} for source, id in dict.fromkeys(named)]


def _at(data: Mapping[str, Any], name: str) -> Any:
    found: Any = data
    for key in name.split("."):
        found = found[key]
    return found


def _check(data: Mapping[str, Any], left: Sequence[str]) -> None:
    """Hold what is filled in against the contract, with something that fits in place of what is open."""
    fits = {"document_no": "1", "reply_by": data["service"]["served_on"], "clause": "1"}
    tried = {**data, **{name: fits[name] for name in left if name in fits}}
    if "service.method" in left:
        tried["service"] = {**data["service"], "method": METHODS[0]}
    try:
        check_data(CATALOGUE[TYPE], tried)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(("data", *map(str, first["loc"])))
        raise NoNotice(f"{where}：{first['msg']}", f"{where}: {first['msg']}") from None


def text(made: Notice, about: Iterable[str]) -> str:
    """The notice as a file to fill in: JSON below ``//`` lines, as `mingjian event new` prints it. ``about``: lines on the finding."""
    row = CATALOGUE[TYPE]
    lines = [f"{row.zh} · {row.en}", *about, *made.basis]
    if made.open:
        named = ", ".join(f"data.{name}" for name in made.open)
        lines += [f"尚待填写 · still to be filled in: {named}"]
    lines += ["id, time, source and the CloudEvents keys are filled in by `mingjian sign`."]
    head = "".join(f"// {' '.join(line.split())}\n" for line in lines)
    return f"{head}{json.dumps(made.event, ensure_ascii=False, indent=2)}\n"
