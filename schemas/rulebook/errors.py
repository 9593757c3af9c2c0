"""What a refused rulebook says: file, line, what is wrong, and how to mend it."""

from __future__ import annotations


class RulebookError(ValueError):
    """``code`` is a stable word for tests; ``line`` counts from 1."""

    def __init__(self, code: str, *, file: str, line: int, what: str, remedy: str) -> None:
        super().__init__(f"{file}:{line}: {what}. {remedy}.")
        self.code = code
        self.file = file
        self.line = line
        self.what = what
        self.remedy = remedy
