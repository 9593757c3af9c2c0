"""A limit on what one address may say that nobody signed: guessing keys is slow, and honest work is never held up.

Whatever carries the signature of a registered key is answered as it deserves, whoever else shares the address: an office's whole
staff may come from one.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Sequence

from services.intake.answers import Answer
from services.intake.domain.faults import Refused, fault

BURST = 2_000
PER_SECOND = 50.0
_ADDRESSES = 10_000


class Limits:
    """A bucket of unproven requests for each address: ``burst`` at once, then ``per_second``. ``monotonic`` gives seconds."""

    def __init__(self, monotonic: Callable[[], float], *, burst: int = BURST, per_second: float = PER_SECOND) -> None:
        self._monotonic, self._burst, self._rate = monotonic, burst, per_second
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def held(self, address: str, answers: Sequence[Answer]) -> list[Answer]:
        """The answers, where the bucket is empty 429 in place of each that refuses something unproven; the others are charged."""
        return [(self._late(address) or one) if _unproven(one) else one for one in answers]

    def refuse(self, address: str, refused: Refused) -> Answer:
        """The answer to a body that can't be read: nothing in it is proven."""
        return self._late(address) or Answer(refused.fault.status, fault=refused.fault)

    def _late(self, address: str) -> Answer | None:
        """None where the bucket holds one more, which is taken; else the answer that says when it will."""
        level, at, now = *self._buckets.get(address, (float(self._burst), 0.0)), self._monotonic()
        level = min(float(self._burst), level + (now - at) * self._rate)
        if level < 1.0:
            return Answer(429, fault=fault("too-many-unproven"), retry_after=max(1, math.ceil((1.0 - level) / self._rate)))
        self._buckets[address] = (level - 1.0, now)
        self._buckets.move_to_end(address)
        if len(self._buckets) > _ADDRESSES:
            self._buckets.popitem(last=False)
        return None


def _unproven(one: Answer) -> bool:
    return 400 <= one.status < 500 and one.refusal is None
