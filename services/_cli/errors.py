"""What the command line says when it can't do what was asked: one sentence, and an exit code that a script can tell apart."""

from __future__ import annotations

FAILED = 1
USAGE = 2
NOT_RUNNING = 3
REFUSED = 4
NO_ANSWER = 5
NOT_THERE = 6


class CliError(Exception):
    """``code``: 1 failed, 2 wrong use, 3 the stack isn't running, 4 intake refused, 5 no answer in time, 6 there is no such thing."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code
