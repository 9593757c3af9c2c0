"""Two final scores of one subject, regime and year. 三(一), R9, R15: a year has one.

From an officer's desk intake refuses the second one; other systems' are taken with a mark. A correction, an annulment or a retraction that
leaves one of them final ends the matter: then there were never two that counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from services.audit.domain.detectors import acting
from services.audit.domain.detectors.acting import Words
from services.audit.domain.detectors.groups import Groups, Key, Matters, Member
from services.audit.domain.detectors.ledger import Ledger
from services.audit.domain.detectors.model import Closed, Declared, Entry, Innocent, Scanned, Scene, Sign, shown
from services.audit.domain.detectors.same_number import officers
from services.audit.domain.detectors.saying import ended

_TAKEN, _MARK = "taken_with_a_mark", "second-final-score"
_SCORE = "score.recorded"


class TwoFinalScores:
    """Final scores by subject, regime and year."""

    declared = Declared(
        kind="two_final_scores",
        version=1,
        about="entry",
        proposes="correction",
        clause="三(一)",
        readings=("R9", "R15"),
        zh="同一年度有两个最终评分",
        en="Two final scores of one year",
        rests_on_zh="R9：一年只有一份最后得分；两份中采用哪一份，不得任意选择。",
        rests_on_en="R9: a year has one score; which of two counts must not be a matter of choice",
        explanations=(
            Innocent(_TAKEN, "其他系统导入，录入时已作标记", "taken from another system, which intake marked"),
            Innocent("same_total", "两次总分相同，重复录入", "both have the same total: entered twice"),
            Innocent("meant_as_correction", "以新评分更正旧评分，未用更正功能", "meant to put the first one right, without a correction"),
        ),
        clears_zh="撤回其中之一，或以更正说明哪一个是最终评分。",
        clears_en="The retraction of one of them, or a correction that says which is final.",
    )
    types = acting.TYPES | {_SCORE}

    def __init__(self, ledger: Ledger | None = None) -> None:
        self._groups = Groups(ledger or Ledger(), _keys)
        self._matters = Matters()
        self._marked: set[tuple[str, str]] = set()

    def take(self, entry: Entry, scene: Scene) -> Iterator[Sign]:
        """See ``Detector``."""
        if _MARK in entry.marks:
            self._marked.add((entry.source, entry.id))
        keys = [key for key in self._groups.take(entry) if not self._groups.alone(key)]
        if not keys:
            return
        zh, en = "该年度现仅有一个最终评分。", "The year has one final score now."
        yield from self._matters.settle({key: self._signs(key) for key in keys}, lambda sign: ended(sign, [shown(entry, "ends")], zh, en))

    def close(self, closed: Closed) -> Iterable[Sign | Scanned]:
        """Nothing waits for a day's end."""
        return ()

    def _signs(self, key: Key) -> list[Sign]:
        members = self._groups.members(key)
        return [self._sign(key, members)] if len(members) > 1 else []

    def _sign(self, key: Key, members: list[Member]) -> Sign:
        subject, regime, year = key
        first, last = members[0], members[-1]
        totals = [one.words.data["total"] for one in members]
        supported = {_TAKEN} if (last.entry.source, last.entry.id) in self._marked else set()
        supported |= {"same_total"} if len(set(totals)) == 1 else set()
        reworded = [shown(one.reworded, "correction") for one in members if one.reworded]
        return Sign(
            matter=" ".join(key),
            office=last.entry.source,
            subject=subject,
            regime=regime,
            zh=f"{year}年有{len(members)}个最终评分：先为{totals[0]}，后为{totals[-1]}。",
            en=f"{year} has {len(members)} final scores: first {totals[0]}, then {totals[-1]}.",
            entry=shown(last.entry, "later_score"),
            shown=(shown(first.entry, "first_score"), *(shown(one.entry, "later_score") for one in members[1:]), *reworded),
            values=(("final_scores", str(len(members)), "1"), ("total", totals[-1], totals[0])),
            supported=frozenset(supported),
            concerns=officers(*members),
        )


def _keys(entry: Entry, words: Words) -> Iterable[Key]:
    final = words.type == _SCORE and words.data.get("final") is True
    return [(entry.subject, words.data["regime"], str(words.data["year"]))] if final else []
