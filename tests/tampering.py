"""The kinds of tampering that are shown to be caught: ``docs/tampering.md`` is made of them, ``tests/faults/test_tampering.py`` does each.

python -m tests.tampering
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from services.audit.domain.verify import MARKER
from tests.conftest import REPOSITORY

PAGE = REPOSITORY / "docs" / "tampering.md"
_HEAD = """\
# Tampering, and what shows it

What an operator with root on every machine can do to Kafka, PostgreSQL, the log's folder and the keys, and which command shows it to whom.
Each line is done for real by `tests/faults/test_tampering.py` and its message asserted; this page is made of the same list
(`python -m tests.tampering`), and … stands for what differs from case to case.

`mingjian verify` needs nothing that the operator could not also give to somebody else: the log's folder, and where they are at hand Kafka
and PostgreSQL. What it trusts is the reader's own: the pinned genesis event, the folder of checkpoints seen before (`--memory`), the
witnesses' keys (`--policy`, `--witness`), and the receipts that officers kept (`--receipts`). A history that was re-signed as a whole with
the stolen key, and fits in itself, is shown by these alone; so keep them where the operator does not come.

PostgreSQL is asked what it has. A server that answers `verify` otherwise than it answers the portal is caught only by who compares the
portal's answers with the log: each page's facts and grades lead to their proofs (`mingjian prove`).
"""


@dataclass(frozen=True)
class Kind:
    """``name``: what the test is called by; ``on``: the heading; ``does``: what the operator does; ``shown_by``: the command;
    ``message``: what it says, with … for what differs."""

    name: str
    on: str
    does: str
    shown_by: str
    message: str

    def said_in(self, text: str) -> bool:
        """Whether a command's output has the message."""
        pattern = r"[^\n]*?".join(re.escape(part) for part in self.message.split("…"))
        return re.search(pattern, text) is not None


KAFKA, FOLDER, DATABASE, KEYS = "Kafka", "The log's folder", "PostgreSQL", "Keys, genesis and registry"
VERIFY, OFFLINE = "`mingjian verify`", "`mingjian verify --offline`"

