"""Who held which key and role, and who had to enter what, as of every offset of the registry. What a detector asks of officers.

Invariants
1. Asked as of an offset, the answer is the same however far the registry was read since.
2. What a registrar says reaches as far as the registrar's own role at that office: from elsewhere it changes nothing. The register's own
   office, which genesis names, may say it of everyone.
3. Leaving an office ends the roles there; leaving the last one ends all. A revoked key stays revoked and never changes hands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from schemas.ids import SCHEMES, scheme_of

Lack = Literal[
    "key_unknown", "key_revoked", "holder_left", "role_missing", "office_not_granted", "scheme_not_granted", "regime_not_granted"
]

_REGISTRAR = "registrar"
_ENTERING = ("entered_by", "on_behalf_of")
_OF_GENESIS = {"registrar_key": "registrar", "system_key": "system"}


@dataclass(slots=True)
class _Span:
    """From the offset ``since`` on, until the one of ``until``, which has it no more."""

    since: int
    until: int | None = None

    def at(self, stamp: int) -> bool:
        return self.since <= stamp and (self.until is None or stamp < self.until)


@dataclass(slots=True)
class Grant(_Span):
    """A role at an office. ``schemes`` None and ``regimes`` empty: all."""

    role: str = ""
    office: str = ""
    schemes: frozenset[str] | None = None
    regimes: frozenset[str] = frozenset()


@dataclass(slots=True)
class KeyHeld(_Span):
    """A key's holder, for ever; ``until``: where it was revoked."""

    holder: str = ""


@dataclass(slots=True)
class _Enrolled(_Span):
    office: str = ""


@dataclass(frozen=True, slots=True)
class Duty:
    """That an officer has to enter an office's acts, from ``first`` to ``last`` (days, inclusive; ``last`` None: until another says
    otherwise). ``categories`` empty: all. ``handed_by``: who handed it over, where it was not assigned. ``offset``: of the record."""

    offset: int
    office: str
    officer: str
    categories: frozenset[str]
    first: date
    last: date | None
    handed_by: str | None = None
    reason: str | None = None


