"""``python -m schemas.rulebook FOLDER…``: check rulebooks with all their editions; print each digest, or what is wrong with file, line
and remedy. ``--keep``: file the newest edition below ``editions``, to be done before it is changed.

Exit codes: 0 every folder loads, 1 one doesn't, 2 no folder was named."""

from __future__ import annotations

import sys
from pathlib import Path

from schemas.rulebook.editions import keep, load_editions
from schemas.rulebook.errors import RulebookError
from schemas.rulebook.loader import digest


def main(folders: list[str]) -> int:
    """Check each folder. Returns the exit code."""
    keeping = folders[:1] == ["--keep"]
    folders = folders[keeping:]
    if not folders:
        print("usage: python -m schemas.rulebook [--keep] rulebooks/<regime> …", file=sys.stderr)
        return 2
    refused = 0
    for folder in folders:
        try:
            if keeping:
                print(keep(Path(folder).resolve()))
                continue
            for book in load_editions(Path(folder).resolve()):
                print(f"{book.regime} {book.version} {digest(book)}")
        except RulebookError as error:
            refused = 1
            print(error, file=sys.stderr)
        except FileExistsError as error:
            refused = 1
            print(f"{error.filename} is there already: this edition is kept", file=sys.stderr)
    return refused


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
