"""One decision, entered twice under two ids.

五(二): entries are accurate. Office, kind, number and content are the same: it is one decision and counts once, but a register that
shows it twice shows a history that was not. Another department's penalty is one by authority, number and act (R7), whichever offices
entered it. What differs in content under one number is another matter (``same_number``).

No sign: a second copy of the same event, and entries of which all but one were retracted, corrected away or annulled; that ends
the matter, for what is in effect stands there once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256

from services.audit.domain.dates import en_day, zh_day
from services.audit.domain.detectors import acting
from services.audit.domain.detectors.acting import Words
from services.audit.domain.detectors.groups import Key, Matters, Member
from services.audit.domain.detectors.ledger import Ledger
from services.audit.domain.detectors.model import Closed, Declared, Entry, Innocent, Scene, Sign, shown
from services.audit.domain.detectors.same_number import CONTENT, content_of, number_of, officers
from services.audit.domain.detectors.saying import ended, local_day
from services.audit.domain.detectors.succession import SUCCEEDED, Followed
from services.audit.domain.detectors.zones import Zones

DECLARED = Declared(
    kind="entered_twice",
    version=1,
    about="entry",
    proposes="correction",
    clause="五(二)",
    readings=("R7", "R18", "R19"),
    zh="同一决定录入两次",
    en="One decision entered twice",
    rests_on_zh="五(二)：准确。同一机关、同一种类、同一文号、同一内容而有两个编号的，是同一项决定；R7 只计一次。",
    rests_on_en="五(二): accurate. The same office, kind, number and content under two ids is one decision; R7 counts it once.",
    explanations=(
        Innocent("from_the_archive", "旧档案补录时又录了一次", "entered again when the archive was brought in"),
        Innocent("two_offices", "两个办公室各自录入了其他部门的决定", "two offices each entered another department's decision"),
        Innocent("service_added", "重新录入是为了补充送达", "entered again to add its service"),
        Innocent("sent_again", "首次发送没有收到回执，改用新编号重发", "sent anew under a new id after no receipt came"),
        Innocent("successor", "先后以承继前后的企业名义录入", "entered for an enterprise and for its successor"),
    ),
    clears_zh="多余的一项被撤回（理由为重复录入），或者表明确有两份决定。",
    clears_en="The one too many is retracted (ground: entered twice), or the papers show that there are two decisions.",
)

_OTHER = "other_department.penalised"
_CLOSED = "case.closed"
_JUDGED = "crime.judged"
# What the content adds where one event stands for a part of its document.
_ONE_VIOLATION = frozenset({"warning.issued", "announcement.made"})
# Within so many minutes a second sending is most likely a first one whose receipt was lost. Nothing rests on it but a word.
_SOON_MS = 60 * 60_000


class EnteredTwice:
    """Groups of entries by office, kind, number and content."""

    declared = DECLARED
    types = frozenset(CONTENT) | {_OTHER, _CLOSED, _JUDGED, SUCCEEDED} | acting.TYPES

    def __init__(self, zones: Zones, ledger: Ledger | None = None) -> None:
        self._groups = Followed(ledger or Ledger(), _keys)
        self._matters = Matters()
        self._zones = zones

    def take(self, entry: Entry, scene: Scene) -> Iterator[Sign]:
        found = {key: self._signs(key) for key in self._groups.take(entry)}
        yield from self._matters.settle(found, lambda sign: _ended(sign, entry))

    def close(self, closed: Closed) -> Iterable[Sign]:
        return ()

    def _signs(self, key: Key) -> list[Sign]:
        members = self._groups.members(key)
        pairs = [
            (first, second)
            for place, second in enumerate(members)
            for first in members[:place]
            if self._groups.successions.same(first.entry.subject, second.entry.subject) and _one_act(first.words, second.words)
        ]
        return [self._sign(key, *pairs[0], len({one.entry.order for pair in pairs for one in pair}))] if pairs else []

    def _sign(self, key: Key, first: Member, second: Member, entries: int) -> Sign:
        number, day = key[2], first.words.data["occurred_on"]
        days = [local_day(one.entry.received, self._zones.name(one.entry.subject, one.words.data.get("regime"))) for one in (first, second)]
        return Sign(
            matter=" ".join(key),
            office=second.entry.source,
            subject=second.entry.subject,
            regime=second.words.data.get("regime"),
            zh=f"{zh_day(day)}的决定（{number}）以两个编号录入了{entries}次，分别在{zh_day(days[0])}和{zh_day(days[1])}，内容相同。",
            en=f"The decision {number} of {en_day(day)} was entered {entries} times under different ids, on {en_day(days[0])} and on "
            f"{en_day(days[1])}, with the same content.",
            entry=shown(second.entry, "second_entry"),
            shown=(shown(first.entry, "first_entry"), shown(second.entry, "second_entry")),
            concerns=officers(first, second),
            values=(("entries", str(entries), "1"),),
            supported=_supported(first, second),
        )


def _keys(entry: Entry, words: Words) -> Iterable[Key]:
    data = words.data
    if words.type == _OTHER:
        return [(data["authority"], _OTHER, data["document_no"])]
    if words.type == _CLOSED:
        return [(entry.source, _CLOSED, data["case_no"], data["occurred_on"], data["outcome"])]
    if words.type == _JUDGED:
        return [(entry.source, _JUDGED, data["document_no"], data["occurred_on"])]
    if words.type not in CONTENT or not (number := number_of(words)) or data.get("outcome_pending"):
        return []
    part = data["violation"] if words.type in _ONE_VIOLATION else data.get("regime") or ""
    content = sha256(content_of(words).encode()).hexdigest()[:16]
    return [(entry.source, words.type, number, data["occurred_on"], part, content)]


def _one_act(one: Words, other: Words) -> bool:
    """Whether they have an act in common, where an event may hold a part of its decision's acts."""
    if one.type != _OTHER:
        return True
    acts = [{(act["violation"], *sorted(act["kinds"]), act["legal_field"]) for act in words.data["acts"]} for words in (one, other)]
    return bool(acts[0] & acts[1])


def _supported(first: Member, second: Member) -> frozenset[str]:
    one, other = first.entry, second.entry
    holds = {
        "from_the_archive": "migration" in (one.channel, other.channel) and one.channel != other.channel,
        "two_offices": one.source != other.source,
        "service_added": "service" not in first.words.data and "service" in second.words.data,
        "sent_again": other.received - one.received <= _SOON_MS,
        "successor": one.subject != other.subject,
    }
    return frozenset(code for code, so in holds.items() if so)


def _ended(sign: Sign, cause: Entry) -> Sign:
    why = (shown(cause, "puts_right"),)
    return ended(sign, why, "有效的录入只剩一项。", "Of the entries of this decision one is left in effect.")
