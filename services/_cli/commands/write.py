"""Writing: a key, a skeleton, a signature, a receipt."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from schemas.canonical import CanonicalError, check
from schemas.ids import ENTERPRISE_SCHEMES, scheme_of
from schemas.keys import ALGORITHMS, SigningKey
from services._cli.delivery import BATCH, Outcome, problem_words
from services._cli.errors import REFUSED, USAGE, CliError
from services._cli.home import load_key
from services._cli.registry import now_ms, today
from services._cli.session import session_of
from services._cli.signing import sign_draft
from services._cli.skeleton import read_lenient, skeleton

key_app = typer.Typer(help="Keys.", no_args_is_help=True)
event_app = typer.Typer(help="Events to fill in.", no_args_is_help=True)

Channel = Annotated[str, typer.Option(help="How the events come in: field, desk, feed or migration.")]


@key_app.command("new")
def key_new(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="Where to write the key file (mode 0600).")],
    alg: Annotated[str, typer.Option(help="Ed25519, or ES256 for what phones and smart cards hold.")] = "Ed25519",
) -> None:
    """Make a private key. Keys are never overwritten."""
    if alg not in ALGORITHMS:
        raise CliError(f"the algorithm {alg!r} is not known; choose {' or '.join(ALGORITHMS)}", USAGE)
    key = SigningKey.generate(alg)
    try:
        key.save(path)
    except FileExistsError:
        if not path.exists():  # a file stands where a folder of the path should be
            raise
        raise CliError(f"{path} exists; keys are never overwritten", USAGE) from None
    session_of(context).voice.say(json.dumps(key.public_object()))


@event_app.command("new")
def event_new(context: typer.Context, kind: Annotated[str, typer.Argument(metavar="TYPE", help="Such as inspection.recorded.")]) -> None:
    """Print an event to fill in: required fields open, optional ones explained and commented out."""
    session_of(context).voice.out.file.write(skeleton(kind))


def read_text(file: str) -> str:
    """A file's text, or standard input for ``-``."""
    if file == "-":
        return sys.stdin.read()
    try:
        return Path(file).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CliError(f"there is no file {file}", USAGE) from None
    except OSError as error:
        raise CliError(f"{file} can't be read: {error.strerror}", USAGE) from None
    except UnicodeDecodeError as error:
        raise CliError(f"{file} is not UTF-8 (byte {error.start})", USAGE) from None


def sign(
    context: typer.Context,
    file: Annotated[str, typer.Argument(help="The event (JSON, comments allowed), or - for standard input.")],
    key: Annotated[Path | None, typer.Option(help="Key file; default: the first officer's of this home.")] = None,
    officer: Annotated[str | None, typer.Option(help="Sign as this officer of this home.")] = None,
) -> None:
    """Fill in id, time and source where they are left out, commit to private values, sign, and print the submission."""
    session = session_of(context)
    source = None
    if key is None:
        known = session.home.find_officer(officer)
        key, source = session.home.root / known.key, known.office
    draft = read_lenient(read_text(file))
    if not isinstance(draft, dict):
        raise CliError(f"{file} holds no event: an object is expected", USAGE)
    day = date.fromisoformat(today(session.home)) if session.home.genesis_path.exists() else None
    made = sign_draft(draft, key=load_key(key), now_ms=now_ms(), source=source, chance=secrets.token_bytes, today=day)
    session.voice.say(orjson.dumps(made).decode())


def send(
    context: typer.Context,
    file: Annotated[str, typer.Argument(help="A signed submission, or - for standard input.")] = "-",
    channel: Channel = "desk",
    patience: Annotated[float, typer.Option(help="Seconds to go on trying without an answer.")] = 60.0,
) -> None:
    """Send a signed event again and again until its receipt comes back, and print the receipt; or the refusal, where it has one."""
    session = session_of(context)
    made = _parse(read_text(file), file)
    outcome = session.intake(patience).deliver([made], channel=channel)[0]
    if not outcome.accepted:
        if outcome.refusal:
            session.voice.say(json.dumps(outcome.refusal, indent=1, ensure_ascii=False))
        raise CliError(_refusal_words(outcome, session.voice.lang), REFUSED)
    session.voice.say(json.dumps(outcome.receipt, indent=1, ensure_ascii=False))
    subject = str(made["event"].get("subject"))
    if scheme_of(subject) in ENTERPRISE_SCHEMES:
        session.voice.mention(f"{session.voice.pick('结果见', 'See')} {session.endpoints['publication']}/subjects/{subject}")


