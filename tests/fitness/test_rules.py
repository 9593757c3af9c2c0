"""The repository's own rules about its text: addresses, sizes, names, docstrings, reasons for dependencies.

There are no lists of exceptions. Words that must not occur are put together here from parts, so that this file obeys too.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
CODE = ("schemas", "services", "deploy")
MAX_FILE, MAX_FUNCTION = 400, 80
REGISTRY_HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("maven", "org"),
        ("maven", "apache", "org"),
        ("ghcr", "io"),
        ("quay", "io"),
        ("docker", "io"),
        ("gcr", "io"),
        ("crates", "io"),
        ("aliyuncs", "com"),
    )
)
UNFINISHED = tuple(a + b for a, b in (("TO", "DO"), ("FIX", "ME"), ("XX", "X")))
MACHINE_PATHS = tuple("/".join(("", *parts, "")) for parts in (("work", "main"), ("work", "shared"), ("home", "user"), ("root", "work")))


def files() -> list[Path]:
    """Every file that git has or would take."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True, timeout=60).stdout
    return sorted(path for name in listed.decode().split("\0") if name and (path := REPOSITORY / name).is_file())


def texts() -> Iterator[tuple[str, str]]:
    """(name, text) of every text file."""
    for path in files():
        content = path.read_bytes()
        if b"\0" not in content[:8000]:
            yield str(path.relative_to(REPOSITORY)), content.decode("utf-8", "replace")


def code(*folders: str) -> list[Path]:
    """The Python files below ``folders``."""
    return [path for path in files() if path.suffix == ".py" and path.relative_to(REPOSITORY).parts[0] in folders]


