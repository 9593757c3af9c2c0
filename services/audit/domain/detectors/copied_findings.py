"""Findings copied from one subject to the next: near-identical text in one person's entries about different subjects. 五(二), 五(三) ¶3.

Once a month, by who wrote it. Standard phrases don't count (``statistics.texts``). That somebody copies now and then is usual; what is
tested is whether this person does so more often than the others do, as far as they differ among themselves. Holm over all tested.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from services.audit.domain.detectors.model import Closed, Declared, Entry, Innocent, Scanned, Scene, Shown, Sign, Tested, shown
from services.audit.domain.statistics import texts
from services.audit.domain.statistics.distributions import at_most, decimal_text, holm
from services.audit.domain.statistics.populations import Names, Spans, writer
from services.audit.domain.statistics.rates import Compared, compare

ALPHA = 0.05
FALSE_ALARMS = "0.17"
"""Upper end of the 95 % interval of clean months with any finding at this level: docs/detectors-statistical.md."""
LEAST_COPIES = 3
_MOST_SHOWN = 12
_ONE_DAY, _SHARED = "same_round", "shared_by_office"


@dataclass(frozen=True, slots=True)
class _Text:
    shown: Shown
    writer: str
    subject: str
    day: str
    phrases: tuple[str, ...]


class CopiedFindings:
    """The month's texts."""

    declared = Declared(
        kind="copied_findings",
        version=1,
        about="pattern",
        proposes="check",
        clause="五(三) ¶3",
        readings=("R16",),
        zh="不同企业的记录文字几乎相同",
        en="Near-identical text about different subjects",
        rests_on_zh="五(二)：记录合法、公正、准确；在一处所见，很少会与另一处所见用词完全相同。",
        rests_on_en="五(二): records are lawful, fair, accurate; what was seen at one place is seldom seen in the same words at another",
        explanations=(
            Innocent(_ONE_DAY, "同一天检查同类企业，发现相同问题", "Premises of one kind visited on one day, with the same fault"),
            Innocent(_SHARED, "本单位共用模板，他人也用同样文字", "A template of the office that others use as well"),
            Innocent("chain", "同一连锁企业的门店有相同问题", "Shops of one chain with the same fault"),
            Innocent("dictated", "录入人代多人录入", "One person types for several"),
        ),
        clears_zh="现场照片、企业签字或复查表明各处确有所记情形。",
        clears_en="Photographs, the subject's signature or a recheck show that it was so at each place.",
        period="month",
    )
    types = frozenset({"inspection.recorded", "rectification.reported", "self_inspection.reported", "sampling.recorded", "case.closed"})

    def __init__(self) -> None:
        self._spans = Spans("month")
        self._known: set[str] = set()
        self._users: dict[str, set[str]] = {}
        self._begin()

    def _begin(self) -> None:
        self._known |= {phrase for phrase, users in self._users.items() if len(users) >= texts.STANDARD}
        self._texts: list[_Text] = []
        self._first_of: dict[int, _Text] = {}
        self._users = {}
        self._names: dict[tuple[str, str], Names] = {}
        self._looked_at = 0

    def take(self, entry: Entry, scene: Scene) -> Iterable[Sign]:
        """See ``Detector``."""
        self._looked_at += 1
        who = writer(entry)
        said = texts.phrases(texts.own_words(entry.data))
        if who is None or not said:
            return ()
        for phrase in set(said):
            users = self._users.setdefault(phrase, set())
            if len(users) < texts.STANDARD:
                users.add(who)
        if sum(map(len, said)) >= texts.LEAST:
            self._names.setdefault((entry.source, who), Names()).add(entry)
            self._texts.append(_Text(shown(entry, "same_text"), who, entry.subject, str(entry.data.get("occurred_on", "")), said))
        return ()

    def close(self, closed: Closed) -> Iterable[Sign | Scanned]:
        """See ``Detector``: tests when a month has ended."""
        first = self._spans.ended(closed.through)
        if first is None:
            return
        copies, written = self._copies()
        compared = compare({who: (len(copies.get(who, ())), number) for who, number in written.items()})
        tested = {who: one for who, one in compared.items() if one.of >= LEAST_COPIES}
        adjusted = holm([one.p for one in tested.values()])
        signs = [
            self._sign(who, one, p, len(tested), first, copies[who])
            for (who, one), p in zip(tested.items(), adjusted, strict=True)
            if p <= ALPHA and one.seen >= LEAST_COPIES
        ]
        yield from signs
        yield Scanned(first, self._looked_at, len(tested), len(signs), decimal_text(ALPHA))
        self._begin()

    def _copies(self) -> tuple[dict[tuple[str, str], list[_Text]], dict[tuple[str, str], int]]:
        """By office and writer: texts that have a near-identical one of the same writer about an earlier subject; and how many texts."""
        written: dict[tuple[str, str], int] = dict.fromkeys(sorted(self._names), 0)
        kept: list[tuple[_Text, str]] = []
        for one in self._texts:
            written[one.shown.source, one.writer] += 1
            left = "".join(phrase for phrase in one.phrases if not self._standard(phrase))
            if len(left) >= texts.LEAST:
                kept.append((one, left))
        copies: dict[tuple[str, str], list[_Text]] = {}
        for group in texts.groups([left for _, left in kept]):
            first: dict[tuple[str, str], _Text] = {}
            for one in (kept[index][0] for index in group):
                if first.setdefault((one.writer, one.subject), one) is one:
                    earlier = first.setdefault((one.writer, ""), one)
                    if earlier is not one:
                        copies.setdefault((one.shown.source, one.writer), []).append(one)
                        self._first_of[id(one)] = earlier
        return copies, written

    def _standard(self, phrase: str) -> bool:
        return phrase in self._known or len(self._users[phrase]) >= texts.STANDARD

    def _sign(self, who: tuple[str, str], one: Compared, adjusted: float, tests: int, first: date, some: Sequence[_Text]) -> Sign:
        office, officer = who
        tested = Tested(
            test="copies_beside_colleagues",
            population=one.of,
            observed=f"{one.seen} of {one.of}",
            expected=decimal_text(one.expected * one.of, 1),
            effect=decimal_text(min(one.effect, 99_999.0)),
            p_value=at_most(one.p),
            adjusted=at_most(adjusted),
            tests=tests,
            false_alarms=FALSE_ALARMS,
            population_sha256=self._names[who].sha256(),
        )
        supported = {_ONE_DAY} if len({text.day for text in some}) == 1 else set()
        if any(len(self._users[phrase]) > 1 for text in some for phrase in text.phrases if len(phrase) >= texts.LEAST):
            supported.add(_SHARED)
        return Sign(
            matter=f"{officer} {first:%Y-%m}",
            office=office,
            zh=f"{first.year}年{first.month}月{officer}写的{one.of}份记录中，{one.seen}份除标准用语外与其对其他企业的记录几乎相同；按其他人员的情形"
            f"预期{tested.expected}份，p≤{tested.p_value}，按{tests}项检验校正后p≤{tested.adjusted}。统计迹象，建议核查，不是认定。",
            en=f"Of {one.of} texts that {officer} wrote in {first:%Y-%m}, {one.seen} are, standard phrases aside, nearly the same as one "
            f"about another subject; by the others' habit {tested.expected} would be: p ≤ {tested.p_value}, corrected for {tests} tests "
            f"p ≤ {tested.adjusted}. A statistical sign: worth a check, no finding of fault.",
            shown=tuple(dict.fromkeys(each.shown for text in some[:_MOST_SHOWN] for each in (self._first_of[id(text)], text))),
            concerns=(officer,),
            values=(("copies", str(one.seen), tested.expected), ("texts", str(one.of), None), ("p", f"{one.p:.1e}", f"{ALPHA:g}")),
            supported=frozenset(supported),
            tested=tested,
        )
