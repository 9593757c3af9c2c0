"""The witness: every answer of the protocol, every byte of a request, two logs, many askers, a fork, what it keeps."""

from __future__ import annotations

import asyncio
import base64
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from services.audit.domain.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from services.audit.domain.cosigning import encode_request, read_cosignature
from services.audit.domain.merkle import consistency_proof
from services.audit.domain.note import ED25519, Note, SignatureLine, VerifierKey, cosignature_line, open_note, parse_note, with_signatures
from services.audit.domain.tiles import tile_path, width_at
from services.audit.witness.adapters.home import HomeError, WitnessHome, prepare
from services.audit.witness.domain.judging import Refused
from services.audit.witness.domain.request import MAX_BODY_BYTES, MAX_HASHES, parse_request
from services.audit.witness.handlers import Witness
from services.audit.witness.ports import StateLost
from services.audit.witness.state import States, name_of
from services.audit.witness.web import create_app
from services.audit.witness.wiring import witness_of
from services.audit.witnessing import hashes_of
from tests.unit.audit.golden import golden_folder
from tests.unit.audit.witness.world import NOW, WITNESS_KEY, CrashingDisk, Log, private, witness

LOG = Log()
OTHER = Log("unit.test/other")


def refused(asked: Witness, body: bytes) -> Refused:
    with pytest.raises(Refused) as caught:
        asked.add_checkpoint(body)
    return caught.value


# --- the other implementation's files -----------------------------------------------------------------------------------


def golden_key(name: str) -> VerifierKey:
    return VerifierKey.parse((golden_folder() / name).read_text())


def golden_witness() -> Witness:
    disk = CrashingDisk()
    key, states = golden_key("log.vkey"), States(disk, WITNESS_KEY)
    states.write(key, None)
    return Witness(key=WITNESS_KEY, sign=private("unit test witness").sign, logs=[key], states=states, wall=lambda: NOW)


def test_the_other_implementations_requests_are_cosigned() -> None:
    asked = golden_witness()
    asked.add_checkpoint(b"old 0\n\n" + (golden_folder() / "checkpoint.700").read_bytes())
    line = asked.add_checkpoint((golden_folder() / "add-checkpoint.700-1300.body").read_bytes())
    note = (golden_folder() / "checkpoint.1300").read_bytes() + line
    point, signers = open_checkpoint(note, golden_key("log.vkey"), [WITNESS_KEY])
    assert (point.size, [(one.key.name, one.seconds) for one in signers][1:]) == (1300, [(WITNESS_KEY.name, NOW)])
    assert asked.kept(point.origin).note == note


def test_our_request_is_the_other_implementations_byte_for_byte() -> None:
    log = golden_folder() / "log"
    body = (golden_folder() / "add-checkpoint.700-1300.body").read_bytes()
    read = hashes_of(1300, lambda path: (log / path).read_bytes() if (log / path).exists() else None)
    assert encode_request(700, consistency_proof(700, 1300, read), parse_request(body).note) == body


def test_the_cosigned_checkpoint_is_put_together_as_the_other_implementation_does() -> None:
    plain, cosigned = ((golden_folder() / name).read_bytes() for name in ("checkpoint.1300", "checkpoint.1300.cosigned"))
    key = golden_key("witness.vkey")
    line = next(one for one in parse_note(cosigned).signatures if one.name == key.name)
    assert with_signatures(plain, [line]) == cosigned
    assert read_cosignature(line.text.encode(), key, plain) == line
    # The same key and time give the same line: nothing in it is left to chance.
    seconds = int.from_bytes(line.rest[:8], "big")
    made = cosignature_line(parse_note(plain).text, key, lambda message: line.rest[8:], seconds)
    assert made == line
    assert open_note(cosigned, [key])[1][0].seconds == seconds


def test_every_flipped_byte_of_the_golden_request_is_refused() -> None:
    asked = golden_witness()
    asked.add_checkpoint(b"old 0\n\n" + (golden_folder() / "checkpoint.700").read_bytes())
    body = (golden_folder() / "add-checkpoint.700-1300.body").read_bytes()
    for at in range(len(body)):
        for bit in (1, 2, 0x20, 0x80):
            refused(asked, body[:at] + bytes([body[at] ^ bit]) + body[at + 1 :])
    asked.add_checkpoint(body)


