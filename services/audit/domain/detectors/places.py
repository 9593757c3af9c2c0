"""How far apart two positions are at least, and which subjects share an address."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from math import asin, cos, radians, sin, sqrt
from typing import Any

from services.audit.domain.detectors.model import Entry

# Mean radius of the earth (IUGG).
_EARTH_M = 6_371_008.8


def distance_m(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """Metres between two positions along a great circle (haversine)."""
    (lat, lon), (to_lat, to_lon) = ((radians(float(at["lat"])), radians(float(at["lon"]))) for at in (one, other))
    half = sin((to_lat - lat) / 2) ** 2 + cos(lat) * cos(to_lat) * sin((to_lon - lon) / 2) ** 2
    return 2 * _EARTH_M * asin(min(1.0, sqrt(half)))


def apart_m(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> float | None:
    """Metres that they are apart at least, by both accuracies; None where one is not there."""
    if one is None or other is None:
        return None
    return max(0.0, distance_m(one, other) - one["accuracy_m"] - other["accuracy_m"])


class Addresses:
    """The addresses that registrations and changes gave subjects, as digests."""

    def __init__(self) -> None:
        self._of: dict[str, tuple[bytes, ...]] = {}

    def take(self, entry: Entry) -> None:
        """An ``enterprise.registered`` or ``enterprise.changed``."""
        address = entry.data.get("address")
        if not isinstance(address, str):
            return
        digest = blake2b("".join(address.split()).encode(), digest_size=8).digest()
        held = self._of.get(entry.subject, ())
        if digest not in held:
            self._of[entry.subject] = (*held, digest)

    def same(self, one: str, other: str) -> bool:
        """Whether both ever had one address."""
        return bool(set(self._of.get(one, ())) & set(self._of.get(other, ())))

    def moved(self, subject: str) -> bool:
        """Whether its address ever changed."""
        return len(self._of.get(subject, ())) > 1