@dataclass(slots=True)
class People:
    """``apply`` the registry's signed records in order; then ask as of any offset."""

    root: str = ""
    _keys: dict[str, KeyHeld] = field(default_factory=dict)
    _grants: dict[str, list[Grant]] = field(default_factory=dict)
    _enrolled: dict[str, list[_Enrolled]] = field(default_factory=dict)
    _duties: list[Duty] = field(default_factory=list)

    @staticmethod
    def of(genesis: Mapping[str, Any]) -> People:
        """As genesis leaves them: the registrar and the system's own key."""
        data, people = genesis["data"], People(str(genesis.get("source", "")))
        for name, role in _OF_GENESIS.items():
            if name in data:
                holder = str(data.get("registrar", name)) if role == _REGISTRAR else name
                people._keys[data[name]["key_id"]] = KeyHeld(0, holder=holder)
                people._grants.setdefault(holder, []).append(Grant(0, role=role, office=people.root))
                people._enrolled.setdefault(holder, []).append(_Enrolled(0, office=people.root))
        return people

    def key(self, key_id: str) -> KeyHeld | None:
        """A key that was ever registered."""
        return self._keys.get(key_id)

    def holder(self, key_id: str, stamp: int) -> str | None:
        """Who held a key at ``stamp``, revoked by then or not."""
        key = self._keys.get(key_id)
        return key.holder if key is not None and key.since <= stamp else None

    def has_key(self, holder: str, stamp: int) -> bool:
        """Whether the holder had a key that held."""
        return any(one.holder == holder and one.at(stamp) for one in self._keys.values())

    def in_office(self, role: str, subject: str, regime: str, stamp: int) -> list[str]:
        """The offices at which somebody had a role that reaches the subject and the regime, sorted."""
        scheme, found = scheme_of(subject), set()
        for grants in self._grants.values():
            for one in grants:
                reaches = (one.schemes is None or scheme in one.schemes) and (not one.regimes or regime in one.regimes)
                if one.role == role and reaches and one.at(stamp):
                    found.add(one.office)
        return sorted(found)

    def offices(self, holder: str, stamp: int) -> frozenset[str]:
        """Where the holder was enrolled."""
        return frozenset(one.office for one in self._enrolled.get(holder, ()) if one.at(stamp))

    def was_enrolled(self, holder: str) -> bool:
        """Whether the holder was ever enrolled anywhere."""
        return bool(self._enrolled.get(holder))

    def grants(self, holder: str, stamp: int) -> list[Grant]:
        """The roles that held."""
        return [one for one in self._grants.get(holder, ()) if one.at(stamp)]

    def duties(self, office: str, stamp: int) -> list[Duty]:
        """Who had to enter the office's acts by what was said up to ``stamp``, in the order in which it was said."""
        return [one for one in self._duties if one.office == office and one.offset <= stamp]

    def has_to_enter(self, office: str, category: str, day: date, stamp: int) -> frozenset[str]:
        """Who had to enter the office's acts of a category (``inspection_recorded``) on a day; empty where nobody was named.

        A hand-over covers the one who hands over, for the days that it names."""
        held: dict[str, bool] = {}
        for one in self.duties(office, stamp):
            if (one.categories and category not in one.categories) or day < one.first or (one.last is not None and one.last < day):
                continue
            held[one.officer] = True
            if one.handed_by is not None:
                held[one.handed_by] = False
        return frozenset(officer for officer, holds in held.items() if holds)

    def lacking(self, key_id: str, stamp: int, *, source: str, subject: str, roles: Iterable[str], regimes: Iterable[str]) -> Lack | None:
        """What a key's holder lacked at ``stamp`` to enter this, by the contract's rule: one role has to cover office, scheme and regime
        together. None: nothing."""
        key = self._keys.get(key_id)
        if key is None or stamp < key.since:
            return "key_unknown"
        if not key.at(stamp):
            return "key_revoked"
        if not self.offices(key.holder, stamp):
            return "holder_left"
        wanted, named = frozenset(roles), frozenset(regimes)
        left = [one for one in self.grants(key.holder, stamp) if one.role in wanted]
        if not left:
            return "role_missing"
        left = [one for one in left if one.office == source]
        if not left:
            return "office_not_granted"
        left = [one for one in left if one.schemes is None or scheme_of(subject) in one.schemes]
        if not left:
            return "scheme_not_granted"
        return None if any(not one.regimes or named <= one.regimes for one in left) else "regime_not_granted"

    def apply(self, offset: int, event: Mapping[str, Any], key_id: str) -> None:
        """Fold a record of one of ``TYPES`` that ``key_id`` signed. Raises ``KeyError``, ``TypeError`` or ``ValueError`` where it changes
        nothing."""
        kind, source, subject, data = event["type"], str(event["source"]), str(event["subject"]), event["data"]
        if kind in _OF_DUTIES:
            self._say_duty(offset, kind, source, subject, data)
            return
        signer = self._keys[key_id].holder
        if not any(one.role == _REGISTRAR and one.office == source for one in self._grants.get(signer, ())):
            raise ValueError("the signer was never a registrar there")
        if source != self.root:
            at = {str(data["office"])} if "office" in data else self.offices(subject, offset)
            if at != {source} or data.get("role") == _REGISTRAR:
                raise ValueError("a registrar's word reaches the own office alone")
        _FOLDS[kind](self, offset, subject, data)

    def _say_duty(self, offset: int, kind: str, source: str, subject: str, data: Mapping[str, Any]) -> None:
        office = str(data["office"])
        if source not in (office, self.root):
            raise ValueError("of another office's entries")
        last = date.fromisoformat(data["until"]) if data.get("until") else None
        categories = frozenset(map(str, data.get("categories") or ()))
        first, handed = date.fromisoformat(data["occurred_on"]), kind == HANDED_OVER
        officer = str(data["to"]) if handed else subject
        reason = str(data["reason"]) if handed else None
        self._duties.append(Duty(offset, office, officer, categories, first, last, subject if handed else None, reason))

    def _enrol(self, offset: int, subject: str, data: Mapping[str, Any]) -> None:
        if str(data["office"]) not in self.offices(subject, offset):
            self._enrolled.setdefault(subject, []).append(_Enrolled(offset, office=str(data["office"])))

    def _leave(self, offset: int, subject: str, data: Mapping[str, Any]) -> None:
        _end((one for one in self._enrolled.get(subject, ()) if one.office == data["office"]), offset)
        left = self.offices(subject, offset)
        _end((one for one in self._grants.get(subject, ()) if one.office == data["office"] or not left), offset)

    def _register(self, offset: int, subject: str, data: Mapping[str, Any]) -> None:
        self._keys.setdefault(str(data["key"]["key_id"]), KeyHeld(offset, holder=subject))

    def _revoke(self, offset: int, subject: str, data: Mapping[str, Any]) -> None:
        if (key := self._keys[data["key_id"]]).holder == subject:
            _end((key,), offset)

    def _grant(self, offset: int, subject: str, data: Mapping[str, Any]) -> None:
        if not self.offices(subject, offset):
            raise ValueError("not enrolled")
        schemes, regimes = frozenset(map(str, data["schemes"])), frozenset(map(str, data["regimes"]))
        one = Grant(offset, role=str(data["role"]), office=str(data["office"]), schemes=schemes, regimes=regimes)
        self._grants.setdefault(subject, []).append(one)

    def _withdraw(self, offset: int, subject: str, data: Mapping[str, Any]) -> None:
        _end((one for one in self._grants.get(subject, ()) if (one.role, one.office) == (data["role"], data["office"])), offset)


def entering(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Who entered, and on whose behalf, each once: pseudonyms alone, for what went past intake may name anything."""
    return tuple(dict.fromkeys(name for field in _ENTERING if _is_pseudonym(name := data.get(field))))


def acting(data: Mapping[str, Any]) -> frozenset[str]:
    """Who acted in an entry, entered or reviewed it."""
    officers = data.get("officers")
    named = (*(officers if isinstance(officers, (list, tuple)) else ()), *entering(data), data.get("reviewed_by"))
    return frozenset(name for name in named if _is_pseudonym(name))


def _is_pseudonym(name: object) -> bool:
    scheme, _, value = name.partition(":") if isinstance(name, str) else ("", "", "")
    return scheme == "officer" and SCHEMES["officer"].fullmatch(value) is not None


def _end(spans: Iterable[_Span], offset: int) -> None:
    for one in spans:
        if one.until is None:
            one.until = offset


ASSIGNED = "mingjian.entry.assigned.v1"
HANDED_OVER = "mingjian.entry.handed_over.v1"
_OF_DUTIES = frozenset({ASSIGNED, HANDED_OVER})
_FOLDS = {
    "mingjian.officer.enrolled.v1": People._enrol,
    "mingjian.officer.left.v1": People._leave,
    "mingjian.key.registered.v1": People._register,
    "mingjian.key.revoked.v1": People._revoke,
    "mingjian.role.granted.v1": People._grant,
    "mingjian.role.withdrawn.v1": People._withdraw,
}
TYPES = frozenset({*_FOLDS, *_OF_DUTIES})
