"""A pack's finding and its effect, worked out again from the records in it, by the code that worked them out at first.

Late entries: the detector of late entries over the subject's facts and the control copies of its partition, by the registry and the
rulebooks in the pack. Which edition was the last one known when the finding was made nobody wrote down, so each that it can have been is
tried. Signs: their detector over the records in the pack, which are all that it needs where it looks at single entries or at one subject.
Effect: the fold of the subject's facts up to the assessment's own cut.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.topics import FACTS, FINDINGS, PARTITIONS, PARTS
from services.audit.assessing import Effects, NoEffect, read_partition, subject_in, words_in
from services.audit.domain.bundle import genesis_in
from services.audit.domain.derived_entries import derived_of, derived_types
from services.audit.domain.detectors.all import every
from services.audit.domain.detectors.model import Detector, Entry
from services.audit.domain.findings import TYPE
from services.audit.domain.frame import Record
from services.audit.domain.late import KIND, RETRACTED, EntryRule, as_told
from services.audit.domain.matters import standing_matters
from services.audit.domain.registry import ACTIVATED, DAY_CLOSED, Registry
from services.audit.domain.replay import Facts, books_of
from services.audit.domain.scanning import Scan
from services.audit.domain.signs import Found
from services.audit.entries import OtherRulebook
from services.audit.evidence.contents import Inputs
from services.audit.evidence.records import (
    CONTROL_FILE,
    EVIDENCE_FILE,
    FACTS_FILE,
    GRADES_FILE,
    MATTER_FILE,
    OTHERS_FILE,
    REGISTRY_FILE,
    Held,
)
from services.audit.evidence.working import MemoryWork
from services.audit.handlers import Detectors

# About an entry, and found by what stands around it: a whole series of numbers.
_WIDER = frozenset({"numbers_out_of_order"})


@dataclass(frozen=True)
class Again:
    """``done``: it was worked out again; False where the pack can't hold what that needs, which ``said`` tells. ``differs``: in what."""

    said: str
    done: bool = True
    differs: tuple[str, ...] = ()


def finding(inputs: Inputs) -> Again:
    """Raises what malformed records make of it."""
    data, value = inputs.case.data, inputs.case.finding.value
    if data["kind"] in (KIND, RETRACTED):
        found = [as_told(data, one) for one in _late(inputs)]
        return _compared(inputs, found, "the detector of late entries, over the subject's facts, finds the same")
    if data["about"] == "operation":
        return Again("is about the operation: its record and what it names are leaves; it isn't worked out again here", done=False)
    if data.get("statistic"):
        return Again(
            "a test over a population that is not in the pack: it isn't worked out again; `mingjian scan --bundle` does that from the "
            f"whole log, whose population has the SHA-256 {data['statistic']['population_sha256']}",
            done=False,
        )
    detectors = [one for one in every(inputs.editions) if one.declared.kind == data["kind"]]
    if not detectors or detectors[0].declared.version != data.get("detector_version"):
        return Again(f"no detector of this version of the software finds a {data['kind']} by {data['rule_version']}", done=False)
    signs = [one for one in _signs(inputs, detectors) if one.id == inputs.finding]
    if any(one.value == value for one in signs):
        return Again(f"the detector {data['kind']}, over the records in the pack, finds the same")
    if not signs and (data["about"] != "entry" or data["kind"] in _WIDER):
        return Again(f"the detector {data['kind']} looks at more than the pack holds: it isn't worked out again here", done=False)
    return _compared(inputs, [one.data for one in signs], "")


def _compared(inputs: Inputs, found: Sequence[Mapping[str, Any]], said: str) -> Again:
    """``found``: data of what was found again under the finding's id, any of which may be it."""
    wanted = inputs.case.data
    if any(_same(wanted, one) for one in found):
        return Again(said)
    if not found:
        return Again("is worked out again", differs=("the records in the pack lead to no such finding",))
    return Again("is worked out again", differs=tuple(_differences(wanted, found[-1])))


