"""What every test may rely on: markers, what is skipped where, and the shared stack's fixtures.

Fast tests are those without the markers ``stack``, ``browser``, ``sweep`` and ``long``. A machine without chromium skips the browser
tests, and one without the published data beside the repository skips the tests that read it, each with one line at the
end. With ``CI=true`` nothing is skipped: what would be skipped fails instead.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGES = "chromium fonts-noto-cjk"
STACK_FIXTURES = "tests.stack_fixtures"
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_SLOWER = ("sweep", "stack", "browser", "long")
_skipped: Counter[str] = Counter()

# A deadline for an example says how busy the machine is, not whether a property holds.
settings.register_profile("mingjian", deadline=None)
settings.load_profile("mingjian")

if importlib.util.find_spec(STACK_FIXTURES):
    from tests.stack_fixtures import *  # noqa: F403
    from tests.stack_fixtures import last_words
else:
    last_words = str


def in_ci() -> bool:
    """True where a skipped test counts as a failed one."""
    return os.environ.get("CI", "").lower() == "true"


def find_chromium() -> str | None:
    """The browser's path, or None."""
    return next((path for name in _CHROMIUM if (path := shutil.which(name))), None)


def skip_or_fail(reason: str) -> None:
    """End the running test: skipped on a developer's machine, failed in CI. The reason is printed once at the end."""
    if in_ci():
        pytest.fail(f"nothing is skipped in CI: {reason}", pytrace=False)
    pytest.skip(reason)


def pytest_configure() -> None:
    """Started in the background by a shell, the session and all its children would be deaf to Ctrl-C, which tests press."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what a fixture implies, and run the quick tests first so that a slip shows in seconds."""
    for item in items:
        wanted = set(getattr(item, "fixturenames", ()))
        if "chromium" in wanted:
            item.add_marker("browser")
        if any(name == "stack" or name.endswith("_stack") for name in wanted):
            item.add_marker("stack")
    items.sort(key=lambda item: sum(item.get_closest_marker(name) is not None for name in _SLOWER))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A browser test without a browser never starts a stack."""
    if item.get_closest_marker("browser") and find_chromium() is None:
        skip_or_fail(f"no chromium on this machine; install the packages {PACKAGES}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With a failure, what the stacks' logs said last: their homes are gone when someone reads the report."""
    report = yield
    if report.failed and (words := last_words()):
        report.sections.append(("what the stacks said last", words))
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Heard by whoever writes the summary, whichever process ran the test."""
    if report.skipped and isinstance(report.longrepr, tuple):
        _skipped[str(report.longrepr[2]).removeprefix("Skipped: ")] += 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each reason, however many tests it stopped."""
    for reason, count in sorted(_skipped.items()):
        terminalreporter.write_line(f"{count} test{'s' if count > 1 else ''} skipped: {reason}")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The repository's root."""
    return REPOSITORY


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of chromium for ``playwright``'s ``executable_path``. Marks the test ``browser``."""
    path = find_chromium()
    if path is None:
        skip_or_fail(f"no chromium on this machine; install the packages {PACKAGES}")
    return str(path)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of published data sets and of the reference log beside the repository, or the test is skipped."""
    path = Path(os.environ.get("MINGJIAN_SHARED") or REPOSITORY.parent / "shared")
    if not (path / "data").is_dir():
        skip_or_fail("the published data sets are not beside the repository (set MINGJIAN_SHARED to their folder)")
    return path