def name_of(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def test_no_file_names_a_package_registry() -> None:
    """Clients know where packages come from; an address in the repository would override a mirror."""
    found = [(name, host) for name, text in texts() for host in REGISTRY_HOSTS if host in text]
    assert found == []


def test_locks_hold_hashes_and_no_address() -> None:
    locks = {name: text for name, text in texts() if name.endswith((".lock", "lock.toml", "lock.json", "lock.yaml"))}
    assert set(locks) == {"requirements.lock", "requirements-dev.lock"}
    for name, text in locks.items():
        assert not re.search(r"https?://|--(extra-)?index-url|--find-links|^\S+ @ ", text, re.M), name
        assert "--hash=sha256:" in text, name


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_every_pin_in_a_lock_has_a_hash(lock: str) -> None:
    blocks = re.split(r"\n(?=\S)", (REPOSITORY / lock).read_text())
    pins = [block for block in blocks if re.match(r"[A-Za-z0-9]", block)]
    assert pins
    assert [pin.split("\n")[0] for pin in pins if "--hash=" not in pin or "==" not in pin] == []


def test_nothing_is_left_unfinished_in_words() -> None:
    pattern = re.compile(r"\b(" + "|".join(UNFINISHED) + r")\b")
    found = [
        (name, number)
        for name, text in texts()
        if not name.endswith((".csv", ".svg"))
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []


def test_no_file_names_a_path_of_one_machine() -> None:
    assert [(name, path) for name, text in texts() for path in MACHINE_PATHS if path in text] == []


def test_no_private_key_is_checked_in() -> None:
    """The sample's and the vectors' keys come from seeds that say what they are."""
    marker = "PRIVATE" + " KEY-----"
    assert [name for name, text in texts() if marker in text] == []


@pytest.mark.parametrize("folder", CODE)
def test_files_and_functions_stay_readable(folder: str) -> None:
    found = []
    for path in code(folder):
        text = path.read_text()
        if (lines := text.count("\n")) > MAX_FILE:
            found.append(f"{name_of(path)}: {lines} lines, at most {MAX_FILE}")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > MAX_FUNCTION:
                    found.append(f"{name_of(path)}:{node.lineno} {node.name}: {length} lines, at most {MAX_FUNCTION}")
    assert found == []


def test_every_module_says_what_it_is_for() -> None:
    found = [
        name_of(path) for path in code(*CODE, "examples") if (tree := ast.parse(path.read_text())).body and ast.get_docstring(tree) is None
    ]
    assert found == []


def test_nothing_is_swallowed() -> None:
    """A handler for every exception that only passes hides a fault; temporary trouble retries, permanent goes to quarantine."""
    found = []
    for path in code(*CODE):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.ExceptHandler):
                continue
            wide = node.type is None or (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException"))
            if wide and all(isinstance(step, ast.Pass | ast.Continue) for step in node.body):
                found.append(f"{name_of(path)}:{node.lineno}")
    assert found == []


def _words(path: Path) -> Iterator[tuple[int, str]]:
    """Names and strings of a file, without docstrings and comments."""
    tree = ast.parse(path.read_text())
    prose = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.lineno, node.value
    with tokenize.open(path) as text:
        for token in tokenize.generate_tokens(text.readline):
            if token.type == tokenize.NAME:
                yield token.start[0], token.string


def test_python_names_no_regime() -> None:
    """A regime is a folder of dated rules. Only the importers of published formats and the sample town name one in Python;
    ``fhrs:`` and ``camis:`` in the contract are schemes of subject ids."""
    regimes = sorted(path.name for path in (REPOSITORY / "rulebooks").iterdir() if path.is_dir())
    assert regimes
    pattern = re.compile(r"(?<![a-z])(" + "|".join(map(re.escape, regimes)) + r")(?![a-z:])", re.I)
    schemes = {"fhrs", "camis"}
    found = []
    for path in code("services", "schemas", "deploy"):
        name = name_of(path)
        if name.startswith(("services/_cli/", "services/intake/importers/")):
            continue
        for line, word in _words(path):
            if (match := pattern.search(word)) and not (name.startswith("schemas/") and match[1].lower() in schemes):
                found.append(f"{name}:{line} {word[:60]}")
    assert found == []


def _requirements() -> list[str]:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    named = [*project["dependencies"], *(line for group in project["optional-dependencies"].values() for line in group)]
    return [re.split(r"[\[<>=!~; ]", line, maxsplit=1)[0] for line in named]


@pytest.mark.parametrize("requirement", _requirements())
def test_every_direct_dependency_has_its_reason(requirement: str) -> None:
    """A row ``| `name` | why | left |`` in one of the decision records, with words in it."""
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for path in sorted((REPOSITORY / "docs" / "adr").glob("*.md"))
        for line in path.read_text().splitlines()
        if line.startswith(f"| `{requirement}` |")
    ]
    assert len(rows) == 1, f"{requirement}: one row in docs/adr/ is expected, {len(rows)} found"
    assert len(rows[0]) == 3
    assert all(len(cell) > 10 for cell in rows[0][1:])


def test_no_reason_is_kept_for_a_dependency_that_is_gone() -> None:
    text = (REPOSITORY / "docs" / "adr" / "0001-dependencies.md").read_text()
    assert sorted(re.findall(r"^\| `([^`]+)` \|", text, re.M)) == sorted(_requirements())


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = sorted(int(path.name[:4]) for path in (REPOSITORY / "docs" / "adr").glob("[0-9]*.md"))
    assert numbers == list(range(1, len(numbers) + 1))


OUTSIDERS = (*sorted((REPOSITORY / "examples").glob("*.py")), REPOSITORY / "tests" / "independent_reader.py")


@pytest.mark.parametrize("path", OUTSIDERS, ids=lambda path: path.name)
def test_outsiders_programs_need_nothing_of_ours(path: Path) -> None:
    """What shows that anyone can check us may lean on the standard library and ``cryptography`` only."""
    if not path.exists():
        pytest.fail(f"{path.name} is missing")
    imported = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add((node.module or "").split(".")[0])
    assert imported - set(sys.stdlib_module_names) <= {"cryptography"}


def test_every_variable_is_in_the_architecture_page() -> None:
    """``docs/architecture.md`` is where an operator finds every variable that a process reads."""
    page = (REPOSITORY / "docs" / "architecture.md").read_text()
    known = set(re.findall(r"\bMINGJIAN_[A-Z_]+\b", page))
    read = {
        (word, name_of(path))
        for path in code(*CODE)
        for _, value in _words(path)
        for word in re.findall(r"\bMINGJIAN_[A-Z_]*[A-Z]\b", value)
    }
    assert sorted((word, name) for word, name in read if word not in known) == []
