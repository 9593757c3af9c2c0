"""Field types at their bounds: what any other reader would read in the same way, and nothing else."""

from __future__ import annotations

from datetime import date
from typing import Any

import orjson
import pytest
from pydantic import TypeAdapter, ValidationError

from schemas import fields as f
from schemas.ids import SubjectError, check_subject

GOOD: list[tuple[Any, Any]] = [
    (f.CivilDate, "1949-10-01"),
    (f.CivilDate, "2024-02-29"),
    (f.CivilDate, "2199-12-31"),
    (f.Instant, "2026-01-15T08:30:00Z"),
    (f.Instant, "2026-01-15T23:59:59.999Z"),
    (f.Instant, "2026-01-15T08:30:00.123456Z"),
    (f.DecimalText, "0"),
    (f.DecimalText, "-0.0001"),
    (f.DecimalText, "999999999999999.9999"),
    (f.Amount, "97.50"),
    (f.Name, "% Arabica"),
    (f.Name, "样例百草大药房 (新)"),
    (f.Name, "𠮷"),
    (f.DocumentNo, "样例罚〔2026〕4号"),
    (f.Text, "one\ntwo\tthree\r\n"),
    (f.SubjectId, "uscc:91350100M000100Y43"),
    (f.SubjectId, "fhrs:1177669"),
    (f.TimeZone, "Asia/Shanghai"),
    (f.TimeZone, "Etc/GMT+8"),
    (f.TimeZone, "America/Argentina/Buenos_Aires"),
]
BAD: list[tuple[Any, Any]] = [
    *((f.CivilDate, bad) for bad in ("1949-09-30", "2200-01-01", "0001-01-01", "2025-02-29", "2026-1-5", "20260115", "1736899200")),
    *((f.CivilDate, bad) for bad in ("2026-01-15T00:00:00", "2026-01-15Z", " 2026-01-15", "２０２６-01-15", "", 20100, None)),
    *((f.Instant, bad) for bad in ("2026-01-15T08:30:00", "2026-01-15T08:30:00+00:00", "2026-01-15 08:30:00Z", "2026-01-15t08:30:00z")),
    *((f.Instant, bad) for bad in ("2026-01-15T24:00:00Z", "2026-06-30T23:59:60Z", "2026-01-15T08:30:00.1Z", "2026-02-30T08:30:00Z")),
    *((f.Instant, bad) for bad in ("２026-01-15T08:30:00Z", "2026-01-15T08:30:0\u0660Z", "2026-01-15T08:30:00Z\n", "1949-09-30T00:00:00Z")),
    *((f.DecimalText, bad) for bad in ("-0", "-0.00", "+1", "01", "1.", ".5", "1e2", "1９", "1.23456", "NaN", "1,5", "", 1, 1.5)),
    (f.DecimalText, "1" * 16),
    (f.Amount, "-0.5"),
    *((f.Name, bad) for bad in ("", " a", "a ", "a\u3000", "a\nb", "a\x00b", "a\x85b", "a\u2028b", "a\u202eb", "\ufeffa", "x" * 201)),
    *((f.DocumentNo, bad) for bad in ("", "4号 ", "4\t号", "x" * 81)),
    *((f.Text, bad) for bad in ("", "a\x00b", "a\x1bb", "a\u202eb", "x" * 2001)),
    *((f.SubjectId, bad) for bad in ("uscc:91350100M000100Y4Z", "officer:yangli-r01", "fhrs:0", "uscc:")),
    *((f.TimeZone, bad) for bad in ("", "asia/shanghai", "Asia//Shanghai", "../etc/passwd", "A/B/C/D")),
    *(
        (f.EventId, bad)
        for bad in ("", "019C8D2F-6D60-7E34-9D0C-1F2E3D4C5B6A", "019c8d2f6d607e349d0c1f2e3d4c5b6a", "019c8d2f-6d60-0e34-9d0c-1f2e3d4c5b6a")
    ),
]


@pytest.mark.parametrize(("kind", "value"), GOOD)
def test_a_good_value_is_taken_as_it_stands(kind: Any, value: Any) -> None:
    adapter = TypeAdapter(kind)
    read = adapter.validate_json(orjson.dumps(value), strict=True)
    assert orjson.dumps(value) == adapter.dump_json(read)


@pytest.mark.parametrize(("kind", "value"), BAD)
def test_a_bad_value_is_refused(kind: Any, value: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_json(orjson.dumps(value), strict=True)


def test_a_date_object_is_taken_as_well() -> None:
    assert date(2026, 1, 15) == TypeAdapter(f.CivilDate).validate_python(date(2026, 1, 15), strict=True)


@pytest.mark.parametrize(("kind", "value"), [pair for pair in GOOD if pair[0] is not f.SubjectId])
def test_json_schema_takes_what_the_model_takes(kind: Any, value: Any) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator(TypeAdapter(kind).json_schema()).validate(value)


def test_every_digit_of_a_credit_code_counts() -> None:
    """GB 32100-2015: changing any one character of a valid code breaks its check digit."""
    good = "91350100M000100Y43"
    assert f"uscc:{good}" == check_subject(f"uscc:{good}")
    for place, old in enumerate(good):
        for new in "0123456789ABCDEFGHJKLMNPQRTUWXY":
            if new != old:
                with pytest.raises(SubjectError):
                    check_subject(f"uscc:{good[:place]}{new}{good[place + 1 :]}")
