"""The first words on an empty register of the real world: which rulebooks hold, and which days are working days.

Said once, by the registrar's key of this home, when ``mingjian up`` first starts a stack without a sample. Officers, go-live and
everything else are for people to decide. Which rulebook holds from when is a decision too: these can be superseded by another
``rulebook.activated``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

from schemas.rulebook import digest, load_all
from services._cli.home import Home, write_atomically
from services._cli.registry import Said, say, today
from services._cli.sample.tables import calendar_tables
from services._cli.session import Session

# A regime that goes by the newest inspection rates what is published, however old; one that evaluates periods begins today.
_ALWAYS = date(2005, 1, 1)
_ALL_YEARS = (1949, 2199)


def open_register(session: Session, rulebooks: Path, alive: Callable[[], None] = lambda: None) -> list[str]:
    """Activate every rulebook of this installation and issue the known calendars. Returns what was activated, [] if it was before.

    ``alive`` is asked before every request and while one waits; what it raises ends the sending."""
    home = session.home
    done = home.root / "opened"
    if done.exists():
        return []
    said, names = _rulebooks(home, rulebooks)
    said += _calendars(home, rulebooks)
    intake = session.intake()
    intake.alive = alive
    say(home, intake, "opening", said)
    write_atomically(done, "\n".join(names) + "\n")
    return names


def _rulebooks(home: Home, rulebooks: Path) -> tuple[list[Said], list[str]]:
    said: list[Said] = []
    names: list[str] = []
    for book in load_all(rulebooks).values():
        data = {
            "occurred_on": today(home),
            "regime": book.regime,
            "version": book.header.version,
            "sha256": digest(book),
            "in_force_from": _ALWAYS.isoformat() if book.latest else today(home),
        }
        said.append(("rulebook.activated", f"regime:{book.regime}", data))
        names.append(f"{book.regime} {book.header.version}")
    return said, names


def _calendars(home: Home, rulebooks: Path) -> list[Said]:
    said: list[Said] = []
    for table in calendar_tables(rulebooks, *_ALL_YEARS):
        data = {
            "occurred_on": today(home),
            "country": "CN",
            "year": table["year"],
            "days_off": [day.isoformat() for day in table["days_off"]],
            "make_up_days": [day.isoformat() for day in table["make_up_days"]],
            "document": table["document"],
        }
        said.append(("calendar.issued", "stack:calendar", data))
    return said