# --- every answer -------------------------------------------------------------------------------------------------------


def test_every_flipped_bit_and_every_cut_of_a_small_request_is_refused() -> None:
    asked = witness(CrashingDisk(), LOG)
    asked.add_checkpoint(LOG.request(0, 3))
    body = LOG.request(3, 5)
    for at in range(len(body)):
        refused(asked, body[:at])
        for bit in range(8):
            refused(asked, body[:at] + bytes([body[at] ^ 1 << bit]) + body[at + 1 :])
    asked.add_checkpoint(body)


def test_the_same_checkpoint_again_is_cosigned_again_at_its_own_time() -> None:
    times = iter([NOW, NOW + 60])
    asked = witness(CrashingDisk(), LOG, seconds=lambda: next(times))
    first, second = asked.add_checkpoint(LOG.request(0, 7)), asked.add_checkpoint(LOG.request(7, 7))
    signed = [open_note(LOG.note(7) + line, [WITNESS_KEY])[1][0].seconds for line in (first, second)]
    assert signed == [NOW, NOW + 60]


def test_the_answers_to_what_cannot_be_read() -> None:
    asked = witness(CrashingDisk(), LOG)
    good = LOG.request(0, 5)
    hash_line = base64.b64encode(bytes(32)).decode() + "\n"
    bad = [
        b"",
        b"old 0\n",
        good.replace(b"old 0", b"old 00"),
        good.replace(b"old 0", b"old -1"),
        good.replace(b"old 0", b"Old 0"),
        good.replace(b"old 0\n", b"old 0\r\n"),
        good.replace(b"old 0\n", b"old 0\n" + hash_line.encode() * (MAX_HASHES + 1)),
        good.replace(b"old 0\n", b"old 0\nAAAA\n"),
        good.replace(b"old 0\n", b"old 0\n" + hash_line.replace("=", "").encode()),
        good.replace(b"old 0\n", "old 0\n\u00e9\n".encode()),
        good.replace(b"\n5\n", b"\n05\n"),
        good + b"\n",
        good.replace(b"\n5\n", b"\n5\nextension\n"),
        good + b"x" * MAX_BODY_BYTES,
        LOG.request(0, 5).replace(b"old 0", b"old 6"),
    ]
    assert [refused(asked, body).status for body in bad] == [400] * len(bad)


def test_an_unknown_origin_is_404_and_a_signature_of_another_key_403() -> None:
    asked = witness(CrashingDisk(), LOG)
    assert refused(asked, OTHER.request(0, 5)).status == 404
    note = parse_note(LOG.note(5))
    stranger = VerifierKey(LOG.origin, ED25519, private("stranger").public_key().public_bytes_raw())
    forged = Note(note.text, (SignatureLine(LOG.origin, stranger.key_id, private("stranger").sign(note.text.encode())),)).data
    assert refused(asked, encode_request(0, (), forged)).status == 403
    under_the_logs_id = Note(note.text, (SignatureLine(LOG.origin, LOG.key.key_id, bytes(64)),)).data
    assert refused(asked, encode_request(0, (), under_the_logs_id)).status == 403


def test_another_old_size_is_told_the_one_to_go_on_from() -> None:
    asked = witness(CrashingDisk(), LOG)
    asked.add_checkpoint(LOG.request(0, 7))
    told = refused(asked, LOG.request(0, 9))
    assert (told.status, told.size) == (409, 7)
    told = refused(asked, LOG.request(3, 5))
    assert (told.status, told.size) == (409, 7), "an older checkpoint is not cosigned again"
    asked.add_checkpoint(LOG.request(7, 9))


def test_a_bad_proof_is_422() -> None:
    asked = witness(CrashingDisk(), LOG)
    assert refused(asked, encode_request(0, [bytes(32)], LOG.note(5))).status == 422, "from nothing on there is nothing to prove"
    asked.add_checkpoint(LOG.request(0, 7))
    for proof in ((), LOG.proof(7, 9)[:-1], (*LOG.proof(7, 9), bytes(32)), LOG.proof(3, 9)):
        assert refused(asked, encode_request(7, proof, LOG.note(9))).status == 422
    assert asked.kept(LOG.origin).latest.size == 7


