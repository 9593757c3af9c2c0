"""What the leaves say, against each other, against what was handed out, and against PostgreSQL: one reading for all of it.

The bundles are read a second time, after the registry is known as a whole, and have to be what they were the first time.
"""

from __future__ import annotations

from schemas.topics import LOGGED_TOPICS
from services.audit.checks.running import Run
from services.audit.checks.tables import watchers_of
from services.audit.domain.contents import Leaf, Opening, Tell, Watcher
from services.audit.domain.copies import Copies
from services.audit.domain.frame import FrameError, Record, Stub, decode
from services.audit.domain.handed_out import HandedOuts
from services.audit.domain.refusals import Refusals
from services.audit.domain.told_times import Times
from services.audit.domain.verify import Fault, whole_of

_NOTICES_KEPT = 1_000


def check(run: Run) -> None:
    """Copies, times, receipts, tables."""

    def notice(code: str, where: str, what: str) -> None:
        if len(run.report.notices) < _NOTICES_KEPT:
            run.report.notices.append(Fault(code, where, what))

    _ours(run)
    genesis = run.authority()
    receipts = HandedOuts(run.receipts, genesis, run.fault)
    watchers: list[Watcher] = [Copies(run.fault, notice), receipts]
    if genesis is not None:
        watchers += [Times(genesis, run.log.registry, notice), Refusals(genesis, run.fault)]
    tables = watchers_of(run.postgres, run.report.size, _covers(run, notice), run.fault) if run.postgres is not None else []
    watchers += tables
    opening = Opening(run.fault, notice, str(genesis["data"].get("clock_mode")) if genesis is not None else None)
    moved = run.bar.task("what the leaves say", run.point.size)
    index = 0
    for number in range(len(run.log.bundles)):
        for entry in run.log.entries(number):
            if (record := _record(run, entry)) is not None:
                leaf = opening.leaf(index, record)
                for one in watchers:
                    _shown(run, one, leaf)
            index += 1
        moved(index)
    for one in watchers:
        one.end()
    run.report.receipts = receipts.held
    run.report.rows = sum(one.rows for one in tables)
    run.report.postgres = list(run.postgres.services) if run.postgres is not None else []


def _shown(run: Run, watcher: Watcher, leaf: Leaf) -> None:
    """Whoever could write a record that ends this could end it for everybody: one that can't be compared is a fault, and it goes on."""
    try:
        watcher.see(leaf)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        run.fault("shape", leaf.where, f"has not the shape of its type ({type(error).__name__}), and could not be compared")


def _record(run: Run, entry: bytes) -> Record | None:
    """The leaf's record; None where the log's own check has named what is wrong with it."""
    try:
        found = decode(entry)
    except FrameError:
        return None
    return whole_of(found, run.read) if isinstance(found, Stub) else found


def _covers(run: Run, notice: Tell) -> bool:
    """True where the log has whatever Kafka had when PostgreSQL's snapshot was taken: else every row of what came later would look
    invented. Where it has not, ``kafka`` names what is no leaf, and the verification fails by that."""
    ends = run.kafka.ends if run.kafka is not None else {}
    behind = sum(max(0, end - run.log.next_offsets.get(place, 0)) for place, (_, end) in ends.items())
    if behind:
        notice("postgres", "PostgreSQL", f"was compared as to the plan alone, for the log is {behind} records behind Kafka; see `unlogged`")
    return not behind


def _ours(run: Run) -> None:
    """Leaves are records of the contract's topics; a log without genesis and Kafka may be anything's."""
    if run.genesis is None and run.kafka is None:
        return
    ours = {(topic.name, partition) for topic in LOGGED_TOPICS for partition in range(topic.partitions)}
    for topic, partition in sorted(set(run.log.next_offsets) - ours):
        run.fault("unknown", f"{topic} {partition}", "the log has records of a partition that is none of ours")
