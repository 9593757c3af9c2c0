"""``docs/conformance.md``: for each clause of a plan what decides by it and which cases show it. ``python -m tests.conformance`` writes it.

Rules and parameters come from the rulebooks, cases from the ``clause`` marks in ``tests/cases``; nothing in the page is written by hand.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from schemas.rulebook import Rulebook, load_all
from schemas.rulebook.model import Parameter
from schemas.rulebook.parts import Section

REPOSITORY = Path(__file__).resolve().parents[1]
PAGE = REPOSITORY / "docs" / "conformance.md"
CASES = REPOSITORY / "tests" / "cases"
HEAD = """# Conformance: clause, rule, cases

Made by `python -m tests.conformance`; a test holds it equal to the rulebooks and the cases. *Decides* names rules and sections of
the rulebook that cite the clause, *numbers* its parameters with their values and the day from which each is in force. *Cases* are
tests in `tests/cases`; one with several values counts once. What has neither rule nor case is not decided by rating; the last
column says so.
"""


# What the engine does for every rulebook; no number in it that a bureau could set.
BUILT_IN = {
    "R18": "复议或法院撤销、变更，更正、撤回，异议成立的，自始不算；信用修复自其生效之日起不算；"
    "各从其录入时起为人所知；变更的决定送达后才生效。"
    "<br>What is annulled or changed, corrected, retracted or objected to with success never counted; what is repaired counts no more "
    "from the repair's date; each is known from its own entry; a changed decision acts once it is served.",
}


@dataclass(frozen=True)
class Case:
    """A test and what it is marked with; ``book``: the rulebook that its file's name begins with, empty where it names none."""

    file: str
    name: str
    marks: frozenset[str]


def cases() -> list[Case]:
    """Every marked test of ``tests/cases``, by file and place."""
    return [case for path in sorted(CASES.glob("test_*.py")) for case in _of_file(path)]


def _of_file(path: Path) -> Iterator[Case]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    whole: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(one, ast.Name) and one.id == "pytestmark" for one in node.targets):
            whole |= _marks(node.value)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            marks = whole | {mark for decorator in node.decorator_list for mark in _marks(decorator)}
            if marks:
                yield Case(path.stem.removeprefix("test_"), node.name.removeprefix("test_"), frozenset(marks))


def _marks(node: ast.AST) -> set[str]:
    """The names in ``pytest.mark.clause(…)`` wherever it stands in an expression."""
    found: set[str] = set()
    for one in ast.walk(node):
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr == "clause":
            found |= {arg.value for arg in one.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)}
    return found


def page() -> str:
    """The whole page."""
    found = cases()
    books = load_all(REPOSITORY / "rulebooks")
    parts = [HEAD]
    parts += ["## Built in\n", "| reading | in our words | decides | numbers | cases |\n|---|---|---|---|---|"]
    parts += [_row(name, words, [], [], [case for case in found if name in case.marks]) for name, words in BUILT_IN.items()]
    for regime in sorted(books):
        parts += _book(books[regime], [case for case in found if _belongs(case, regime, books)])
    return "\n".join(parts).rstrip() + "\n"


def _belongs(case: Case, regime: str, books: dict[str, Rulebook]) -> bool:
    """A case is about the rulebook whose clauses it names."""
    words = set(books[regime].clause_texts)
    if case.marks & words:
        return True
    named = [one for one in books if case.file.startswith(one.replace("-", "_").split("_")[0])]
    return regime in named


def _book(book: Rulebook, found: list[Case]) -> Iterator[str]:
    yield f"\n## {book.header.name.zh} · {book.header.name.en} (`{book.regime}` {book.version})\n"
    yield "| clause | in our words | decides | numbers | cases |\n|---|---|---|---|---|"
    for clause in book.clauses:
        cited = sorted(set(_citing(book, clause.clause)))
        numbers = [_number(one) for one in book.parameters if any(value.clause == clause.clause for value in one.values)]
        shown = [case for case in found if clause.clause in case.marks]
        yield _row(clause.clause, f"{clause.zh}<br>{clause.en}", cited, numbers, shown)
    if not book.readings:
        return
    yield "\n| reading | in our words | decides | numbers | cases |\n|---|---|---|---|---|"
    for reading in book.readings:
        rules = [f"`{rule.id}`" for rule in book.rules if reading.id in rule.readings]
        rules += [f"duty `{one.name}`" for one in book.measures if reading.id in one.readings]
        numbers = [_number(one) for one in book.parameters if one.reading == reading.id]
        yield _row(reading.id, f"{reading.zh}<br>{reading.en}", rules, numbers, [case for case in found if reading.id in case.marks])


# What decides where rating doesn't.
ELSEWHERE = {
    "五(一)1–3": "not decided by rating: the contract's event types (`docs/schemas.md`), personal data kept out of Kafka by intake",
    "五(二)": "not decided by rating: intake (signed by who enters, `reviewed_by`, source documents by hash); audit judges timeliness",
    "五(三) ¶2": "not decided by rating: audit's yearly report (`mingjian supervision-report`, R16)",
    "五(三) ¶3": "not decided by rating: audit finds late entries; what they did to grades is not built yet",
    "五(三) ¶4": "not decided by rating: intent is for people, in a hearing by events (intake judges its steps, audit folds them)",
    "五(四) ¶1–2": "not decided by rating: who may enter scores is the office's jurisdiction, held by intake",
}


def _row(name: str, words: str, cited: list[str], numbers: list[str], shown: list[Case]) -> str:
    elsewhere = ELSEWHERE.get(name, "not decided by rating")
    listed = "<br>".join(f"{case.file}: {case.name.replace('_', ' ')}" for case in shown)
    counted = f"<details><summary>{len(shown)}</summary>{listed}</details>" if shown else elsewhere if not cited else "–"
    return f"| {name} | {words} | {', '.join(cited) or '–'} | {'<br>'.join(numbers) or '–'} | {counted} |"


def _citing(book: Rulebook, clause: str) -> Iterator[str]:
    """Rules, grades, statuses, lists, act sets, measures and sections that cite a clause."""
    yield from (f"`{rule.id}`" for rule in book.rules if rule.clause == clause)
    for section, key in (("grades", "grade"), ("statuses", "status"), ("lists", "name"), ("act_sets", "name"), ("concepts", "concept")):
        word = section.removesuffix("es" if section == "statuses" else "s").replace("_", " ")
        yield from (f"{word} `{getattr(one, key)}`" for one in getattr(book, section) if one.clause == clause)
    for one in book.measures:
        if one.clause == clause:
            yield f"{'power' if one.power else 'duty'} `{one.name}`" + (f" ({one.power.zh}<br>{one.power.en})" if one.power else "")
    for mode in (book.periodic, book.latest, book.parts):
        if mode is not None:
            yield from _sections(mode, clause)
    if book.precedence_clause == clause:
        yield f"precedence `{book.precedence}`"


def _sections(part: Section, clause: str) -> Iterator[str]:
    if getattr(part, "clause", None) == clause:
        yield f"section `{type(part).__name__.lower()}`"
    for name in type(part).model_fields:
        value = getattr(part, name)
        if isinstance(value, Section) and getattr(value, "clause", None) == clause:
            yield f"section `{name}`"


def _number(parameter: Parameter) -> str:
    values = "; ".join(f"{'repealed' if one.value is None else _text(one.value)} from {one.in_force_from}" for one in parameter.values)
    return f"`{parameter.name}` = {values} ({parameter.unit}{', set by the operator' if parameter.set_by else ''})"


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
