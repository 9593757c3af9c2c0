"""A stack's Kafka rebuilt from its log, and its services' positions mended: what ``restore`` and ``restore-check`` do alike."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from aiokafka.errors import KafkaError

from deploy.local.stack import Stack
from schemas.topics import ClockMode
from services._bus.kafka import Unavailable
from services._bus.positions import Place, positions
from services._bus.settings import NotConfigured
from services._cli.errors import USAGE, CliError
from services._cli.home import Home
from services._cli.voice import Bar, Voice
from services.audit import cli_restore as audit
from services.intake import cli_restore as intake
from services.publication import cli_restore as publication


@dataclass
class Outcome:
    """What came of a restore. ``lost``: records by topic that a service had worked off and that neither log nor Kafka has;
    ``again``: events that intake sends again; ``planned``, ``cut``: leaves added to the plan, taken out of it."""

    size: int
    root: str
    put: dict[str, int]
    newer: int
    compared: int
    made_anew: list[str]
    reset: bool
    digests: dict[str, tuple[int, str]]
    lost: dict[str, int] = field(default_factory=dict)
    again: int = 0
    planned: int = 0
    cut: int = 0


def restore_stack(stack: Stack, voice: Voice, *, log_dir: Path, genesis: Path, memory: Path | None, mode: ClockMode, anew: bool) -> Outcome:
    """Fill Kafka from the log and mend what stands beyond it. The stack's servers run, its services don't. Raises ``CliError``."""
    with bars(voice) as told, sentences():
        log = audit.sound_log(log_dir, genesis, memory, told)
        outcome = Outcome(log.checkpoint.size, log.checkpoint.root.hex(), {}, 0, 0, [], False, audit.digests(log))
        done = audit.fill(log, stack.bootstrap, mode, anew=anew, done=lambda found: _mend(stack, log, found, outcome, told), told=told)
    outcome.put, outcome.newer, outcome.compared = done.put, done.newer, done.compared
    outcome.made_anew, outcome.reset = done.made_anew, done.reset
    return outcome


def _mend(stack: Stack, log: audit.SoundLog, found: audit.Restored, outcome: Outcome, told: Callable[[str, int, int], None]) -> None:
    """Every service's positions, each under its own role."""
    dsn = {name: stack.dsn(f"mj_{name}") for name in ("intake", "publication", "audit")}
    stand = {
        "audit": audit.positions(dsn["audit"]),
        "intake": positions(dsn["intake"]),
        "publication": positions(dsn["publication"]),
    }
    furthest: dict[Place, int] = {}
    for one in stand.values():
        for place, end in one.items():
            furthest[place] = max(end, furthest.get(place, 0))
    for (topic, partition), end in sorted(furthest.items()):
        if (missing := end - found.reach[topic, partition].end) > 0:
            outcome.lost[topic] = outcome.lost.get(topic, 0) + missing
    mended = audit.mend(dsn["audit"], log, found.reach, told)
    outcome.planned, outcome.cut = mended.planned, mended.cut
    if outcome.lost:
        reach = {place: (one.end, one.high) for place, one in found.reach.items()}
        if stand["intake"]:
            copies, refusals = audit.there(log)
            outcome.again = intake.fall_back(dsn["intake"], reach, copies=copies, refusals=refusals)
        if stand["publication"]:
            publication.fall_back(dsn["publication"], reach)


def folder_of_log(log_dir: Path | None) -> None:
    """Raises ``CliError`` where the log lies on an object store and nobody says where its copy is."""
    if log_dir is None and (store := os.environ.get("MINGJIAN_LOG_STORE")):
        raise CliError(f"the log lies on {store}: copy the prefix to a folder with the store's own tool and name it by --log-dir", USAGE)


def write_log_again(stack: Stack, voice: Voice, home: Home, folder: Path, mode: ClockMode, memory: Path) -> int:
    """A lost log's folder, from PostgreSQL's plan and Kafka; returns its leaves. Raises ``CliError``."""
    with bars(voice) as told, sentences():
        keys = home.root / "keys" / "audit"
        return audit.write_again(folder, home.genesis_path, keys, stack.dsn("mj_audit"), stack.bootstrap, mode, memory, told)


def tell(outcome: Outcome, voice: Voice) -> None:
    """The result in lines: one for each topic, then what is left to be done."""
    for topic, (count, digest) in outcome.digests.items():
        put = outcome.put.get(topic, 0)
        voice.say(f"{topic:<26} {count:>9,} records · {put:,} put back · digest {digest}")
    voice.say(f"from {outcome.size:,} leaves under root {outcome.root}; {outcome.compared:,} records stood there already, each compared")
    if outcome.made_anew:
        voice.say(f"made anew, because offsets can't be given out twice: {', '.join(outcome.made_anew)}")
    if outcome.newer:
        voice.say(f"{outcome.newer:,} records on Kafka are newer than the checkpoint; audit logs them when it starts")
    if outcome.planned:
        voice.say(f"audit's plan lacked {outcome.planned:,} leaves; they are planned as they stand in the log")
    if outcome.lost:
        words = ", ".join(f"{topic} {count:,}" for topic, count in outcome.lost.items())
        voice.say(f"lost, for no checkpoint was signed over them: {words}")
        voice.say(f"  intake sends {outcome.again:,} events again when it starts; rating and audit tell again what is missing")
        voice.say("  then: `mingjian projection rebuild`, so that nothing is shown of records that are gone")
    if outcome.reset:
        voice.say("rating begins again from the facts when it starts, and tells nothing twice")
    nothing = not outcome.put and not outcome.lost and not outcome.planned and not outcome.reset
    voice.say("nothing had to be restored ✓" if nothing else "restored ✓")


@contextmanager
def sentences() -> Iterator[None]:
    """What can go wrong, as one sentence."""
    try:
        yield
    except BaseExceptionGroup as group:
        first: BaseException = group
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise CliError(_words(first)) from group
    except (
        audit.Unrestorable,
        audit.NoteError,
        audit.LogDamaged,
        audit.Displaced,
        Unavailable,
        NotConfigured,
        KafkaError,
        psycopg.Error,
    ) as error:
        raise CliError(_words(error)) from error


def _words(error: BaseException) -> str:
    if isinstance(error, Unavailable | KafkaError):
        return f"Kafka does not do what is asked ({error or type(error).__name__}); later the same command goes on where this one ended"
    if isinstance(error, psycopg.Error):
        return f"PostgreSQL does not do what is asked ({type(error).__name__}: {error.diag.message_primary or 'no answer'})"
    return str(error)


@contextmanager
def bars(voice: Voice) -> Iterator[Callable[[str, int, int], None]]:
    """One bar after the other, by their words."""
    stack: list[tuple[str, object, Bar]] = []

    def close() -> None:
        if stack:
            stack.pop()[1].__exit__(None, None, None)  # type: ignore[attr-defined]

    def told(words: str, done: int, total: int) -> None:
        if not stack or stack[-1][0] != words:
            close()
            opened = voice.bar(words, total, beside=True)
            stack.append((words, opened, opened.__enter__()))
        stack[-1][2].to(done)

    try:
        yield told
    finally:
        close()


def as_json(outcome: Outcome) -> dict[str, object]:
    """For programs."""
    body = vars(outcome) | {"restored": True}
    return body | {"digests": {topic: {"records": count, "sha256": digest} for topic, (count, digest) in outcome.digests.items()}}