def test_of_no_leaves_there_is_one_root() -> None:
    asked = witness(CrashingDisk(), LOG)
    other = sign_checkpoint(Checkpoint(LOG.origin, 0, bytes(32)), LOG.key, LOG.private.sign)
    assert (refused(asked, encode_request(0, (), other)).status, refused(asked, encode_request(0, (), other)).size) == (409, None)
    asked.add_checkpoint(LOG.request(0, 0))


def test_a_forked_log_is_refused_whichever_way_it_comes() -> None:
    asked = witness(CrashingDisk(), LOG)
    asked.add_checkpoint(LOG.request(0, 20))
    fork = Log(fork=12, branch=" rewritten")
    assert (refused(asked, fork.request(20, 20)).status, refused(asked, fork.request(20, 20)).size) == (409, None)
    assert refused(asked, fork.request(20, 30)).status == 422
    assert refused(asked, encode_request(20, LOG.proof(20, 30), fork.note(30))).status == 422
    assert refused(asked, fork.request(12, 30)).status == 409
    asked.add_checkpoint(LOG.request(20, 30))


def test_two_logs_do_not_meet() -> None:
    asked = witness(CrashingDisk(), LOG, OTHER)
    asked.add_checkpoint(LOG.request(0, 9))
    asked.add_checkpoint(OTHER.request(0, 4))
    asked.add_checkpoint(LOG.request(9, 12))
    assert [asked.kept(one.origin).latest.size for one in (LOG, OTHER)] == [12, 4]
    assert refused(asked, OTHER.request(9, 12)).size == 4


def test_of_many_that_ask_at_once_one_is_first() -> None:
    """Two branches of one fork, asked for by eight threads at once: one root wins, however long the disk takes."""

    class Slow(CrashingDisk):
        def write(self, name: str, data: bytes) -> None:
            time.sleep(0.01)
            super().write(name, data)

    fork = Log(fork=0, branch=" other")
    for _ in range(3):
        asked = witness(Slow(), LOG)

        def ask(log: Log, asked: Witness = asked) -> tuple[Log, bool]:
            try:
                return log, bool(asked.add_checkpoint(log.request(0, 8)))
            except Refused:
                return log, False

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(ask, [LOG, fork] * 4))
        assert len([log for log, cosigned in answers if cosigned]) == 1
        assert len(answers) == 8


