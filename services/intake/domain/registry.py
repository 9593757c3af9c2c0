"""Who may say what: the fold of the registry's records, as of the next record to come.

Invariants
1. The state depends on the records alone, in their order: the same prefix gives the same answers.
2. A record that can't be read, or that nobody signed whose role reaches or reached so far, changes nothing; its offset is
   remembered. *Reached*, because what was admitted stays admitted when the role ends before the record is read back.
3. A revoked key stays known and stays revoked; a key never changes hands.
4. A step of a hearing has effect where its signer has or had a role for it at the office, or is or spoke for who is heard.
5. Leaving an office ends the roles there; leaving the last office ends everything until enrolled and granted anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from pydantic import ValidationError

from schemas.canonical import canonical_bytes, sha256_hex, trusted_canonical_bytes
from schemas.envelope import NotAnEnvelope, Opened, Submission, check_data, lookup, open_record
from schemas.events import CATALOGUE
from schemas.keys import unb64, verify
from schemas.times import civil_date
from schemas.topics import PARTITIONS
from services.intake.domain.jurisdiction import Grant, beyond
from services.intake.domain.rounds import APPEALED, DECIDED, NOTIFIED, REPLIED, Rounds

_GENESIS = "mingjian.genesis.v1"
DAY_CLOSED = "mingjian.day.closed.v1"
SYSTEM_HOLDER = "system:intake"
RECEIPTS_HOLDER = "system:receipts"


@dataclass(frozen=True, slots=True)
class Key:
    """A registered key. ``raw``: public key; ``channels`` in the order of registration; times as received."""

    key_id: str
    alg: str
    raw: bytes
    holder: str
    channels: tuple[str, ...]
    registered_at: str
    revoked_at: str | None = None


class Registry:
    """``apply`` in the order of offsets; then ask. ``ignored``: offsets that should have had an effect and have none."""

    def __init__(self) -> None:
        self.next_offset = 0
        self.genesis: dict[str, Any] | None = None
        self.fingerprint: str | None = None
        self.stack = ""
        self.office = ""
        self.time_zone = ""
        self.closed_through: date | None = None
        self.ignored: list[int] = []
        self._keys: dict[str, Key] = {}
        self._grants: dict[str, list[Grant]] = {}
        self._offices: dict[str, set[str]] = {}
        self._ever: dict[str, list[Grant]] = {}
        self._ever_at: dict[str, set[str]] = {}
        self.rounds = Rounds()

    @staticmethod
    def empty() -> Registry:
        """Before genesis."""
        return Registry()

    def key(self, key_id: str) -> Key | None:
        """A key that was ever registered, revoked or not."""
        return self._keys.get(key_id)

    def grants(self, holder: str) -> tuple[Grant, ...]:
        """The roles that hold now."""
        return tuple(self._grants.get(holder, ()))

    def enrolled(self, holder: str) -> bool:
        """True while the holder is enrolled at an office."""
        return bool(self._offices.get(holder))

    def known(self, holder: str) -> bool:
        """True when the holder is or ever was enrolled."""
        return holder in self._offices

    def offices(self, holder: str) -> frozenset[str]:
        """The offices at which the holder is enrolled."""
        return frozenset(self._offices.get(holder, ()))

    def ever_at(self, holder: str) -> frozenset[str]:
        """The offices at which the holder is or ever was enrolled or had a role."""
        return frozenset(self._ever_at.get(holder, ())) | {one.office for one in self._ever.get(holder, ())}

    def apply(self, offset: int, value: bytes | None) -> None:
        """Fold the record at ``offset``, which must be ``next_offset`` or come after it. Raises ``ValueError`` when it goes back."""
        if offset < self.next_offset:
            raise ValueError(f"offset {offset} was folded before; {self.next_offset} comes next")
        self.next_offset = offset + 1
        try:
            opened = open_record(value)
            if offset == 0:
                self._genesis(opened.event, opened.entry["received_at"])
            elif opened.event["type"] == _GENESIS:
                raise ValueError("the register has begun")
            elif opened.event["type"] in _STEPS:
                self._step(opened)
            elif fold := _FOLDS.get(opened.event["type"]):
                self._check_signed(opened, "system" if opened.event["type"] == DAY_CLOSED else "registrar")
                fold(self, opened.event, opened.entry["received_at"])
        except (NotAnEnvelope, KeyError, TypeError, ValueError, AttributeError):
            # It went past intake: no effect. Audit reports it, and the offset can be asked for.
            self.ignored.append(offset)

    def _check_signed(self, opened: Opened, role: str) -> None:
        signature, event = opened.signature, opened.event
        key = self._keys[signature["key_id"]]
        grants = [one for one in self._ever.get(key.holder, ()) if (one.role, one.office) == (role, event["source"])]
        if not grants:
            raise ValueError("the signer never had the role")
        if beyond(event, self._ever[key.holder], root=self.office, offices=self.offices(event["subject"])):
            raise ValueError("the signer's role never reached so far")
        if not verify(key.alg, key.raw, trusted_canonical_bytes(event), unb64(signature["value"])):
            raise ValueError("the signature does not verify")

    def _step(self, opened: Opened) -> None:
        signature, event = opened.signature, opened.event
        key, heard = self._keys[signature["key_id"]], event["subject"].removeprefix("office:")
        grants = [one for one in self._ever.get(key.holder, ()) if one.office == event["source"]]
        if event["type"] in (REPLIED, APPEALED):
            may = heard == key.holder or (heard == event["source"] and bool(grants))
        else:
            may = any(one.role in CATALOGUE[event["type"]].roles for one in grants)
        if not may or not verify(key.alg, key.raw, trusted_canonical_bytes(event), unb64(signature["value"])):
            raise ValueError("not signed by one who may or might say it")
        self.rounds.take(event, key.holder, civil_date(opened.entry["received_at"], self.time_zone))

    def _genesis(self, event: dict[str, Any], received_at: str) -> None:
        if event["type"] != _GENESIS:
            raise ValueError("the register does not begin with genesis")
        data, office = event["data"], event["source"]
        registrar = data["registrar"]
        keys = [
            _key(data["registrar_key"], registrar, ("desk",), received_at),
            _key(data["system_key"], SYSTEM_HOLDER, ("desk",), received_at),
            _key(data["receipt_key"], RECEIPTS_HOLDER, (), received_at),
        ]
        # The first day to be announced is the one on which the register began.
        self.closed_through = civil_date(received_at, data["time_zone"]) - timedelta(days=1)
        self.genesis, self.stack, self.office, self.time_zone = data, event["subject"], office, data["time_zone"]
        self.fingerprint = sha256_hex(trusted_canonical_bytes(event))
        self._keys |= {key.key_id: key for key in keys}
        for holder, role in ((registrar, "registrar"), (SYSTEM_HOLDER, "system")):
            self._offices[holder] = {office}
            self._grants[holder] = [Grant(role, office, None, frozenset())]
            self._ever[holder] = list(self._grants[holder])

    def _enrolled(self, event: dict[str, Any], received_at: str) -> None:
        for held in (self._offices, self._ever_at):
            held.setdefault(event["subject"], set()).add(event["data"]["office"])

    def _left(self, event: dict[str, Any], received_at: str) -> None:
        holder, office = event["subject"], event["data"]["office"]
        self._offices.get(holder, set()).discard(office)
        kept = [one for one in self._grants.get(holder, ()) if one.office != office]
        self._grants[holder] = kept if self._offices.get(holder) else []

    def _registered(self, event: dict[str, Any], received_at: str) -> None:
        new = _key(event["data"]["key"], event["subject"], tuple(event["data"]["channels"]), received_at)
        before = self._keys.get(new.key_id)
        if before is None:
            self._keys[new.key_id] = new
        elif before.holder == new.holder and before.revoked_at is None:
            self._keys[new.key_id] = replace(before, channels=new.channels)
        else:
            raise ValueError("the key is another's, or was revoked")

    def _revoked(self, event: dict[str, Any], received_at: str) -> None:
        before = self._keys[event["data"]["key_id"]]
        if before.holder != event["subject"]:
            raise ValueError("the key is another's")
        if before.revoked_at is None:
            self._keys[before.key_id] = replace(before, revoked_at=received_at)

    def _granted(self, event: dict[str, Any], received_at: str) -> None:
        data = event["data"]
        if not self.enrolled(event["subject"]):
            raise ValueError("not enrolled")
        grant = Grant(data["role"], data["office"], frozenset(data["schemes"]), frozenset(data["regimes"]))
        for held in (self._grants, self._ever):
            if grant not in held.setdefault(event["subject"], []):
                held[event["subject"]].append(grant)

    def _withdrawn(self, event: dict[str, Any], received_at: str) -> None:
        data, holder = event["data"], event["subject"]
        self._grants[holder] = [one for one in self._grants.get(holder, ()) if (one.role, one.office) != (data["role"], data["office"])]

    def _day_closed(self, event: dict[str, Any], received_at: str) -> None:
        through = date.fromisoformat(event["data"]["through"])
        self.closed_through = max(self.closed_through or through, through)


_STEPS = frozenset({NOTIFIED, REPLIED, DECIDED, APPEALED})
_FOLDS: dict[str, Callable[[Registry, dict[str, Any], str], None]] = {
    "mingjian.officer.enrolled.v1": Registry._enrolled,
    "mingjian.officer.left.v1": Registry._left,
    "mingjian.key.registered.v1": Registry._registered,
    "mingjian.key.revoked.v1": Registry._revoked,
    "mingjian.role.granted.v1": Registry._granted,
    "mingjian.role.withdrawn.v1": Registry._withdrawn,
    DAY_CLOSED: Registry._day_closed,
}


def _key(public: dict[str, Any], holder: str, channels: tuple[str, ...], received_at: str) -> Key:
    return Key(public["key_id"], public["alg"], unb64(public["public_key"]), holder, channels, received_at)


def verify_genesis(submission: Any) -> str:
    """The fingerprint (event hash) of a genesis submission. Raises ``ValueError`` with a sentence."""
    try:
        whole = Submission.model_validate(submission)
        row = lookup(whole.event.type)
        if row is None or row.type != _GENESIS:
            raise ValueError(f"its type is not {_GENESIS}")
        if not whole.event.subject.startswith("stack:"):
            raise ValueError("its subject must be stack:<name>")
        check_data(row, whole.event.data, whole.event.subject)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ValueError(f"{'/'.join(str(step) for step in first['loc']) or 'data'}: {first['msg']}") from None
    data, key = whole.event.data, whole.event.data["registrar_key"]
    names = ("registrar_key", "receipt_key", "system_key")
    if len({data[name]["key_id"] for name in names}) != len(names):
        raise ValueError("registrar, receipt and system key must be three different keys")
    if data["partitions"] != PARTITIONS:
        raise ValueError(f"it names {data['partitions']} partitions; this version has {PARTITIONS}")
    try:
        civil_date(whole.event.time, data["time_zone"])
    except (KeyError, ValueError, OSError):
        raise ValueError(f"the time zone {data['time_zone']!r} is not known here") from None
    message = canonical_bytes(submission["event"])
    if (whole.signature.key_id, whole.signature.alg) != (key["key_id"], key["alg"]):
        raise ValueError("it is not signed with the registrar's key that it names")
    if not verify(key["alg"], unb64(key["public_key"]), message, unb64(whole.signature.value)):
        raise ValueError("its signature does not verify")
    return sha256_hex(message)


def same_genesis(value: bytes | None, submission: dict[str, Any]) -> bool:
    """True when a record's value holds the genesis event of ``submission`` (signatures and entry may differ)."""
    try:
        return trusted_canonical_bytes(open_record(value).event) == canonical_bytes(submission["event"])
    except NotAnEnvelope:
        return False
