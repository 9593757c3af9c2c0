"""The README's worked example does what it says, and the files it points to are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.e2e.readme import README, blocks, perform, settled, steps
from tests.e2e.terminal import terminal

TEXT = README.read_text(encoding="utf-8")


@pytest.mark.stack
@pytest.mark.timeout(600)
def test_the_worked_example_gives_what_the_readme_shows(tmp_path: Path) -> None:
    (block,) = blocks(TEXT)
    with terminal() as at, at.staying("mingjian", "up", "--no-sample") as running:
        running.wait_for("Ctrl-C stops", 240)
        for step in steps(block):
            assert settled(step.shown) == settled(perform(step, at.env, tmp_path)), step.command


def test_the_example_leads_from_enrolment_to_a_grade() -> None:
    (block,) = blocks(TEXT)
    commands = [step.command for step in steps(block)]
    assert "officer enrol" in commands[0]
    assert any("mingjian sign" in one and "mingjian send" in one for one in commands)
    assert any("mingjian explain" in one for one in commands)


def test_every_file_that_the_readme_points_to_is_there(repository: Path) -> None:
    pointed = {target for target in re.findall(r"(?:\]\(|src=\")([^)#\"]+)[)\"]", TEXT) if "://" not in target}
    assert pointed
    assert [target for target in sorted(pointed) if not (repository / target).exists()] == []


def test_every_target_and_command_that_the_readme_names_exists(repository: Path) -> None:
    makefile = (repository / "Makefile").read_text()
    for target in re.findall(r"^make ([a-z-]+)", TEXT, re.M):
        assert re.search(rf"^{target}:.*##", makefile, re.M), target
