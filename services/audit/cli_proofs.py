"""``mingjian prove``, ``verify-proof`` and ``consistency``: proofs fetched, and checked without any server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import httpx
import orjson
import typer

from schemas.canonical import CanonicalError, event_hash, trusted_canonical_bytes
from services._bus.settings import NotConfigured
from services.audit.appender import CHECKPOINT
from services.audit.cli_options import home_of
from services.audit.domain.checkpoint import Checkpoint, open_checkpoint
from services.audit.domain.frame import FrameError, Record, decode, entry_with
from services.audit.domain.merkle import ProofError, leaf_hash, verify_consistency
from services.audit.domain.note import NoteError, VerifierKey
from services.audit.domain.proof import parse_proof, verify_proof
from services.audit.domain.tiles import TileError
from services.audit.proving import NotPublished, prove_prefix
from services.audit.signatures import read_file
from services.audit.wiring import genesis_event, patience

FAILED, NO_ANSWER, NOT_THERE = 1, 5, 6
_WRONG = (NoteError, ProofError, FrameError, TileError, NotConfigured, NotPublished, CanonicalError, ValueError, KeyError, TypeError)

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)

Vkey = Annotated[str | None, typer.Option(help="The log's verifier key; default the one in <home>/genesis.json.")]
Audit = Annotated[str | None, typer.Option(envvar="MINGJIAN_AUDIT_URL", help="The audit service; default the embedded one.")]


@app.command()
def prove(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="The event's source, such as /departments/drug/offices/river.")],
    id: Annotated[str, typer.Argument(metavar="ID", help="The event's id.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Where the proof goes; default standard output.")] = None,
    event: Annotated[Path | None, typer.Option(help="The submission, envelope or receipt: shows that its event may be seen.")] = None,
    entry: Annotated[Path | None, typer.Option(help="Where the log's entry goes, byte for byte; needs --event.")] = None,
    audit: Audit = None,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for a checkpoint that covers it.")] = 5.0,
) -> None:
    """Get the proof that an event is in the log, as a file that checks without any server."""
    if entry is not None and event is None:
        raise _fail("--entry needs --event: an entry is for who has the event", 2)
    given = {"event_hash": _hash_in(event)} if event is not None else {}
    with _client(context, audit) as http:
        answer = _until_proved(http, {"source": source, "id": id, **given}, wait)
        data = answer.content
        if entry is not None:
            index = parse_proof(data).index
            entry.write_bytes(_asked(http, f"/api/v1/log/leaves/{index}/entry", given).content)
    if out is None:
        typer.echo(data.decode(), nl=False)
    else:
        out.write_bytes(data)


def _until_proved(http: httpx.Client, query: dict[str, str], wait: float) -> httpx.Response:
    clock = patience(wait)
    until = clock.monotonic() + clock.wait_s
    while (answer := _asked(http, "/api/v1/proofs", query)).status_code == 202:
        if clock.monotonic() >= until:
            raise _fail("no checkpoint covers the event yet; ask again in a moment", NO_ANSWER)
        clock.sleep(min(0.5, float(answer.headers.get("retry-after", "1"))))
    return answer


@app.command("verify-proof")
def verify_proof_file(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The proof, as `mingjian prove` writes it.")],
    vkey: Vkey = None,
    entry: Annotated[Path | None, typer.Option(help="The log's entry.")] = None,
    envelope: Annotated[Path | None, typer.Option(help="The envelope as it stands on Kafka; the proof holds the entry's head.")] = None,
    event: Annotated[Path | None, typer.Option(help="The submission, envelope or receipt whose event the entry must carry.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
) -> None:
    """Check a proof: that the log whose key this is holds exactly this entry. Asks no server."""
    if (entry is None) == (envelope is None):
        raise _fail("name one of --entry and --envelope: a proof is of bytes", 2)
    try:
        key = _verifier(context, vkey)
        data = file.read_bytes()
        leaf = entry.read_bytes() if entry is not None else _entry_of(data, envelope or file)
        point = verify_proof(data, leaf, key)
        if event is not None:
            _carries(leaf, _hash_in(event))
    except _WRONG as error:
        _tell(as_json, {"verified": False, "error": str(error)}, f"not verified: {error}")
        raise typer.Exit(FAILED) from None
    index = parse_proof(data).index
    told = {"index": index, "leaf_hash": leaf_hash(leaf).hex(), "origin": point.origin, "size": point.size, "root": point.root.hex()}
    told |= (place := _place_in(leaf))
    where = f"leaf {index} of {point.size:,}" + (", {topic} {partition}:{offset}".format(**place) if place else "")
    _tell(as_json, {"verified": True, **told}, f"log {point.origin}: {where}, root {point.root.hex()}\nverified \u2713")


@app.command()
def consistency(
    context: typer.Context,
    first: Annotated[Path, typer.Argument(help="The file of the smaller checkpoint.")],
    second: Annotated[Path | None, typer.Argument(help="The file of the larger one; default the log's latest.")] = None,
    vkey: Vkey = None,
    proof: Annotated[Path | None, typer.Option(help="A proof that was kept (--keep): asks no server.")] = None,
    log_dir: Annotated[Path | None, typer.Option(help="A copy of the log's folder to work the proof out from: asks no server.")] = None,
    keep: Annotated[Path | None, typer.Option(help="Where the proof goes, once it was checked.")] = None,
    audit: Audit = None,
    as_json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
) -> None:
    """Check that one checkpoint's log is the beginning of another's: that nothing of it was changed or taken away."""
    try:
        key = _verifier(context, vkey)
        old = _checkpoint(first, key)
        if second is not None:
            new = _checkpoint(second, key)
        elif log_dir is not None:
            new = _checkpoint(log_dir / CHECKPOINT, key)
        else:
            with _client(context, audit) as http:
                new = open_checkpoint(_asked(http, f"/{CHECKPOINT}", {}).content, key)[0]
        if old.size > new.size:
            raise ProofError(f"the first checkpoint has {old.size} leaves, the second {new.size}: give the smaller one first")
        path = _path_of(context, old, new, key, proof, log_dir, audit)
        verify_consistency(old=old.size, new=new.size, old_root=old.root, new_root=new.root, proof=path)
    except _WRONG as error:
        _tell(as_json, {"verified": False, "error": str(error)}, f"not verified: {error}")
        raise typer.Exit(FAILED) from None
    told = {"first": old.size, "second": new.size, "first_root": old.root.hex(), "second_root": new.root.hex()}
    if keep is not None:
        keep.write_text(json.dumps(told | {"path": [one.hex() for one in path]}) + "\n")
    words = f"log {key.name}: the {old.size:,} leaves of the first are the first of the {new.size:,} of the second\nverified \u2713"
    _tell(as_json, {"verified": True, **told}, words)


def _path_of(
    context: typer.Context, old: Checkpoint, new: Checkpoint, key: VerifierKey, proof: Path | None, log_dir: Path | None, audit: str | None
) -> list[bytes]:
    if log_dir is not None:
        return list(prove_prefix(old.size, new.size, lambda path: read_file(log_dir, path), key).path)
    if proof is not None:
        said = orjson.loads(proof.read_bytes())
    else:
        with _client(context, audit) as http:
            said = _asked(http, "/api/v1/proofs/consistency", {"first": str(old.size), "second": str(new.size)}).json()
    return [bytes.fromhex(one) for one in said["path"]]


def _verifier(context: typer.Context, vkey: str | None) -> VerifierKey:
    home = home_of(context)
    return VerifierKey.parse(vkey or str(genesis_event(home / "genesis.json")["data"]["log_vkey"]))


def _checkpoint(path: Path, key: VerifierKey) -> Checkpoint:
    return open_checkpoint(path.read_bytes(), key)[0]


def _hash_in(path: Path) -> str:
    """The hash of the event in a submission or an envelope, or the one that a receipt names."""
    said = orjson.loads(path.read_bytes())
    if "event" in said:
        return event_hash(said["event"])
    return str(said.get("receipt", said)["event_hash"])


def _entry_of(proof: bytes, envelope: Path) -> bytes:
    """The entry from the head in the proof and the envelope. On Kafka an envelope is in canonical form."""
    head = parse_proof(proof).extra
    if head is None:
        raise ProofError("the proof holds no head of the entry; get it with `mingjian prove … --event FILE`, or give --entry")
    return entry_with(head, trusted_canonical_bytes(orjson.loads(envelope.read_bytes())))


def _place_in(entry: bytes) -> dict[str, Any]:
    """Whose record it is; nothing for another log's entry, which is no frame of ours."""
    try:
        found = decode(entry)
    except FrameError:
        return {}
    return {"topic": found.topic, "partition": found.partition, "offset": found.offset}


