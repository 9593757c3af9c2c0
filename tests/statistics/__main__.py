"""``python -m tests.statistics``: measures all statistical detectors and writes ``docs/detectors-statistical.md``. Some twenty minutes."""

from __future__ import annotations

from tests.statistics.measure import SEEDS, measure
from tests.statistics.page import PAGE, page

if __name__ == "__main__":
    PAGE.write_text(page(measure(SEEDS)), encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))
