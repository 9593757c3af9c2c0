"""Every value of every sign has a name that people know, in both languages; words of the contract are said, everything else as it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from schemas.events import CATALOGUE
from schemas.events.penalty import LegalField, PenaltyKind
from services.audit.domain.detectors import wording
from services.audit.domain.people import Lack

DETECTORS = Path(wording.__file__).parent


def test_names_that_stand_in_the_code_are_known() -> None:
    """Also those that no sown town shows."""
    named = {name for path in DETECTORS.glob("*.py") for name in _value_names(ast.parse(path.read_text("utf-8")))}
    assert {"overlap_minutes", "registry_offset", "origins"} <= named
    assert set() == named - wording.NAMES.keys()


def test_every_role_of_a_record_that_stands_in_the_code_is_known() -> None:
    roles = {role for path in DETECTORS.glob("*.py") for role in _roles(ast.parse(path.read_text("utf-8")))}
    assert {"correction", "evaluation", "later_entry"} <= roles
    assert set() == roles - wording.ROLES.keys()


def _roles(tree: ast.AST) -> Iterator[str]:
    """Second arguments of ``shown``."""
    for one in ast.walk(tree):
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id == "shown" and len(one.args) == 2:
            branches = (one.args[1].body, one.args[1].orelse) if isinstance(one.args[1], ast.IfExp) else (one.args[1],)
            yield from (str(each.value) for each in branches if isinstance(each, ast.Constant))


def _value_names(tree: ast.AST) -> Iterator[str]:
    """First words of the tuples under a keyword ``values``."""
    for one in ast.walk(tree):
        if isinstance(one, ast.keyword) and one.arg == "values":
            for each in ast.walk(one.value):
                first = each.elts[0] if isinstance(each, ast.Tuple) and each.elts else None
                branches = (first.body, first.orelse) if isinstance(first, ast.IfExp) else (first,)
                yield from (str(one.value) for one in branches if isinstance(one, ast.Constant) and isinstance(one.value, str))


def test_every_word_of_the_contract_is_said() -> None:
    outcomes = get_args(CATALOGUE["mingjian.case.closed.v1"].model.model_fields["outcome"].annotation)
    for name, words in (
        ("outcome", outcomes),
        ("kinds", get_args(PenaltyKind)),
        ("legal_field", get_args(LegalField)),
        ("lacking", get_args(Lack)),
    ):
        for one in words:
            zh, en = wording.said(name, one)
            assert (zh, en) != (one, one) and not zh.isascii(), (name, one)


def test_several_words_and_none() -> None:
    assert ("警告、罚款", "a warning, a fine") == wording.said("kinds", "warning, fine")
    assert ("无", "none") == wording.said("entered_on", "-")
    assert ("GSP-07", "GSP-07") == wording.said("codes", "GSP-07")
    assert (("罚款、警告", "a fine, a warning"), ("无", "none")) == (wording.penalties(["warning", "fine"]), wording.penalties([]))
    assert ("of nobody", "of nobody") == wording.called("of_nobody")
