"""Reading the calendar tables for the town: the one thing it takes from the repository's rulebooks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML


def calendar_tables(rulebooks: Path, first_year: int, last_year: int) -> tuple[dict[str, Any], ...]:
    """The issued schedules of the years asked for, oldest first; a year that isn't issued is left out.

    Each has ``year``, ``days_off``, ``make_up_days`` (dates) and ``document``."""
    read = YAML(typ="safe").load((rulebooks / "calendar-cn.yaml").read_text(encoding="utf-8"))
    years = [one for one in read["years"] if first_year <= one["year"] <= last_year]
    return tuple(sorted(years, key=lambda one: one["year"]))
