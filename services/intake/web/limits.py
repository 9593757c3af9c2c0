"""A limit on refused requests of one address: guessing keys and filling the refusals is slow, honest work is never held up."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

from services.intake.domain.faults import Refused, fault
from services.intake.handlers import Answer

BURST = 2_000
PER_SECOND = 50.0
_ADDRESSES = 10_000


class Limits:
    """A bucket of refusals for each address: ``burst`` at once, then ``per_second``. ``monotonic`` gives seconds."""

    def __init__(self, monotonic: Callable[[], float], *, burst: int = BURST, per_second: float = PER_SECOND) -> None:
        self._monotonic, self._burst, self._rate = monotonic, burst, per_second
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def check(self, address: str) -> None:
        """Raises ``Refused`` (429) while the bucket of ``address`` is empty."""
        if self._level(address) < 1.0:
            raise Refused(fault("too-many-refused"))

    def count(self, address: str, answers: Sequence[Answer]) -> None:
        """Take what was refused for good from the bucket."""
        taken = sum(400 <= one.status < 500 for one in answers)
        if taken:
            level = self._level(address) - taken
            self._buckets[address] = (level, self._monotonic())
            self._buckets.move_to_end(address)
            if len(self._buckets) > _ADDRESSES:
                self._buckets.popitem(last=False)

    def _level(self, address: str) -> float:
        level, at = self._buckets.get(address, (float(self._burst), 0.0))
        return min(float(self._burst), level + (self._monotonic() - at) * self._rate)
