"""Replays of a bundle: rating's own reader of leaves against the log's writer, the digest of the other drivers, grades told otherwise."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from typer.testing import CliRunner

from schemas.topics import FACTS, GRADES
from services.audit.domain.frame import MAX_ENTRY_BYTES, Record, encode_whole
from services.rating import cli
from services.rating.adapters.leaves import Bundle, BundleDamaged, record_of
from services.rating.domain.digest import digest_of
from services.rating.domain.emit import TYPE
from services.rating.domain.facts import CONTROLS
from tests.cases.chain import CHAIN, Town
from tests.cases.chain import REGIME as CHAINS
from tests.cases.ledger import RULEBOOKS, shop
from tests.unit.audit.bundled import REGIME, BundleWorld, event, made, partition_of, signed
from tests.unit.audit.test_frame import records
from tests.unit.rating.streams import Sent, stream
from tests.unit.rating.test_digests import bulk, gathered

pytestmark = pytest.mark.sweep
GOOD, FINED = "uscc:91350100M00000000X", "uscc:91350100M00000100X"


@settings(max_examples=300)
@given(records)
def test_a_leaf_is_read_as_the_log_wrote_it(record: Record) -> None:
    offset, timestamp, key, value, headers = record_of(encode_whole(record))
    assert (offset, timestamp, key, value, tuple(headers)) == (record.offset, record.timestamp, record.key, record.value, record.headers)


def test_frames_that_the_log_would_not_write_are_refused() -> None:
    frame = encode_whole(Record(FACTS, 1, 2, 3, 0, b"key", (("ce_id", b"x"),), b"{}"))
    for spoiled in (frame[:-1], frame + b"x", b"\x02" + frame[1:], frame[:1] + b"\x01" + frame[2:], b""):
        with pytest.raises((ValueError, IndexError)) as raised:
            record_of(spoiled)
        assert raised.value
    wide = Record(FACTS, 1, 2, 3, 0, None, (("n" * 70_000, b"x"),), None)
    assert record_of(encode_whole(wide))[4] == [("n" * 70_000, b"x")] and len(encode_whole(wide)) > MAX_ENTRY_BYTES


def exported(folder: Path, change: Callable[[BundleWorld], object] = lambda world: None, **more: object) -> Path:
    """A bundle of a log that came about with this change to what stands on Kafka."""
    folder.mkdir(exist_ok=True)
    world = BundleWorld(**more)  # type: ignore[arg-type]
    change(world)
    world.publish()
    return made(folder / "bundle", world.store.read).folder


def replay(folder: Path, *more: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli.app, ["replay", "--bundle", str(folder), "--cores", "2", *more])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def digest_in(said: str) -> str:
    return re.search(r"^digest ([0-9a-f]{64})$", said, re.M)[1]  # type: ignore[index]


def test_the_digest_is_that_of_the_other_drivers_whole_and_at_an_instant(tmp_path: Path) -> None:
    world = BundleWorld()
    folder = exported(tmp_path)
    lines = [line for partition in (0, 1) for line in bulk(gathered(world.sent[partition])).lines]
    code, said = replay(folder)
    assert code == 0 and digest_in(said) == digest_of(lines) and "2 grades are those" in said
    assert "A 1, D 1" in said and "as known at 2025-06-20T01:00:00.008Z" in said
    code, said = replay(folder, "--known-at", "2025-06-12T00:00:00Z")
    assert code == 0 and "2 grades are those" in said and "A 2" in said
    code, said = replay(folder, "--known-at", "2004-02-01T00:00:00Z")
    assert code == 0 and "nobody is rated" in said
    sequence = [line for partition in (0, 1) for line in bulk(gathered(world.sent[partition]), sequence=True).lines]
    code, said = replay(folder, "--sequence")
    assert code == 0 and digest_in(said) == digest_of(sequence) and "were not compared" in said


def test_another_day_and_another_rulebook_can_be_asked_for(tmp_path: Path) -> None:
    folder = exported(tmp_path)
    code, said = replay(folder, "--as-of", "2025-05-01", "--json", str(tmp_path / "lines"))
    assert code == 0 and "A 2" in said and "were not compared" in said
    *lines, last = (tmp_path / "lines").read_bytes().splitlines()
    assert orjson.loads(last)["digest"] == digest_of(lines) and orjson.loads(last)["root"] in said
    code, said = replay(folder, "--rulebook-file", str(RULEBOOKS / REGIME))
    assert code == 0 and "A 1, D 1" in said and "were not compared" in said
    assert replay(folder, "--regime", REGIME)[0] == 0
    code, said = replay(folder, "--regime", "nowhere")
    assert code == 2 and f"it has {REGIME}" in said


def of(world: BundleWorld, partition: int) -> int:
    """The place of the last grade in force that was told there."""
    records = world.kafka[GRADES, partition]
    return max(number for number, one in enumerate(records) if json.loads(one.value or b"")["event"]["type"] == TYPE)


def edited(world: BundleWorld) -> None:
    at = of(world, 1)
    one = world.kafka[GRADES, 1][at]
    value = (one.value or b"").replace(b'"grade":"D"', b'"grade":"A"')
    assert value != one.value
    world.kafka[GRADES, 1][at] = replace(one, value=value)


def withheld(world: BundleWorld) -> None:
    del world.kafka[GRADES, 1][of(world, 1) :]


def invented(world: BundleWorld) -> None:
    """A grade of somebody of whom no fact tells."""
    one = world.kafka[GRADES, 0][of(world, 0)]
    world.add(GRADES, 0, b"x", (one.value or b"").replace(GOOD.encode(), b"uscc:91350100M99999900X"), stamp=one.timestamp)


def rephrased(world: BundleWorld) -> None:
    """A grade that is right, with a clause that is not."""
    at = of(world, 1)
    one = world.kafka[GRADES, 1][at]
    said = json.loads(one.value or b"")
    said["event"]["data"]["clauses"] = ["一"]
    world.kafka[GRADES, 1][at] = replace(one, value=orjson.dumps(said))


@pytest.mark.parametrize(("change", "subject", "words"), [
    (edited, FINED, "told A since 2025-06-20"),
    (withheld, FINED, "the facts lead to D since 2025-06-20"),
    (invented, "uscc:91350100M99999900X", "the facts lead to no grade"),
    (rephrased, FINED, "told D since 2025-06-20"),
])  # fmt: skip
def test_a_grade_that_does_not_follow_from_the_facts_is_named(
    change: Callable[[BundleWorld], None], subject: str, words: str, tmp_path: Path
) -> None:
    def changed(world: BundleWorld) -> None:
        change(world)
        # A day after, another partition's fact: rating had its time.
        later(world)

    code, said = replay(exported(tmp_path, changed))
    assert code == 1 and f"differs: {subject} {REGIME}: " in said and words in said, said
    assert "1 of " in said and "are not those that the log says were told" in said


def later(world: BundleWorld) -> None:
    """A day after the end, a fact of the good shop that changes nothing."""
    fact = event(
        77, "inspection.recorded", GOOD, {"occurred_on": "2025-06-21", "kind": "routine", "mode": "on_site", "outcome": "compliant"}
    )
    headers = (("ce_id", fact["id"].encode()), ("ce_type", fact["type"].encode()))
    world.add(FACTS, 0, GOOD.encode(), signed(fact), headers, 1_750_500_000_000)


def test_what_rating_had_not_come_to_is_said_and_is_no_difference(tmp_path: Path) -> None:
    code, said = replay(exported(tmp_path, withheld))
    assert code == 0 and "1 grades follow from facts that rating had not come to" in said and FINED in said
    assert "1 grades are those that the log says were told" in said


def test_what_the_day_alone_brings_is_told_when_it_closes_and_is_no_difference(tmp_path: Path) -> None:
    """An evaluation dated ahead has come, by another partition's fact, and no day has closed since."""
    good, other = shop(approving=True), shop(approving=True)
    for one in (good, other):
        one.inspected("2024-04-01")
        one.scored(2024, "98")
        one.evaluated(2024)
        one.approved("A", "2025-02-10")
        one.fined("2025-06-10")
        one.approved("D", "2025-06-20")
    good.evaluated(2025, on="2026-01-15", known="2025-12-30")
    other.evaluated(2025, on="2026-01-15", known="2025-12-30")
    other.inspected("2026-01-16")
    folder = exported(tmp_path, every=stream([good, other]))
    code, said = replay(folder)
    assert code == 0 and "2 grades are those that the log says were told" in said, said


