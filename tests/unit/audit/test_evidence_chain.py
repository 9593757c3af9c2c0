"""The pack of a finding whose entry moved a chain's grade: two effects, both worked out again from the records in it."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from services.audit.assessing import words_in
from services.audit.evidence import again
from services.audit.evidence.archive import unpack
from services.audit.evidence.contents import files_of, inputs_in
from services.audit.evidence.records import GRADES_FILE
from services.audit.evidence.verifying import Trust, verify
from tests.unit.audit.chained import CHAIN, WRONG, ChainWorld
from tests.unit.audit.packed import packed
from tests.unit.audit.test_evidence import consistent


@pytest.fixture(scope="module")
def world() -> ChainWorld:
    return ChainWorld()


def test_it_holds_an_effect_on_the_shop_and_one_on_its_chain(world: ChainWorld) -> None:
    data = packed(world).data
    inputs = inputs_in(unpack(data))
    found = [one.event["data"] for one in inputs.case.effects]
    assert [WRONG, CHAIN] == [one["affected"] for one in found]
    assert {WRONG} == {one["subject_of"] for one in found}
    for one in found:
        grades = [(each["was"], each["should"]) for each in one["wrong"] if each["what"] == "grade"]
        assert [("A", "D")] == grades
        assert one["most"] > 300
    files = unpack(data)
    assert {"effect.json", "effect-2.json", "paths.svg", "paths-2.svg"} <= files.keys()
    assert CHAIN in files["report.html"].decode()


def test_it_verifies_and_both_effects_come_out_again(world: ChainWorld) -> None:
    found = verify(packed(world).data, Trust())
    assert found.verified, [one for one in found.checks if one.wrong]
    effect = next(one for one in found.checks if one.check == "effect")
    assert effect.said.count("worked out again") == 2
    assert not effect.told
    complete = next(one for one in found.checks if one.check == "complete")
    assert CHAIN in complete.said


def test_without_what_other_shops_say_the_chain_comes_out_otherwise(world: ChainWorld) -> None:
    """So a pack can't leave out what doesn't suit: one rated shop is too few, and its chain was never A."""
    inputs = inputs_in(unpack(packed(world).data))
    kept = [one for one in inputs.records[GRADES_FILE] if one.event["data"]["part"] in (WRONG, CHAIN)]
    own, whole = again.effects(replace(inputs, records={**inputs.records, GRADES_FILE: kept}))
    assert () == own.differs
    assert any(one.startswith("most ") for one in whole.differs)


def test_an_effect_on_the_chain_that_the_records_do_not_lead_to_is_refused_though_the_log_signed_it() -> None:
    def fewer(value: bytes) -> bytes:
        said = orjson.loads(value)
        if said["event"]["data"].get("affected") == CHAIN:
            said["event"]["data"]["most"] = said["event"]["data"]["least"] = 3
        return orjson.dumps(said, option=orjson.OPT_SORT_KEYS)

    wrong = verify(packed(ChainWorld(told=fewer)).data, Trust()).wrong
    assert {"effect-2.json"} == {one.where for one in wrong}
    assert any("most is told as 3" in one.what for one in wrong)


def test_a_picture_or_an_effect_of_the_chain_that_was_changed_is_named(world: ChainWorld) -> None:
    files = dict(unpack(packed(world).data))
    for name in ("effect-2.json", "paths-2.svg"):
        changed = consistent(files | {name: files[name].replace(b"2025", b"2024")})
        assert name in {one.where for one in verify(changed, Trust()).wrong}


def test_what_the_shops_say_is_in_it(world: ChainWorld) -> None:
    inputs = inputs_in(unpack(packed(world).data))
    said = {one["data"]["part"] for one in words_in(one.record for one in inputs.records[GRADES_FILE])}
    assert 6 == len(said)
    assert files_of(inputs) == dict(unpack(packed(world).data))
