"""Which rulebook is meant: a regime's, a folder, or one file that is a whole rulebook."""

from __future__ import annotations

from pathlib import Path

from schemas.rulebook import RulebookError, load_editions, load_texts
from schemas.rulebook.scalars import read_yaml
from services.rating.domain.fold import Book


class UnknownRulebook(LookupError):
    """No such regime, folder or file; the message says what there is."""


def find_book(name: str, directory: Path) -> Book:
    """``name``: a regime with a folder of that name in ``directory``, in all its editions; or the path of a folder or file, which is one
    edition. A path's folder may have any name.

    Raises ``UnknownRulebook``, ``RulebookError``."""
    own = directory / name
    if "/" not in name and own.is_dir() and any(own.glob("*.yaml")):
        return Book.of(*load_editions(own))
    path = Path(name)
    if path.is_dir():
        return _of(sorted(path.glob("*.yaml")), path)
    if path.is_file():
        return _of([path], path)
    shipped = ", ".join(sorted(one.name for one in directory.iterdir() if one.is_dir())) if directory.is_dir() else "none"
    raise UnknownRulebook(f"there is no rulebook {name!r}: name a regime ({shipped}), or the path of a folder or file")


def _of(paths: list[Path], given: Path) -> Book:
    files = {path.name: path.read_bytes() for path in paths}
    regime = _regime(files)
    if regime is None:
        raise RulebookError(
            "section-missing",
            file=str(given),
            line=1,
            what="no section 'rulebook' says which regime this is",
            remedy="Name the folder of a whole rulebook, or one file that holds all its sections",
        )
    return Book.of(load_texts(files, folder=regime))


def _regime(files: dict[str, bytes]) -> str | None:
    for name, text in files.items():
        value, _ = read_yaml(text.decode("utf-8", "replace"), name)
        header = value.get("rulebook") if isinstance(value, dict) else None
        if isinstance(header, dict) and isinstance(header.get("regime"), str):
            return str(header["regime"])
    return None
