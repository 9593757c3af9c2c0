"""The table of words: complete, in both languages, and nothing in it that nobody says."""

from __future__ import annotations

import ast
import re
import string
from pathlib import Path

import pytest

from schemas.events import CATALOGUE
from services.intake.domain.explaining import _TERM, CONTRADICTIONS
from services.intake.domain.faults import fault
from services.intake.domain.wording import WORDING

INTAKE = Path(__file__).resolve().parents[3] / "services" / "intake"
EVENTS = INTAKE.parents[1] / "schemas" / "events"


def calls() -> list[tuple[Path, ast.Call]]:
    """Every call of ``fault`` in the service."""
    found = []
    for path in sorted(INTAKE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "fault":
                found.append((path, node))
    return found


def literals(node: ast.Call) -> list[str]:
    """The codes that this call can give; none where it is worked out."""
    code = node.args[0]
    choices = [code.body, code.orelse] if isinstance(code, ast.IfExp) else [code]
    return [one.value for one in choices if isinstance(one, ast.Constant)]


def gaps(code: str) -> set[str]:
    row = WORDING[code]
    texts = (row.zh, row.en, row.remedy_zh, row.remedy_en)
    return {name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_code_that_is_said_is_in_the_table_and_its_gaps_are_filled() -> None:
    for path, node in calls():
        given = {one.arg for one in node.keywords if one.arg}
        spread = any(one.arg is None for one in node.keywords)
        for code in literals(node):
            assert code in WORDING, f"{path.name}:{node.lineno} says {code}"
            assert spread or gaps(code) <= given, f"{path.name}:{node.lineno} leaves gaps of {code} open"


def test_every_code_in_the_table_is_said_somewhere() -> None:
    text = "".join(path.read_text() for path in INTAKE.rglob("*.py") if path.name != "wording.py")
    assert [] == [code for code in WORDING if f'"{code}"' not in text]


@pytest.mark.parametrize("code", WORDING)
def test_every_code_says_in_both_languages_what_is_wrong_and_what_to_do(code: str) -> None:
    row = WORDING[code]
    words = {name: "5" for name in gaps(code)}
    found = fault(code, **words)
    assert 400 <= found.status < 600
    for zh in (row.zh, row.remedy_zh):
        assert re.search("[\u4e00-\u9fff]", zh), zh
        assert not re.search("[\u4e00-\u9fff][,;:()]|[,;:()][\u4e00-\u9fff]", zh), f"half-width punctuation: {zh}"
    for en in (row.en, row.remedy_en):
        assert en and not re.search("[\u4e00-\u9fff]", en)


def sentences(path: Path) -> list[str]:
    """The texts with which the models of a module refuse, f-strings left out."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and getattr(node.exc.func, "id", "") == "ValueError":
            found += [one.value for one in node.exc.args if isinstance(one, ast.Constant)]
    return found


def test_every_sentence_of_a_model_in_use_has_its_chinese() -> None:
    modules = {row.model.__module__.rpartition(".")[2] for row in CATALOGUE.values() if row.wired and row.route != "derived"}
    known = set(CONTRADICTIONS)
    for name in sorted(modules | {"base"}):
        for sentence in sentences(EVENTS / f"{name}.py"):
            own = sentence in known or sentence.startswith("service.served_on lies before") or _TERM.fullmatch(sentence)
            assert own or _catalogued_only(sentence), f"{name}.py: {sentence}"


def _catalogued_only(sentence: str) -> bool:
    """True for sentences of models whose types can't be entered yet."""
    for row in CATALOGUE.values():
        if row.wired and row.route != "derived":
            for model in row.model.__mro__:
                source = EVENTS / f"{model.__module__.rpartition('.')[2]}.py"
                if model.__module__.startswith("schemas.events") and sentence in _class_sentences(source, model.__name__):
                    return False
    return True


def _class_sentences(path: Path, name: str) -> list[str]:
    tree = ast.parse(path.read_text())
    [found] = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name] or [None]
    if found is None:
        return []
    return [one.value for one in ast.walk(found) if isinstance(one, ast.Constant) and isinstance(one.value, str)]