def _carries(entry: bytes, wanted: str) -> None:
    record = decode(entry)
    if not isinstance(record, Record) or record.value is None:
        raise ProofError("the entry is the stub of a long record: its event stands beside the log")
    if event_hash(orjson.loads(record.value)["event"]) != wanted:
        raise ProofError("the entry carries another event")


def _client(context: typer.Context, audit: str | None) -> httpx.Client:
    known = getattr(context.obj, "endpoints", None) or {}
    address = audit or known.get("audit")
    if not address:
        raise _fail("name the audit service with --audit or MINGJIAN_AUDIT_URL", 2)
    return httpx.Client(base_url=address.rstrip("/"), timeout=30.0)


def _asked(http: httpx.Client, path: str, query: dict[str, str]) -> httpx.Response:
    try:
        answer = http.get(path, params=query)
    except httpx.HTTPError:
        raise _fail(f"nothing answers at {http.base_url}; is the stack up? (`mingjian status`)", NO_ANSWER) from None
    if answer.status_code >= 400:
        raise _fail(_problem(answer), NOT_THERE if answer.status_code == 404 else FAILED)
    return answer


def _problem(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail_en"])
    except (ValueError, KeyError, TypeError):
        return f"what answers there said {answer.status_code}"


def _tell(as_json: bool, told: dict[str, Any], words: str) -> None:
    typer.echo(json.dumps(told) if as_json else words, err=not as_json and not told["verified"])


def _fail(words: str, code: int) -> typer.Exit:
    typer.echo(words, err=True)
    return typer.Exit(code)


if __name__ == "__main__":
    app()
