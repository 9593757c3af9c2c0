"""The offices and officers of the sample town. Their keys follow from the seed: in a sample they are no secret."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from schemas.keys import SigningKey

DEPARTMENT = "/departments/yangli"
RETAIL = f"{DEPARTMENT}/offices/retail-workstation"
WHOLESALE = f"{DEPARTMENT}/offices/market-supervision"
BUREAU = f"{DEPARTMENT}/offices/bureau"
ARCHIVE = f"{DEPARTMENT}/offices/paper-archive"
SUPERVISION = f"{DEPARTMENT}/offices/supervision"
REGIME = "liyujiang"


@dataclass(frozen=True)
class Officer:
    """``name`` is the pseudonym's last part. ``tardy``: 1 in how many of this officer's entries comes late (0: never)."""

    name: str
    office: str
    role: str
    channels: tuple[str, ...]
    tardy: int = 0

    @property
    def pseudonym(self) -> str:
        return f"officer:{self.name}"

    def key(self, seed: int) -> SigningKey:
        """The officer's key in the town of this seed."""
        return SigningKey.from_seed(hashlib.sha256(f"mingjian sample town {seed} {self.name}".encode()).digest())


_ENTRY = ("field", "desk")

OFFICERS: tuple[Officer, ...] = (
    Officer("yangli-r01", RETAIL, "officer", _ENTRY, tardy=700),
    Officer("yangli-r02", RETAIL, "officer", _ENTRY, tardy=45),
    Officer("yangli-r03", RETAIL, "officer", _ENTRY, tardy=400),
    Officer("yangli-r04", RETAIL, "officer", _ENTRY),
    Officer("yangli-r05", RETAIL, "officer", _ENTRY, tardy=900),
    Officer("yangli-r06", RETAIL, "officer", _ENTRY, tardy=25),
    Officer("yangli-w01", WHOLESALE, "officer", _ENTRY, tardy=500),
    Officer("yangli-w02", WHOLESALE, "officer", _ENTRY),
    Officer("yangli-w03", WHOLESALE, "officer", _ENTRY, tardy=40),
    Officer("yangli-b01", BUREAU, "approver", ("desk",)),
    Officer("yangli-p01", ARCHIVE, "importer", ("migration",)),
    # Hears what audit found. Whoever decides has had no part in it, so there are two.
    Officer("yangli-s01", SUPERVISION, "auditor", ("desk",)),
    Officer("yangli-s02", SUPERVISION, "auditor", ("desk",)),
)
APPROVER = next(one for one in OFFICERS if one.role == "approver")
IMPORTER = next(one for one in OFFICERS if one.role == "importer")


def staff(office: str) -> tuple[Officer, ...]:
    """Those who inspect and enter for an office, in a fixed order."""
    return tuple(one for one in OFFICERS if one.office == office and one.role == "officer")