def _same(told: Mapping[str, Any], again: Mapping[str, Any]) -> bool:
    """Whether two findings are one. From when a record was known is the latest record time of its partition up to it, others' included,
    which the pack doesn't hold: where the log's time went back it was later than the pack's records say, never earlier."""
    if told == again:
        return True
    rows, others = told.get("evidence") or (), again.get("evidence") or ()
    if len(rows) != len(others) or any(one["known_from"] < other["known_from"] for one, other in zip(rows, others, strict=True)):
        return False
    return _timeless(told) == _timeless(again)


def _timeless(data: Mapping[str, Any]) -> dict[str, Any]:
    rows = [{name: value for name, value in one.items() if name != "known_from"} for one in data.get("evidence") or ()]
    return {**data, "evidence": rows}


def _differences(told: Mapping[str, Any], again: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """Which fields differ."""
    for name in sorted(told.keys() | again.keys()):
        one, other = told.get(name), again.get(name)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            yield from _differences(one, other, f"{before}{name}.")
        elif one != other:
            yield f"{before}{name} is told as {_short(one)}; the records lead to {_short(other)}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:117]}…"


def _late(inputs: Inputs) -> Iterator[Mapping[str, Any]]:
    """What the detector finds under the finding's id, by each edition that may have been the last one known."""
    rules = [rule for books in inputs.editions.values() for book in books if (rule := EntryRule.of(book))]
    regime = inputs.case.data.get("regime")
    activations = [
        one.record.offset
        for one in inputs.records[REGISTRY_FILE]
        if one.event.get("type") == ACTIVATED and regime in (None, one.event["data"].get("regime"))
    ]
    for upto in (-1, *activations):
        try:
            found = asyncio.run(_entries(inputs, rules, upto)).get(inputs.finding)
        except OtherRulebook:
            continue
        if found is not None:
            yield found


async def _entries(inputs: Inputs, rules: Sequence[EntryRule], upto: int) -> dict[str, Mapping[str, Any]]:
    """``upto``: how far the registry was read when the first fact came; later as far as the facts themselves ask for."""
    genesis = genesis_in(inputs.registry).event
    records = inputs.records[REGISTRY_FILE]
    registry, at = Registry(genesis), 0

    async def read(offset: int) -> Registry:
        nonlocal at
        while at < len(records) and records[at].record.offset <= max(offset, upto):
            registry.apply(records[at].record.offset, records[at].one)
            at += 1
        return registry

    work = MemoryWork()
    detectors = Detectors(rules, read, genesis["subject"])
    for one in _facts(inputs):
        await detectors.handle({(FACTS, one.record.partition): [one.record]}, work)
    return work.data


def _facts(inputs: Inputs, upto: int | None = None) -> list[Held]:
    """The subject's facts and the controls of their partition, by offset."""
    of = inputs.case.entry.record.partition if inputs.case.entry else None
    every_one = [*inputs.records.get(FACTS_FILE, []), *inputs.records.get(CONTROL_FILE, [])]
    some = [one for one in every_one if of is None or one.record.partition == of]
    return sorted((one for one in some if upto is None or one.record.offset <= upto), key=lambda one: one.record.offset)


def _signs(inputs: Inputs, detectors: Sequence[Detector]) -> list[Found]:
    """A scan over what there is. A partition without control copies in the pack has the registry's days alone."""
    scan = Scan(genesis_in(inputs.registry).event, detectors, _derived(inputs, detectors))
    registry = [one.record for one in inputs.records[REGISTRY_FILE]]
    scan.read_registry(registry)
    days = [one.record for one in inputs.records[REGISTRY_FILE] if one.event.get("type") == DAY_CLOSED]
    by_partition: dict[int, list[Record]] = {number: [] for number in range(PARTITIONS)}
    for name in (FACTS_FILE, EVIDENCE_FILE, CONTROL_FILE):
        for one in inputs.records.get(name, []):
            if one.record.topic == FACTS:
                by_partition[one.record.partition].append(one.record)
    for partition, records in by_partition.items():
        scan.take(partition, sorted(records, key=lambda one: one.offset) or days)
    return [one for one in scan.found() if one.type == TYPE]


def _derived(inputs: Inputs, detectors: Sequence[Detector]) -> dict[int, list[Entry]]:
    """What rating makes of the subject's facts, where a detector asks for it."""
    types, found = derived_types(name for one in detectors for name in one.types), dict[int, list[Entry]]()
    for partition in sorted(inputs.case.wanted.partitions) if types else ():
        facts = Facts(partition)
        for one in _facts(inputs):
            if one.record.partition == partition:
                facts.take(one.record)
        found[partition] = derived_of(facts, books_of(inputs.editions), types)
    return found


class _Source:
    """``assessing.Source`` of a pack, up to a record of the partition and a leaf."""

    def __init__(self, inputs: Inputs, upto: int) -> None:
        self._inputs, self._upto = inputs, upto

    def findings(self) -> list[Record]:
        """See ``assessing``."""
        return [one.record for name in (MATTER_FILE, OTHERS_FILE) for one in self._inputs.records.get(name, [])]

    def registry(self) -> list[Record]:
        """See ``assessing``."""
        return [one.record for one in self._inputs.records[REGISTRY_FILE]]

    def parts(self) -> list[Record]:
        """See ``assessing``."""
        return [one.record for one in self._inputs.records.get(GRADES_FILE, []) if one.record.topic == PARTS]

    def facts(self, partition: int) -> Iterator[list[Record]]:
        """See ``assessing``."""
        yield [one.record for one in _facts(self._inputs, self._upto) if one.record.partition == partition]


def effects(inputs: Inputs) -> list[Again]:
    """Of each assessment in the pack. Raises what malformed records make of it."""
    return [_effect(inputs, told) for told in inputs.case.effects]


def _effect(inputs: Inputs, told: Held) -> Again:
    data = told.event["data"]
    known = [one for name in (MATTER_FILE, OTHERS_FILE) for one in inputs.records.get(name, [])]
    events = _findings(sorted((one for one in known if one.leaf < told.leaf), key=lambda one: one.leaf))
    best: list[str] | None = None
    # What the night knew of findings is not written down: those before the assessment in the log, and all where that gives another answer.
    for some in (events, _findings(sorted(known, key=lambda one: one.leaf))):
        found = _assessed(inputs, data, some)
        if isinstance(found, str):
            differs = [found]
        else:
            differs = list(_differences(_without_software(data), _without_software(found)))
        if not differs:
            return Again(f"worked out again from {_rests_on(data)}: the same answer, {_days(data)}")
        best = differs if best is None else best
    return Again("is worked out again", differs=tuple(best or ()))


def _rests_on(data: Mapping[str, Any]) -> str:
    if data["affected"] == data["subject_of"]:
        return "the subject's facts"
    return f"the subject's facts and what the other parts of {data['affected']} say"


def _days(data: Mapping[str, Any]) -> str:
    return f"{data['least']} days" if data["least"] == data["most"] else f"{data['least']} to {data['most']} days"


def _without_software(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name != "software"}


def _findings(held: Sequence[Held]) -> list[Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for one in held:
        if one.record.topic == FINDINGS and one.event.get("type") == TYPE:
            found.setdefault(one.event["id"], one.event)
    return list(found.values())


def _assessed(inputs: Inputs, data: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | str:
    """The assessment's data as it comes out again, or why there is none."""
    matters = standing_matters(events)
    wanted = next((one for one in matters if one.id == data["matter"]), None)
    if wanted is None:
        return "the records in the pack hold no standing matter that it is about"
    source = _Source(inputs, data["cut"]["offset"])
    partition = data["cut"]["partition"]
    offsets = [one.entry.offset for one in matters if one.entry.partition == partition]
    facts, entries = read_partition(source, partition, offsets)
    own = [one for one in matters if one.entry.partition == partition and subject_in(entries, one) == data["subject_of"]]
    # Whom the answer is about may be nobody's whole any more.
    before = {(data["matter"], data["regime"]): frozenset({data["affected"]})}
    effects = Effects(books_of(inputs.editions), inputs.folded, data["software"], lambda: words_in(source.parts()), before=before)
    try:
        answers = effects.by_regime(wanted, data["subject_of"], facts)
        given = [one for each in answers if each.regime == data["regime"] for one in effects.of_matter(facts, entries, own, each)]
    except NoEffect as error:
        return f"its effect can't be worked out again: {error}"
    found = next((one.answer.data for one in given if one.answer.data["affected"] == data["affected"]), None)
    return found or f"the records in the pack lead to no effect on {data['affected']}"
