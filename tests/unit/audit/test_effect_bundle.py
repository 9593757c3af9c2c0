"""``mingjian effect --bundle``: the same answer as from the records themselves, and a sentence where there is none."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from schemas.envelope import derived_bytes, derived_event
from schemas.topics import FACTS, FINDINGS, REGISTRY
from services.audit import cli_effect
from services.audit.assessing import effects_of
from services.audit.domain.frame import Record
from services.audit.grades_check import books_in
from services.audit.reading import opened
from tests.cases.ledger import OFFICE, RULEBOOKS, shop
from tests.unit.audit.bundled import REGIME, BundleWorld, genesis, made
from tests.unit.rating.streams import stream
from tests.unit.rating.test_digests import with_an_end

FINDING = "018f0000-0000-8000-8000-00000000f1de"
OTHER = "018f0000-0000-8000-8000-00000000f1df"


class Late(BundleWorld):
    """A fine of 2 December 2024 whose last day was the 9th, entered on 10 February; and what audit found of it."""

    def __init__(self) -> None:
        ledger = shop(approving=True)
        ledger.scored(2023, "95")
        ledger.evaluated(2023)
        ledger.scored(2024, "95")
        ledger.evaluated(2024)
        ledger.fined("2024-12-02", known="2025-02-10")
        ledger.approved("D", "2025-02-14")
        ledger.day_closed("2025-03-01")
        super().__init__(with_an_end(stream([ledger])))
        # The stream gives its own ids.
        facts = [(one, event) for (topic, _), some in self.kafka.items() if topic == FACTS for one in some if (event := opened(one))]
        entry, fine = next((one, event.event["id"]) for one, event in facts if event.event["type"] == "mingjian.penalty.decided.v1")
        at = {"topic": entry.topic, "partition": entry.partition, "offset": entry.offset, "id": fine}
        late = {"day_zero": "2024-12-02", "deadline": "2024-12-09", "entered_on": "2025-02-10", "working_days_late": 40}
        late |= {"calendar_days_late": 63, "signed_in_time": False, "outage": False, "provisional": False}
        data = {"kind": "late_entry", "about": "entry", "matter": FINDING, "office": OFFICE, "regime": REGIME, "event": at, "late": late}
        self._found(FINDING, data | {"cause": at, "detail_zh": "x", "detail_en": "x", "rule_version": "x"})
        pattern = {"kind": "heaping", "about": "pattern", "office": OFFICE, "cause": at, "detail_zh": "x", "detail_en": "x"}
        self._found(OTHER, pattern | {"rule_version": "x"})

    def _found(self, id: str, data: dict[str, object]) -> None:
        subject, kind = f"office:{OFFICE}", "mingjian.finding.raised.v1"
        event = derived_event(id=id, service="audit", type=kind, subject=subject, time="2025-02-10T00:00:00.000Z", data=dict(data))
        self.add(FINDINGS, 0, OFFICE.encode(), derived_bytes(event))

    # assessing.Source
    def findings(self) -> Sequence[Record]:
        return self.kafka[FINDINGS, 0]

    def registry(self) -> Sequence[Record]:
        return self.kafka[REGISTRY, 0]

    def facts(self, partition: int) -> Iterator[Sequence[Record]]:
        yield self.kafka[FACTS, partition]


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> tuple[Late, Path]:
    world, folder = Late(), tmp_path_factory.mktemp("bundle") / "one"
    world.publish()
    made(folder, world.store.read)
    return world, folder


def asked(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(cli_effect.app, ["effect", *words])
    return done.exit_code, done.stdout, done.stderr


def test_of_a_bundle_the_effect_is_that_of_the_records(late: tuple[Late, Path]) -> None:
    world, folder = late
    (given,) = effects_of(world, books_in(RULEBOOKS), genesis(), "mingjian 0", FINDING)
    # As in the cases: sure are 15 January to 9 February, all from 10 December to 13 February if approved at once.
    assert (26, 66) == (given.answer.data["least"], given.answer.data["most"])
    code, out, error = asked(FINDING, "--bundle", str(folder), "--json")
    assert (0, "") == (code, error)
    told = json.loads(out)
    assert dict(given.answer.data) | {"software": told["data"]["software"]} == told["data"]
    assert given.answer.id == told["id"]


def test_it_is_drawn_with_its_days(late: tuple[Late, Path]) -> None:
    code, out, _ = asked(FINDING, "--bundle", str(late[1]))
    assert code == 0
    for words in ("due by 2024-12-09 (Mon), entered on 2025-02-10 (Mon)", "26 to 66 days", "63 days approved as long after", "BBB", "DDD"):
        assert words in out
    assert "the evaluation of the period up to 2024-12-31 (Tue) gave B, should have given D" in out
    assert "circulated criticism (五(三) ¶3; readings R22, R23)" in out


@pytest.mark.parametrize(
    "finding, words",
    [
        ("018f0000-0000-8000-8000-00000000aaaa", "there is no finding 018f0000-0000-8000-8000-00000000aaaa"),
        (OTHER, "is about no entry, but about pattern"),
    ],
)
def test_what_has_no_effect_is_said(late: tuple[Late, Path], finding: str, words: str) -> None:
    code, _, error = asked(finding, "--bundle", str(late[1]))
    assert code == 6 and words in error


def test_a_bundle_that_was_changed_is_none(late: tuple[Late, Path], tmp_path: Path) -> None:
    code, _, error = asked(FINDING, "--bundle", str(tmp_path))
    assert code == 1 and "is no bundle" in error
