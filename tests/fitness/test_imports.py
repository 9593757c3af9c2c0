"""The import contracts and the bans hold, and a planted violation of each is caught and named."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.sweep

PROGRAMS = Path(sys.executable).parent


@dataclass(frozen=True)
class Plant:
    """A line that must not be there. ``names`` are what the linter has to print, so that a person finds it."""

    what: str
    module: str
    line: str
    names: tuple[str, ...]

    @property
    def path(self) -> str:
        return self.module.replace(".", "/") + ".py"


IMPORTS = (
    Plant("the contract imports a service", "schemas.planted", "import services.intake", ("schemas is the contract",)),
    Plant("the contract opens connections", "schemas.planted", "import httpx", ("schemas opens no connection", "httpx")),
    Plant("the bus knows a service", "services._bus.planted", "import services.rating", ("services._bus carries bytes",)),
    Plant("the bus knows event models", "services._bus.planted", "import schemas.events.penalty", ("services._bus carries bytes",)),
    Plant("one service imports another", "services.publication.planted", "import services.rating", ("services share bytes, not code",)),
    Plant("a service imports the command line", "services.audit.planted", "import services._cli", ("imports the command line",)),
    Plant("a service imports the embedded stack", "services.audit.planted", "import deploy", ("imports the command line",)),
    Plant("a domain imports a client library", "services.rating.domain.planted", "import httpx", ("domain is pure", "httpx")),
    Plant("a domain imports a clock", "services.audit.domain.planted", "from time import time", ("domain is pure", "time")),
    Plant("a domain reads the environment", "services.intake.domain.planted", "import os", ("domain is pure",)),
    Plant("a domain draws random ids", "services.intake.domain.planted", "import secrets", ("domain is pure", "secrets")),
    Plant("a domain imports the bus", "services.rating.domain.planted", "import services._bus", ("domain imports nothing",)),
    Plant("a domain imports its wiring", "services.rating.domain.planted", "import services.rating.wiring", ("domain imports nothing",)),
    Plant("a handler imports its wiring", "services.intake.handlers", "import services.intake.wiring", ("only the ways in",)),
    Plant("the log leans on rating", "services.audit.domain.merkle", "import services.rating.domain", ("verification shares",)),
    Plant(
        "proofs lean on a detector", "services.audit.domain.proof", "import services.audit.domain.late", ("verification shares nothing",)
    ),
    Plant("a witness leans on the log", "services.audit.witness.state", "import services.audit.appender", ("a witness needs nothing",)),
    Plant("the log leans on its witness", "services.audit.worker", "import services.audit.witness.state", ("meet over HTTP alone",)),
    Plant(
        "a witness's judging reads a clock", "services.audit.witness.domain.judging", "from time import time", ("domain is pure", "time")
    ),
)

BANS = (
    Plant(
        "a clock in a domain", "services.rating.domain.planted", "from datetime import datetime\n\nX = datetime.now()", ("TID251", "clocks")
    ),
    Plant("the day in a domain", "services.audit.domain.planted", "from datetime import date\n\nX = date.today()", ("TID251", "clocks")),
    Plant("time in handlers", "services.intake.handlers", "import time\n\nX = time.monotonic()", ("TID251", "clocks")),
    Plant("the environment in handlers", "services.publication.handlers", "import os\n\nX = os.environ", ("TID251", "environment")),
    Plant("a variable in the contract", "schemas.planted", "import os\n\nX = os.getenv('X')", ("TID251", "environment")),
    Plant("random ids in a domain", "services.intake.domain.planted", "from uuid import uuid4\n\nX = uuid4()", ("TID251", "ids")),
    Plant("chance in a domain", "services.rating.domain.planted", "import random\n\nX = random.random()", ("TID251", "chance")),
    Plant(
        "a value pasted into SQL",
        "services.audit.adapters.planted",
        "def q(name: str) -> str:\n    return f\"SELECT * FROM t WHERE n = '{name}'\"",
        ("S608",),
    ),
)


def test_a_witness_imports_of_audit_what_is_pure_and_nothing_else(repository: Path) -> None:
    """The linter's list names what is there today; this holds what comes after."""
    imported = set()
    for path in (repository / "services" / "audit" / "witness").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                imported.add(node.module or "")
            elif isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
    own = {name for name in imported if name.startswith("services.audit") and not name.startswith("services.audit.witness")}
    assert own == {f"services.audit.domain.{name}" for name in ("checkpoint", "merkle", "note")}