def _parse(text: str, name: str) -> dict[str, Any]:
    try:
        made = json.loads(text)
    except json.JSONDecodeError as error:
        raise CliError(f"{name} is not JSON (line {error.lineno}: {error.msg}); `mingjian sign` makes what is sent", USAGE) from None
    if not isinstance(made, dict) or not isinstance(made.get("event"), dict) or "signature" not in made:
        raise CliError(f"{name} is not signed; `mingjian sign` makes what is sent", USAGE)
    try:
        check(made)
    except CanonicalError as error:
        raise CliError(f"{name} can't have been signed as it is: {error}", USAGE) from None
    return made


def _refusal_words(outcome: Outcome, language: str) -> str:
    return f"refused ({outcome.status}): {problem_words(outcome.problem or {}, language)}"


def submit(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Signed submissions, one a line.")],
    channel: Channel = "desk",
    receipts: Annotated[Path | None, typer.Option(help="Where receipts go; default: beside the file, .receipts.jsonl.")] = None,
) -> None:
    """Send many signed events. Receipts are kept as they come; the same command again goes on where it was cut off. Signed refusals are
    kept beside the file, .refusals.jsonl: they prove that one tried, and when."""
    session = session_of(context)
    kept = receipts or file.with_suffix(".receipts.jsonl")
    lines = list(_json_lines(file))
    for number, one in lines:
        if not isinstance(one, dict) or not isinstance(one.get("event"), dict) or "signature" not in one:
            raise CliError(f"{file}, line {number}: not a signed submission", USAGE)
    have = _receipts(kept)
    todo = [(number, one) for number, one in lines if (one["event"].get("source"), one["event"].get("id")) not in have]
    refused: list[tuple[int, str]] = []
    refusals: list[bytes] = []
    with kept.open("ab") as out, session.voice.bar(str(file), len(lines), beside=True) as bar:
        bar.to(len(lines) - len(todo))
        intake = session.intake()
        for start in range(0, len(todo), BATCH):
            part = todo[start : start + BATCH]
            for (number, _), outcome in zip(part, intake.deliver([one for _, one in part], channel=channel), strict=True):
                if outcome.accepted:
                    out.write(orjson.dumps(outcome.receipt) + b"\n")
                else:
                    refusals += [orjson.dumps(outcome.refusal) + b"\n"] if outcome.refusal else []
                    refused.append((number, _refusal_words(outcome, session.voice.lang)))
            out.flush()
            bar.to(len(lines) - len(todo) + start + len(part))
    if refusals:
        file.with_suffix(".refusals.jsonl").write_bytes(b"".join(refusals))
    for number, words in refused:
        session.voice.mention(f"line {number}: {words}")
    session.voice.say(f"{len(lines)} events: {len(lines) - len(refused)} with a receipt in {kept}, {len(refused)} refused")
    if refused:
        raise typer.Exit(REFUSED)


def _receipts(path: Path) -> set[tuple[str, str]]:
    """Whose receipts stand in this file. A last line that was cut off while it was written is dropped: its event is sent again."""
    if not path.exists():
        return set()
    with path.open("rb+") as out:
        whole = out.read()
        out.truncate(whole.rfind(b"\n") + 1)
    try:
        return {(one["receipt"]["source"], one["receipt"]["id"]) for _, one in _json_lines(path)}
    except (KeyError, TypeError):
        raise CliError(f"{path} holds something else than receipts; name another file with --receipts", USAGE) from None


def _json_lines(path: Path) -> Iterator[tuple[int, Any]]:
    """Every line that isn't blank, with its number in the file."""
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    try:
                        yield number, orjson.loads(line)
                    except orjson.JSONDecodeError:
                        raise CliError(f"{path}, line {number}: not JSON", USAGE) from None
    except FileNotFoundError:
        raise CliError(f"there is no file {path}", USAGE) from None
    except OSError as error:
        raise CliError(f"{path} can't be read: {error.strerror}", USAGE) from None
