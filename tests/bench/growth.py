"""``python -m tests.bench.growth``: how much disk a million events take, and where. Measures and prints; asserts no figure.

Facts are posted to intake in batches, with everything on: a tenth are registrations, the rest scored inspections, each of which
changes a grade (so the derived topics are at their fullest). What an empty stack takes is subtracted; the rest is scaled.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

import psycopg
from rich.console import Console
from rich.table import Table

from deploy.local.stack import EVERYONE, Stack
from schemas.topics import CHANGELOG_TOPICS, LOGGED_TOPICS
from services._cli.summary import settle
from tests.bench import drive, load, setting
from tests.stack_fixtures import temporary_stack

MILLION = 1_000_000
ROUNDS, BATCH, CONNECTIONS = 9, 500, 4
_PATIENCE_S = 1_800.0

Sizes = dict[str, int]


def on_disk(path: Path) -> int:
    """Bytes that the files below a folder take, holes and slack as the file system counts them."""
    return sum(one.stat().st_blocks * 512 for one in path.rglob("*") if one.is_file())


def content(path: Path) -> int:
    """Bytes in the files below a folder."""
    return sum(one.stat().st_size for one in path.rglob("*") if one.is_file())


def sizes(stack: Stack) -> Sizes:
    """Bytes by what they are for. Kafka's index files are allocated ahead and full of holes: its segments count."""
    data = stack.home / "kafka" / "data"
    found: Sizes = {}
    for topic in (*LOGGED_TOPICS, *CHANGELOG_TOPICS):
        found[f"Kafka {topic.name}"] = sum(one.stat().st_size for one in data.glob(f"{topic.name}-*/*.log"))
    found["log: bundles"] = content(stack.home / "log" / "tile" / "entries")
    found["log: tiles"] = content(stack.home / "log" / "tile") - found["log: bundles"]
    found["log: on disk, with the file system's slack"] = on_disk(stack.home / "log")
    with psycopg.connect(stack.admin_dsn) as connection:
        rows = connection.execute(
            "SELECT schemaname, sum(pg_total_relation_size(format('%I.%I', schemaname, tablename)::regclass))::bigint FROM pg_tables"
            " WHERE schemaname IN ('intake', 'vault', 'publication', 'audit') GROUP BY schemaname"
        ).fetchall()
    return found | {f"PostgreSQL {schema}": size for schema, size in sorted(rows)}


def events(author: load.Author, count: int) -> list[load.Prepared]:
    """A tenth registrations; then each premises is inspected again and again."""
    rng = Random(1)
    subjects = load.premises(10_000_000, count // (ROUNDS + 1))
    prepared = list(load.registrations(author, subjects, rng))
    for _ in range(ROUNDS):
        prepared += load.inspections(author, subjects, rng)
    return prepared


def measure(stack: Stack, count: int, say: Console) -> tuple[Sizes, Sizes, int]:
    """Sizes before and after, and how many events there were."""
    author = setting.author(stack)
    session = setting.session_of(stack)
    settle(session, _PATIENCE_S, lambda: None)
    before = sizes(stack)
    prepared = events(author, count)
    say.print(f"[dim]posting {len(prepared):,} events[/dim]")
    asyncio.run(drive.post_batches(session.endpoints["intake"], load.batches(prepared, BATCH), connections=CONNECTIONS))
    say.print("[dim]waiting until everybody is through[/dim]")
    settle(session, _PATIENCE_S, lambda: None)
    # The last partial tiles and what PostgreSQL still cleans up.
    time.sleep(3)
    with psycopg.connect(stack.admin_dsn, autocommit=True) as connection:
        connection.execute("VACUUM")
    return before, sizes(stack), len(prepared)


def tell(before: Sizes, after: Sizes, count: int, console: Console) -> None:
    table = Table(title=f"disk for a million events, from {count:,}")
    for head in ("what", "bytes an event", "GB a million"):
        table.add_column(head, justify="left" if head == "what" else "right")
    for name, size in after.items():
        each = (size - before.get(name, 0)) / count
        if each >= 0.5:
            table.add_row(name, f"{each:,.0f}", f"{each * MILLION / 1e9:.2f}")
    for words in ("Kafka", "log: on disk", "PostgreSQL"):
        each = sum(size - before.get(name, 0) for name, size in after.items() if name.startswith(words)) / count
        table.add_row(f"[bold]{words}, all[/bold]", f"{each:,.0f}", f"{each * MILLION / 1e9:.2f}")
    console.print(table)


def main(given: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.growth", description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=50_000, help="how many events are entered")
    asked = parser.parse_args(given)
    console = Console(width=int(os.environ.get("COLUMNS") or 100))
    with temporary_stack() as stack:
        setting.found(stack)
        stack.start_servers("wall")
        stack.start_services(EVERYONE)
        tell(*measure(stack, asked.events, console), console)


if __name__ == "__main__":
    main()
