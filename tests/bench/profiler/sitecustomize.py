"""A sampling profiler that a process gets by ``PYTHONPATH`` alone: no service knows of it.

With ``BENCH_PROFILE_DIR`` set, every 5 ms of the process's own CPU time (``ITIMER_PROF``, so that waiting costs and counts
nothing) one sample of the stack of each thread that is not asleep is counted; of the main thread's in any case, where it is the only
one. At exit, or on ``SIGRTMIN`` (faust uses those meant for users), counts go to ``<pid>.json``:
``{"argv", "samples", "own": {function: n}, "within": {function: n}, "stages": {stage: n}}``.
``BENCH_STAGES`` (JSON: stage → parts of functions' names) shares the samples out: to the first stage of which a function is on the stack.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import sys
import threading
from collections import Counter
from types import FrameType

INTERVAL_S = 0.005
# Innermost Python functions of a thread that waits (uvloop shows its own caller): with them a thread's sample is not counted.
ASLEEP = {
    "select",
    "execute_from_commandline",
    "_start_thread",
    "poll",
    "wait",
    "_wait_for_tstate_lock",
    "get",
    "acquire",
    "accept",
    "recv",
}


def _name(frame: FrameType) -> str:
    code = frame.f_code
    path = code.co_filename
    for root in ("/site-packages/", "/lib/python3.11/"):
        path = path.rpartition(root)[2]
    return f"{'/'.join(path.split('/')[-4:])}:{code.co_qualname}"


class Sampler:
    """Counts stacks. ``own``: samples in the function itself; ``within``: in it or in what it called."""

    def __init__(self) -> None:
        self.samples = 0
        self.own: Counter[str] = Counter()
        self.within: Counter[str] = Counter()
        self.stages: Counter[str] = Counter()
        self._wanted: dict[str, list[str]] = json.loads(os.environ.get("BENCH_STAGES", "{}"))
        self._of: dict[str, int] = {}
        self._main = threading.main_thread().ident

    def count(self, _signal: int, here: FrameType | None) -> None:
        """Signal handler: one tick of CPU time has passed."""
        found = {ident: here if ident == self._main else frame for ident, frame in sys._current_frames().items()}
        awake = [top for top in found.values() if top is not None and top.f_code.co_name not in ASLEEP]
        for top in awake or [one for ident, one in found.items() if ident == self._main and one]:
            self.samples += 1
            self.own[_name(top)] += 1
            seen: set[str] = set()
            while top is not None:
                seen.add(_name(top))
                top = top.f_back
            self.within.update(seen)
            if self._wanted:
                self.stages[[*self._wanted, "the rest"][min(map(self._stage, seen))]] += 1

    def _stage(self, name: str) -> int:
        """The place of the first stage that a function belongs to."""
        if name not in self._of:
            found = (at for at, parts in enumerate(self._wanted.values()) if any(part in name for part in parts))
            self._of[name] = next(found, len(self._wanted))
        return self._of[name]

    def write(self, folder: str) -> None:
        """Replace the process's file."""
        path = os.path.join(folder, f"{os.getpid()}.json")
        found = {"argv": sys.argv, "samples": self.samples, "own": self.own.most_common(80), "within": self.within.most_common(160)}
        found["stages"] = dict(self.stages)
        with open(path + ".part", "w") as out:
            json.dump(found, out)
        os.replace(path + ".part", path)


def start(folder: str) -> None:
    """Begin to sample this process. Only the main thread may ask for the timer."""
    sampler = Sampler()
    signal.signal(signal.SIGPROF, sampler.count)
    signal.siginterrupt(signal.SIGPROF, False)
    signal.setitimer(signal.ITIMER_PROF, INTERVAL_S, INTERVAL_S)
    signal.signal(signal.SIGRTMIN, lambda *_: _told(sampler, folder))
    atexit.register(_finish, sampler, folder)


def _told(sampler: Sampler, folder: str) -> None:
    """A sample in the midst of it would change what is being written."""
    signal.setitimer(signal.ITIMER_PROF, 0)
    sampler.write(folder)
    signal.setitimer(signal.ITIMER_PROF, INTERVAL_S, INTERVAL_S)


def _finish(sampler: Sampler, folder: str) -> None:
    # Python gives SIGPROF its deadly default back while it ends, so the timer has to stop first.
    signal.setitimer(signal.ITIMER_PROF, 0)
    sampler.write(folder)


if _folder := os.environ.get("BENCH_PROFILE_DIR"):
    start(_folder)
