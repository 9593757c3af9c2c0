"""From bytes to an event: everything that a submission can be wrong in has its own code, place and words."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.canonical import MAX_DEPTH, MAX_SAFE_INTEGER, canonical_bytes, parse_strict
from schemas.envelope import envelope_bytes
from schemas.events import CATALOGUE
from schemas.ids import SCHEMES
from schemas.topics import MAX_ENVELOPE_BYTES
from services.intake.domain.faults import Fault, Refused
from services.intake.domain.reading import Read, canonical, open_submission, read, read_body
from services.intake.web.bodies import batch_of
from tests import toolkit as kit

BODIES = [
    (b"", "empty-body"),
    (b" \n", "empty-body"),
    (b'{"event": ', "json-broken"),
    (b"hello", "json-broken"),
    (b"\xff\xfe", "not-utf-8"),
    (b'{"a": 1, "a": 2}', "duplicate-key"),
    (b'{"a": 1.5}', "float"),
    (b'{"a": 1e3}', "float"),
    (b'{"a": NaN}', "not-a-number"),
    (b'{"a": -Infinity}', "not-a-number"),
    (b'{"a": 9007199254740992}', "integer-too-big"),
    (b'{"a": ' + b"9" * 400 + b"}", "integer-too-big"),
    (b'{"a": "\\ud800"}', "lone-surrogate"),
    (b'{"a": ' + b"[" * 40 + b"]" * 40 + b"}", "too-deep"),
    (b"[" * 100_000, "too-deep"),
    ('{"名": 1}'.encode(), "non-ascii-key"),
]


@pytest.mark.parametrize(("body", "code"), BODIES)
def test_a_body_without_a_canonical_form_is_refused_by_its_own_code(body: bytes, code: str) -> None:
    with pytest.raises(Refused) as caught:
        canonical(read_body(body))
    assert (code, 400) == (caught.value.fault.code, caught.value.fault.status)


FLAWS = [
    (b"1.5", "float"),
    (b"NaN", "not-a-number"),
    (b"9" * 400, "integer-too-big"),
    (b'"\\ud800"', "lone-surrogate"),
    (b'{"a": 1, "a": 2}', "duplicate-key"),
    ('{"名": 1}'.encode(), "non-ascii-key"),
    (b"[" * 40 + b"]" * 40, "too-deep"),
    (b'["]", ' * 20_000 + b"1" + b"]" * 20_000, "too-deep"),
]


@pytest.mark.parametrize(("flaw", "code"), FLAWS)
def test_an_event_without_a_canonical_form_is_refused_in_its_place_and_its_neighbours_are_read(flaw: bytes, code: str) -> None:
    good = kit.signed(kit.event("inspection.recorded", kit.inspection()), kit.OFFICER)
    bad = json.dumps({**good, "event": {**good["event"], "data": "@"}}).encode().replace(b'"@"', b'{"note": ' + flaw + b"}")
    batch = batch_of(read_body(b'{"events": [' + b",".join([json.dumps(good).encode(), bad, json.dumps(good).encode(), flaw]) + b"]}"))
    for place in (0, 2):
        assert read(batch.events[place]).event == good["event"]
    found = refused(batch.events[1])
    assert (code, 400) == (found.code, found.status)
    assert (found.field or "").startswith("/event/data/note")
    assert code == refused(batch.events[3]).code


@pytest.mark.parametrize(("flaw", "code"), FLAWS)
def test_what_is_wrong_with_the_batch_itself_is_said_of_the_whole(flaw: bytes, code: str) -> None:
    for body in (
        b'{"events": [1], "batch": ' + flaw + b"}",
        b'{"events": ' + (b'{"a": ' + flaw + b"}" if flaw[:1] == b"[" else flaw) + b"}",
    ):
        with pytest.raises(Refused) as caught:
            batch_of(read_body(body))
        assert (code, 400) == (caught.value.fault.code, caught.value.fault.status)


def test_depth_counts_from_the_event_alone_and_in_a_batch() -> None:
    for levels, fits in ((MAX_DEPTH - 2, True), (MAX_DEPTH - 1, False)):
        deep = json.loads("[" * levels + "]" * levels)
        made = kit.signed(kit.event("inspection.recorded", kit.inspection()), kit.OFFICER)
        made["event"]["data"]["deep"] = deep
        for value in (made, batch_of(read_body(json.dumps({"events": [made]}).encode())).events[0]):
            try:
                assert open_submission(value).event == made["event"] and fits
                assert canonical_bytes(made["event"])
            except Refused as found:
                assert not fits and "too-deep" == found.fault.code


def test_a_broken_body_is_refused_with_line_and_column() -> None:
    with pytest.raises(Refused) as caught:
        read_body(b'{"a": 1,\n "b" 2}')
    assert "line 2, column 6" in caught.value.fault.en
    assert "第 2 行第 6 列" in caught.value.fault.zh


_TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
_KEYS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER) | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(_VALUES)
def test_what_has_a_canonical_form_is_read_back_from_it(value: Any) -> None:
    assert value == read_body(canonical_bytes(value))
    assert canonical_bytes(value) == canonical_bytes(read_body(json.dumps(value, indent=1).encode()))


@settings(max_examples=60)
@given(st.binary(max_size=60))
def test_whatever_the_bytes_are_reading_ends_in_a_value_or_a_refusal(body: bytes) -> None:
    try:
        value = read_body(body)
        canonical(value)
        canonical_bytes(value)
    except Refused as refused:
        assert refused.fault.status == 400


@pytest.mark.parametrize("name", kit.enterable())
def test_every_golden_event_in_use_is_read_to_its_own_bytes(name: str) -> None:
    [(submission, _)] = kit.valid_submissions([name])
    found = read(submission)
    assert submission["event"] == parse_strict(found.event_bytes) == found.event
    assert kit.hash_of(submission) == found.event_hash
    assert CATALOGUE[f"mingjian.{name}.v1"] is found.event_type


def put(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Set the value at a JSON pointer."""

    def change(submission: dict[str, Any]) -> None:
        *steps, last = path.strip("/").split("/")
        place: Any = submission
        for step in steps:
            place = place[int(step) if isinstance(place, list) else step]
        place[last] = value

    return change


