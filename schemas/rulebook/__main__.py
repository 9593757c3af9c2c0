"""``python -m schemas.rulebook FOLDER…``: check rulebooks; print each digest, or what is wrong with file, line and remedy.

Exit codes: 0 every folder loads, 1 one doesn't, 2 no folder was named."""

from __future__ import annotations

import sys
from pathlib import Path

from schemas.rulebook.errors import RulebookError
from schemas.rulebook.loader import digest, load_rulebook


def main(folders: list[str]) -> int:
    """Check each folder. Returns the exit code."""
    if not folders:
        print("usage: python -m schemas.rulebook rulebooks/<regime> …", file=sys.stderr)
        return 2
    refused = 0
    for folder in folders:
        try:
            book = load_rulebook(Path(folder).resolve())
        except RulebookError as error:
            refused = 1
            print(error, file=sys.stderr)
        else:
            print(f"{book.regime} {book.version} {digest(book)}")
    return refused


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