KINDS: tuple[Kind, ...] = (
    Kind(
        "change",
        KAFKA,
        "changes a record in its segment file, in place, and makes the checksum right again",
        VERIFY,
        "changed: mingjian.facts.v1 …: Kafka's record is not the one in the log",
    ),
    Kind(
        "time",
        KAFKA,
        "changes the time of a record there",
        VERIFY,
        "changed: mingjian.facts.v1 …: Kafka's record is not the one in the log",
    ),
    Kind("swap", KAFKA, "lets two records change places", VERIFY, "changed: mingjian.facts.v1 …: Kafka's record is not the one in the log"),
    Kind(
        "delete",
        KAFKA,
        "takes a record out of the middle",
        VERIFY,
        "hole: mingjian.facts.v1 …: Kafka has no record from offset … on: deleted, or",
    ),
    Kind("insert", KAFKA, "puts a record in between", VERIFY, "changed: mingjian.facts.v1 …: Kafka's record is not the one in the log"),
    Kind(
        "append",
        KAFKA,
        "adds a record that audit is kept from seeing",
        VERIFY,
        "unlogged: mingjian.facts.v1 …: 1 records of Kafka are no leaves: audit does not run or is behind, or",
    ),
    Kind("truncate", KAFKA, "cuts the last records off", VERIFY, "lost: mingjian.facts.v1 …: Kafka ends before it; the log has … records"),
    Kind(
        "calendar",
        KAFKA,
        "edits the working days in one partition's copy of a calendar",
        VERIFY,
        "changed: mingjian.facts.v1 …: Kafka's record is not the one in the log",
    ),
    Kind(
        "recreate",
        KAFKA,
        "deletes a topic and makes it anew",
        VERIFY,
        "lost: mingjian.duties.v1 …: Kafka ends before it; the log has … records of the partition",
    ),
    Kind(
        "retention",
        KAFKA,
        "lets old records be deleted, as a retention does",
        VERIFY,
        "deleted: mingjian.grades.v1 …: Kafka begins at offset …: what stood before it was deleted there",
    ),
    Kind(
        "retention-set",
        KAFKA,
        "sets a retention that will delete them",
        VERIFY,
        "settings: mingjian.refusals.v1 retention.ms: is 86400000000, the contract has -1: Kafka may delete records by their age",
    ),
    Kind(
        "clock-set",
        KAFKA,
        "has a topic's times come from another clock",
        VERIFY,
        "settings: mingjian.parts.v1 message.timestamp.type: is LogAppendTime, the contract has CreateTime: …",
    ),
    Kind(
        "partitions",
        KAFKA,
        "adds partitions, whose records would be no leaves",
        VERIFY,
        "partitions: mingjian.publications.v1: Kafka has 13 partitions of it, the contract 12",
    ),
    Kind(
        "marker",
        KAFKA,
        "lifts the rule against transactions and ends one: its marker takes an offset, as a deleted record would leave one",
        VERIFY,
        f"gap: leaf …, mingjian.facts.v1 …: offset … is next: 1 records are missing, or {MARKER} the offset",
    ),
    Kind(
        "marker-on-kafka",
        KAFKA,
        "the same, seen from Kafka",
        VERIFY,
        f"hole: mingjian.facts.v1 …: Kafka has no record from offset … on: deleted, or {MARKER} the offset",
    ),
    Kind(
        "unsigned",
        KAFKA,
        "puts a fact on Kafka that no officer signed",
        VERIFY,
        "signature: mingjian.facts.v1 …: no key that the registry had signed it",
    ),
    Kind(
        "replay",
        KAFKA,
        "sends an officer's signed fact once more: it changes nothing, for the first copy counts",
        VERIFY,
        "notice: repeated: leaf …, mingjian.facts.v1 …: the same record again; the first copy, leaf …, counts",
    ),
    Kind(
        "control-key",
        KAFKA,
        "sends a control event to one partition of facts alone, without an original on the registry",
        VERIFY,
        "copy: leaf …, mingjian.facts.v1 …: the control event … has no original on the registry",
    ),
    Kind("tile", FOLDER, "flips a byte of a tile", OFFLINE, "damaged: tile/0/…: its hashes are not those of the entries"),
    Kind(
        "bundle",
        FOLDER,
        "flips a byte of an entry bundle",
        OFFLINE,
        "root: checkpoint: its root is not that of the … entries in the bundles",
    ),
    Kind("oversize", FOLDER, "flips a byte of an oversize record", OFFLINE, "damaged: oversize/…: are not the bytes that leaf …, … names"),
    Kind("checkpoint", FOLDER, "flips a byte of the checkpoint", OFFLINE, "not verified: …"),
    Kind("cut", FOLDER, "cuts a bundle off", OFFLINE, "damaged: tile/entries/…: entry … is cut off; what comes after it was not looked at"),
    Kind("gone", FOLDER, "deletes a tile", OFFLINE, "missing: tile/0/…: the tile is missing"),
    Kind(
        "stale",
        FOLDER,
        "leaves an older partial tile in the newer one's place",
        OFFLINE,
        "damaged: tile/0/…: … bytes where … hashes are expected",
    ),
    Kind(
        "twice",
        FOLDER,
        "makes a record a leaf a second time, and signs",
        OFFLINE,
        "twice: leaf …, …: the record is a leaf already; offset … is next",
    ),
    Kind(
        "rolled-back",
        FOLDER,
        "puts an older copy of the whole folder in its place",
        OFFLINE,
        "rolled-back: checkpoint: has … leaves; … were seen before",
    ),
    Kind(
        "rolled-back-known",
        FOLDER,
        "the same, to a reader who sees it for the first time",
        VERIFY,
        "plan: log_head: … leaves were signed, the checkpoint has …: the folder is an older copy",
    ),
    Kind(
        "forked",
        FOLDER,
        "shows two readers two logs of the same size",
        "`mingjian verify --against FILE`",
        "forked: checkpoint: another root was shown to somebody else for … leaves",
    ),
    Kind(
        "rewritten",
        FOLDER,
        "changes a record, makes the whole log anew and signs it with the stolen key",
        OFFLINE,
        "rewritten: leaves 0 to …: are not those of the checkpoint seen before",
    ),
    Kind(
        "witnessed",
        FOLDER,
        "asks a witness to cosign that log",
        "the witness",
        "HTTP 422: … proof …",
    ),
    Kind(
        "cosignature",
        FOLDER,
        "takes the witnesses' lines off the checkpoint",
        "`mingjian verify --witness VKEY`",
        "uncosigned: checkpoint: …",
    ),
    Kind(
        "calendar-rewritten",
        FOLDER,
        "rewrites the log with another calendar in one partition, signed by the registrar",
        OFFLINE,
        "copy-changed: leaf …, mingjian.facts.v1 7:…: is not what stands on registry 0:…, calendar.issued …: the control copy was edited",
    ),
    Kind(
        "copy-missing",
        FOLDER,
        "rewrites it without one partition's copy of a day's close, every offset after it one less",
        OFFLINE,
        "copy-missing: mingjian.facts.v1 7: no copy of registry 0:…, day.closed …",
    ),
    Kind(
        "dropped",
        FOLDER,
        "rewrites it without an officer's fact",
        "`mingjian verify --receipts FILE`",
        "receipt: … (…): its source is …, on the receipt …",
    ),
    Kind(
        "dropped-last",
        FOLDER,
        "rewrites it without the partition's last fact",
        "`mingjian verify --receipts FILE`",
        "receipt: mingjian.facts.v1 … (…): a receipt was handed out for it, and it is no leaf; the log has … records of the partition",
    ),
    Kind(
        "refusal-dropped",
        FOLDER,
        "rewrites it without a refusal that was handed out",
        "`mingjian verify --receipts FILE`",
        "receipt: mingjian.refusals.v1 (…): a refusal of … was handed out, and is no leaf of the log",
    ),
    Kind(
        "receipt-forged",
        FOLDER,
        "hands out a receipt that the receipt key did not sign",
        "`mingjian verify --receipts FILE`",
        "receipt: …: is not signed by the receipt key that genesis names",
    ),
    Kind("plan", DATABASE, "edits the plan", VERIFY, "plan: log_plan at leaf …, …: the plan has … there"),
    Kind(
        "plan-back",
        DATABASE,
        "puts an older copy of the plan in its place",
        VERIFY,
        "plan: log_head: … leaves are planned, the checkpoint has …: the database is an older copy",
    ),
    Kind(
        "name",
        DATABASE,
        "points an event's name to another leaf",
        VERIFY,
        "name: log_event at leaf …, …: no name points to it: a proof by name would miss or mistake it",
    ),
    Kind(
        "finding-deleted",
        DATABASE,
        "deletes a finding",
        VERIFY,
        "finding: finding … at leaf …: was sent, and is kept no more: it was deleted",
    ),
    Kind(
        "finding-edited",
        DATABASE,
        "edits a finding's words",
        VERIFY,
        "finding: finding … at leaf …: the kept finding is not the one that was sent: it was edited",
    ),
    Kind(
        "finding-moved",
        DATABASE,
        "puts a finding under another office",
        VERIFY,
        "finding: finding … at leaf …: the columns by which it is found and shown are not what it says: they were edited",
    ),
    Kind(
        "finding-superseded",
        DATABASE,
        "marks a finding as superseded, so that no page shows it",
        VERIFY,
        "finding: finding … at leaf …: is kept as superseded, and no later verdict is there",
    ),
    Kind(
        "envelope",
        DATABASE,
        "edits a stored envelope",
        VERIFY,
        "stored: submission at leaf …: the envelope that intake stores is not the one in the log: it was edited",
    ),
    Kind(
        "receipt-edited",
        DATABASE,
        "edits when a fact was received",
        VERIFY,
        "stored: first_copy at leaf …: intake's receipt says received_ms …, the leaf …",
    ),
    Kind("receipt-deleted", DATABASE, "deletes a receipt", VERIFY, "stored: first_copy at leaf …: intake keeps no receipt for this event"),
    Kind(
        "receipt-invented",
        DATABASE,
        "adds a receipt for a fact that was never entered",
        VERIFY,
        "stored: first_copy of …: intake's receipt names mingjian.facts.v1 …, which is no first copy of an event",
    ),
    Kind(
        "refusal-edited",
        DATABASE,
        "edits a refusal",
        VERIFY,
        "stored: refusal of …, event …: is kept as sent (…), and is no leaf of refusals: it was edited, or never sent",
    ),
    Kind(
        "grade",
        DATABASE,
        "edits the grade that the portal shows",
        VERIFY,
        "published: grade of …, liyujiang, told at leaf …: publication shows B from …, what holds is …",
    ),
    Kind(
        "grade-deleted",
        DATABASE,
        "deletes a subject's grade",
        VERIFY,
        "published: grade of …, told at leaf …: publication shows none: it was deleted",
    ),
    Kind(
        "change-edited",
        DATABASE,
        "edits a grade's history",
        VERIFY,
        "published: change at leaf …: publication shows in_force_from …, the log has …",
    ),
    Kind(
        "reasons-edited",
        DATABASE,
        "edits a grade's reasons",
        VERIFY,
        "published: change at leaf …: publication shows another … than the log has",
    ),
    Kind(
        "list-edited",
        DATABASE,
        "edits an entry of a list",
        VERIFY,
        "published: list …, entered at leaf …: publication shows …, the log has …",
    ),
    Kind(
        "list-deleted",
        DATABASE,
        "takes a subject off a list",
        VERIFY,
        "published: list …, entered at leaf …: publication does not show the entry: it was deleted",
    ),
    Kind(
        "list-invented",
        DATABASE,
        "puts a subject on a list",
        VERIFY,
        "published: list …: publication shows an entry that the log has not, or no more",
    ),
    Kind(
        "list-history",
        DATABASE,
        "deletes that a subject was put on a list",
        VERIFY,
        "published: list_change … at leaf …: publication does not show that it was told: it was deleted",
    ),
    Kind(
        "fact-deleted",
        DATABASE,
        "deletes a fact from a subject's page",
        VERIFY,
        "published: fact at leaf …: publication does not have it: it was deleted",
    ),
    Kind(
        "fact-edited",
        DATABASE,
        "edits a fact on a subject's page",
        VERIFY,
        "published: fact at leaf …: publication shows another … than the log has",
    ),
    Kind(
        "genesis",
        KEYS,
        "gives a reader another genesis event with the same log key",
        OFFLINE,
        "signature: mingjian.registry.v1 0:0: is not the pinned genesis event, signed by the registrar's key that it names",
    ),
    Kind("log-key", KEYS, "signs with another log key", OFFLINE, "not verified: …"),
    Kind(
        "registry",
        KEYS,
        "rewrites the log with another key for an officer in the registry",
        OFFLINE,
        "signature: mingjian.registry.v1 0:…: no key that the registry had signed it",
    ),
    Kind(
        "registry-facts",
        KEYS,
        "the same, seen from what the officer had signed",
        OFFLINE,
        "signature: mingjian.facts.v1 …: no key that the registry had signed it",
    ),
)


def page() -> str:
    """The page's text."""
    lines = [_HEAD]
    for heading in (KAFKA, FOLDER, DATABASE, KEYS):
        lines += [f"## {heading}", "| the operator | shown by | message |", "|---|---|---|"]
        lines += [f"| {one.does} | {one.shown_by} | `{one.message}` |" for one in KINDS if one.on == heading]
        lines.append("")
    return "\n".join(lines)


def kind(name: str) -> Kind:
    """The kind of this name."""
    return next(one for one in KINDS if one.name == name)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
