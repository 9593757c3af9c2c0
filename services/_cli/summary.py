"""What ``up`` says at the end: what the register holds, whether the log verifies, and where to look."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx

from deploy.local.stack import CHECKOUT
from services._cli.delivery import get_json
from services._cli.errors import FAILED, CliError
from services._cli.looking import all_findings, look
from services._cli.sample.load import Mark
from services._cli.session import Session

_POLL_S = 0.3
_LATE = "late_entry"
_REGIME = "liyujiang"


def settle(session: Session, limit_s: float, alive: Callable[[], None]) -> None:
    """Wait until every service has read all there is. Raises ``CliError`` after ``limit_s`` seconds."""
    until = time.monotonic() + limit_s
    quiet = 0
    while quiet < 3:
        alive()
        found = look(session)
        # Rating's answers are facts to the others, so all must be quiet several times in a row.
        quiet = quiet + 1 if found["ready"] and not found["lag"] else 0
        if time.monotonic() > until:
            raise CliError(f"the services did not catch up within {limit_s:.0f} s; see `mingjian status`", FAILED)
        time.sleep(_POLL_S)


def grade_counts(http: httpx.Client, regime: str) -> Counter[str]:
    """How many subjects have each grade or, without one, each status."""
    rows = http.get("/api/v1/grades.csv", params={"regime": regime}).text.splitlines()[1:]
    cells = (row.split(",") for row in rows)
    return Counter(grade or status for _, grade, status, _ in cells)


def tell(session: Session) -> None:
    """The last lines of ``up``."""
    say = session.voice.say
    mark = Mark.read(session.home)
    me = command()
    if mark:
        for line in holdings(session):
            say(line)
    auditor = session.endpoints["audit"] + session.home.once_address("auditor")
    say(f"Start here → {session.endpoints['publication']}/      Auditor → {auditor}")
    if mark:
        example = _story(session) or "uscc:…"
        say(f"Try → {me} explain {example}   {me} watch   {me} sign examples/inspection.json | {me} send")
    else:
        say(f"Try → {me} officer enrol --help   {me} event new inspection.recorded   {me} import fhrs FILE.csv")
    say(f"Ctrl-C stops; the data stays in {_shown(session.home.root)}; `{me} reset` starts over")


def holdings(session: Session) -> list[str]:
    """What a sample register holds, in a line, after one that says that it is made up."""
    with session.http("publication") as http:
        counts = grade_counts(http, _REGIME)
        lists = get_json(http, "/api/v1/lists", {})["items"]
    letters = "  ".join(f"{name} {counts[name]}" for name in sorted(counts, key=lambda name: (len(name), name)))
    entered = ", ".join(f"{one['title_en']} {one['members']}" for one in lists if one["members"])
    late = len(all_findings(session, kind=_LATE))
    parts = [letters, f"lists: {entered or 'empty'}", f"late entries {late}", _log(session)]
    return ["SAMPLE DATA: a made-up town · 样例数据：虚构的镇", " · ".join(parts)]


def _log(session: Session) -> str:
    """The log, recomputed whole by the command that anyone would use."""
    done = subprocess.run(
        [sys.executable, "-m", "services._cli.main", "--home", str(session.home.root), "verify", "--json"],
        capture_output=True,
        text=True,
        check=False,
        cwd=CHECKOUT,
    )
    try:
        told = json.loads(done.stdout)
    except json.JSONDecodeError:
        raise CliError(f"`mingjian verify` failed: {done.stderr.strip() or done.returncode}", FAILED) from None
    if not told["verified"]:
        raise CliError(f"the log does not verify: {told.get('error') or told.get('faults')}", FAILED)
    return f"log {told['size']:,} leaves, root {told['root'][:12]}…, verified ✓"


def _story(session: Session) -> str | None:
    """A subject whose page is worth reading: one with a late entry that moved its grade, else any."""
    found = all_findings(session, kind=_LATE)
    worst = max(found, key=lambda one: one["event"]["data"]["late"]["working_days_late"], default=None)
    return worst and worst["subject"]


def command() -> str:
    """How this command is called from here: by its name where the path has it, else by where it lies."""
    if shutil.which("mingjian"):
        return "mingjian"
    return _shown(Path(sys.argv[0]).absolute())


def _shown(path: Path) -> str:
    """Relative where that is shorter to read."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
