"""Bundles for auditors: what is in one, every byte of it tried, forgers who know the manifest, exports that are cut off."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from schemas.keys import SigningKey
from schemas.receipts import Refusal, sign_refusal
from schemas.topics import FACTS, FINDINGS, REFUSALS
from services.audit import cli
from services.audit.bundles import NoBundle, check_files
from services.audit.domain.bundle import activated, fingerprint
from services.audit.domain.manifest import MANIFEST, SUMS, ManifestError, parse_manifest
from services.audit.exporting import NotExported, TargetTaken
from tests.unit.audit.bundled import EDITIONS, REGIME, REGISTRAR, WITNESS, BundleWorld, event, genesis, made, remade, signed, wanted
from tests.unit.audit.fakes import VERIFIER
from tests.unit.rating.streams import BOOKS

pytestmark = pytest.mark.sweep
PRINT = fingerprint(genesis())
# Nobody signed these, and no grade rests on them: a forger who writes the manifest again can put what he likes there.
NOT_IN_THE_LOG = ("README.md", "witnesses")


@pytest.fixture(scope="module")
def world() -> BundleWorld:
    """A log of two bundles."""
    one = BundleWorld()
    for number in range(300):
        one.add(FINDINGS, 1, b"operation", b'{"event":%d}' % number)
    one.publish()
    return one


@pytest.fixture(scope="module")
def whole(world: BundleWorld, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its bundle; nobody writes there."""
    return made(tmp_path_factory.mktemp("export") / "bundle", world.store.read).folder


