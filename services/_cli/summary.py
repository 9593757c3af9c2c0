"""What ``up`` says at the end: what the register holds, whether the log verifies, and where to look."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx

from services._cli.delivery import get_json, get_text
from services._cli.errors import FAILED, CliError
from services._cli.looking import all_findings, look
from services._cli.sample.load import Mark
from services._cli.session import Session

_POLL_S = 0.3
_SAY_EVERY_S = 30.0
_LATE = "late_entry"
_REGIME = "liyujiang"


def settle(session: Session, limit_s: float | None, alive: Callable[[], None]) -> None:
    """Wait until every service has read all there is, and say from time to time how much is left.

    Raises ``CliError`` after ``limit_s`` seconds; None: whoever lives is waited for, however far behind it is."""
    began = said = time.monotonic()
    quiet = 0
    while quiet < 3:
        alive()
        found = look(session)
        # Rating's answers are facts to the others, so all must be quiet several times in a row.
        quiet = quiet + 1 if found["ready"] and not found["lag"] else 0
        now = time.monotonic()
        if limit_s is not None and now > began + limit_s:
            raise CliError(f"the services did not catch up within {limit_s:.0f} s; see `mingjian status`", FAILED)
        if quiet == 0 and now > said + _SAY_EVERY_S:
            said = now
            session.voice.mention(f"still catching up: {found['lag'] or 0:,} records; `mingjian status` says who")
        time.sleep(_POLL_S)


def grade_counts(http: httpx.Client, regime: str) -> Counter[str]:
    """How many subjects have each grade or, without one, each status."""
    rows = get_text(http, "/api/v1/grades.csv", {"regime": regime}).splitlines()[1:]
    cells = (row.split(",") for row in rows)
    return Counter(grade or status for _, grade, status, _ in cells)


def tell(session: Session, alive: Callable[[], None] = lambda: None) -> None:
    """The last lines of ``up``. ``alive`` is asked while the log is verified; what it raises ends that."""
    say = session.voice.say
    mark = Mark.read(session.home)
    me = command()
    if mark and mark.done:
        for line in holdings(session, alive):
            say(line)
    auditor = session.endpoints["audit"] + session.home.once_address("auditor")
    say(f"Start here → {session.endpoints['publication']}/      Auditor → {auditor}")
    if mark and mark.done:
        example = _story(session) or "uscc:…"
        say(f"Try → {me} explain {example}   {me} watch   {me} sign examples/inspection.json | {me} send")
    else:
        say(f"Try → {me} officer enrol --help   {me} event new inspection.recorded   {me} import --help")
    say(f"Ctrl-C stops; the data stays in {_shown(session.home.root)}; `{me} reset` starts over")


def holdings(session: Session, alive: Callable[[], None] = lambda: None) -> list[str]:
    """What a sample register holds, in a line, after one that says that it is made up."""
    with session.http("publication") as http:
        counts = grade_counts(http, _REGIME)
        lists = get_json(http, "/api/v1/lists", {})["items"]
    letters = "  ".join(f"{name} {counts[name]}" for name in sorted(counts, key=lambda name: (len(name), name)))
    entered = ", ".join(f"{one['title_en']} {one['members']}" for one in lists if one["members"])
    late = len(all_findings(session, kind=_LATE))
    parts = [letters, f"lists: {entered or 'empty'}", f"late entries {late}", _log(session, alive)]
    return ["SAMPLE DATA: a made-up town · 样例数据：虚构的镇", " · ".join(parts)]


def _log(session: Session, alive: Callable[[], None]) -> str:
    """The log, recomputed whole by the command that anyone would use."""
    argv = [sys.executable, "-m", "services._cli.main", "--home", str(session.home.root), "verify", "--json"]
    code, out, err = attended(argv, alive)
    try:
        told = json.loads(out)
    except json.JSONDecodeError:
        raise CliError(f"`mingjian verify` failed: {err.strip() or code}", FAILED) from None
    if not told["verified"]:
        raise CliError(f"the log does not verify: {told.get('error') or told.get('faults')}", FAILED)
    return f"log {told['size']:,} leaves, root {told['root'][:12]}…, verified ✓"


def attended(argv: Sequence[str], alive: Callable[[], None]) -> tuple[int, str, str]:
    """Run a command to its end: exit code and both outputs. Ctrl-C at the terminal doesn't reach it: what ``alive`` raises ends it."""
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True) as child:
        try:
            while True:
                alive()
                try:
                    out, err = child.communicate(timeout=_POLL_S)
                    return child.returncode, out, err
                except subprocess.TimeoutExpired:
                    continue
        except BaseException:
            child.kill()
            raise


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
