"""An entry by who had no right to make it: key unknown or revoked, holder gone, role or jurisdiction missing at its stamp. 五(二), R17.

Intake refuses such an entry, so one that stands in the log went past it. Who held a key is said where the signature is that key's; what
nobody's key signed names nobody. Judged is by the registry up to the entry's own offset, so a role granted later excuses nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from schemas.events import CATALOGUE
from schemas.ids import scheme_of
from services.audit.domain.detectors.model import Closed, Declared, Entry, Innocent, Proof, Scanned, Scene, Sign, shown
from services.audit.domain.detectors.wording import LACKS
from services.audit.domain.people import Lack, People

_ROLES = {row.name: row.roles for row in CATALOGUE.values() if row.route == "facts"}
_MOST = 10_000


class KeyNotValid:
    """The registry is asked as of each entry's stamp; what it answered last of whom is remembered, for speed alone."""

    declared = Declared(
        kind="key_not_valid",
        version=1,
        about="entry",
        proposes="check",
        clause="五(二)",
        readings=("R17",),
        zh="密钥、角色或管辖当时无效",
        en="Key, role or jurisdiction not valid",
        rests_on_zh="录入由有角色的人员以已登记的密钥作出；不是这样的，就绕过了录入服务。",
        rests_on_en="Entries are made by registered keys of officers with a role; what is not went past intake",
        explanations=(
            Innocent("key_replaced", "密钥已更换，持有人当时另有有效密钥", "the key was replaced: its holder had another, valid one"),
            Innocent("registered_later", "密钥或角色随后登记", "key or role were entered in the registry afterwards"),
        ),
        clears_zh="登记簿记录表明当时有权，或由有权者重新录入。",
        clears_en="Registry records that show the right, or the entry made again by who has it.",
        unproved=True,
    )
    types = frozenset(_ROLES)

    def __init__(self) -> None:
        self._fine: set[object] = set()

    def take(self, entry: Entry, scene: Scene) -> Iterator[Sign]:
        """See ``Detector``."""
        people, regimes = scene.registry.people, _regimes(entry)
        asked = (entry.key_id, entry.stamp, entry.source, scheme_of(entry.subject), _ROLES[entry.type], regimes)
        if asked in self._fine:
            return
        about = {"source": entry.source, "subject": entry.subject, "roles": _ROLES[entry.type], "regimes": regimes}
        lack = people.lacking(entry.key_id, entry.stamp, **about)  # type: ignore[arg-type]
        if lack is not None:
            yield _sign(entry, lack, people, regimes)
        elif len(self._fine) < _MOST:
            self._fine.add(asked)
        else:
            self._fine = {asked}

    def close(self, closed: Closed) -> Iterable[Sign | Scanned]:
        """Nothing waits for a day's end."""
        return ()


def _regimes(entry: Entry) -> frozenset[str]:
    named: set[str] = set()
    for data in (entry.data, (entry.data.get("replacement") or {}).get("data") or {}):
        named |= {data["regime"]} if data.get("regime") else set()
        named |= set(data.get("regimes") or ())
    return frozenset(named)


def _sign(entry: Entry, lack: Lack, people: People, regimes: frozenset[str]) -> Sign:
    holder = people.holder(entry.key_id, entry.stamp)
    # A key that held proves who signed; one that was revoked is tried all the same; of an unknown one nothing can be proved.
    proof: Proof = "none" if holder is None else "made" if lack == "key_revoked" else "held"
    zh, en = LACKS[lack]
    return Sign(
        matter=f"{entry.source} {entry.id}",
        office=entry.source,
        subject=entry.subject,
        regime=next(iter(sorted(regimes)), None),
        zh=f"该录入（登记簿偏移{entry.stamp}）：{zh}。此录入未经录入服务核准。",
        en=f"This entry (registry offset {entry.stamp}): {en}. It went past intake.",
        entry=shown(entry, "entry"),
        concerns=(holder,) if holder is not None and holder.startswith("officer:") else (),
        values=(("lacking", lack, None), ("registry_offset", str(entry.stamp), None)),
        supported=frozenset({"key_replaced"} if lack == "key_revoked" and people.has_key(holder or "", entry.stamp) else ()),
        proof=proof,
    )
