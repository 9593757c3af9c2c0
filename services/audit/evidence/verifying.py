"""A pack held against itself, against what its reader pins, and against what its own records say when they are worked out again.

What is shown when every check holds
1. The bytes are those of an archive that holds exactly the files its manifest names, each with the SHA-256 that it says.
2. The checkpoint is signed by the log's key, which genesis names, which the reader pinned; enough witnesses cosigned where asked for.
3. All records are leaves under it, and are those that belong into the pack of this finding.
4. Registry and facts are signed by keys that held; refusals and receipts by the receipt key; receipts are of leaves in the pack.
5. Report, pictures, lists and proofs are, byte for byte, what the records give.
6. The finding and its effect are what the records lead to by the rulebooks in the pack (``again``), as far as the kind allows.
What it can't show is said every time: that nothing about the subject was left out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import orjson

from schemas.rulebook import RulebookError
from schemas.times import milliseconds
from schemas.topics import FACTS
from services.audit.bundles import Pinned
from services.audit.domain.bundle import NoGenesis, fingerprint, genesis_in, is_sample
from services.audit.domain.checkpoint import open_checkpoint
from services.audit.domain.contents import Leaf
from services.audit.domain.handed_out import HandedOuts, NoReceipts, read_handed_out
from services.audit.domain.merkle import ProofError
from services.audit.domain.note import NoteError
from services.audit.domain.policy import NOBODY, Policy, parse_policy, shortfall
from services.audit.domain.refusals import Refusals
from services.audit.domain.signatures import check_fact, check_registry
from services.audit.evidence import again
from services.audit.evidence.archive import Broken, unpack
from services.audit.evidence.contents import (
    CHECKPOINT,
    MANIFEST,
    RECEIPTS,
    RULEBOOK,
    SUMS,
    Inputs,
    effect_file,
    files_of,
    inputs_in,
    is_worded,
)
from services.audit.evidence.records import FILES, REFUSALS_FILE, REGISTRY_FILE, Held, places_named


@dataclass(frozen=True)
class Wrong:
    """``where``: a file, a line of one, a record; ``what``: what is wrong there."""

    where: str
    what: str


@dataclass(frozen=True)
class Checked:
    """One check. ``said``: what was looked at, for people; ``wrong``: empty where it holds. ``told``: it can't fail, it only says."""

    check: str
    said: str
    wrong: tuple[Wrong, ...] = ()
    told: bool = False


@dataclass
class Verified:
    """What a verification found. ``pinned``: the reader brought something from elsewhere to hold it against."""

    checks: list[Checked] = field(default_factory=list)
    finding: str | None = None
    fingerprint: str | None = None
    sample: bool = False
    pinned: bool = False

    @property
    def wrong(self) -> list[Wrong]:
        return [one for check in self.checks for one in check.wrong]

    @property
    def verified(self) -> bool:
        return not self.wrong


@dataclass(frozen=True)
class Trust:
    """What the reader brings. ``policy``: whose cosignatures have to be there; None: the pack's own is told and not asked for."""

    pinned: Pinned = Pinned()
    policy: Policy | None = None


def verify(data: bytes, trust: Trust) -> Verified:
    """All checks, in order; what can't be looked at after a check that failed is left out. Raises nothing for bad packs."""
    found = Verified(pinned=any((trust.pinned.genesis, trust.pinned.sha256, trust.pinned.vkey)))
    try:
        files = unpack(data)
    except Broken as error:
        found.checks.append(Checked("archive", f"{len(data):,} bytes", (Wrong(error.where, error.what),)))
        return found
    found.checks.append(Checked("archive", f"{len(data):,} bytes, {len(files):,} files, nothing between them"))
    wrong = tuple(_files(files))
    found.checks.append(Checked("files", f"sizes and SHA-256 by {MANIFEST}, and that by {SUMS}", wrong))
    if wrong:
        return found
    try:
        inputs = inputs_in(files)
        genesis = genesis_in(inputs.registry).event
        found.finding, found.fingerprint, found.sample = inputs.finding, fingerprint(genesis), is_sample(genesis)
        for check in _CHECKS:
            found.checks.append(check(inputs, trust, files))
            if found.checks[-1].wrong and check in _NEEDED:
                return found
    except Broken as error:
        found.checks.append(Checked("contents", "files of a pack", (Wrong(error.where, error.what),)))
    except (NoteError, ProofError) as error:
        found.checks.append(Checked("contents", "files of a pack", (Wrong(CHECKPOINT, str(error)),)))
    except (NoGenesis, RulebookError) as error:
        found.checks.append(Checked("contents", "files of a pack", (Wrong(REGISTRY_FILE, str(error)),)))
    except (KeyError, TypeError, ValueError, AttributeError, LookupError, ArithmeticError, RecursionError) as error:
        # Whoever made the pack wrote what is read here: anything may stand there, and it verifies nothing.
        found.checks.append(Checked("contents", "files of a pack", (Wrong("records", f"can't be read as what they should be: {error!r}"),)))
    return found


