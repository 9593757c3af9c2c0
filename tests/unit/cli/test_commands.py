"""The commands that need no stack: clear sentences, exit codes that tell apart, nothing made where nothing was asked for."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from schemas.events import CATALOGUE
from schemas.keys import SigningKey, b64
from schemas.receipts import verify_signed
from services._cli.home import Home, KnownOfficer
from services._cli.main import main
from services._cli.sample.bootstrap import schemes_of
from tests.stack_fixtures import reserved_ports
from tests.unit.cli.test_delivery import counter

pytestmark = pytest.mark.sweep


def mingjian(home: Path, *words: str, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    """The command within this process: starting Python for each would cost more than the commands do."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("MINGJIAN_")}
    # A range of ports at which nothing listens.
    env |= {"MINGJIAN_HOME": str(home), "MINGJIAN_LANG": "en", "MINGJIAN_PORT_BASE": "1100"} | more
    out, err, code = io.StringIO(), io.StringIO(), 0
    with ExitStack() as these:
        these.enter_context(mock.patch.dict(os.environ, env, clear=True))
        these.enter_context(mock.patch.multiple(sys, argv=["mingjian", *words], stdin=io.StringIO(stdin)))
        these.enter_context(redirect_stdout(out))
        these.enter_context(redirect_stderr(err))
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("event", "new", "inspection.recordd"), 2, "near it: inspection.recorded"),
        (("sign", "none.json"), 2, "no officer's key lies in"),
        (("sign", "none.json", "--key", "none.key"), 2, "there is no file none.json"),
        (("send", "none.json"), 2, "there is no file none.json"),
        (("submit", "none.jsonl"), 2, "there is no file none.jsonl"),
        (("import", "fhrs", "none.csv"), 2, "there is no file none.csv"),
        (("explain", "uscc:1"), 2, "is not a subject"),
        (("explain", "fhrs:1"), 5, "nothing answers at http://127.0.0.1:1111"),
        (("findings",), 3, "holds no stack yet"),
        (("enter",), 3, "holds no stack yet"),
        (("officer", "enrol", "Zhang San", "--office", "/departments/d/offices/o"), 2, "is not a pseudonym"),
        (("officer", "enrol", "r07", "--office", "the office"), 2, "is not an office"),
        (("key", "new", "k.json", "--alg", "RSA"), 2, "choose Ed25519 or ES256"),
    ],
)
def test_what_can_t_be_done_is_one_sentence_and_a_code_and_leaves_nothing(
    tmp_path: Path, words: tuple[str, ...], code: int, sentence: str
) -> None:
    done = mingjian(tmp_path / "home", *words)
    assert done.returncode == code, done.stderr
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "home").exists()


def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "k.json"
    assert mingjian(tmp_path, "key", "new", str(path)).returncode == 0
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_bytes()
    again = mingjian(tmp_path, "key", "new", str(path))
    assert again.returncode == 2 and "never overwritten" in again.stderr
    assert path.read_bytes() == before


@pytest.mark.parametrize("alg", ["Ed25519", "ES256"])
def test_a_skeleton_filled_and_signed_by_the_home_s_officer_is_a_submission_that_verifies(tmp_path: Path, alg: str) -> None:
    key = SigningKey.generate(alg)
    key.save(tmp_path / "keys/officers/r07.json")
    Home(tmp_path).remember(KnownOfficer("officer:r07", "/departments/d/offices/o", "officer", ["desk"], "keys/officers/r07.json"))
    text = mingjian(tmp_path, "event", "new", "operation.started").stdout
    filled = text.replace('"subject": "<', '"subject": "fhrs:12", // "was": "<').replace("<date such as 2026-01-15>", "2026-01-15")
    # A comment has a line of its own: the slip above is named, not swallowed.
    assert mingjian(tmp_path, "sign", "-", stdin=filled).returncode == 2
    lines = [line if '"subject"' not in line else '  "subject": "fhrs:12",' for line in text.splitlines()]
    done = mingjian(tmp_path, "sign", "-", stdin="\n".join(lines).replace("<date such as 2026-01-15>", "2026-01-15"))
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert made["event"]["source"] == "/departments/d/offices/o"
    assert verify_signed(made, "event", alg, key.raw_public)
    assert made["signature"]["key_id"] == key.key_id and b64(key.raw_public) in json.dumps(key.public_object())


