"""``python -m tests.realdata``: writes ``docs/real-data.md`` from the published files beside the repository."""

from __future__ import annotations

import os
from pathlib import Path

from tests.realdata.page import PAGE, REPOSITORY, page

if __name__ == "__main__":
    shared = Path(os.environ.get("MINGJIAN_SHARED") or REPOSITORY.parent / "shared")
    PAGE.write_text(page(shared / "data"), encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))
