"""Editions of before lie beside the newest one, each under its own digest, and nothing about them is left in doubt."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from schemas.rulebook import RulebookError, digest, load_all_editions, load_editions, load_rulebook
from schemas.rulebook.__main__ import main
from schemas.rulebook.editions import FOLDER, keep

GOOD = Path(__file__).resolve().parent / "good"


@pytest.fixture
def town(tmp_path: Path) -> Path:
    """A rulebook's folder of which a first edition is kept, and the second lies open."""
    folder = tmp_path / "town"
    shutil.copytree(GOOD / "town", folder)
    keep(folder)
    _change(folder, b"value: 10", b"value: 11", "2026.2")
    return folder


def _change(folder: Path, old: bytes, new: bytes, version: str) -> None:
    for path in folder.glob("*.yaml"):
        path.write_bytes(re.sub(rb'version: "[0-9.]+"', f'version: "{version}"'.encode(), path.read_bytes().replace(old, new)))


def test_the_newest_comes_first_and_each_has_its_digest(town: Path, capsys: pytest.CaptureFixture[str]) -> None:
    newest, first = load_editions(town)
    assert ("2026.2", "2026.1") == (newest.version, first.version)
    assert digest(first) == digest(load_rulebook(GOOD / "town")) != digest(newest)
    assert [2] == [len(one) for one in load_all_editions(town.parent).values()]
    assert 0 == main([str(town)]) and 2 == len(capsys.readouterr().out.splitlines())


def test_keeping_files_the_newest_once(town: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main(["--keep", str(town)])
    said = capsys.readouterr().out.strip()
    assert said == str(next(one for one in (town / FOLDER).iterdir() if one.name.startswith("2026.2-")))
    assert 1 == main(["--keep", str(town)]) and "is kept" in capsys.readouterr().err
    with pytest.raises(RulebookError) as refused:
        load_editions(town)
    assert "edition-twice" == refused.value.code
    _change(town, b"value: 11", b"value: 12", "2026.3")
    assert ["2026.3", "2026.1", "2026.2"] == [one.version for one in load_editions(town)]


@pytest.mark.parametrize(
    ("code", "spoil"),
    [
        ("edition-changed", lambda kept: _edit(kept, "rules.yaml", b"value: 10", b"value: 9")),
        ("edition-changed", lambda kept: kept.rename(kept.with_name("2026.1"))),
        ("edition-file", lambda kept: (kept.parent / "notes.txt").write_text("x")),
        ("empty-folder", lambda kept: (kept.parent / "2026.0-000000000000").mkdir()),
        ("unknown-clause", lambda kept: _edit(kept, "rules.yaml", b'clause: "1"', b'clause: "9"')),
    ],
)
def test_what_is_doubtful_about_an_edition_of_before_is_refused(town: Path, code: str, spoil) -> None:  # type: ignore[no-untyped-def]
    spoil(next((town / FOLDER).iterdir()))
    with pytest.raises(RulebookError) as refused:
        load_editions(town)
    assert code == refused.value.code, str(refused.value)
    assert refused.value.file.startswith("town/editions/") and len(refused.value.remedy) > 10


@pytest.mark.parametrize(("old", "new"), [(b"grade: B", b"grade: C"), (b"time_zone: Asia/Shanghai", b"time_zone: Europe/London")])
def test_editions_share_one_scale(town: Path, old: bytes, new: bytes) -> None:
    _change(town, old, new, "2026.2")
    with pytest.raises(RulebookError) as refused:
        load_editions(town)
    assert "edition-scale" == refused.value.code, str(refused.value)


def _edit(folder: Path, name: str, old: bytes, new: bytes) -> None:
    path = folder / name
    assert old in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(old, new))
