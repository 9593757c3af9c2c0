"""Values marked ``quick`` are frozen to whoever reads the code: nobody writes to their fields."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SELF = "self"


def quick_classes(tree: ast.AST) -> list[ast.ClassDef]:
    """The classes that a module marks ``quick``."""
    classes = [one for one in ast.walk(tree) if isinstance(one, ast.ClassDef)]
    return [one for one in classes if any(isinstance(mark, ast.Name) and mark.id == "quick" for mark in one.decorator_list)]


def quick_fields(tree: ast.AST) -> set[str]:
    """Their fields, those aside that are a class's own (``_…``)."""
    lines = (line for one in quick_classes(tree) for line in one.body if isinstance(line, ast.AnnAssign))
    return {line.target.id for line in lines if isinstance(line.target, ast.Name) and not line.target.id.startswith("_")}


def written(tree: ast.AST) -> Iterator[ast.Attribute]:
    """Attributes that are assigned, added to or deleted."""
    for one in ast.walk(tree):
        if isinstance(one, ast.Attribute) and isinstance(one.ctx, ast.Store | ast.Del):
            yield one


def _is_self(owner: ast.expr) -> bool:
    return isinstance(owner, ast.Name) and owner.id == SELF


def breaches(sources: dict[str, str]) -> list[str]:
    """Where a field of a quick value is written to: by others in its name, or by its own class."""
    trees = {name: ast.parse(source) for name, source in sources.items()}
    fields = set().union(*map(quick_fields, trees.values()))
    found = []
    for name, tree in trees.items():
        found += [f"{name}:{one.lineno} {one.attr}" for one in written(tree) if one.attr in fields and not _is_self(one.value)]
        for body in quick_classes(tree):
            found += [f"{name}:{one.lineno} {one.attr}" for one in written(body) if not one.attr.startswith("_")]
    return sorted(set(found))


def test_nobody_writes_to_a_value(repository: Path) -> None:
    folder = repository / "services" / "rating" / "domain"
    sources = {str(path.relative_to(repository)): path.read_text("utf-8") for path in sorted(folder.rglob("*.py"))}
    assert len(set().union(*(quick_fields(ast.parse(source)) for source in sources.values()))) > 40
    assert breaches(sources) == []


VALUE = "@quick\nclass Fact:\n    offset: int\n    _kept: int\n"


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        ("def work(fact):\n    fact.offset = 1\n", True),
        ("def work(fact):\n    fact.offset += 1\n", True),
        ("def work(fact):\n    del fact.offset\n", True),
        ("    def work(self):\n        self.offset = 1\n", True),
        ("    def work(self):\n        self._kept = 1\n", False),
        ("class Place:\n    def __init__(self):\n        self.offset = 1\n", False),
        ("def work(fact):\n    return fact.offset\n", False),
    ],
)
def test_it_is_seen(more: str, wrong: bool) -> None:
    assert bool(breaches({"some.py": VALUE + more})) == wrong