def test_reset_deletes_no_folder_that_is_not_a_stack_s(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("dear")
    done = mingjian(tmp_path, "reset", "--yes")
    assert done.returncode == 2 and "doesn't look like a stack" in done.stderr
    assert (tmp_path / "letters.txt").exists()


def test_reset_takes_a_folder_named_run_for_no_stack_and_leaves_what_a_stack_did_not_write(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "fast.txt").write_text("dear")
    done = mingjian(tmp_path, "reset", "--yes")
    assert done.returncode == 2 and (tmp_path / "run" / "fast.txt").exists()
    (tmp_path / "letters.txt").write_text("dear")
    assert mingjian(tmp_path, "init").returncode == 0
    done = mingjian(tmp_path, "reset", "--yes", MINGJIAN_KAFKA="kafka.example:9092")
    assert done.returncode == 0 and "left alone: letters.txt" in done.stdout
    assert "the Kafka of MINGJIAN_KAFKA still holds its topics" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]


def test_reset_deletes_the_folder_that_held_a_stack_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert mingjian(home, "init").returncode == 0
    assert home.stat().st_mode & 0o777 == 0o700
    assert mingjian(home, "reset", "--yes").returncode == 0
    assert not home.exists()


def signed_submission(home: Path, number: int) -> dict[str, Any]:
    draft = {
        "type": "mingjian.operation.started.v1",
        "source": "/departments/d/offices/o",
        "subject": f"fhrs:{number}",
        "data": {"occurred_on": "2026-01-15"},
    }
    if not (home / "k.json").exists():
        SigningKey.generate().save(home / "k.json")
    done = mingjian(home, "sign", "-", "--key", str(home / "k.json"), stdin=json.dumps(draft))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("words", "stdin", "sentence"),
    [
        (("import", "fhrs", "{folder}"), "", "{folder} can't be read: Is a directory"),
        (("sign", "{folder}", "--key", "{folder}/k.json"), "", "{folder} can't be read: Is a directory"),
        (("sign", "-", "--key", "{folder}"), "{}", "{folder} can't be read: Is a directory"),
        (("submit", "{folder}"), "", "{folder} can't be read: Is a directory"),
        (("key", "new", "{folder}/k.json/new.json"), "", "{folder}/k.json: File exists"),
        (("key", "new", "/proc/k.json"), "", "/proc/k.json: No such file or directory"),
        (("--home", "{folder}/k.json/home", "init"), "", "Not a directory"),
        (
            ("send",),
            '{"event": {"subject": "fhrs:1", "data": {"n": 123456789012345678901234567890}}, "signature": {}}',
            "can't have been signed",
        ),
        (("send",), '{"event": 3, "signature": {}}', "is not signed"),
        (("submit", "{folder}/three.jsonl"), "", "three.jsonl, line 2: not a signed submission"),
    ],
)
def test_what_can_not_be_read_or_written_is_a_sentence_and_no_traceback(
    tmp_path: Path, words: tuple[str, ...], stdin: str, sentence: str
) -> None:
    SigningKey.generate().save(tmp_path / "k.json")
    (tmp_path / "three.jsonl").write_text("\n3\n")
    done = mingjian(tmp_path, *(word.format(folder=tmp_path) for word in words), stdin=stdin)
    assert done.returncode in (1, 2)
    assert sentence.format(folder=tmp_path) in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_submit_goes_on_after_a_receipt_that_was_cut_off_and_names_lines_as_they_stand(tmp_path: Path) -> None:
    made = [signed_submission(tmp_path, number) for number in range(3)]
    file, kept = tmp_path / "many.jsonl", tmp_path / "many.receipts.jsonl"
    file.write_text("\n".join(["", json.dumps(made[0]), "", json.dumps(made[1]), json.dumps(made[2]), ""]))

    def told(one: dict[str, Any]) -> dict[str, Any]:
        return {"receipt": {"source": one["source"], "id": one["id"]}, "signature": {}}

    whole = json.dumps(told(made[0]["event"])) + "\n"
    kept.write_text(whole + json.dumps(told(made[1]["event"]))[:40])
    bodies: list[dict[str, Any]] = []

    def script(number: int, ids: list[str]) -> tuple[int, object]:
        events = [one["event"] for one in bodies[-1]["events"]]
        wrong = {"status": 422, "problem": {"title": "wrong"}}
        return 200, {"results": [wrong if one["id"] == made[2]["event"]["id"] else {"status": 201, "receipt": told(one)} for one in events]}

    with counter(script, bodies) as (url, asked):
        done = mingjian(tmp_path, "submit", str(file), MINGJIAN_INTAKE_URL=url)
    assert asked == [[made[1]["event"]["id"], made[2]["event"]["id"]]]
    assert done.returncode == 4 and "line 5: refused (422): wrong" in done.stderr
    assert [json.loads(line)["receipt"]["id"] for line in kept.read_text().splitlines()] == [one["event"]["id"] for one in made[:2]]


