"""The README's worked example and its first run: run them, and compare what came out with what stands there.

``python -m tests.e2e.readme`` writes the real output into the README again."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local.ports import Ports
from tests.e2e.terminal import terminal

README = Path(__file__).resolve().parents[2] / "README.md"
_BLOCK = re.compile(r"(```console\n)(.*?)(```)", re.S)
_FIRST_RUN = re.compile(r"(<!-- first run -->\n```\n)(.*?)(```)", re.S)
_PROGRESS = re.compile(r"^\[5/5\] sample town [\d,]+ / .*\n", re.M)

# What differs from run to run, and by what it is replaced before comparing. The order counts: long forms first.
_VARYING = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"), "<instant>"),
    (re.compile(r"entered \d{4}-\d\d-\d\d"), "entered <day>"),
    (re.compile(r"mingjian\.example/[0-9a-f]{12}"), "<origin>"),
    (re.compile(r"\b[0-9a-f]{32,}\b"), "<hex>"),
    (re.compile(r'"value": "[A-Za-z0-9_-]{86}"'), '"value": "<signature>"'),
    (re.compile(r"facts \d+/\d+"), "facts <place>"),
    (re.compile(r'"(partition|offset)": \d+'), r'"\1": <number>'),
    (re.compile(r"root [A-Za-z0-9+/=]+"), "root <root>"),
    (re.compile(r"\d[\d,]* (leaves|records|rows)"), r"<number> \1"),
    (re.compile(r"SHA-256 [0-9a-f]+"), "SHA-256 <digest>"),
)


@dataclass(frozen=True)
class Step:
    """A command, as typed, and the output that the README shows for it."""

    command: str
    shown: str


def blocks(text: str) -> list[str]:
    """The bodies of the ``console`` blocks."""
    return [match[2] for match in _BLOCK.finditer(text)]


def steps(block: str) -> Iterator[Step]:
    """``$`` begins a command, ``>`` goes on with it, everything else is output."""
    command: list[str] = []
    shown: list[str] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            if command:
                yield Step("\n".join(command), "\n".join(shown))
            command, shown = [line[2:]], []
        elif line.startswith("> ") and not shown:
            command.append(line[2:])
        else:
            shown.append(line)
    if command:
        yield Step("\n".join(command), "\n".join(shown))


def first_run(text: str) -> str:
    """What the README shows of ``make run``."""
    match = _FIRST_RUN.search(text)
    assert match, "the README shows no first run"
    return match[2]


def shape(output: str) -> str:
    """A first run's lines without its numbers, names and places: what every first run has in common."""
    for pattern, words in (
        (_PROGRESS, ""),
        # How many of these lines come depends on the machine.
        (re.compile(r"^still catching up: .*\n", re.MULTILINE), ""),
        (re.compile(r"uscc:[0-9A-Z]{18}"), "<subject>"),
        (re.compile(r"once=\S+"), "once=<token>"),
        (re.compile(r"stays in \S+;"), "stays in <home>;"),
        (re.compile(r"root \S+"), "root <root>"),
        (re.compile(r"\d[\d,.]*"), "0"),
    ):
        output = pattern.sub(words, output)
    # Kafka and PostgreSQL start side by side.
    return "\n".join(sorted(output.strip().splitlines()))


def settled(output: str) -> str:
    """Output with everything replaced that differs from run to run."""
    for pattern, words in _VARYING:
        output = pattern.sub(words, output)
    return output.strip()


def perform(step: Step, env: Mapping[str, str], folder: Path) -> str:
    """Run a step's command in a shell; its standard output. Raises ``AssertionError`` when it fails."""
    done = subprocess.run(
        ["bash", "-c", "set -o pipefail; " + step.command], env=env, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"$ {step.command}\n{done.stdout}{done.stderr}"
    return done.stdout.rstrip("\n")


def typed(step: Step, output: str) -> str:
    """A step as the README shows it."""
    first, *rest = step.command.split("\n")
    return "\n".join([f"$ {first}", *(f"> {line}" for line in rest), *([output] if output else [])])


def example(text: str) -> str:
    """``text`` with the example's output as it is now, from a stack of its own."""
    with tempfile.TemporaryDirectory() as folder, terminal() as at, at.staying("mingjian", "up", "--no-sample") as running:
        running.wait_for("Ctrl-C stops", 240)

        def real(match: re.Match[str]) -> str:
            body = "\n".join(typed(step, perform(step, at.env, Path(folder))) for step in steps(match[2]))
            return f"{match[1]}{body}\n{match[3]}"

        return _BLOCK.sub(real, text)


def town() -> str:
    """What a first run says now, with the ports and the folder that it has where nobody chooses others."""
    with terminal() as at, at.staying("mingjian", "up", "--sample") as running:
        running.wait_for("Ctrl-C stops.*", 300)
        said = _PROGRESS.sub("", running.text + "\n")
    usual = Ports().everything()
    for name, port in at.ports.everything().items():
        said = said.replace(str(port), str(usual[name]))
    return re.sub(r"once=\S+", "once=…", said.replace(str(at.home), ".mingjian"))


def rewrite() -> None:
    """Run both on stacks of their own and put the real output into the README."""
    text = example(README.read_text(encoding="utf-8"))
    said = town()
    README.write_text(_FIRST_RUN.sub(lambda match: f"{match[1]}{said}{match[3]}", text), encoding="utf-8")


if __name__ == "__main__":
    rewrite()