def drop(path: str) -> Callable[[dict[str, Any]], None]:
    def change(submission: dict[str, Any]) -> None:
        *steps, last = path.strip("/").split("/")
        place: Any = submission
        for step in steps:
            place = place[step]
        del place[last]

    return change


D = "/event/data"
POINTS = D + "/component_scores/0/points"
SLIPS: list[tuple[str, Callable[[dict[str, Any]], None], str, str]] = [
    ("no event", drop("/event"), "submission-shape", "/event"),
    ("event is a list", put("/event", []), "submission-shape", "/event"),
    ("no signature", drop("/signature"), "missing-field", "/signature"),
    ("signature is a text", put("/signature", "x"), "signature-form", "/signature"),
    ("signature value too short", put("/signature/value", "AAAA"), "signature-form", "/signature/value"),
    ("signature with padding", put("/signature/value", "A" * 86 + "=="), "signature-form", "/signature/value"),
    ("key id in upper case", put("/signature/key_id", "A" * 32), "signature-form", "/signature/key_id"),
    ("unknown algorithm", put("/signature/alg", "RS256"), "signature-algorithm", "/signature/alg"),
    ("reserved algorithm", put("/signature/alg", "SM2"), "signature-algorithm", "/signature/alg"),
    ("more in the signature", put("/signature/kid", "x"), "unknown-field", "/signature/kid"),
    ("more in the submission", put("/entry", {}), "unknown-field", "/entry"),
    ("more in the event", put("/event/extra", 1), "unknown-field", "/event/extra"),
    ("more in the data", put(D + "/extra", 1), "unknown-field", D + "/extra"),
    ("no id", drop("/event/id"), "missing-field", "/event/id"),
    ("no data", drop("/event/data"), "missing-field", "/event/data"),
    ("a required field of data is missing", drop(D + "/kind"), "missing-field", D + "/kind"),
    ("specversion", put("/event/specversion", "0.3"), "specversion", "/event/specversion"),
    ("datacontenttype", put("/event/datacontenttype", "text/plain"), "content-type-of-data", "/event/datacontenttype"),
    ("id in upper case", put("/event/id", "019E62DE-5B00-7EFF-A375-174FF1DB500A"), "id-form", "/event/id"),
    ("id is a number", put("/event/id", 7), "id-form", "/event/id"),
    ("id without a version", put("/event/id", "019e62de-5b00-0eff-a375-174ff1db500a"), "id-form", "/event/id"),
    ("source", put("/event/source", "/offices/x"), "source-form", "/event/source"),
    ("source of a service", put("/event/source", "/services/rating"), "source-form", "/event/source"),
    ("type", put("/event/type", "inspection"), "type-form", "/event/type"),
    ("unknown type", put("/event/type", "mingjian.inspections.recorded.v1"), "type-unknown", "/event/type"),
    ("unknown version", put("/event/type", "mingjian.inspection.recorded.v2"), "type-unknown", "/event/type"),
    ("catalogued type", put("/event/type", "mingjian.permit.suspended.v1"), "type-not-in-use", "/event/type"),
    ("derived type", put("/event/type", "mingjian.grade.determined.v1"), "type-derived", "/event/type"),
    ("derived type that is not in use", put("/event/type", "mingjian.grade.proposed.v1"), "type-derived", "/event/type"),
    ("genesis", put("/event/type", "mingjian.genesis.v1"), "genesis-not-here", "/event/type"),
    ("unknown scheme", put("/event/subject", "duns:1"), "subject-scheme", "/event/subject"),
    ("no scheme", put("/event/subject", "91990000YL0000012A"), "subject-scheme", "/event/subject"),
    ("subject form", put("/event/subject", "uscc:91990000YL000001"), "subject-form", "/event/subject"),
    ("check digit", put("/event/subject", "uscc:91990000YL0000012B"), "subject-check-digit", "/event/subject"),
    ("a subject the type isn't about", put("/event/subject", "regime:liyujiang"), "subject-not-of-type", "/event/subject"),
    ("a time without a zone", put("/event/time", "2026-01-15T08:30:00.000"), "instant-form", "/event/time"),
    ("an hour that isn't", put("/event/time", "2026-01-15T24:30:00.000Z"), "instant-form", "/event/time"),
    ("a day that isn't, in a time", put("/event/time", "2026-02-30T08:30:00.000Z"), "instant-form", "/event/time"),
    ("30 February", put(D + "/occurred_on", "2026-02-30"), "date-form", D + "/occurred_on"),
    ("month 13", put(D + "/occurred_on", "2026-13-01"), "date-form", D + "/occurred_on"),
    ("a date with slashes", put(D + "/occurred_on", "2026/01/15"), "date-form", D + "/occurred_on"),
    ("a date as a number", put(D + "/occurred_on", 20260115), "wrong-type", D + "/occurred_on"),
    ("year 1", put(D + "/occurred_on", "0001-01-01"), "date-range", D + "/occurred_on"),
    ("year 9999", put(D + "/occurred_on", "9999-12-31"), "date-range", D + "/occurred_on"),
    ("year 9999 in a time", put("/event/time", "9999-12-31T00:00:00.000Z"), "date-range", "/event/time"),
    ("full-width digits in a date", put(D + "/occurred_on", "２０２６-01-15"), "date-form", D + "/occurred_on"),
    ("not a choice", put(D + "/kind", "surprise"), "not-a-choice", D + "/kind"),
    ("not a code", put(D + "/violations", ["no spaces here"]), "text-form", D + "/violations/0"),
    ("too many", put(D + "/violations", ["A-1"] * 51), "too-many-items", D + "/violations"),
    ("a text where an array belongs", put(D + "/violations", "A-1"), "wrong-type", D + "/violations"),
    ("an empty note", put(D + "/note", ""), "text-empty", D + "/note"),
    ("a note that is too long", put(D + "/note", "长" * 2001), "text-too-long", D + "/note"),
    ("a note with a control character", put(D + "/note", "a\x07b"), "text-form", D + "/note"),
    ("a truth as a text", put(D + "/outcome_pending", "true"), "wrong-type", D + "/outcome_pending"),
    (
        "a number as a text",
        put(D + "/component_scores", [{"component": "hygiene", "points": "5"}]),
        "wrong-type",
        POINTS,
    ),
    (
        "too many points",
        put(D + "/component_scores", [{"component": "hygiene", "points": 1001}]),
        "number-range",
        POINTS,
    ),
    ("not a decimal", put(D + "/position", {"lat": "1e3", "lon": "1", "accuracy_m": 1}), "degrees-form", D + "/position/lat"),
    ("the same officer twice", put(D + "/officers", ["officer:abc", "officer:abc"]), "contradiction", D),
    ("data is a list", put("/event/data", []), "wrong-type", "/event/data"),
    ("private is a list", put("/private", []), "private-form", "/private"),
    ("a private value without a salt", put("/private", {"name": {"value": "x"}}), "missing-field", "/private/name/salt"),
    ("a private value that is empty", put("/private", {"name": {"value": "", "salt": "A" * 22}}), "private-form", "/private/name/value"),
    ("a salt that is too short", put("/private", {"name": {"value": "x", "salt": "AAAA"}}), "salt-form", "/private/name/salt"),
]


