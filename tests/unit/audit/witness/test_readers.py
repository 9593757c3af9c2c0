"""Readers: the policy's file, cosignatures that are required, what is remembered, and two branches told apart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console

from services.audit.adapters.folder import FolderStore
from services.audit.appender import CHECKPOINT, Appender
from services.audit.checks.running import Report
from services.audit.cli import policy_asked
from services.audit.domain.checkpoint import Checkpoint
from services.audit.domain.frame import entry_of
from services.audit.domain.note import NoteError, VerifierKey, cosignature_line, parse_note, with_signatures
from services.audit.domain.policy import Policy, PolicyError, open_cosigned, parse_policy
from services.audit.domain.proof import verify_proof
from services.audit.proving import prove
from services.audit.seen import Memory
from services.audit.verifying import Outside, Patience, Trust, run_verify
from tests.unit.audit.fakes import KEY, VERIFIER, Fuse, MemoryPlan, record
from tests.unit.audit.golden import golden_folder
from tests.unit.audit.witness.test_asking import key_of
from tests.unit.audit.witness.world import NOW, private

ONE, TWO, THREE = (key_of(name) for name in ("one", "two", "three"))
LINES = f"witness a {ONE.text} https://one.test/w/\nwitness b {TWO.text}\nwitness c {THREE.text} http://three.test\n"


# --- the policy's file --------------------------------------------------------------------------------------------------


def test_a_policy_is_read() -> None:
    policy = parse_policy(f"# ours\nlog {VERIFIER.text}\n{LINES}group two 2 a b c # of three\nquorum two\n")
    assert (policy.needed, [one.url for one in policy.members]) == (2, ["https://one.test/w", None, "http://three.test"])
    assert policy.counted == policy.members
    a, b, c = policy.members
    assert [policy.reached(some) for some in ([a], [a, a], [a, c], [a, b, c])] == [False, False, True, True]
    assert parse_policy(LINES + "group g any a b\nquorum g").counted == (a, b)
    assert parse_policy(LINES + "group g all a b\nquorum g").needed == 2
    assert (parse_policy(LINES + "quorum b").counted, parse_policy(LINES + "quorum none").needed) == ((b,), 0)
    assert not parse_policy(LINES + "quorum b").reached([a, c]), "whoever doesn't count may cosign and changes nothing"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no `quorum`"),
        (LINES, "no `quorum`"),
        (LINES + "quorum d", "no witness and no group"),
        (LINES + "quorum a\nquorum b", "line 5"),
        (LINES + "group g 4 a b c\nquorum g", "4 of 3"),
        (LINES + "group g 0 a b c\nquorum g", "0 of 3"),
        (LINES + "group g 1 a d\nquorum g", "d is no witness"),
        (LINES + "group g 1 a a\nquorum g", "twice"),
        (LINES + "group a 1 b c\nquorum a", "taken"),
        (LINES + f"witness d {ONE.text}\nquorum a", "one key"),
        (f"witness a {VERIFIER.text}\nquorum a", "kind 04"),
        (f"witness a {ONE.text[:-4]}AAA=\nquorum a", "line 1"),
        (f"witness a {ONE.text} ftp://x\nquorum a", "no address"),
        ("witness a\nquorum a", "not a line"),
        (LINES + "group g 1 a\ngroup h 1 g\nquorum h", "g is no witness"),
    ],
)
def test_a_policy_that_says_something_else_is_refused(text: str, words: str) -> None:
    with pytest.raises(PolicyError, match=words):
        parse_policy(text)


# --- a log in a folder, and who reads it --------------------------------------------------------------------------------


class Shown:
    """A log in ``folder``: records of ``branch``, cosigned by some."""

    def __init__(self, folder: Path, count: int, *, branch: str = "a", by: Sequence[str] = ()) -> None:
        self.folder = folder
        self.store = FolderStore(folder, "test")
        self.writer = Appender(plan=MemoryPlan(Fuse()), store=self.store, key=KEY)
        self.writer.start()
        self.branch = branch
        self.count = 0
        self.grow(count, by)

    def grow(self, count: int, by: Sequence[str] = ()) -> None:
        self.writer.append({(self.branch, 0): [record(self.branch, 0, self.count + number) for number in range(count)]})
        self.count += count
        prepared = self.writer.prepare()
        assert prepared is not None
        text = parse_note(prepared.note).text
        self.writer.publish(prepared, [cosignature_line(text, key_of(name), private(name).sign, NOW) for name in by])

    @property
    def note(self) -> bytes:
        return (self.folder / CHECKPOINT).read_bytes()

    def verify(self, trust: Trust) -> Report:
        patience = Patience(0, lambda: 0.0, lambda _: None)
        return run_verify(
            log_dir=self.folder,
            verifier=VERIFIER,
            genesis=None,
            outside=Outside(),
            trust=trust,
            patience=patience,
            console=Console(stderr=True),
        )


def codes(report: Report) -> list[str]:
    return [one.code for one in report.faults]


@pytest.mark.parametrize(
    ("by", "needed", "found"),
    [((), 1, ["uncosigned"]), (("one",), 1, []), (("one",), 2, ["uncosigned"]), (("one", "two"), 2, []), (("three",), 1, ["uncosigned"])],
)
def test_pinned_witnesses_have_to_cosign(tmp_path: Path, by: tuple[str, ...], needed: int, found: list[str]) -> None:
    log = Shown(tmp_path / "log", 5, by=by)
    policy = Policy.of([ONE, TWO], needed)
    report = log.verify(Trust(policy, required=True))
    assert codes(report) == found
    told = log.verify(Trust(policy))
    assert (told.verified, told.cosigned_enough, len(told.cosigned_by)) == (True, not found, len({*by} - {"three"}))


def test_a_pinned_witness_whose_line_fails_makes_the_checkpoint_bad(tmp_path: Path) -> None:
    log = Shown(tmp_path / "log", 5)
    line = cosignature_line(parse_note(log.note).text, ONE, private("two").sign, NOW)
    (log.folder / CHECKPOINT).write_bytes(with_signatures(log.note, [line]))
    with pytest.raises(NoteError, match="does not hold"):
        log.verify(Trust(Policy.of([ONE])))


def test_a_proof_is_held_against_pinned_witnesses(tmp_path: Path) -> None:
    log = Shown(tmp_path / "log", 5, by=("one",))
    leaf = prove(3, log.store.read, VERIFIER)
    entry = entry_of(record("a", 0, 3))[0]
    assert verify_proof(leaf.proof.data, entry, VERIFIER, Policy.of([ONE])).size == 5
    with pytest.raises(NoteError, match="1 of 2 pinned witnesses"):
        verify_proof(leaf.proof.data, entry, VERIFIER, Policy.of([ONE, TWO]))


def test_the_other_implementations_cosigned_checkpoint_meets_its_policy() -> None:
    log, witness = (VerifierKey.parse((golden_folder() / name).read_text()) for name in ("log.vkey", "witness.vkey"))
    assert open_cosigned((golden_folder() / "checkpoint.1300.cosigned").read_bytes(), log, Policy.of([witness])).size == 1300
    with pytest.raises(NoteError, match="0 of 1"):
        open_cosigned((golden_folder() / "checkpoint.1300").read_bytes(), log, Policy.of([witness]))


def test_a_reader_that_was_shown_one_branch_knows_the_other(tmp_path: Path) -> None:
    mine, other = Shown(tmp_path / "mine", 7), Shown(tmp_path / "other", 7, branch="b")
    memory = tmp_path / "memory"
    assert mine.verify(Trust(memory=memory)).verified
    assert codes(other.verify(Trust(memory=memory))) == ["forked"]
    other.grow(3)
    assert codes(other.verify(Trust(memory=memory))) == ["rewritten"]
    mine.grow(5)
    assert mine.verify(Trust(memory=memory)).verified, "nothing of the other branch was remembered"


def test_two_readers_that_compare_tell_the_branches_apart(tmp_path: Path) -> None:
    mine, other = Shown(tmp_path / "mine", 7), Shown(tmp_path / "other", 9, branch="b")
    shown = other.note
    assert codes(mine.verify(Trust(against=[shown]))) == ["rolled-back"]
    assert codes(other.verify(Trust(against=[mine.note]))) == ["rewritten"]
    mine.grow(2)
    report = mine.verify(Trust(against=[shown]))
    assert codes(report) == ["forked"]
    assert "shown to somebody else" in report.faults[0].what
    assert mine.verify(Trust(against=[mine.note])).verified


def test_a_fork_that_no_witness_saw_has_too_few_cosignatures(tmp_path: Path) -> None:
    policy = Policy.of([ONE, TWO], 1)
    assert Shown(tmp_path / "mine", 7, by=("one",)).verify(Trust(policy, required=True)).verified
    assert codes(Shown(tmp_path / "other", 7, branch="b").verify(Trust(policy, required=True))) == ["uncosigned"]


def test_the_cosigned_one_is_kept_beside_the_newest(tmp_path: Path) -> None:
    policy = Policy.of([ONE])
    trust, memory = Trust(policy, memory=tmp_path / "memory"), Memory(tmp_path / "memory", VERIFIER, policy)
    log = Shown(tmp_path / "log", 5, by=("one",))
    assert log.verify(trust).verified
    assert [one.checkpoint.size for one in memory.seen()] == [5]
    log.grow(4)
    assert log.verify(trust).verified
    assert [(one.checkpoint.size, one.words) for one in memory.seen()] == [(9, "seen before"), (5, "seen before, cosigned")]
    # Somebody takes the newest away: the cosigned one still knows the branch.
    next((tmp_path / "memory").glob("*.checkpoint")).unlink()
    report = Shown(tmp_path / "other", 7, branch="b").verify(trust)
    assert codes(report) == ["rewritten"] and "cosigned" in report.faults[0].what


def test_of_two_of_the_same_tree_the_cosigned_one_stays(tmp_path: Path) -> None:
    policy = Policy.of([ONE, TWO], 1)
    trust, memory = Trust(policy, memory=tmp_path / "memory"), Memory(tmp_path / "memory", VERIFIER, policy)
    log = Shown(tmp_path / "log", 5)
    plain = log.note
    lines = [cosignature_line(parse_note(plain).text, key_of(name), private(name).sign, NOW) for name in ("one", "two")]
    for shown, kept in ((plain, 0), (with_signatures(plain, lines), 2), (plain, 2), (with_signatures(plain, lines[:1]), 2)):
        (log.folder / CHECKPOINT).write_bytes(shown)
        assert log.verify(trust).verified
        file = next((tmp_path / "memory").glob("*.checkpoint"))
        assert len(parse_note(file.read_bytes()).signatures) == 1 + kept
    assert memory.newest() == Checkpoint(VERIFIER.name, 5, memory.seen()[0].checkpoint.root)


def test_the_command_line_pins_what_it_is_told(tmp_path: Path) -> None:
    assert policy_asked(None, None, None, tmp_path) == (Policy(), False)
    (tmp_path / "witnesses").write_text(LINES + "quorum a")
    assert policy_asked(None, None, None, tmp_path)[0].needed == 1 and not policy_asked(None, None, None, tmp_path)[1]
    assert policy_asked([ONE.text, TWO.text], None, None, tmp_path)[0].needed == 2
    assert policy_asked([ONE.text, TWO.text], 1, None, tmp_path) == (Policy.of([ONE, TWO], 1), True)
    assert policy_asked(None, None, tmp_path / "witnesses", tmp_path)[1]
    for arguments in (([ONE.text], 2, None), (None, 1, None), ([ONE.text], 1, tmp_path / "witnesses"), ([VERIFIER.text], None, None)):
        with pytest.raises(PolicyError):
            policy_asked(*arguments, tmp_path)


@pytest.mark.parametrize(("required", "waits"), [(False, 3.0), (True, 15.0)])
def test_a_cosigned_checkpoint_is_preferred(tmp_path: Path, required: bool, waits: float) -> None:
    log, policy, now = Shown(tmp_path / "log", 5), Policy.of([ONE]), [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    def read(comes_at: float) -> Report:
        def sleep_and_grow(seconds: float) -> None:
            sleep(seconds)
            if now[0] >= comes_at and parse_note(log.note).signatures[1:] == ():
                text = parse_note(log.note).text
                log.writer.publish(log.writer.published, [cosignature_line(text, ONE, private("one").sign, NOW)])

        patience = Patience(15.0, lambda: now[0], sleep_and_grow)
        trust, console = Trust(policy, required), Console(stderr=True)
        return run_verify(
            log_dir=log.folder, verifier=VERIFIER, genesis=None, outside=Outside(), trust=trust, patience=patience, console=console
        )

    report = read(1_000.0)
    assert (report.cosigned_by, report.verified) == ([], not required)
    assert waits <= now[0] < waits + 0.5
    now[0] = 0.0
    assert read(1.0).cosigned_by == [ONE.name] and now[0] < 2.0
