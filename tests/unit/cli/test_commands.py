"""The commands that need no stack: clear sentences, exit codes that tell apart, nothing made where nothing was asked for."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

import pytest

from schemas.keys import SigningKey, b64
from schemas.receipts import verify_signed
from services._cli.home import Home, KnownOfficer
from services._cli.main import main


def mingjian(home: Path, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """The command within this process: starting Python for each would cost more than the commands do."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("MINGJIAN_")}
    # A range of ports at which nothing listens.
    env |= {"MINGJIAN_HOME": str(home), "MINGJIAN_LANG": "en", "MINGJIAN_PORT_BASE": "1100"}
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
