"""In which time zone an entry's days are counted: that of the regime it names, else of those that rate subjects of its scheme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from schemas.ids import scheme_of
from schemas.rulebook import Rulebook

_QUARTER_MS = 15 * 60 * 1000
_MOST = 10_000


class Zones:
    """``editions``: rulebooks by regime, the newest first. Where several zones are possible all are; none: UTC and its neighbours."""

    def __init__(self, editions: Mapping[str, Sequence[Rulebook]]) -> None:
        self._of_regime = {regime: ZoneInfo(many[0].header.time_zone) for regime, many in editions.items() if many}
        self._of_scheme: dict[str, list[ZoneInfo]] = {}
        for regime, many in editions.items():
            for scheme in many[0].header.schemes if many else ():
                zones = self._of_scheme.setdefault(scheme, [])
                if self._of_regime[regime] not in zones:
                    zones.append(self._of_regime[regime])

        self._known: dict[tuple[int, str, str | None], date] = {}

    def latest_day(self, ms: int, subject: str, regime: str | None) -> date:
        """The latest civil day that an instant (epoch ms) can be for the entry: the one that is in its favour."""
        # Days begin at a full quarter of an hour, in whatever zone.
        asked = (ms // _QUARTER_MS, scheme_of(subject), regime)
        found = self._known.get(asked)
        if found is None:
            if len(self._known) > _MOST:
                self._known.clear()
            found = self._known[asked] = self._latest_day(*asked)
        return found

    def _latest_day(self, quarter: int, scheme: str, regime: str | None) -> date:
        at = datetime.fromtimestamp(quarter * _QUARTER_MS // 1000, UTC)
        own = self._of_regime.get(regime or "")
        zones = [own] if own is not None else self._of_scheme.get(scheme, [])
        return max((at.astimezone(one).date() for one in zones), default=(at + timedelta(hours=14)).date())

    def name(self, subject: str, regime: str | None) -> str:
        """The zone in which an entry's times are told; of several the first."""
        own = self._of_regime.get(regime or "")
        return (own or next(iter(self._of_scheme.get(scheme_of(subject), ())), ZoneInfo("UTC"))).key
