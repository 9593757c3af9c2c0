"""A correction by the office itself that makes an entry milder after it had counted.

五(三) ¶3, ¶4; R18: a correction counts from the entry's own start, so it reaches back over what was told and evaluated. What is held
against it: the office's own new words, known after the day of the entry had closed, drop violations or kinds of penalty, raise a final
score, leave out a service, take the entry back, or move its day out of a period that was evaluated by then, or back into
one. Whether a grade got better by it is for the effect to say.

No sign: what others decided (reconsideration, a court, an objection), a correction on the day of the entry, one that only puts a code
or a day in the place of another, one for the worse, one that names its source and its own day before any evaluation counted the entry:
it is an inaccuracy put right. Once an evaluation has, a source's hash or a decision that stands in the records supports an explanation
and leaves the sign: anybody can write a hash, and only its paper says whether it fits. A correction taken back ends the matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from services.audit.domain.dates import en_day, zh_day
from services.audit.domain.detectors import acting
from services.audit.domain.detectors.acting import Name, Words
from services.audit.domain.detectors.groups import Groups, Key, Matters
from services.audit.domain.detectors.ledger import Ledger
from services.audit.domain.detectors.model import Closed, Declared, Entry, Innocent, Scene, Sign, shown
from services.audit.domain.detectors.saying import ended, local_day
from services.audit.domain.detectors.softening import TYPES, Evaluated, Milder, day_of, milder, read
from services.audit.domain.detectors.zones import Zones

DECLARED = Declared(
    kind="backdated_correction",
    version=3,
    about="entry",
    proposes="hearing",
    clause="五(三) ¶3",
    readings=("R10", "R18"),
    zh="事后更正，内容改轻",
    en="Corrected afterwards, and milder",
    rests_on_zh="R18：更正自原录入之日起算，及于已经公布的日子和已经评定的时期（五(三) ¶3）。",
    rests_on_en="R18: a correction counts from the entry's own start, over days that were told and evaluated periods (五(三) ¶3).",
    explanations=(
        Innocent("source_document", "更正载明原始材料的哈希值", "the correction names the hash of its source document"),
        Innocent("review_decided", "依据复议或者诉讼的结果", "it follows a decision on reconsideration or of a court"),
        Innocent("objection_upheld", "异议成立", "an objection was upheld"),
        Innocent("truth_determined", "依据真实性认定", "it follows a determination of truth"),
        Innocent("slip_of_the_pen", "原录入系笔误", "the entry was a slip of the pen"),
    ),
    clears_zh="更正所依据的原始材料表明新的内容属实，或者更正被撤回。",
    clears_en="The source document shows that the new words are right, or the correction is taken back.",
)

EVALUATED = "evaluation.closed"
DETERMINED = "truth.determined"
_REVIEWS = frozenset({"reconsideration.decided", "litigation.decided"})
_AGAINST = frozenset({"annulled", "changed", "declared_unlawful", "new_decision_ordered"})


class BackdatedCorrection:
    """Own corrections by the entry that they reword, with what was closed and evaluated before them."""

    declared = DECLARED
    types = TYPES | acting.TYPES | _REVIEWS | {EVALUATED, DETERMINED}

    def __init__(self, zones: Zones, ledger: Ledger | None = None) -> None:
        self._ledger = ledger or Ledger()
        self._anew = Groups(self._ledger, _anew)
        self._effects = self._anew.effects
        self._matters = Matters()
        self._zones = zones
        self._evaluated: list[Evaluated] = []
        # Entries below were known when the last day closed; for every own correction where that stood, and how many evaluations were.
        self._told = 0
        self._stood: dict[int, tuple[int, int]] = {}
        self._on: dict[Name, list[int]] = {}
        self._decided: dict[Name, list[int]] = {}

    def take(self, entry: Entry, scene: Scene) -> Iterator[Sign]:
        place = self._ledger.put(entry)
        if entry.type == EVALUATED:
            self._evaluate(self._ledger.entry(place), place)
            return
        if entry.type in _REVIEWS or entry.type == DETERMINED:
            about = acting.named(entry)
            assert about is not None
            if place not in self._decided.setdefault(about, []):
                self._decided[about].append(place)
            names = [about]
        else:
            keys = self._anew.take(entry)
            names = [name for key in keys for name in self._anew.names(key)]
            if entry.type in acting.TYPES:
                names += self._effects.concerned(entry)
                self._remember(entry, place)
        for name in dict.fromkeys(one for one in names if one in self._on):
            yield from self._judge(name, entry)

    def _remember(self, entry: Entry, place: int) -> None:
        name = acting.named(entry)
        if name is not None and _own(entry) and place not in self._stood:
            self._stood[place] = self._told, len(self._evaluated)
            self._on.setdefault(name, []).append(place)

    def close(self, closed: Closed) -> Iterable[Sign]:
        self._told = self._ledger.end
        return ()

    def _evaluate(self, entry: Entry, place: int) -> None:
        if all(one.place != place for one in self._evaluated):
            data, period = entry.data, entry.data["period"]
            days = (date.fromisoformat(day) for day in (period["first"], period["last"], data["evaluation_date"]))
            self._evaluated.append(Evaluated(data["regime"], *days, place))

    def _judge(self, name: Name, cause: Entry) -> Iterator[Sign]:
        place = self._ledger.find(*name)
        if place is None or (entry := self._ledger.entry(place)).type not in TYPES:
            return
        before: Words | None = Words(entry.type, entry.data)
        signs = []
        for one in self._effects.acting(name):
            after = self._instead(entry) if acting.takes_away(one) else self._effects.worded(entry, one) or before
            at = self._ledger.find(one.source, one.id)
            if at in self._stood and before is not None:
                signs += self._sign(entry, place, one, at, before, after)
            before = after
        yield from self._matters.settle({name: signs}, lambda sign: ended(sign, (shown(cause, "ends"),), *_ENDED))

    def _instead(self, entry: Entry) -> Words | None:
        """What an entry that was taken back was entered as besides: an entry taken back because there are two leaves the other."""
        keys = _anew(entry, Words(entry.type, entry.data))
        others = (one for key in keys for one in self._anew.members(key) if one.entry.id != entry.id)
        return next((one.words for one in others), None)

    def _sign(self, entry: Entry, place: int, correction: Entry, at: int, before: Words, after: Words | None) -> list[Sign]:
        told, many = self._stood[at]
        regime = before.data.get("regime")
        evaluated = [one for one in self._evaluated[:many] if regime is None or one.regime == regime]
        found = milder(before, after, evaluated)
        if not found or place >= told:
            return []
        within = [one for one in evaluated if one.first <= day_of(before) <= one.last]
        zone = self._zones.name(entry.subject, regime)
        if not within and _sourced(correction, zone):
            return []
        why = self._decisions((entry.source, entry.id), correction)
        return [_say(entry, correction, found, within, why, self._ledger, zone)]

    def _decisions(self, name: Name, correction: Entry) -> dict[str, Entry | None]:
        """The innocent explanations that the records support, with the record."""
        found: dict[str, Entry | None] = {"source_document": None} if correction.data.get("source_document") else {}
        for at in self._decided.get(name, ()):
            one = self._ledger.entry(at)
            if one.order < correction.order and self._effects.words(one) is not None:
                if one.type in _REVIEWS and one.data["outcome"] in _AGAINST:
                    found["review_decided"] = one
                elif one.type == DETERMINED and one.data["result"] in ("inaccurate", "false"):
                    found["truth_determined"] = one
        for one in self._effects.acting(name):
            if one.type == "objection.decided" and one.order < correction.order:
                found["objection_upheld"] = one
        return found


_ENDED = ("该项更正已不再有效，或者不再使内容改轻。", "The correction is no longer in effect, or makes nothing milder any more.")


def _anew(entry: Entry, words: Words) -> list[Key]:
    """What an entry shares with one that is made anew in its place."""
    data = words.data
    if words.type not in TYPES:
        return []
    if words.type == "score.recorded":
        return [("score", entry.subject, data["regime"], str(data["year"]))] if data["final"] else []
    if number := data.get("document_no") or data.get("case_no") or data.get("sample_no"):
        return [("number", entry.source, words.type, number)]
    return [("day", entry.subject, words.type, data["occurred_on"])] if read(words).adverse else []


def _sourced(correction: Entry, zone: str) -> bool:
    """Whether it names its source and says that it was made on the day on which it came."""
    said = correction.data
    return bool(said.get("source_document")) and said["occurred_on"] == local_day(correction.received, zone).isoformat()


def _own(entry: Entry) -> bool:
    """Whether the office says it of its own entry, of its own accord."""
    named = acting.named(entry)
    if named is None or named[0] != entry.source:
        return False
    return entry.type in acting.OWN or (entry.type in acting.REVIEWED and entry.data["ground"] == "own_motion")


def _say(
    entry: Entry,
    correction: Entry,
    found: list[Milder],
    within: list[Evaluated],
    why: dict[str, Entry | None],
    ledger: Ledger,
    time_zone: str,
) -> Sign:
    entered, corrected = (local_day(one.received, time_zone) for one in (entry, correction))
    said = [f"{zh_day(entered)}录入的事项于{zh_day(corrected)}由录入单位更正：" + "；".join(one.zh for one in found) + "。"]
    told = [f"Entered on {en_day(entered)}, corrected by the office itself on {en_day(corrected)}: {'; '.join(one.en for one in found)}."]
    for one in within:
        said.append(f"其所属期间（{one.first}至{one.last}）已于{zh_day(one.on)}评定。")
        told.append(f" Its period ({one.first} to {one.last}) had been evaluated on {en_day(one.on)}.")
    records = [shown(one, code) for code, one in why.items() if one is not None]
    evaluations = [shown(ledger.entry(one.place), "evaluation") for one in within[:5]]
    return Sign(
        matter=f"{correction.source} {correction.id}",
        office=correction.source,
        subject=entry.subject,
        regime=within[0].regime if within else entry.data.get("regime"),
        zh="".join(said),
        en="".join(told),
        entry=shown(correction, "correction"),
        shown=(shown(entry, "entry"), shown(correction, "correction"), *evaluations, *records),
        concerns=tuple(filter(None, [correction.data.get("entered_by")])),
        values=tuple((one.name, one.now, one.before) for one in found),
        supported=frozenset(why),
    )