@contextmanager
def answering(fingerprint: str) -> Iterator[int]:
    """Something that says on every port of a stack's services that it is ready and of this genesis; the base of the ports."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"ready": True, "reasons": [], "lag": 0, "fingerprint": fingerprint}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            return

    with reserved_ports() as ports, ExitStack() as these:
        for name in ("intake", "publication", "audit", "rating"):
            server = these.enter_context(ThreadingHTTPServer(("127.0.0.1", ports.service(name)), Handler))
            threading.Thread(target=server.serve_forever, daemon=True).start()
            these.callback(server.shutdown)
        yield ports.base


def test_status_takes_no_other_stack_for_this_home_s(tmp_path: Path) -> None:
    own = mingjian(tmp_path, "init").stdout.strip()
    with answering("f" * 64) as base:
        done = mingjian(tmp_path, "status", MINGJIAN_PORT_BASE=str(base))
        told = json.loads(mingjian(tmp_path, "status", "--json", MINGJIAN_PORT_BASE=str(base)).stdout)
    assert done.returncode == 3
    assert f"another stack answers at these addresses: its genesis is {'f' * 12}…, this home's is {own[:12]}…" in done.stdout
    assert (told["ready"], told["genesis"]) == (False, {"home": own, "answering": "f" * 64})
    with answering(own) as base:
        assert mingjian(tmp_path, "status", MINGJIAN_PORT_BASE=str(base)).returncode == 0


def test_status_of_nothing_is_not_ready_and_has_the_shape_that_scripts_rely_on(tmp_path: Path) -> None:
    done = mingjian(tmp_path, "status", "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 3
    assert told["ready"] is False and told["lag"] is None
    assert set(told["endpoints"]) == {"intake", "publication", "audit"}
    assert told["log"] == {"dir": str(tmp_path / "log"), "vkey": None}


def test_a_command_that_asks_no_service_s_code_loads_none() -> None:
    code = "import sys, services._cli.main; print([name for name in ('fastapi', 'faust', 'holidays') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_the_help_names_every_command_also_those_of_the_services() -> None:
    done = subprocess.run([sys.executable, "-m", "services._cli.main", "--help"], capture_output=True, text=True, timeout=60, check=True)
    for name in ("init", "up", "down", "status", "doctor", "reset", "sign", "send", "watch", "explain", "sample", "import", "verify"):
        assert f" {name} " in done.stdout, name


@pytest.mark.parametrize("role", ["officer", "approver", "auditor", "importer"])
def test_by_default_a_role_covers_what_its_events_are_about(role: str) -> None:
    schemes = set(schemes_of(role))
    for row in CATALOGUE.values():
        if role in row.roles:
            assert schemes & set(row.subjects), f"{role} can't enter {row.name}"