@pytest.mark.parametrize(("slip", "code", "field"), [one[1:] for one in SLIPS], ids=[one[0] for one in SLIPS])
def test_every_slip_in_a_submission_has_its_own_code_and_its_place(slip: Callable[[dict[str, Any]], None], code: str, field: str) -> None:
    submission = kit.signed(kit.event("inspection.recorded", kit.inspection()), kit.OFFICER)
    slip(submission)
    found = refused(submission)
    assert (code, field) == (found.code, found.field)
    assert found.status == 422
    assert all((found.zh, found.en, found.remedy_zh, found.remedy_en))


@pytest.mark.parametrize("value", [None, True, 7, "text", [], [{}], {}])
def test_what_is_no_submission_is_refused_as_such(value: Any) -> None:
    assert refused(value).code == "submission-shape"


OTHERS: list[tuple[str, dict[str, Any], str, str]] = [
    ("warning.issued", kit.warning(served="2026-01-01"), "served-before-decided", D + "/service/served_on"),
    ("warning.issued", kit.warning(correct_by="2026-01-01"), "contradiction", D),
    ("score.recorded", kit.score(maximum="-1"), "amount-negative", D + "/maximum"),
    ("penalty.decided", {"occurred_on": kit.TODAY, "document_no": "1", "acts": []}, "too-few-items", D + "/acts"),
    ("operation.interrupted", {"occurred_on": "2026-01-05", "until": "2026-01-05"}, "contradiction", D),
]


