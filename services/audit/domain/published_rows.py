"""What publication shows, held against the leaves: facts, changes of grades, the grades that hold, lists.

What is shown when no fault is found, for everything publication had read when the snapshot was taken
1. Each public fact and each change of a grade is a row, with the leaf's own id, times and days; its data is a part of the event's, and
   no public field of the event is missing.
2. The grade that a subject is shown with is that of the newest change that says what holds now.
3. Who stands on a list, and every entry and leaving, is what the publications say that were sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from schemas.canonical import trusted_canonical_bytes
from schemas.events import CATALOGUE
from schemas.fields import disclosure
from schemas.ids import ENTERPRISE_SCHEMES, scheme_of
from schemas.times import milliseconds
from schemas.topics import FACTS, GRADES, PUBLICATIONS
from services.audit.domain.contents import Leaf, Tell
from services.audit.domain.kept_rows import Beside, Row, Rows
from services.audit.domain.verify import Place

DETERMINED = "mingjian.grade.determined.v1"
CORRECTED = "mingjian.grade.corrected.v1"
ENTERED = "mingjian.list.entered.v1"
LEFT = "mingjian.list.left.v1"


class _Partitioned:
    """Rows of a table beside the leaves of a topic: one for each leaf that ``expected`` gives something for, and no others."""

    topic = ""
    table = ""
    columns: tuple[str, ...] = ()

    def __init__(self, rows: Callable[[Place], Rows], positions: Mapping[Place, int], fault: Tell) -> None:
        self._beside = {place: Beside(rows(place)) for place in positions if place[0] == self.topic}
        self._positions, self._fault = positions, fault
        self.rows = 0

    def expected(self, leaf: Leaf) -> tuple[Any, ...] | None:
        """What the row's columns, but for offset and data, have to be; None where there is to be no row."""
        raise NotImplementedError

    def see(self, leaf: Leaf) -> None:
        """See ``Watcher``."""
        place = (leaf.record.topic, leaf.record.partition)
        beside = self._beside.get(place)
        if beside is None or leaf.record.offset >= self._positions[place]:
            return
        for row in beside.before(leaf.record.offset):
            self._astray(place, row)
        row = beside.at(leaf.record.offset)
        try:
            expected = self.expected(leaf) if leaf.one is not None and leaf.earlier is None else None
        except (KeyError, TypeError, ValueError):
            # Not what its type says: publication puts it in quarantine.
            expected = None
        if row is None:
            if expected is not None:
                self._fault("published", f"{self.table} at {leaf.where}", "publication does not have it: it was deleted")
            return
        self.rows += 1
        if expected is None:
            self._astray(place, row)
            return
        where = f"{self.table} at {leaf.where}"
        for name, has, wanted in zip(self.columns, row[1:-1], expected, strict=True):
            if has != wanted:
                self._fault("published", where, f"publication shows {name} {has}, the log has {wanted}")
                return
        if name := _not_as_told(row[-1], leaf):
            self._fault("published", where, f"publication shows another {name} than the log has")

    def _astray(self, place: Place, row: Row) -> None:
        where = f"{self.table} {row[1]}"
        self._fault("published", where, f"publication has it from {place[0]} {place[1]}:{row[0]}, where no such thing stands")

    def end(self) -> None:
        """See ``Watcher``."""
        for place, beside in self._beside.items():
            for row in beside.rest():
                self._astray(place, row)


def _not_as_told(shown: Mapping[str, Any], leaf: Leaf) -> str | None:
    """The first public field of the event that is shown otherwise, or not at all."""
    assert leaf.one is not None
    told, row = leaf.one.event["data"], CATALOGUE.get(leaf.one.event["type"])
    public = [name for name, disclosed in disclosure(row.model).items() if disclosed == "public"] if row is not None else []
    missing = [name for name in public if told.get(name) is not None and name not in shown]
    return next((name for name in (*shown, *missing) if name in missing or not _is_part(shown[name], told.get(name))), None)


def _is_part(shown: Any, told: Any) -> bool:
    """``shown`` is ``told``, or what is left of it when some fields are left out."""
    if isinstance(shown, dict) and isinstance(told, dict):
        return all(_is_part(value, told.get(name)) for name, value in shown.items())
    if isinstance(shown, list) and isinstance(told, list):
        return len(shown) == len(told) and all(map(_is_part, shown, told))
    # PostgreSQL keeps no NUL.
    return shown == (told.replace("\x00", "\ufffd") if isinstance(told, str) else told)


class Facts(_Partitioned):
    """Rows: (offset, id, event hash, subject, type, received at, known ms, day, day of service, data) by offset."""

    topic, table = FACTS, "fact"
    columns = ("event_id", "event_hash", "subject", "type", "received_at", "known_ms", "occurred_on", "served_on")

    def expected(self, leaf: Leaf) -> tuple[Any, ...] | None:
        """See ``_Partitioned``: what is about an enterprise and not withheld."""
        assert leaf.one is not None
        event, entry = leaf.one.event, leaf.one.entry
        row = CATALOGUE.get(event["type"])
        if scheme_of(event["subject"]) not in ENTERPRISE_SCHEMES or (row is not None and (row.route != "facts" or row.withheld)):
            return None
        milliseconds(entry["received_at"])
        data = event["data"] if row is not None else {}
        digest = hashlib.sha256(trusted_canonical_bytes(event)).hexdigest()
        days = data.get("occurred_on"), (data.get("service") or {}).get("served_on")
        return (event["id"], digest, event["subject"], event["type"], entry["received_at"], leaf.known_ms, *days)