@pytest.fixture
def bundle(whole: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    shutil.copytree(whole, tmp_path / "bundle")
    return tmp_path / "bundle"


def verify(folder: Path, *more: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli.app, ["verify", "--bundle", str(folder), *more])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def names(folder: Path) -> list[str]:
    return sorted(one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file())


def test_what_is_in_it(whole: Path, world: BundleWorld) -> None:
    [stub] = [path for path in world.store.files if path.startswith("oversize/")]  # type: ignore[attr-defined]
    [edition] = [one.folder for one in parse_manifest((whole / MANIFEST).read_bytes()).rulebooks]
    log = {"checkpoint", "tile/0/000", "tile/0/001.p/130", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/130", stub}
    own = {"genesis.json", "keys/log.vkey", "keys/receipts.json", "witnesses", "calendars/000001-CN-2026.json", "README.md"}
    files = EDITIONS[BOOKS[REGIME].sha256]
    assert set(names(whole)) == log | own | {MANIFEST, SUMS} | {f"{edition}/{name}" for name in files}
    assert {path: (whole / path).read_bytes() for path in log} == {path: world.store.files[path] for path in log}  # type: ignore[attr-defined]
    said = parse_manifest((whole / MANIFEST).read_bytes())
    assert (said.size, said.genesis_sha256, said.cosigned_by, said.last_known) == (386, PRINT, (WITNESS.name,), "2025-06-20T01:00:00.008Z")


def test_verified_by_what_the_reader_brings_and_told_where_nothing_was_brought(whole: Path) -> None:
    for pin in (["--genesis-sha256", PRINT.upper()], ["--vkey", VERIFIER.text], ["--vkey", VERIFIER.text, "--genesis-sha256", PRINT]):
        code, said = verify(whole, *pin)
        assert code == 0 and "verified ✓" in said and "nothing but the bundle" not in said, said
    code, said = verify(whole)
    assert code == 0 and "nothing but the bundle itself says" in said and PRINT in said
    code, said = verify(whole, "--genesis-sha256", "0" * 64)
    assert code == 1 and "genesis.json" in said and "another register" in said
    code, said = verify(whole, "--vkey", VERIFIER.text.replace("unit", "other"))
    assert code == 1
    code, said = verify(whole, "--witness", WITNESS.text, "--json")
    assert code == 0 and json.loads(said)["pinned"] is False


def test_a_byte_flipped_anywhere_is_refused_and_the_file_named(bundle: Path) -> None:
    tried = 0
    for name in names(bundle):
        data = (bundle / name).read_bytes()
        # Every byte of what is small; of each other file some twenty.
        for at in range(0, len(data), 1 if len(data) < 500 else len(data) // 20):
            (bundle / name).write_bytes(data[:at] + bytes([data[at] ^ (1 << at % 8)]) + data[at + 1 :])
            _, faults = check_files(bundle)
            assert any(name in (one.where, *one.what.split()) for one in faults), (name, at, faults)
            tried += 1
        (bundle / name).write_bytes(data)
    assert check_files(bundle)[1] == [] and tried > 1_000


def test_a_forger_who_writes_the_manifest_again_is_caught_by_the_signed_tree(bundle: Path, whole: Path) -> None:
    """Of every file that means something some bytes, with manifest and sums made anew; the fault names the file, its tile or its leaf."""
    for name in names(whole):
        if name in NOT_IN_THE_LOG or name in (MANIFEST, SUMS) or name.startswith("rulebooks/"):
            continue
        data = (whole / name).read_bytes()
        for at in (0, len(data) // 2):
            (bundle / name).write_bytes(data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :])
            remade(bundle)
            code, said = verify(bundle, "--genesis-sha256", PRINT)
            assert code == 1, (name, at, said)
            # Of entries and their hashes nothing but the root says which of them were changed.
            tile = name.replace("entries", "0")
            assert name in said or (tile != name and (tile in said or "leaf" in said)), (name, at, said)
        (bundle / name).write_bytes(data)
    remade(bundle)
    assert verify(bundle, "--genesis-sha256", PRINT)[0] == 0


def forged(folder: Path, change: Callable[[dict], object]) -> None:
    said = json.loads((folder / MANIFEST).read_bytes())
    change(said)
    (folder / MANIFEST).write_bytes((json.dumps(said, indent=1, ensure_ascii=False) + "\n").encode())
    remade(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda said: said.update(size=said["size"] - 1),
        lambda said: said.update(root="0" * 64),
        lambda said: said.update(origin="other/log"),
        lambda said: said.update(genesis_sha256="0" * 64),
        lambda said: said.update(sample=True),
        lambda said: said.update(rulebooks=[]),
        lambda said: said["rulebooks"][0].update(sha256="0" * 64),
    ],
)
def test_a_manifest_that_says_otherwise_than_the_log_is_refused(change: Callable[[dict], object], bundle: Path) -> None:
    forged(bundle, change)
    code, said = verify(bundle)
    assert code == 1 and MANIFEST in said


def test_another_rulebook_than_the_activated_one_is_refused(bundle: Path) -> None:
    [scores] = [one for one in names(bundle) if one.endswith("/scores.yaml")]
    (bundle / scores).write_text((bundle / scores).read_text().replace("value: 98", "value: 97"))
    remade(bundle)
    code, said = verify(bundle)
    assert code == 1 and scores.rpartition("/")[0] in said and "its digest is" in said


def test_what_is_missing_or_was_put_there_is_named(bundle: Path) -> None:
    (bundle / "tile" / "extra").write_text("x")
    (bundle / "linked").symlink_to("/etc/passwd")
    (bundle / "keys" / "log.vkey").rename(bundle / "keys" / "kept")
    (bundle / "keys" / "log.vkey").symlink_to("kept")
    (bundle / "witnesses").unlink()
    assert {one.where for one in check_files(bundle)[1]} == {"tile/extra", "linked", "keys/log.vkey", "keys/kept", "witnesses"}
    (bundle / SUMS).unlink()
    assert SUMS in {one.where for one in check_files(bundle)[1]}
    (bundle / MANIFEST).unlink()
    with pytest.raises(NoBundle, match=MANIFEST):
        check_files(bundle)


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a//b", "a/./b", "C:x", "a\\b", "", MANIFEST])
def test_a_manifest_names_no_file_outside_the_bundle(path: str, whole: Path) -> None:
    said = json.loads((whole / MANIFEST).read_bytes())
    said["files"][0]["path"] = path
    with pytest.raises(ManifestError):
        parse_manifest(json.dumps(said).encode())


def contents(folder: Path) -> dict[str, bytes]:
    return {path: (folder / path).read_bytes() for path in names(folder)}


def test_cut_off_after_each_read_the_next_run_goes_on_with_its_checkpoint_though_the_log_has_grown(tmp_path: Path) -> None:
    """Partial tiles give way to full ones, the checkpoint to a newer one."""
    world = BundleWorld()
    for number in range(280):
        world.add(FINDINGS, 1, b"operation", b'{"event":%d}' % number)
    world.publish()
    alone = contents(made(tmp_path / "alone", world.store.read).folder)
    assert "tile/0/001.p/110" in alone
    left = 0

    class Cut(Exception):
        pass

    def cut(path: str) -> bytes | None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Cut
        return world.store.read(path)

    cuts = 0
    while True:
        left = 2
        try:
            found = made(tmp_path / "cut", cut)
            break
        except Cut:
            cuts += 1
            assert not (tmp_path / "cut").exists() and (tmp_path / "cut.partial").is_dir()
        if cuts == 1:
            for number in range(300):
                world.add(FINDINGS, 2, None, b"%d" % number)
            world.publish()
            assert world.store.read("tile/entries/001.p/110") is None
    assert cuts > 1 and found.resumed and contents(tmp_path / "cut") == alone
    assert not (tmp_path / "cut.partial").exists()


@pytest.mark.parametrize("step", ["fsync", "rename"])
def test_a_full_disk_or_a_crash_at_any_write_leaves_no_bundle_and_can_be_gone_on_from(
    step: str, world: BundleWorld, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, owner = 0, os if step == "fsync" else Path
    real = getattr(owner, step)

    def failing(*given: object) -> object:
        nonlocal steps
        steps += 1
        if steps == at:
            raise OSError(28, "No space left on device")
        return real(*given)

    monkeypatch.setattr(owner, step, failing)
    at = 0
    while True:
        at, steps = at + 1, 0
        shutil.rmtree(tmp_path / "bundle.partial", ignore_errors=True)
        try:
            made(tmp_path / "bundle", world.store.read)
            break
        except OSError:
            # The last one syncs the folder above: the bundle has its name by then.
            if not (tmp_path / "bundle").exists():
                at, steps, before = -1, 0, at
                made(tmp_path / "bundle", world.store.read)
                at = before
            assert contents(tmp_path / "bundle") == contents(whole)
            shutil.rmtree(tmp_path / "bundle")
    assert at > 20


def test_what_a_run_before_left_is_not_trusted(world: BundleWorld, whole: Path, tmp_path: Path) -> None:
    partial = tmp_path / "bundle.partial"
    shutil.copytree(whole, partial)
    (partial / "tile" / "0" / "000").write_bytes(b"not a tile")
    (partial / "left.arriving").write_bytes(b"half")
    (partial / "empty").mkdir()
    made(tmp_path / "bundle", world.store.read)
    assert check_files(tmp_path / "bundle")[1] == [] and names(tmp_path / "bundle") == names(whole)
    assert not (tmp_path / "bundle" / "empty").exists()
    shutil.copytree(whole, partial)
    entries = (partial / "tile" / "entries" / "000").read_bytes()
    (partial / "tile" / "entries" / "000").write_bytes(entries[:-1] + bytes([entries[-1] ^ 1]))
    with pytest.raises(NotExported, match=r"delete .*other\.partial|do not lead to the root"):
        partial.rename(tmp_path / "other.partial")
        made(tmp_path / "other", world.store.read)


def test_a_log_that_is_damaged_is_not_exported(tmp_path: Path) -> None:
    world = BundleWorld()
    world.publish()
    files = world.store.files  # type: ignore[attr-defined]
    for path in [one for one in files if one.startswith(("tile/entries/", "oversize/"))]:
        for data in (None, files[path][:-1], files[path][:-1] + bytes([files[path][-1] ^ 1])):
            shutil.rmtree(tmp_path / "bundle.partial", ignore_errors=True)
            with pytest.raises(NotExported, match="mingjian verify"):
                made(tmp_path / "bundle", lambda name, path=path, data=data: data if name == path else files.get(name))
            assert not (tmp_path / "bundle").exists()


def test_what_can_not_be_exported_says_why(world: BundleWorld, tmp_path: Path) -> None:
    read = world.store.read
    with pytest.raises(NotExported, match="no edition of liyujiang at hand has the digest"):
        made(tmp_path / "a", read, editions={})
    with pytest.raises(NotExported, match="another genesis event"):
        made(tmp_path / "b", read, genesis=genesis() | {"subject": "stack:other"})
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "mine").write_text("x")
    for target in (tmp_path / "c", tmp_path / "c" / "mine", tmp_path / "nowhere" / "d"):
        with pytest.raises(TargetTaken):
            made(target, read)
    assert [one.name for one in (tmp_path / "c").iterdir()] == ["mine"]
    (tmp_path / "e").mkdir()
    assert made(tmp_path / "e", read).folder == tmp_path / "e"
    (tmp_path / "f.partial").mkdir()
    handle = os.open(tmp_path / "f.partial", os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with pytest.raises(TargetTaken, match="another export"):
        made(tmp_path / "f", read)
    os.close(handle)


@pytest.mark.skipif(importlib.util.find_spec("obstore") is None, reason="obstore is not installed")
def test_from_an_object_store_it_is_the_same(world: BundleWorld, whole: Path, tmp_path: Path) -> None:
    import obstore

    from services.audit.adapters.objects import ObjectStore

    store = obstore.store.MemoryStore()
    for path, data in world.store.files.items():  # type: ignore[attr-defined]
        obstore.put(store, path, data)
    made(tmp_path / "bundle", ObjectStore(store).read)
    assert (tmp_path / "bundle" / SUMS).read_bytes() == (whole / SUMS).read_bytes()


def test_a_forged_signature_inside_a_bundle_is_found(tmp_path: Path) -> None:
    """An operator who signs another tree with the log's own key has still not the officers' keys."""
    world = BundleWorld()
    fine = next(one for one in world.kafka[FACTS, 1] if one.key != b"control" and b"2024" in (one.value or b""))
    world.add(FACTS, 1, fine.key, (fine.value or b"").replace(b"2024", b"2023"))
    world.publish()
    made(tmp_path / "bundle", world.store.read)
    code, said = verify(tmp_path / "bundle", "--genesis-sha256", PRINT)
    assert code == 1 and f"signature: {FACTS} 1:" in said


def test_a_refusal_that_intake_did_not_sign_is_found(tmp_path: Path) -> None:
    named = {"source": "/departments/drug/offices/liyujiang", "id": "x", "event_hash": "0" * 64, "key_id": "0" * 32, "reason": "r"}
    refusal = Refusal(**named, received_at="2026-01-01T00:00:00.000Z", detail_en="e", detail_zh="z")
    world = BundleWorld()
    world.add(REFUSALS, 2, b"x", orjson.dumps(sign_refusal(refusal, REGISTRAR)))
    world.publish()
    assert verify(made(tmp_path / "good", world.store.read).folder, "--genesis-sha256", PRINT)[0] == 0
    world.add(REFUSALS, 2, b"x", orjson.dumps(sign_refusal(refusal, SigningKey.from_seed(b"another".ljust(32, b".")))))
    world.add(REFUSALS, 2, b"x", b"no refusal")
    world.publish()
    code, said = verify(made(tmp_path / "bad", world.store.read).folder, "--genesis-sha256", PRINT)
    assert code == 1 and f"{REFUSALS} 2:1" in said and f"{REFUSALS} 2:2" in said and f"{REFUSALS} 2:0" not in said


def test_an_activation_that_nobody_can_hold_is_passed_over_and_the_last_one_comes_first() -> None:
    def active(number: int, sha256: str, version: str = "2026.1", **more: str) -> bytes:
        data = {"regime": "r", "version": version, "sha256": sha256, "in_force_from": "2026-01-01"} | more
        return signed(event(number, "rulebook.activated", "regime:r", data))

    one, two = "1" * 64, "2" * 64
    registry = {
        0: signed(genesis()),
        1: active(1, one),
        2: active(2, two, in_force_from="2026-02-01"),
        3: active(3, "../" + "3" * 61),
        4: active(4, one, version="../../x"),
        5: active(5, one, regime="../r"),
        6: active(1, two),
        7: None,
    }
    assert [(each.sha256, each.offset) for each in activated(registry)] == [(two, 2), (one, 1)]
    registry[8] = active(8, one, in_force_from="2026-03-01")
    assert [(each.sha256, each.offset) for each in activated(registry)] == [(one, 1), (two, 2)]
    assert hashlib.sha256(b"").hexdigest() not in {each.sha256 for each in activated(registry)}
    assert wanted().software == "0.0"
