"""How fast the machine is at this moment: a fixed piece of Python, timed while nothing else of ours works.

Rented machines change their speed by half and more within minutes. Figures of two runs can be compared only beside this one.
"""

from __future__ import annotations

import time

STEPS = 1_000_000
# What a machine with nothing else on it needed when the bench was written, in seconds: an index of 100 is that speed.
REFERENCE_S = 0.075


def measure(tries: int = 3) -> float:
    """An index: 100 for the reference, 50 for half its speed. The best of ``tries``."""
    return 100 * REFERENCE_S / min(_spin() for _ in range(tries))


def _spin() -> float:
    begun = time.perf_counter()
    left = 0
    for number in range(STEPS):
        left += number * number & 7
    return time.perf_counter() - begun