class Changes(_Partitioned):
    """Rows: (offset, id, type, subject, regime, grade, status, in force from, corrected to, known ms, cause's offset, cause known ms, time,
    data) by offset. ``grades``: (regime, subject, id of the change, grade, status, in force from, known ms) of what is shown as holding."""

    topic, table = GRADES, "change"
    columns = (
        *("id", "type", "subject", "regime", "grade", "status", "in_force_from", "corrected_to"),
        *("known_ms", "cause_offset", "cause_known_ms", "time"),
    )

    def __init__(self, rows: Callable[[Place], Rows], grades: Rows, positions: Mapping[Place, int], fault: Tell) -> None:
        super().__init__(rows, positions, fault)
        self._grades = grades
        self._holding: dict[tuple[str, str], tuple[int, str, Row]] = {}

    def expected(self, leaf: Leaf) -> tuple[Any, ...] | None:
        """See ``_Partitioned``; remembers what holds from here on."""
        assert leaf.one is not None
        event, data = leaf.one.event, leaf.one.event["data"]
        if event["type"] not in (DETERMINED, CORRECTED) or scheme_of(event["subject"]) not in ENTERPRISE_SCHEMES:
            return None
        cause = data["cause"]
        known = milliseconds(cause.get("known_from") or event["time"])
        told = (data["regime"], data.get("grade"), data["status"], data.get("in_force_from"), data.get("corrected_to"))
        of = (data["regime"], event["subject"])
        newest = self._holding[of][0] if of in self._holding else -1
        corrects = event["type"] == CORRECTED
        # As publication decides it: a correction of days gone by holds nowhere, one at an older cause covers nothing that came after.
        if not (corrects and told[4] is not None) and (not corrects or cause["offset"] >= newest):
            shown = (event["id"], told[1], told[2], told[3], leaf.known_ms)
            self._holding[of] = (max(cause["offset"], newest), leaf.where, shown)
        return (event["id"], event["type"], event["subject"], *told, leaf.known_ms, cause["offset"], known, event["time"])

    def end(self) -> None:
        """See ``Watcher``."""
        super().end()
        for regime, subject, *shown in self._grades:
            self.rows += 1
            holding = self._holding.pop((regime, subject), None)
            if holding is None:
                self._fault("published", f"grade of {subject}, {regime}", f"publication shows {shown[1]}, the log never told a grade")
            elif tuple(shown) != holding[2]:
                is_shown, holds = (f"{one[1] or one[2]} from {one[3]}" for one in (shown, holding[2]))
                what = f"publication shows {is_shown}, what holds is {holds}"
                self._fault("published", f"grade of {subject}, {regime}, told at {holding[1]}", what)
        for (regime, subject), (_, where, _) in self._holding.items():
            self._fault("published", f"grade of {subject}, {regime}, told at {where}", "publication shows none: it was deleted")


class Lists:
    """A ``Watcher``. ``members``: (list, subject, regime, grade, since, clause, id of the change); ``changes``: (id, list, subject, regime,
    entered, grade, day). ``untold``: subjects of whom something was still to be sent; nothing is asked of them. ``positions``: how far
    grades had been read."""

    def __init__(self, members: Rows, changes: Rows, untold: frozenset[str], positions: Mapping[Place, int], fault: Tell) -> None:
        self._members, self._changes, self._untold, self._positions, self._fault = members, changes, untold, positions, fault
        self._on: dict[tuple[str, str], tuple[str, Row]] = {}
        self._told: dict[str, tuple[str, Row]] = {}
        self.rows = 0

    def see(self, leaf: Leaf) -> None:
        """See ``Watcher``."""
        if leaf.record.topic != PUBLICATIONS or leaf.one is None or leaf.earlier is not None:
            return
        event, data = leaf.one.event, leaf.one.event["data"]
        cause = data.get("cause") or {}
        if event["type"] not in (ENTERED, LEFT) or event["subject"] in self._untold:
            return
        if cause.get("offset", -1) >= self._positions.get((cause.get("topic"), cause.get("partition")), 0):
            return
        entered, place = event["type"] == ENTERED, (data.get("list"), event["subject"])
        day = data.get("since" if entered else "on")
        self._told[event["id"]] = (leaf.where, (*place, data.get("regime"), entered, data.get("grade"), day))
        self._on.pop(place, None)
        if entered:
            self._on[place] = (leaf.where, (data.get("regime"), data.get("grade"), day, data.get("clause"), cause.get("id")))

    def end(self) -> None:
        """See ``Watcher``."""
        for name, subject, *shown in self._members:
            self.rows += 1
            found = self._on.pop((name, subject), None)
            if subject in self._untold:
                continue
            if found is None:
                self._fault("published", f"list {name}, {subject}", "publication shows an entry that the log has not, or no more")
            elif tuple(shown) != found[1]:
                self._fault(
                    "published", f"list {name}, {subject}, entered at {found[0]}", f"publication shows {shown}, the log has {found[1]}"
                )
        for (name, subject), (where, _) in self._on.items():
            self._fault("published", f"list {name}, {subject}, entered at {where}", "publication does not show the entry: it was deleted")
        for id, *shown in self._changes:
            self.rows += 1
            told = self._told.pop(id, None)
            if shown[1] in self._untold:
                continue
            if told is None or tuple(shown) != told[1]:
                what = "which is no leaf" if told is None else f"the log has {told[1]}"
                self._fault("published", f"list_change {id}", f"publication shows {tuple(shown)}, {what}")
        for id, (where, _) in self._told.items():
            self._fault("published", f"list_change {id} at {where}", "publication does not show that it was told: it was deleted")