def test_a_chain_that_is_rated_by_its_shops_is_compared_too(tmp_path: Path) -> None:
    town = Town(10).graded("AAAAAAAABB", 2023).graded("AAAAAAABBC", 2024).close("2025-01-20")
    sent = [Sent(None, one) for one in town.shops[0].facts if one.name in CONTROLS]
    sent += [Sent(ledger.subject, one) for ledger in town.ledgers() for one in ledger.facts if one.name not in CONTROLS]
    sent.sort(key=lambda one: one.fact.known)
    folder = exported(tmp_path, every=sent, regime=CHAINS)
    code, said = replay(folder, "--json", str(tmp_path / "lines"))
    told = orjson.loads((tmp_path / "lines").read_bytes().splitlines()[-1])["told"]
    assert code == 0 and (told["compared"], told["differences"]) == (11, []), said
    code, said = replay(
        exported(tmp_path / "less", lambda world: world.kafka[GRADES, partition_of(CHAIN)].pop(), every=sent, regime=CHAINS)
    )
    assert code == 1 and f"differs: {CHAIN} {CHAINS}: " in said, said


def test_a_bundle_that_is_damaged_is_not_replayed_and_the_file_is_named(tmp_path: Path) -> None:
    whole = exported(tmp_path)
    bundle = tmp_path / "spoiled"
    for path in [one for one in sorted(whole.rglob("*")) if one.is_file()]:
        name = path.relative_to(whole).as_posix()
        if name in ("checkpoint", "SHA256SUMS", "manifest.json") or name.startswith(("tile/0", "tile/1")):
            continue
        shutil.copytree(whole, bundle)
        data = (bundle / name).read_bytes()
        (bundle / name).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        with pytest.raises(BundleDamaged, match=name):
            Bundle.opened(bundle)
        (bundle / name).unlink()
        with pytest.raises(BundleDamaged, match=name):
            Bundle.opened(bundle)
        shutil.rmtree(bundle)
    code, said = replay(tmp_path)
    assert code == 1 and "is no bundle" in said
    said_of = json.loads((whole / "manifest.json").read_text())
    for spoiled in ({"format": "x"}, {"size": "9"}, {"files": [{}]}, {"last_known": "2025-01-01T00:00:00.000Z"}):
        (whole / "manifest.json").write_text(json.dumps(said_of | spoiled))
        code, said = replay(whole)
        assert code == 1 and "manifest.json" in said, spoiled
    (whole / "manifest.json").write_text("[]")
    assert replay(whole)[0] == 1


def test_a_hole_in_a_partition_is_no_smaller_history(tmp_path: Path) -> None:
    world = BundleWorld()
    world.kafka[FACTS, 1] = [replace(one, offset=one.offset + (one.offset > 3)) for one in world.kafka[FACTS, 1]]
    writer = world.writer()
    writer.append({place: records for place, records in world.kafka.items() if place != (FACTS, 1)})
    writer.append({(FACTS, 1): world.kafka[FACTS, 1][:4]})
    writer.append({(FACTS, 1): world.kafka[FACTS, 1][4:]})
    writer.checkpoint()
    folder = made(tmp_path / "bundle", world.store.read).folder
    code, said = replay(folder)
    assert code == 1 and f"{FACTS} 1: offset 4 is no leaf" in said