def _files(files: Mapping[str, bytes]) -> Iterator[Wrong]:
    for name in (MANIFEST, SUMS):
        if name not in files:
            yield Wrong(name, "is missing")
            return
    try:
        named = {str(one["path"]): (one["size"], str(one["sha256"])) for one in json.loads(files[MANIFEST])["files"]}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        yield Wrong(MANIFEST, f"can't be read: {error}")
        return
    digests = {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}
    for path, (size, sha256) in sorted(named.items()):
        if path not in files:
            yield Wrong(path, f"is missing; {MANIFEST} names it")
        elif (len(files[path]), digests[path]) != (size, sha256):
            yield Wrong(path, f"has {len(files[path])} bytes with the SHA-256 {digests[path]}; {MANIFEST} says {size} with {sha256}")
    for path in sorted(files.keys() - named.keys() - {MANIFEST, SUMS}):
        yield Wrong(path, f"is not in {MANIFEST}")
    line = f"{digests[MANIFEST]}  {MANIFEST}\n".encode()
    others = b"".join(f"{one}  {path}\n".encode() for path, (_, one) in sorted(named.items()))
    listed = files[SUMS].splitlines(keepends=True)
    if b"".join(one for one in listed if not one.endswith(f"  {MANIFEST}\n".encode())) != others:
        yield Wrong(SUMS, "its lines are not those that follow from the files")
    elif line not in listed:
        for name, other in ((MANIFEST, SUMS), (SUMS, MANIFEST)):
            yield Wrong(name, f"the SHA-256 of {MANIFEST} is {digests[MANIFEST]}, {SUMS} says another: this was changed, or {other}")
    elif files[SUMS] != b"".join(sorted([*others.splitlines(keepends=True), line], key=lambda one: one[66:])):
        yield Wrong(SUMS, "its lines are not in order, each once")


def _anchor(inputs: Inputs, trust: Trust, files: Mapping[str, bytes]) -> Checked:
    """Whose log it is, by what the reader brought."""
    own = genesis_in(inputs.registry).event
    name, wrong = fingerprint(own), []
    pinned = trust.pinned
    wanted = pinned.sha256 or (fingerprint(pinned.genesis) if pinned.genesis else None)
    if wanted is not None and wanted != name:
        wrong.append(Wrong("genesis.json", f"its fingerprint is {name}, not the pinned {wanted}: this is another register's"))
    if pinned.vkey is not None and pinned.vkey.strip() != inputs.log.text:
        wrong.append(Wrong("keys/log.vkey", f"the log's key is {inputs.log.text}, not the pinned one: this is another log's"))
    by = "as pinned" if wanted or pinned.vkey else "by the pack's own word"
    return Checked("genesis", f"{name}, {by}", tuple(wrong))


def _checkpoint(inputs: Inputs, trust: Trust, files: Mapping[str, bytes]) -> Checked:
    """The log's signature, and the witnesses'."""
    policy = trust.policy
    own = parse_policy(inputs.policy.decode()) if inputs.policy is not None else NOBODY
    asked = policy if policy is not None else own
    point, signers = open_checkpoint(inputs.checkpoint, inputs.log, asked.keys)
    cosigned = asked.cosigned(signers)
    names = ", ".join(one.key.name for one in cosigned) or "no witness"
    said = f"{point.origin}, {point.size:,} leaves, root {point.root.hex()}, signed by the log, cosigned by {names}"
    if asked.reached(cosigned):
        return Checked("checkpoint", said)
    if policy is None:
        return Checked("checkpoint", f"{said} (the pack's own policy wants more: {shortfall(asked, cosigned)})")
    return Checked("checkpoint", said, (Wrong(CHECKPOINT, shortfall(asked, cosigned)),))


