"""One document number of one office, different contents.

五(二): entries are legal, fair, accurate; 五(三) ¶3: recorded untruthfully. An office gives a number to one document of a kind. Two
entries of the kind with the number that name another subject, another day or other acts can't both say what the document says.

No sign: the parts of one document that are entered one by one (a warning for each violation, an inspection for each regime), a result
that was pending, a document and its service (another kind), a case number that opening, closing and penalty share on purpose.
What was retracted, corrected or annulled since ends the matter: nothing in effect contradicts any more, and the log keeps both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from services.audit.domain.dates import en_day, zh_day
from services.audit.domain.detectors import acting
from services.audit.domain.detectors.acting import Words
from services.audit.domain.detectors.groups import Key, Matters, Member
from services.audit.domain.detectors.ledger import Ledger
from services.audit.domain.detectors.model import Closed, Declared, Entry, Innocent, Scene, Sign, shown
from services.audit.domain.detectors.saying import en_list, ended, value, zh_list
from services.audit.domain.detectors.succession import SUCCEEDED, Followed

DECLARED = Declared(
    kind="same_number",
    version=2,
    about="entry",
    proposes="hearing",
    clause="五(三) ¶3",
    readings=("R18", "R19"),
    zh="同一文号，不同内容",
    en="One document number, different contents",
    rests_on_zh="一个机关只把一个文号给一份同类文书（五(二)：准确）；同一文号下两种内容，不可能都是该文书的内容。",
    rests_on_en="An office gives a number to one document of a kind (五(二): accurate); two contents under it can't both be its own.",
    explanations=(
        Innocent("number_mistyped", "录入时写错了文号", "the number was mistyped"),
        Innocent("joint_parties", "一份文书涉及数个当事人，分别录入", "one document about several parties, entered for each"),
        Innocent("older_series", "旧档案的文号系列与现行的重叠", "a number of an older series from the archive"),
        Innocent("awaits_correction", "更正尚未录入", "a correction is under way and not entered yet"),
    ),
    clears_zh="其中一项录入被更正、撤回或撤销，或者文书原件表明两者确属一份文书。",
    clears_en="One of the entries is corrected, retracted or annulled, or the papers show that both belong to one document.",
)

# Decisions and records whose number the office itself gives, with what makes their content. Court's and other departments' numbers
# aren't the office's. A warning or announcement may come as an event for each violation, so that violations don't tell them apart.
CONTENT: Mapping[str, tuple[str, ...]] = {
    "penalty.decided": ("acts",),
    "warning.issued": ("legal_field",),
    "announcement.made": ("legal_field",),
    "correction.ordered": ("violations", "legal_field"),
    "obstruction.determined": ("act",),
    "permit.revoked": ("whole",),
    "inspection.recorded": ("violations", "corrected", "items"),
    "case.opened": ("violations",),
}
_NAMES = {"subject": ("主体", "subject"), "occurred_on": ("日期", "day"), "content": ("内容", "content")}


def number_of(words: Words) -> str | None:
    """The number that the office gave the document, or the case at its opening."""
    number: str | None = words.data.get("case_no" if words.type == "case.opened" else "document_no")
    return number


def content_of(words: Words) -> str:
    """What the document says, as text that is equal where it says the same."""
    return repr([_plain(words.data.get(name)) for name in CONTENT[words.type]])


def _plain(told: Any) -> Any:
    """A value without order where order says nothing."""
    if isinstance(told, Mapping):
        return sorted((name, repr(_plain(one))) for name, one in told.items() if name != "remark" and one is not None)
    if isinstance(told, list | tuple):
        return sorted((_plain(one) for one in told), key=repr)
    return told


def _content_apart(first: Words, other: Words) -> Iterator[tuple[str, str, str]]:
    """In which fields their contents differ: name, what the later says, what the first said; of a list what only one of them has."""
    for name in CONTENT[other.type]:
        new, old = other.data.get(name), first.data.get(name)
        if _plain(new) == _plain(old):
            continue
        if isinstance(new, list | tuple) and isinstance(old, list | tuple):
            new, old = _only(new, old), _only(old, new)
            if len(new) == len(old) == 1 and isinstance(new[0], Mapping) and isinstance(old[0], Mapping):
                keys = [one for one in {**old[0], **new[0]} if _plain(new[0].get(one)) != _plain(old[0].get(one))]
                new, old = ({one: each[0][one] for one in keys if each[0].get(one) is not None} for each in (new, old))
        yield name, _text(new), _text(old)


def _only(some: Sequence[Any], others: Sequence[Any]) -> list[Any]:
    left = [_plain(one) for one in others]
    return [one for one in some if _plain(one) not in left]


def _text(told: Any) -> str:
    """For a reader."""
    if isinstance(told, Mapping):
        return ", ".join(f"{name.replace('_', ' ')} {_text(one)}" for name, one in sorted(told.items()) if name != "remark") or "-"
    if isinstance(told, list | tuple):
        return "; ".join(sorted(map(_text, told))) or "-"
    return "-" if told is None else str(told).lower() if isinstance(told, bool) else str(told)


class SameNumber:
    """Groups of entries by office, kind and number."""

    declared = DECLARED
    types = frozenset(CONTENT) | acting.TYPES | {SUCCEEDED}

    def __init__(self, ledger: Ledger | None = None) -> None:
        self._groups = Followed(ledger or Ledger(), _keys)
        self._matters = Matters()

    def take(self, entry: Entry, scene: Scene) -> Iterator[Sign]:
        found = {key: self._signs(key) for key in self._groups.take(entry)}
        yield from self._matters.settle(found, lambda sign: _ended(sign, entry))

    def close(self, closed: Closed) -> Iterable[Sign]:
        return ()

    def _signs(self, key: Key) -> list[Sign]:
        members = self._groups.members(key)
        others = [(one, differs) for one in members[1:] if (differs := self._differs(members[0], one))]
        return [_sign(key, members[0], *others[0], len(members))] if others else []

    def _differs(self, one: Member, other: Member) -> tuple[str, ...]:
        if one.words.data.get("outcome_pending") or other.words.data.get("outcome_pending"):
            return ()
        found = [] if self._groups.successions.same(one.entry.subject, other.entry.subject) else ["subject"]
        found += ["occurred_on"] if one.words.data["occurred_on"] != other.words.data["occurred_on"] else []
        return (*found, *(["content"] if content_of(one.words) != content_of(other.words) else []))


def _keys(entry: Entry, words: Words) -> Iterable[Key]:
    if words.type in CONTENT and (number := number_of(words)):
        # One record of an inspection may be entered for each regime that it was made for.
        return [(entry.source, words.type, number, *filter(None, (words.data.get("regime"),)))]
    return []


def _sign(key: Key, first: Member, other: Member, differs: tuple[str, ...], entries: int) -> Sign:
    days = first.words.data["occurred_on"], other.words.data["occurred_on"]
    held = {"subject": (first.entry.subject, other.entry.subject), "occurred_on": days}
    apart = [(one, held[one][1], held[one][0]) for one in differs if one in held]
    if "content" in differs:
        apart += _content_apart(first.words, other.words)
    supported = {"joint_parties"} if differs == ("subject",) else set()
    supported |= {"older_series"} if (first.entry.channel == "migration") != (other.entry.channel == "migration") else set()
    zh_what, en_what = (zh_list(_NAMES[one][0] for one in differs), en_list(_NAMES[one][1] for one in differs))
    return Sign(
        matter=" ".join(key),
        office=key[0],
        subject=other.entry.subject,
        regime=other.words.data.get("regime"),
        zh=f"文号{key[2]}录入了{entries}次：先为{zh_day(days[0])}的{first.entry.subject}，后为{zh_day(days[1])}的{other.entry.subject}；"
        f"不同之处：{zh_what}。",
        en=f"Number {key[2]} was entered {entries} times: first for {first.entry.subject} on {en_day(days[0])}, then for "
        f"{other.entry.subject} on {en_day(days[1])}. They differ in {en_what}.",
        entry=shown(other.entry, "later_entry"),
        shown=_shown(first, other),
        concerns=officers(first, other),
        values=(("entries", str(entries), "1"), *((name, value(new), value(old)) for name, new, old in apart)),
        supported=frozenset(supported),
    )


def _shown(first: Member, other: Member) -> tuple[Any, ...]:
    words = [shown(one.reworded, "correction") for one in (first, other) if one.reworded]
    return (shown(first.entry, "first_entry"), shown(other.entry, "later_entry"), *words)


def officers(*members: Member) -> tuple[str, ...]:
    """Whose entries these are: who entered them, and who acted."""
    named = (name for one in members for name in (one.entry.data.get("entered_by"), *(one.entry.data.get("officers") or ())))
    return tuple(dict.fromkeys(filter(None, named)))[:20]


def _ended(sign: Sign, cause: Entry) -> Sign:
    why = (shown(cause, "puts_right"),)
    return ended(sign, why, "该文号下仍然有效的录入已无不同内容。", "The entries under this number that are in effect no longer differ.")