def _lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    # -P and PYTHONPATH: the copy is linted, never the installed or the original package.
    command = [sys.executable, "-P", str(PROGRAMS / "lint-imports"), "--no-logo", "--no-cache"]
    environment = {"PYTHONPATH": str(folder), "PATH": str(PROGRAMS), "COLUMNS": "400", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


def _ruff(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [str(PROGRAMS / "ruff"), "check", "--no-cache", "--output-format=concise", *more]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


@pytest.fixture
def copy(tmp_path: Path, repository: Path) -> Path:
    """The packages and the linters' settings, free to be spoilt."""
    for name in ("schemas", "services", "deploy"):
        shutil.copytree(
            repository / name, tmp_path / name, ignore=lambda _, names: [n for n in names if n in ("__pycache__", "libs", "static", "k8s")]
        )
    for name in (".importlinter", "pyproject.toml"):
        shutil.copy(repository / name, tmp_path / name)
    return tmp_path


def _plant(folder: Path, plant: Plant) -> None:
    target = folder / plant.path
    for package in reversed(target.relative_to(folder).parents[:-1]):
        (folder / package).mkdir(exist_ok=True)
        (folder / package / "__init__.py").touch()
    for imported in (word for word in plant.line.split() if word.startswith("services.") and word.count(".") > 1):
        place = folder / imported.replace(".", "/")
        if not place.is_dir() and not place.with_suffix(".py").exists():
            place.parent.mkdir(exist_ok=True)
            (place.parent / "__init__.py").touch()
            place.with_suffix(".py").touch()
    target.write_text((target.read_text() if target.exists() else "") + "\n" + plant.line + "\n")


def test_the_contracts_hold(repository: Path) -> None:
    done = _lint_imports(repository)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("plant", IMPORTS, ids=lambda plant: plant.what.replace(" ", "_"))
def test_a_planted_import_is_caught(plant: Plant, copy: Path) -> None:
    _plant(copy, plant)
    done = _lint_imports(copy)
    broken = done.stdout.partition("Broken contracts")[2]
    assert done.returncode == 1, done.stdout[-2000:] + done.stderr[-2000:]
    for name in (*plant.names, plant.module):
        assert name in broken


def test_ruff_finds_nothing(repository: Path) -> None:
    done = _ruff(repository)
    assert done.returncode == 0, done.stdout[-4000:]


def test_the_code_is_formatted(repository: Path) -> None:
    done = subprocess.run([str(PROGRAMS / "ruff"), "format", "--check", "."], cwd=repository, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-4000:]


@pytest.mark.parametrize("plant", BANS, ids=lambda plant: plant.what.replace(" ", "_"))
def test_a_planted_ban_is_caught(plant: Plant, copy: Path) -> None:
    _plant(copy, plant)
    done = _ruff(copy, plant.path)
    assert done.returncode == 1, done.stdout + done.stderr
    for name in (*plant.names, plant.path):
        assert name in done.stdout


def test_no_ban_is_switched_off_where_it_matters(repository: Path) -> None:
    """``noqa`` for a ban may stand nowhere in a domain or in the contract: arguments are the way."""
    places = [*(repository / "schemas").rglob("*.py"), *(repository / "services").glob("*/domain/**/*.py")]
    found = [str(path.relative_to(repository)) for path in places if "noqa: TID" in path.read_text()]
    assert found == []