def _proofs(inputs: Inputs, trust: Trust, files: Mapping[str, bytes]) -> Checked:
    try:
        count = len(inputs.every)
        inputs.proved  # noqa: B018 - it raises where they don't lead to the root
    except ProofError as error:
        return Checked("records", "leaves under the checkpoint", (Wrong("records/*.jsonl, proof/hashes", str(error)),))
    return Checked("records", f"{count:,} records are leaves under the checkpoint, by {len(inputs.hashes):,} hashes")


def _belonging(inputs: Inputs, trust: Trust, files: Mapping[str, bytes]) -> Checked:
    """Each record stands in the file that it belongs to, and no other."""
    wanted, wrong = inputs.case.wanted, []
    for name in FILES:
        for one in inputs.records.get(name, []):
            belongs = wanted.file(one)
            if belongs != name:
                where = f"{name}, leaf {one.leaf}"
                wrong.append(Wrong(where, f"belongs into {belongs}" if belongs else "does not belong into the pack of this finding"))
    wanted_books = {path for path in inputs.rulebooks if not _is_of_edition(path, inputs)}
    wrong += [Wrong(path, "is of no edition that the registry activated") for path in sorted(wanted_books)]
    for topic, partition, offset in sorted(places_named(wanted.finding) - inputs.case.named.keys()):
        wrong.append(Wrong("records", f"{topic} {partition}:{offset}, which the finding names, is not in the pack"))
    return Checked("belonging", "the finding's own records, and those of its subject, each in its file", tuple(wrong))


def _is_of_edition(path: str, inputs: Inputs) -> bool:
    return RULEBOOK.fullmatch(path) is not None and any(path.startswith(f"{one.folder}/") for one in inputs.activated)


def _signatures(inputs: Inputs, trust: Trust, files: Mapping[str, bytes]) -> Checked:
    genesis = trust.pinned.genesis or genesis_in(inputs.registry).event
    keys, faults = check_registry(inputs.registry, genesis)
    wrong = [Wrong(one.where, one.what) for one in faults]
    apart = list[str]()
    refusals, count = Refusals(genesis, lambda code, where, what: wrong.append(Wrong(where, what))), 0
    for one in inputs.every:
        if one.record.topic == FACTS:
            said = check_fact(one.entry, keys, lambda path, one=one: one.whole)  # type: ignore[misc]
            if said is True:
                count += 1
            elif said is not False and one.place in inputs.case.wanted.places and inputs.case.data["kind"] != _UNSIGNED:
                wrong.append(Wrong(f"{said.where} (leaf {one.leaf})", said.what))
            elif said is not False:
                apart.append(f"{said.where} (leaf {one.leaf})")
    for one in inputs.records.get(REFUSALS_FILE, []):
        refusals.see(_leaf(one))
        count += 1
    said = f"{len(inputs.registry) - len(faults):,} records of the registry and {count:,} facts and refusals, by keys that held"
    if apart:
        # They went past intake. The log has them, so the pack has; findings of their own say so.
        said += f"; no such key signed {', '.join(apart[:_SHOWN])}{' and others' if len(apart) > _SHOWN else ''}"
    return Checked("signatures", said, tuple(wrong))


_UNSIGNED, _SHOWN = "key_not_valid", 5
"""The kind that is about just such a record; how many are named."""


def _leaf(one: Held) -> Leaf:
    return Leaf(one.leaf, one.record, one.one, None, one.record.timestamp)


