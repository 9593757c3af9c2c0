"""Which partitions faust has nothing of any more, so that what is missing of them was forgotten and not only delayed.

faust forgets records at a rebalance (see ``live``). Whether it did can only be told from what comes: a partition that has not moved
while nothing at all was handed on, or while everything that faust can hold has come by. Taking one for forgotten too soon makes its
records be worked off twice, and a day that closes again is worked out for every subject.
"""

from __future__ import annotations

FORGOTTEN_AFTER_S = 2.0
# Batches after which all that faust held has come by: its buffer holds four, its fetcher one, and some are not full.
HELD_BATCHES = 8


class Quiet:
    """Of one worker. Times in seconds, monotonic."""

    def __init__(self, now: float) -> None:
        # Partition → how far it was done when it was last seen to move, when that was, and how many batches had been worked off.
        self._seen: dict[int, tuple[int, float, int]] = {}
        self._batches, self._busy, self._idle_since = 0, False, now

    def began(self) -> None:
        """A batch was handed on."""
        self._busy = True

    def ended(self, now: float) -> None:
        """It is worked off."""
        self._busy, self._idle_since = False, now
        self._batches += 1

    def clear(self) -> None:
        """Partitions come and go: what was seen of them says nothing."""
        self._seen.clear()

    def is_left(self, partition: int, done: int, now: float) -> bool:
        """Whether what lies behind ``done`` will not come by itself. To be asked again and again."""
        if partition not in self._seen or self._seen[partition][0] != done:
            self._seen[partition] = (done, now, self._batches)
            return False
        _, since, batches = self._seen[partition]
        if now - since <= FORGOTTEN_AFTER_S:
            return False
        idle = not self._busy and now - self._idle_since > FORGOTTEN_AFTER_S
        return idle or self._batches - batches > HELD_BATCHES
