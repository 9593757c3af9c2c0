"""All editions of a regime's rulebook that are kept: the newest in the regime's folder, those before it below ``editions`` (ADR 0025).

An edition of before lies in a folder that is named by its version and the beginning of its digest, so that what was activated can't be
changed without being noticed.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from schemas.rulebook.errors import RulebookError
from schemas.rulebook.loader import digest, load_rulebook, load_texts
from schemas.rulebook.model import Rulebook

FOLDER = "editions"
DIGITS = 12


def folder_name(rulebook: Rulebook) -> str:
    """What the folder of an edition is called: ``2026.1-3f9a0b12c4d5``."""
    return f"{rulebook.version}-{digest(rulebook)[:DIGITS]}"


def load_editions(folder: Path) -> tuple[Rulebook, ...]:
    """The regime's newest edition, then those before it, by folder. Raises ``RulebookError``."""
    newest = load_rulebook(folder)
    kept = folder / FOLDER
    if not kept.is_dir():
        return (newest,)
    found = [newest]
    for each in sorted(kept.iterdir()):
        if each.name.startswith("."):
            continue
        if not each.is_dir():
            raise _refused("edition-file", each, f"{each.name} is no folder", "Put each edition's files into a folder of its own")
        found.append(_earlier(each, newest))
    return tuple(found)


def load_all_editions(directory: Path) -> dict[str, tuple[Rulebook, ...]]:
    """Regime → its editions, the newest first. Raises ``RulebookError``."""
    return {one.name: load_editions(one) for one in sorted(directory.iterdir()) if one.is_dir() and not one.name.startswith(".")}


def files_by_digest(directory: Path) -> dict[str, dict[str, bytes]]:
    """Digest → the edition's files by name, as they lie there: of every edition of every regime. Raises ``RulebookError``."""
    found = {}
    for regime in sorted(one for one in directory.iterdir() if one.is_dir() and not one.name.startswith(".")):
        for each in (regime, *sorted(regime.glob(f"{FOLDER}/[!.]*"))):
            files = {path.name: path.read_bytes() for path in sorted(each.glob("*.yaml"))}
            found[digest(load_texts(files, folder=regime.name))] = files
    return found


def keep(folder: Path) -> Path:
    """Copy the regime's newest edition to where those of before lie; returns its folder. Raises ``RulebookError``, ``FileExistsError``."""
    target = folder / FOLDER / folder_name(load_rulebook(folder))
    target.mkdir(parents=True)
    for path in sorted(folder.glob("*.yaml")):
        shutil.copyfile(path, target / path.name)
    return target


def _earlier(each: Path, newest: Rulebook) -> Rulebook:
    files = {path.name: path.read_bytes() for path in sorted(each.glob("*.yaml"))}
    if not files:
        raise _refused("empty-folder", each, "the folder holds no *.yaml file", "Copy the edition's files into it, or remove it")
    try:
        one = load_texts(files, folder=newest.regime)
    except RulebookError as error:
        file = f"{newest.regime}/{FOLDER}/{each.name}/{error.file.rpartition('/')[2]}"
        raise RulebookError(error.code, file=file, line=error.line, what=error.what, remedy=error.remedy) from None
    if each.name != folder_name(one):
        what = f"what lies there is {folder_name(one)}, not {each.name}"
        remedy = "Put the files back as they were activated; a change is a new edition in the regime's own folder"
        raise _refused("edition-changed", each, what, remedy)
    if digest(one) == digest(newest):
        raise _refused("edition-twice", each, "this is the newest edition", "Remove the folder until the newest edition has changed")
    _check_same_scale(each, one, newest)
    return one


def _check_same_scale(each: Path, one: Rulebook, newest: Rulebook) -> None:
    """Grades and days are compared across editions."""
    for name, was, now in (
        ("mode", "latest" if one.latest else "periodic", "latest" if newest.latest else "periodic"),
        ("time zone", one.header.time_zone, newest.header.time_zone),
        ("grades", " ".join(each.grade for each in one.grades), " ".join(each.grade for each in newest.grades)),
    ):
        if was != now:
            remedy = "Make it a regime of its own: grades can't be compared across them"
            raise _refused("edition-scale", each, f"its {name} is {was}, that of the newest edition is {now}", remedy)


def _refused(code: str, where: Path, what: str, remedy: str) -> RulebookError:
    return RulebookError(code, file=f"{where.parent.parent.name}/{FOLDER}/{where.name}", line=1, what=what, remedy=remedy)
