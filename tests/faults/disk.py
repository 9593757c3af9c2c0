"""A disk that can fail at any system call, and forgets at a power cut what was not synced. Real files below, so that real code runs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.unit.audit.fakes import Crash

CALLS = ("open", "write", "fsync", "rename", "mkdir", "unlink", "rmdir")


class Disk:
    """Calls below ``root`` are counted. The chosen one fails in one of three ways:

    ``lost``: the power goes before it, and with it everything that no fsync of a file or folder had made durable.
    ``anyway``: the process dies after it, and whatever was done stays.
    ``full``: it says that no space is left, and the process goes on for as long as it likes.
    """

    def __init__(self, root: Path, at: int | None = None, way: str = "anyway") -> None:
        self.root, self.at, self.way = root, at, way
        self.steps = 0
        self.dead = False
        self.calls: list[str] = []
        self._paths: dict[int, Path] = {}
        self._names: list[tuple[Path, Callable[[], None]]] = []
        self._unsynced: set[Path] = set()

    @contextmanager
    def plugged_in(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """Let every call of the process go through this disk."""
        with monkeypatch.context() as patched:
            self._real = {name: getattr(os, name) for name in CALLS}
            for name in CALLS:
                patched.setattr(os, name, self._wrapped(name))
            yield

    def _wrapped(self, name: str) -> Callable[..., Any]:
        def call(first: Any, *rest: Any, **more: Any) -> Any:
            path = self._paths.get(first) if isinstance(first, int) else Path(first)
            looks = name == "open" and not rest[0] & os.O_CREAT
            if path is None or self.root not in (path, *path.parents):
                return self._real[name](first, *rest, **more)
            act = getattr(self, f"_{name}", None)
            done = (lambda: act(path, first, *rest, **more)) if act else (lambda: self._real[name](first, *rest, **more))
            return done() if looks else self._step(f"{name} {path.relative_to(self.root)}", done)

        return call

    def _step(self, words: str, act: Callable[[], Any]) -> Any:
        if self.dead:
            raise Crash("the process is dead")
        self.steps += 1
        self.calls.append(words)
        if self.steps != self.at:
            return act()
        if self.way == "full":
            raise OSError(28, "No space left on device")
        self.dead = True
        if self.way == "anyway":
            with suppress(OSError):
                act()
        raise Crash(f"step {self.at}: {words}")

    def _open(self, path: Path, _: Any, flags: int, *rest: Any, **more: Any) -> int:
        new = bool(flags & os.O_CREAT) and not path.exists()
        handle = self._real["open"](path, flags, *rest, **more)
        self._paths[handle] = path
        if new:
            self._names.append((path.parent, lambda: path.unlink(missing_ok=True)))
        return handle

    def _write(self, path: Path, handle: int, data: Any) -> int:
        self._unsynced.add(path)
        # A call may take a part only.
        return self._real["write"](handle, data[: max(1, len(data) // 2)])

    def _fsync(self, path: Path, handle: int) -> None:
        if path.is_dir():
            self._names = [one for one in self._names if one[0] != path]
        else:
            self._unsynced.discard(path)

    def _rename(self, path: Path, _: Any, target: Any) -> None:
        target = Path(target)
        before = target.read_bytes() if target.exists() else None
        self._real["rename"](path, target)
        if path in self._unsynced:
            self._unsynced.discard(path)
            self._unsynced.add(target)

        def undo() -> None:
            if before is None:
                target.unlink(missing_ok=True)
            elif target.parent.is_dir():
                target.write_bytes(before)

        self._names.append((target.parent, undo))

    def _mkdir(self, path: Path, _: Any, *rest: Any, **more: Any) -> None:
        self._real["mkdir"](path, *rest, **more)
        self._names.append((path.parent, lambda: shutil.rmtree(path, ignore_errors=True)))

    def after_the_crash(self) -> None:
        """What the next process finds. With the power everything went that was not synced."""
        if self.way != "lost":
            return
        for path in self._unsynced:
            if path.exists():
                path.write_bytes(b"")
        for _, undo in reversed(self._names):
            undo()
