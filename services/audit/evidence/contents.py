"""Everything that lies in a pack, as it follows from what can't be worked out: records, proof, checkpoint, policy, rulebooks, receipts.

Invariants
1. The same inputs give the same files, byte for byte: no clock, nothing random. So whoever has a pack's inputs makes the rest of it again,
   and a report, a picture or a list that says otherwise than the records is found, whatever its hash in the manifest.
2. ``inputs_in(files_of(inputs)) == inputs``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from schemas.rulebook import Rulebook, RulebookError, digest, load_texts
from schemas.topics import FACTS
from services.audit.assessing import registry_of
from services.audit.domain.bundle import Activated, activated, fingerprint, genesis_in, is_sample
from services.audit.domain.bundle import files_of as registry_files
from services.audit.domain.checkpoint import Checkpoint, open_checkpoint
from services.audit.domain.detectors.all import every
from services.audit.domain.hearings import Hearing
from services.audit.domain.manifest import Named
from services.audit.domain.merkle import HASH_BYTES, leaf_hash
from services.audit.domain.multiproof import Proved, verify_many
from services.audit.domain.note import VerifierKey
from services.audit.domain.proof import LogProof
from services.audit.domain.registry import Registry, acted_in, hearings_of
from services.audit.domain.supervision import named_in
from services.audit.evidence import drawing, people, report
from services.audit.evidence.archive import Broken
from services.audit.evidence.case import Case
from services.audit.evidence.records import FILES, REGISTRY_FILE, Held, line_of, read_lines

FORMAT = "mingjian-evidence-v1"
CHECKPOINT, HASHES, POLICY, RECEIPTS = "checkpoint", "proof/hashes", "witnesses", "receipts.jsonl"
FINDING, HEARING = "finding.json", "hearing.json"
REPORT, README = "report.html", "README.txt"
FINDING_PROOF, ENTRY_PROOF = "proof/finding.tlog-proof", "proof/entry.tlog-proof"
KEYS, OFFICERS, STATE = "registry/keys.json", "registry/officers.json", "registry/state.json"
MANIFEST, SUMS = "manifest.json", "SHA256SUMS"
_PATHS = re.compile(r"paths(-[2-9]|-[1-9][0-9])?\.svg")
RULEBOOK = re.compile(r"rulebooks/[a-z][a-z0-9_-]{0,60}/[0-9]{4}\.[0-9]{1,3}-[0-9a-f]{12}/[a-z0-9_.-]{1,60}\.yaml")
_NAMED = {"finding": 36, "software": 100}


@dataclass(frozen=True)
class Inputs:
    """``finding``: its id. ``records``: by file. ``hashes``: the proof for all of them. ``policy``, ``receipts``: files, None where there
    is none. ``rulebooks``: path → bytes."""

    finding: str
    software: str
    checkpoint: bytes
    records: Mapping[str, list[Held]]
    hashes: tuple[bytes, ...]
    policy: bytes | None
    receipts: bytes | None
    rulebooks: Mapping[str, bytes]

    @cached_property
    def every(self) -> list[Held]:
        """All records, in the order of the log."""
        return sorted((one for some in self.records.values() for one in some), key=lambda one: one.leaf)

    @cached_property
    def registry(self) -> dict[int, bytes | None]:
        """The registry's values by offset."""
        return {one.record.offset: one.record.value for one in self.records.get(REGISTRY_FILE, [])}

    @cached_property
    def activated(self) -> list[Activated]:
        """The editions that the registry put in force."""
        return activated(self.registry)

    @cached_property
    def editions(self) -> dict[str, list[Rulebook]]:
        """The rulebooks in the pack: of each regime the edition activated last comes first. Raises ``Broken``."""
        found: dict[str, list[Rulebook]] = {}
        for one in self.activated:
            own = f"{one.folder}/"
            files = tuple((path.removeprefix(own), data) for path, data in sorted(self.rulebooks.items()) if path.startswith(own))
            try:
                book = _read_book(one.regime, files) if files else None
            except RulebookError as error:
                raise Broken(one.folder, str(error)) from None
            if book is None or digest(book) != one.sha256:
                raise Broken(one.folder, f"is not the edition that registry record {one.offset} activated, of the digest {one.sha256}")
            found.setdefault(one.regime, []).append(book)
        return found

    @cached_property
    def log(self) -> VerifierKey:
        """The log's key by the genesis event in the pack. Raises ``NoGenesis``, ``NoteError``, ``KeyError``."""
        return VerifierKey.parse(str(genesis_in(self.registry).event["data"]["log_vkey"]))

    @cached_property
    def point(self) -> Checkpoint:
        """The checkpoint, signed by the log. Raises ``NoteError``."""
        return open_checkpoint(self.checkpoint, self.log)[0]

    @cached_property
    def proved(self) -> Proved:
        """All records shown under the checkpoint. Raises ``ProofError``."""
        leaves = {one.leaf: leaf_hash(one.entry) for one in self.every}
        return verify_many(leaves, self.point.size, self.hashes, self.point.root)

    @cached_property
    def folded(self) -> Registry:
        """The registry in the pack. Raises ``NoGenesis``, ``KeyError``."""
        return registry_of((one.record for one in self.records.get(REGISTRY_FILE, [])), genesis_in(self.registry).event)

    @cached_property
    def hearing(self) -> Hearing:
        """The hearing on the matter as it stands by all that is in the pack; nobody decides who acted in the entries that are. Raises as
        ``case`` and ``folded`` do."""
        matter = self.case.matter
        named = named_in([one for one in self.folded.steps if one.matter == matter])
        entries = [
            one.one for one in self.every if one.record.topic == FACTS and one.one and (one.event["source"], one.event["id"]) in named
        ]
        found = hearings_of(self.folded, acted_in(self.folded, entries), matters={matter})
        return found.get(matter, Hearing(matter, ()))

    @cached_property
    def case(self) -> Case:
        """What the records say of the finding. Raises ``Broken``."""
        return Case.of(self.finding, self.records)