class Http:
    """The application, asked without a network."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def get(self, path: str) -> httpx.Response:
        return asyncio.run(self._ask("GET", path))

    def post(self, path: str, content: bytes) -> httpx.Response:
        return asyncio.run(self._ask("POST", path, content))

    async def _ask(self, method: str, path: str, content: bytes = b"") -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self._app), base_url="http://witness.test") as client:
            return await client.request(method, path, content=content)


# --- HTTP ---------------------------------------------------------------------------------------------------------------


def test_the_answers_over_http() -> None:
    http = Http(create_app(witness(CrashingDisk(), LOG)))
    address = f"/{name_of(LOG.origin)}/checkpoint"
    assert http.get(address).status_code == 404
    assert http.post("/add-checkpoint", content=LOG.request(0, 5)).status_code == 200
    conflict = http.post("/add-checkpoint", content=LOG.request(0, 6))
    assert (conflict.status_code, conflict.headers["content-type"], conflict.text) == (409, "text/x.tlog.size", "5\n")
    same_size = http.post("/add-checkpoint", content=Log(fork=0, branch="x").request(5, 5))
    assert (same_size.status_code, same_size.headers["content-type"].startswith("text/plain")) == (409, True)
    statuses = {
        400: b"nonsense",
        403: LOG.request(5, 6)[:-12] + b"AAAAAAAAAA=\n",
        404: OTHER.request(0, 5),
        422: encode_request(5, (), LOG.note(6)),
    }
    assert {http.post("/add-checkpoint", content=body).status_code: body for body in statuses.values()} == statuses
    assert http.post("/add-checkpoint", content=b"old 0\n" * 20_000).status_code == 400
    assert http.get("/add-checkpoint").status_code == 405
    line = http.post("/add-checkpoint", content=LOG.request(5, 6)).content
    assert http.get(address).content == LOG.note(6) + line
    assert http.get("/0/checkpoint").status_code == 404
    assert http.get("/status").json()["logs"][0]["size"] == 6
    assert http.get("/readyz").status_code == 200


def test_a_disk_that_fails_is_500_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = CrashingDisk()
    http = Http(create_app(witness(disk, LOG)))
    http.post("/add-checkpoint", content=LOG.request(0, 5))

    def full(name: str, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(disk, "write", full)
    assert http.post("/add-checkpoint", content=LOG.request(5, 6)).status_code == 500
    monkeypatch.undo()
    assert http.post("/add-checkpoint", content=LOG.request(5, 6)).status_code == 200


# --- what it keeps ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 5])
def test_every_flipped_bit_and_every_cut_of_what_it_keeps_is_found(size: int) -> None:
    disk = CrashingDisk()
    asked = witness(disk, LOG)
    if size:
        asked.add_checkpoint(LOG.request(0, size))
    name = f"{name_of(LOG.origin)}.log"
    whole = disk.seen[name]
    spoilt = [whole[:at] for at in range(len(whole))]
    spoilt += [whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :] for at in range(len(whole)) for bit in (0, 5)]
    for data in spoilt:
        disk.seen[name] = data
        with pytest.raises(StateLost):
            asked.add_checkpoint(LOG.request(size, 6))
    del disk.seen[name]
    with pytest.raises(StateLost, match="lost"):
        asked.add_checkpoint(LOG.request(0, 6))
    assert Http(create_app(asked)).get("/readyz").status_code == 503
    disk.seen[name] = whole
    asked.add_checkpoint(LOG.request(size, 6))


def test_a_home_is_made_once_followed_once_and_run_once(tmp_path: Path) -> None:
    home = WitnessHome.create(tmp_path / "w", "unit.test/w")
    assert (tmp_path / "w" / "key.json").stat().st_mode & 0o777 == 0o600
    assert home.follow(LOG.key)
    assert not home.follow(LOG.key)
    assert WitnessHome.open(tmp_path / "w").key == home.key
    line = witness_of(home).add_checkpoint(LOG.request(0, 5))
    assert open_note(LOG.note(5) + line, [home.key])
    assert witness_of(WitnessHome.open(tmp_path / "w")).kept(LOG.origin).latest.size == 5
    with pytest.raises(HomeError, match="already"):
        WitnessHome.create(tmp_path / "w", "unit.test/w")
    with pytest.raises(HomeError, match="another key"):
        home.follow(VerifierKey(LOG.origin, ED25519, private("stranger").public_key().public_bytes_raw()))
    with pytest.raises(HomeError, match="space"):
        WitnessHome.create(tmp_path / "v", "two words")
    assert prepare(tmp_path / "w", "unit.test/w", [LOG.key, OTHER.key]).key == home.key
    assert [one.name for one in home.logs()] == [LOG.origin, OTHER.origin]
    with pytest.raises(HomeError, match="another name"):
        prepare(tmp_path / "w", "unit.test/v", [])
    lock = home.lock()
    with pytest.raises(HomeError, match="another witness"):
        WitnessHome.open(tmp_path / "w").lock()
    assert lock


def test_a_log_that_is_let_go_and_followed_again_does_not_begin_anew(tmp_path: Path) -> None:
    home = WitnessHome.create(tmp_path / "w", "unit.test/w")
    home.follow(LOG.key)
    witness_of(home).add_checkpoint(LOG.request(0, 5))
    (home.root / "followed").write_bytes(b"")
    assert home.follow(LOG.key)
    assert witness_of(home).kept(LOG.origin).latest.size == 5


def test_tiles_of_every_size_prove_from_every_older_one(tmp_path: Path) -> None:
    """Where full tiles took the place of partial ones, the proof is cut from them."""
    log = golden_folder() / "log"

    def read(path: str) -> bytes | None:
        return (log / path).read_bytes() if (log / path).exists() else None

    assert width_at(1300, 0, 5) == 20 and read(tile_path(0, 5, 20))
    for old in (1, 255, 256, 257, 700, 1024, 1280, 1299):
        assert consistency_proof(old, 1300, hashes_of(1300, read))
    with pytest.raises(LookupError):
        hashes_of(1300, lambda path: None)(0, 0)
