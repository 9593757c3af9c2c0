"""The log's files over HTTP: byte for byte, kept as long as they last, and nothing else of the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.audit.web.files import EACH_TIME, FOR_EVER, OWN_FOR_EVER, OWN_SHORTLY, SHORTLY
from tests.unit.audit.test_proofs import Client, Setting, World

A = ("mingjian.facts.v1", 0)


@pytest.fixture
def served(tmp_path: Path) -> tuple[Client, dict[str, bytes], dict[str, str]]:
    """The application, the files, and an auditor's cookie."""
    world = World(kafka={A: []})
    world.say(A, 300, 8)
    world.run(world.writer())
    setting = Setting(world, tmp_path)
    client = setting.client()
    return client, world.store.files, setting.auditor()  # type: ignore[attr-defined]


def test_every_file_of_the_log_is_served_as_it_stands(served: tuple[Client, dict[str, bytes], dict[str, str]]) -> None:
    client, files, auditor = served
    assert {"checkpoint", "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/44"} == set(files)
    for path, data in files.items():
        said = client.get(f"/{path}", headers=auditor)
        assert (said.status_code, said.content) == (200, data), path
        assert said.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    ("path", "caching", "media"),
    [
        ("checkpoint", EACH_TIME, "text/plain; charset=utf-8"),
        ("tile/0/000", FOR_EVER, "application/octet-stream"),
        ("tile/0/001.p/44", SHORTLY, "application/octet-stream"),
        ("tile/entries/000", OWN_FOR_EVER, "application/octet-stream"),
        ("tile/entries/001.p/44", OWN_SHORTLY, "application/octet-stream"),
    ],
)
def test_each_is_kept_as_long_as_it_lasts(
    path: str, caching: str, media: str, served: tuple[Client, dict[str, bytes], dict[str, str]]
) -> None:
    client, files, auditor = served
    first = client.get(f"/{path}", headers=auditor)
    assert (first.headers["cache-control"], first.headers["content-type"]) == (caching, media)
    for named in (first.headers["etag"], f'"other", W/{first.headers["etag"]}', "*"):
        again = client.get(f"/{path}", headers=auditor | {"if-none-match": named})
        assert (again.status_code, again.content) == (304, b"")
        assert (again.headers["etag"], again.headers["cache-control"]) == (first.headers["etag"], caching)
    files[path] = files[path][:-1] + bytes([files[path][-1] ^ 1])
    changed = client.get(f"/{path}", headers=auditor | {"if-none-match": first.headers["etag"]})
    assert changed.status_code == 200 and changed.content == files[path]


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/../../../etc/passwd",
        "tile/0/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "tile/entries/..%2f..%2fcheckpoint",
        "tile/0/000.p/256",
        "tile/0/999",
        "tile/64/000",
        "tile//0/000",
        "oversize/01/" + "0" * 64,
        "oversize/00/" + "0" * 63,
        "oversize/00",
        "checkpoint/",
        "checkpoint.tmp",
    ],
)
def test_there_is_nothing_at_any_other_path(path: str, served: tuple[Client, dict[str, bytes], dict[str, str]]) -> None:
    client, files, auditor = served
    files["../../etc/passwd"] = files["oversize/01/" + "0" * 64] = files["oversize/00/" + "0" * 63] = b"secret"
    said = client.get(f"/{path}", headers=auditor)
    assert said.status_code in (404, 307) and b"secret" not in said.content


def test_entry_bundles_are_for_auditors_also_where_they_have_not_changed(
    served: tuple[Client, dict[str, bytes], dict[str, str]],
) -> None:
    client, _, auditor = served
    etag = client.get("/tile/entries/000", headers=auditor).headers["etag"]
    for headers in ({}, {"if-none-match": etag}, {"if-none-match": "*"}):
        assert client.get("/tile/entries/000", headers=headers).status_code == 401


def test_what_is_too_long_for_an_entry_is_for_auditors(served: tuple[Client, dict[str, bytes], dict[str, str]]) -> None:
    client, files, auditor = served
    path = "oversize/ab/" + "ab" * 32
    files[path] = b"a whole record"
    assert client.get(f"/{path}").status_code == 401
    said = client.get(f"/{path}", headers=auditor)
    assert (said.status_code, said.content, said.headers["cache-control"]) == (200, files[path], OWN_FOR_EVER)