@lru_cache(maxsize=16)
def _read_book(regime: str, files: tuple[tuple[str, bytes], ...]) -> Rulebook:
    """Reading takes longer than all the rest of a pack; a service makes many with the same editions. Raises ``RulebookError``."""
    return load_texts(dict(files), folder=regime)


def is_worded(name: str) -> bool:
    """Whether a file is for people: another version may word or draw it otherwise. Everything else is the same for all."""
    return name in (REPORT, README) or _PATHS.fullmatch(name) is not None


def effect_file(number: int) -> str:
    """The file of one of the effects."""
    return _numbered("effect.json", number)


def _numbered(name: str, number: int) -> str:
    """The first has the plain name."""
    return name if number == 0 else f"-{number + 1}.".join(name.split("."))


def files_of(inputs: Inputs, worded: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
    """All files of the pack. ``worded``: files to take as they are, of those that another version words otherwise.

    Raises ``Broken``, ``NoteError``, ``ProofError``, ``NoGenesis``, ``KeyError``."""
    files = dict(_primary(inputs))
    files |= _derived(inputs)
    files |= {name: data for name, data in (worded or {}).items() if is_worded(name)}
    manifest = _manifest(inputs, files)
    files[MANIFEST] = manifest
    files[SUMS] = "".join(f"{hashlib.sha256(data).hexdigest()}  {path}\n" for path, data in sorted(files.items())).encode()
    return files


def _primary(inputs: Inputs) -> Iterator[tuple[str, bytes]]:
    yield CHECKPOINT, inputs.checkpoint
    yield HASHES, "".join(f"{base64.b64encode(one).decode()}\n" for one in inputs.hashes).encode()
    for name in FILES:
        if inputs.records.get(name):
            yield name, b"".join(map(line_of, inputs.records[name]))
    for name, data in ((POLICY, inputs.policy), (RECEIPTS, inputs.receipts)):
        if data is not None:
            yield name, data
    yield from inputs.rulebooks.items()


def inputs_in(files: Mapping[str, bytes]) -> Inputs:
    """What of a pack can't be worked out. Raises ``Broken``."""
    said = _said(files)
    rulebooks = {path: data for path, data in files.items() if RULEBOOK.fullmatch(path)}
    records = {name: read_lines(name, files[name]) for name in FILES if name in files}
    return Inputs(
        finding=said["finding"],
        software=said["software"],
        checkpoint=_needed(files, CHECKPOINT),
        records=records,
        hashes=tuple(_hashes(_needed(files, HASHES))),
        policy=files.get(POLICY),
        receipts=files.get(RECEIPTS),
        rulebooks=rulebooks,
    )


def _needed(files: Mapping[str, bytes], name: str) -> bytes:
    if name not in files:
        raise Broken(name, "is missing")
    return files[name]


def _said(files: Mapping[str, bytes]) -> dict[str, str]:
    """What the manifest alone says. The rest of it is worked out and compared."""
    try:
        said = json.loads(_needed(files, MANIFEST))
        if said["format"] != FORMAT:
            raise Broken(MANIFEST, f"its format is not {FORMAT}")
        found = {name: said[name] for name in _NAMED}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        if isinstance(error, Broken):
            raise
        raise Broken(MANIFEST, f"can't be read: {error}") from None
    for name, most in _NAMED.items():
        if not isinstance(found[name], str) or len(found[name]) > most or not found[name].isprintable():
            raise Broken(MANIFEST, f"{name} is not what it should be")
    return found


def _hashes(data: bytes) -> Iterator[bytes]:
    if data and not data.endswith(b"\n"):
        raise Broken(HASHES, "does not end with a whole line")
    for number, line in enumerate(data.split(b"\n")[:-1], 1):
        try:
            one = base64.b64decode(line, validate=True)
        except (ValueError, binascii.Error):
            one = b""
        if len(one) != HASH_BYTES or base64.b64encode(one) != line:
            raise Broken(HASHES, f"line {number} is not the base64 of a hash")
        yield one


def _derived(inputs: Inputs) -> Iterator[tuple[str, bytes]]:
    """Files that follow from the inputs."""
    case, proved = inputs.case, inputs.proved
    yield from registry_files(inputs.registry).items()
    yield FINDING, _json(_with_place(case.finding))
    yield FINDING_PROOF, _proof(inputs, proved, case.finding)
    if case.entry is not None:
        yield ENTRY_PROOF, _proof(inputs, proved, case.entry)
    for number, one in enumerate(case.effects):
        yield effect_file(number), _json(_with_place(one))
        yield _numbered("paths.svg", number), drawing.paths(one.event["data"]).encode()
    if case.hearing:
        yield HEARING, _json([_with_place(one) for one in case.hearing])
    registry = inputs.records[REGISTRY_FILE]
    yield KEYS, _json(people.keys(registry))
    yield OFFICERS, _json(people.officers(registry))
    yield STATE, _json(people.state(registry))
    yield REPORT, report.page(_told(inputs)).encode()
    yield README, report.readme(_told(inputs)).encode()


def _told(inputs: Inputs) -> report.About:
    genesis = genesis_in(inputs.registry).event
    return report.About(
        case=inputs.case,
        hearing=inputs.hearing,
        software=inputs.software,
        point=inputs.point,
        fingerprint=fingerprint(genesis),
        sample=is_sample(genesis),
        time_zone=str(genesis["data"].get("time_zone", "UTC")),
        counts={name: len(inputs.records[name]) for name in FILES if inputs.records.get(name)},
        registry=inputs.records[REGISTRY_FILE],
        rulebooks=[(one.regime, one.version, one.sha256) for one in inputs.activated],
        receipts=(inputs.receipts or b"").count(b"\n"),
        declared={one.declared.kind: one.declared for one in every(inputs.editions)},
    )


def _with_place(one: Held) -> dict[str, Any]:
    record = one.record
    return {"leaf": one.leaf, "topic": record.topic, "partition": record.partition, "offset": record.offset, "event": one.event}


def _proof(inputs: Inputs, proved: Proved, one: Held) -> bytes:
    return LogProof(one.leaf, proved.path(one.leaf), inputs.checkpoint).data


def _json(said: Any) -> bytes:
    return (json.dumps(said, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


def _manifest(inputs: Inputs, files: Mapping[str, bytes]) -> bytes:
    genesis = genesis_in(inputs.registry).event
    case = inputs.case
    said = {
        "format": FORMAT,
        "finding": inputs.finding,
        "matter": case.matter,
        "kind": case.data["kind"],
        "subject": case.wanted.subject,
        "software": inputs.software,
        "origin": inputs.point.origin,
        "size": inputs.point.size,
        "root": inputs.point.root.hex(),
        "genesis_sha256": fingerprint(genesis),
        "sample": is_sample(genesis),
        "records": {name: len(inputs.records[name]) for name in FILES if inputs.records.get(name)},
        "files": [_row(Named(path, len(data), hashlib.sha256(data).hexdigest())) for path, data in sorted(files.items())],
    }
    return (json.dumps(said, indent=1, ensure_ascii=False) + "\n").encode()


def _row(one: Named) -> dict[str, Any]:
    return {"path": one.path, "size": one.size, "sha256": one.sha256}