@pytest.mark.parametrize(("kind", "data", "code", "field"), OTHERS)
def test_what_the_models_forbid_is_refused_in_both_languages(kind: str, data: dict[str, Any], code: str, field: str) -> None:
    found = refused(kit.signed(kit.event(kind, data), kit.OFFICER))
    assert (code, field) == (found.code, found.field)
    assert any("\u4e00" <= one <= "\u9fff" for one in found.zh)


def test_a_subject_that_contradicts_the_data_is_refused() -> None:
    data = kit.golden("go_live.declared")["data"]
    found = refused(kit.signed(kit.event("go_live.declared", data, subject="regime:other"), kit.REGISTRAR))
    assert ("subject-mismatch", "/event/subject") == (found.code, found.field)


def test_a_type_that_is_misspelt_is_answered_with_the_types_near_it() -> None:
    submission = kit.signed(kit.event("inspection.record", kit.inspection()), kit.OFFICER)
    assert "mingjian.inspection.recorded.v1" in refused(submission).remedy_en


def test_an_envelope_of_exactly_the_limit_is_read_and_one_byte_more_is_not() -> None:
    entry = {
        "received_at": kit.NOW,
        "channel": "migration",
        "batch": "b" * 80,
        "registry_offset": 2**53 - 1,
        "marks": ["amount-missing", "counterpart-missing", "officer-unknown"],
    }

    def made(length: int) -> dict[str, Any]:
        items = [{"code": f"A-{number}", "result": "pass", "remark": "r" * 1920} for number in range(30)]
        data = kit.inspection(items=items, note="n" * length, published_outcome="o")
        return kit.signed(kit.event("inspection.recorded", data, id=kit.new_id("large")), kit.OFFICER)

    base = made(1)
    gap = MAX_ENVELOPE_BYTES - len(envelope_bytes(base["event"], base["signature"], entry))
    assert 0 < gap < 1999
    fits = made(1 + gap)
    assert read(fits).size == MAX_ENVELOPE_BYTES == len(envelope_bytes(fits["event"], fits["signature"], entry))
    found = refused(made(2 + gap))
    assert ("too-large", 413, "/event") == (found.code, found.status, found.field)
    assert str(MAX_ENVELOPE_BYTES) in found.en and str(MAX_ENVELOPE_BYTES + 1) in found.zh