def _receipts(inputs: Inputs, trust: Trust, files: Mapping[str, bytes]) -> Checked:
    if inputs.receipts is None:
        return Checked("receipts", "none in the pack; who sent has them, and `mingjian evidence --receipts` takes them in", told=True)
    wrong: list[Wrong] = []
    genesis = trust.pinned.genesis or genesis_in(inputs.registry).event
    try:
        given = list(read_handed_out(inputs.receipts, RECEIPTS))
    except NoReceipts as error:
        return Checked("receipts", RECEIPTS, (Wrong(RECEIPTS, str(error)),))
    held = HandedOuts(given, genesis, lambda code, where, what: wrong.append(Wrong(RECEIPTS, f"{where}: {what}")))
    # Known from the latest record time so far, others' in the partition included: these make it later, never earlier.
    claimed = {
        (one.body["topic"], one.body["partition"], one.body["offset"]): one.body["known_from"] for one in given if one.part == "receipt"
    }
    known: dict[tuple[str, int], int] = {}
    for one in inputs.every:
        place = one.place[:2]
        known[place] = max(known.get(place, one.record.timestamp), one.record.timestamp)
        at_least = max(known[place], milliseconds(claimed[one.place])) if one.place in claimed else known[place]
        held.see(Leaf(one.leaf, one.record, one.one, None, at_least))
    held.end()
    return Checked("receipts", f"{held.held:,} of {len(given):,} are of records in the pack", tuple(wrong))


def _follows(inputs: Inputs, trust: Trust, files: Mapping[str, bytes]) -> Checked:
    """Everything that can be made of the records is what they give."""
    said = "report, pictures, lists, proofs and manifest are what the records give"
    made = files_of(inputs)
    differ = _differing(made, files)
    others = [one for one in differ if is_worded(one)]
    if others and inputs.software != version("mingjian"):
        differ = _differing(files_of(inputs, files), files)
        said += f", but for {', '.join(others)}: made by version {inputs.software}; this is {version('mingjian')}, which may word otherwise"
    # Where another file differs, so do these, which name it.
    named = [one for one in differ if one not in (MANIFEST, SUMS)] or differ
    return Checked("contents", said, tuple(Wrong(one, "is not what the records in the pack give") for one in named))


def _differing(made: Mapping[str, bytes], files: Mapping[str, bytes]) -> list[str]:
    return sorted(path for path in made.keys() | files if made.get(path) != files.get(path))


def _again(inputs: Inputs, trust: Trust, files: Mapping[str, bytes]) -> Checked:
    found = again.finding(inputs)
    return Checked("finding", found.said, tuple(Wrong("finding.json", one) for one in found.differs), told=not found.done)


def _effect(inputs: Inputs, trust: Trust, files: Mapping[str, bytes]) -> Checked:
    found = again.effects(inputs)
    wrong = (Wrong(effect_file(number), one) for number, each in enumerate(found) for one in each.differs)
    said = "; ".join(one.said for one in found) or "the log holds no assessment of the matter's effect"
    return Checked("effect", said, tuple(wrong), told=not any(one.done for one in found))


def _complete(inputs: Inputs, trust: Trust, files: Mapping[str, bytes]) -> Checked:
    offsets = sorted(inputs.registry)
    gaps = offsets[-1] + 1 - len(offsets)
    left = f"; {gaps} of the registry's first {offsets[-1] + 1:,} records are left out as steps of other hearings" if gaps else ""
    about = "nothing about the subject" if inputs.case.wanted.subject else "nothing that bears on it"
    wholes = sorted({one.event["data"]["affected"] for one in inputs.case.effects} - {inputs.case.wanted.subject})
    if wholes:
        left += (
            f"; what other parts of {', '.join(wholes)} say is rating's word, which `mingjian verify --grades` holds against their facts"
        )
    said = (
        f"that {about} was left out rests on the operator: a proof shows that a record is in the log, not that there is no other{left}. "
        "Who has the whole log (`mingjian export`) can make this pack again and compare"
    )
    return Checked("complete", said, told=True)


Check = Callable[[Inputs, Trust, Mapping[str, bytes]], Checked]
_NEEDED: Sequence[Check] = (_anchor, _checkpoint, _proofs)
_CHECKS: Sequence[Check] = (
    _anchor,
    _checkpoint,
    _proofs,
    _belonging,
    _signatures,
    _receipts,
    _follows,
    _again,
    _effect,
    _complete,
)


def as_json(found: Verified) -> dict[str, Any]:
    """For ``--json``."""
    checks = [
        {"check": one.check, "holds": None if one.told else not one.wrong, "said": one.said, "wrong": [vars(each) for each in one.wrong]}
        for one in found.checks
    ]
    said = {"verified": found.verified, "pinned": found.pinned, "finding": found.finding, "genesis_sha256": found.fingerprint}
    return orjson.loads(orjson.dumps(said | {"sample": found.sample, "checks": checks}))  # type: ignore[no-any-return]
