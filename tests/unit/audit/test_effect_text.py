"""An assessment as text: in Chinese no word of English but names, in English as before; every mark and assumption in both."""

from __future__ import annotations

import re
from typing import Any

import pytest

from services.audit import effect_text
from tests.effects import assessed
from tests.unit.audit.test_console import LATE

CONSEQUENCE = {
    "kind": "circulated_criticism",
    "clause": "五(三) ¶3",
    "days": 40,
    "readings": ["R22"],
    "why_zh": "样例：影响了等级。",
    "why_en": "A grade moved.",
}
MARKS = ["signed_in_time", "outage", "provisional", "ongoing", "undone_since", "joint", "truth_unknown"]


def told(language: str, *, cleared: bool = False, **more: Any) -> str:
    data = assessed(LATE, days=40, least=25, beside="018f0000-0000-7000-8000-00000000000e")["data"] | {"marks": MARKS} | more
    data |= {"operation_days": 1, "outage_days": 2, "stayed_days": 3, "joint_complete": False}
    return "\n".join(effect_text.lines(data, "x 1", CONSEQUENCE, cleared=cleared, language=language))


# What may stand in a Chinese text: ids, offices, letters of grades, the names of rulebook and program.
NAMES = re.compile(r"\b([A-E]|R\d+|uscc|mingjian|liyujiang|x|not rated|[0-9a-f-]{8,}|\d[\d.A-Za-z-]*|[A-Z0-9]{12,})\b|[A-E·?a-e]{10,}")


@pytest.mark.parametrize("cleared", [False, True])
@pytest.mark.parametrize(
    "more", [{}, {"affected": "uscc:91440300MA5CHA1N44", "evaluations": []}, {"bounds": "outer"}, {"supposing": "never"}]
)
def test_in_chinese_everything_is_said_in_chinese(more: dict[str, Any], cleared: bool) -> None:
    text = told("zh", cleared=cleared, **more)
    left = re.findall(r"[A-Za-z_]{2,}", NAMES.sub("", text.replace("The finding does not stand", "")))
    if cleared:
        text = text.split("\n\n", 1)[1]
        left = re.findall(r"[A-Za-z_]{2,}", NAMES.sub("", text))
    assert [] == left, text


def test_in_english_as_well() -> None:
    text = told("en")
    assert "days with another grade shown: 25 to 40 days, depending on when approval would have come" in text
    assert "proposed, for people to decide: circulated criticism (五(三) ¶3; readings R22)" in text
    assert "only together with 018f0000-0000-7000-8000-00000000000e" in text
    assert text.count("mark: ") == len(MARKS)
    settled = "\n".join(effect_text.lines(assessed(LATE, days=3, least=3)["data"], "x", CONSEQUENCE, cleared=False))
    assert "exactly 3 days" in settled


def test_both_paths_are_drawn_to_the_same_length_whatever_the_language() -> None:
    drawn = {
        language: [line.split()[0] for line in told(language).splitlines() if re.match(r"  [A-E·]{20,} ", line)]
        for language in ("zh", "en")
    }
    assert drawn["zh"] == drawn["en"] and len(drawn["zh"]) == 3 and len({*map(len, drawn["zh"])}) == 1