def test_a_refused_private_value_is_shown_nowhere() -> None:
    submission = kit.signed(kit.event("inspection.recorded", kit.inspection()), kit.OFFICER, {"name": "张三丰"})
    submission["private"]["name"]["value"] = "张三丰" * 200
    assert "张三丰" not in repr(refused(submission))
    submission["private"]["name"] = "张三丰"
    assert "张三丰" not in repr(refused(submission))


def test_a_number_of_a_person_is_not_repeated_when_something_else_is_wrong_with_it() -> None:
    for data in (kit.inspection(kind="13800138000"), kit.inspection(**{"a13800138000": 1})):
        assert "13800138000" not in repr(refused(kit.signed(kit.event("inspection.recorded", data), kit.OFFICER)))


def test_long_values_are_cut() -> None:
    found = refused(kit.signed(kit.event("inspection.recorded", kit.inspection(kind="k" * 5000)), kit.OFFICER))
    assert len(found.value) == 120


def test_the_words_of_a_refusal_never_hold_what_was_sent() -> None:
    """They go into signed refusals, which are kept for ever."""
    for name, slip, _, _ in SLIPS:
        submission = kit.signed(kit.event("inspection.recorded", kit.inspection()), kit.OFFICER)
        slip(submission)
        found = refused(submission)
        if isinstance(found.value, str) and found.value not in ("", "true"):
            assert found.value not in found.zh + found.en, name


def test_opening_needs_no_more_than_an_event_and_a_signature_that_can_be_checked() -> None:
    submission = kit.signed({"anything": ["at", "all"]}, kit.OFFICER)
    opened = open_submission(copy.deepcopy(submission))
    assert canonical_bytes(submission["event"]) == opened.event_bytes
    assert kit.hash_of(submission) == opened.event_hash


def test_the_schemes_named_are_those_of_the_contract() -> None:
    submission = kit.signed(kit.event("inspection.recorded", kit.inspection(), subject="duns:1"), kit.OFFICER)
    assert all(scheme in refused(submission).remedy_en for scheme in SCHEMES)


def refused(submission: Any) -> Fault:
    with pytest.raises(Refused) as caught:
        found = read(submission)
        assert isinstance(found, Read)
    return caught.value.fault
