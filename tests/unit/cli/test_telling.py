"""Answers become lines that say what, since when, why, and on which facts, in either language."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from services._cli.looking import total_lag
from services._cli.telling import change_line, explanation, explanation_known, finding_line, grade_words, history_known, suspension_lines

NAMES = {"D": {"zh": "失信", "en": "Discredited"}, "new": {"zh": "新开办", "en": "New"}}
FACT = "01890a5d-ac96-774b-bcce-b302099a8057"
DATA = {
    "regime": "liyujiang",
    "grade": "D",
    "status": "graded",
    "in_force_from": "2026-05-22",
    "previous_grade": "B",
    "clauses": ["三(二)3(2)"],
    "reasons": [{"clause": "三(二)3(2)", "zh": "罚款。", "en": "A fine.", "readings": ["R3"]}],
    "decisive_events": [
        {
            "id": FACT,
            "type": "mingjian.penalty.decided.v1",
            "partition": 3,
            "offset": 17,
            "occurred_on": "2026-05-20",
            "served_on": "2026-05-22",
        }
    ],
    "rulebook": {"regime": "liyujiang", "version": "2026.1", "sha256": "ab" * 32},
}
GRADE = {"regime": "liyujiang", "grade": "D", "status": "graded", "in_force_from": "2026-05-22", "data": DATA}
BEFORE = {"regime": "liyujiang", "grade": None, "status": "new", "in_force_from": None, "data": {"clauses": ["三(三)"]}}
ANSWER = {
    "subject": "uscc:91990000YL00000017",
    "name": "样例药房",
    "grades": [GRADE],
    "history": [GRADE, BEFORE],
    "facts": [{"event_id": FACT, "received_at": "2026-07-30T09:20:00.000Z"}],
}


def test_an_explanation_names_grade_clause_reading_facts_with_their_times_and_rulebook() -> None:
    text = "\n".join(explanation(ANSWER, "en", NAMES))
    assert "liyujiang: D Discredited  since 2026-05-22" in text
    assert "三(二)3(2)  A fine." in text and "readings: R3" in text
    assert f"penalty.decided · happened 2026-05-20 · served 2026-05-22 · entered 2026-07-30 · facts 3/17 · {FACT}" in text
    assert "rulebook: liyujiang 2026.1, SHA-256 abababababababab…" in text
    assert "—           New" in text


def test_the_same_in_chinese() -> None:
    text = "\n".join(explanation(ANSWER, "zh", NAMES))
    assert "liyujiang: D 失信  自 2026-05-22" in text and "罚款。" in text and "录入 2026-07-30" in text


def test_a_grade_by_parts_says_what_was_counted_and_which_parts_decided() -> None:
    named = [{"part": "uscc:91990000YL0000012A", "grade": "A", "since": "2026-01-15", "events": []}]
    counted = {"counted": 3, "others": 1, "grades": [{"grade": "A", "parts": 2}, {"grade": "B", "parts": 1}], "named": named}
    answer = {**ANSWER, "grades": [{**GRADE, "data": {**DATA, "parts": counted}}]}
    english, chinese = ("\n".join(explanation(answer, lang, NAMES)) for lang in ("en", "zh"))
    assert "counted from 3 parts: A 2, B 1, 1 more left out" in english and "uscc:91990000YL0000012A · A · since 2026-01-15" in english
    assert "计入门店 3 家：A 2, B 1，另有 1 家不计入" in chinese
    assert "counted from" not in "\n".join(explanation(ANSWER, "en", NAMES))


def test_without_a_grade_it_says_so() -> None:
    assert "No grade yet." in list(explanation({**ANSWER, "grades": [], "history": []}, "en", NAMES))


def test_a_change_is_one_line() -> None:
    assert change_line(DATA, "uscc:x", "812", "en", NAMES) == "#812  uscc:x  liyujiang  B → D Discredited  2026-05-22  三(二)3(2)"


def test_a_change_to_a_status_is_one_line_too() -> None:
    data = {"regime": "liyujiang", "status": "new", "previous_grade": "B", "clauses": ["三(三)"]}
    again = {"regime": "liyujiang", "grade": "D", "status": "graded", "previous_status": "new"}
    assert change_line(again, "uscc:x", "8", "en", NAMES) == "#8  uscc:x  liyujiang  New → D Discredited"
    assert change_line(data | {"previous_grade": None, "previous_status": "new"}, "x", "9", "en", NAMES) == "#9  x  liyujiang  New  三(三)"
    assert change_line(data, "uscc:x", "9", "en", NAMES) == "#9  uscc:x  liyujiang  B → New  三(三)"


def test_a_correction_says_of_which_days_it_is() -> None:
    corrected = DATA | {"corrected_to": "2026-06-01"}
    line = change_line(corrected, "uscc:x", "813", "en", NAMES)
    assert line == "#813  uscc:x  liyujiang  B → D Discredited  corrected 2026-05-22 … 2026-06-01  三(二)3(2)"
    assert "更正 2026-05-22 … 2026-06-01" in change_line(corrected, "uscc:x", "813", "zh", NAMES)


def test_the_day_of_an_entry_is_counted_where_the_stack_is() -> None:
    late = {**ANSWER, "facts": [{"event_id": FACT, "received_at": "2026-07-30T16:30:00.000Z"}]}
    assert "entered 2026-07-31" in "\n".join(explanation(late, "en", NAMES, "Asia/Shanghai"))


def test_columns_stand_under_each_other_in_both_languages() -> None:
    for language in ("zh", "en"):
        rows = [line for line in explanation(ANSWER, language, NAMES) if line.startswith("  ") and line.rstrip().endswith(("3(2)", "(三)"))]
        assert len({cell_len(line.partition("liyujiang")[0]) for line in rows[-2:]}) == 1, rows


def test_a_status_without_a_name_is_shown_as_its_words() -> None:
    assert grade_words(None, "awaiting_inspection", "en", {}) == "awaiting inspection"


STAYED = {"since": "2026-03-10", "until": None, "reading": "R18", "event": {"id": FACT}}
HIDDEN = {"grade": None, "status": "publication_suspended", "suspended": STAYED}


def test_a_grade_that_a_stay_keeps_back_says_so_and_since_when() -> None:
    one = GRADE | HIDDEN | {"data": {name: DATA[name] for name in ("regime", "in_force_from")}}
    english, chinese = ("\n".join(explanation({**ANSWER, "grades": [one]}, lang, NAMES)) for lang in ("en", "zh"))
    assert "liyujiang: publication suspended by a stay  since 2026-03-10 (R18)" in english
    assert "liyujiang: 公示暂停：依法停止执行  自 2026-03-10 起 (R18)" in chinese and "2026-05-22" not in chinese.partition("经过")[0]


def test_the_stream_s_suspensions_are_lines_too() -> None:
    told = {"subject": "uscc:x", "regime": "liyujiang", "sequence": "7", **STAYED, "until": "2026-03-20"}
    line = "uscc:x  liyujiang  publication suspended by a stay  since 2026-03-10 until 2026-03-20 (R18)"
    assert list(suspension_lines("suspensions", {"items": [told]}, "en")) == [line]
    assert list(suspension_lines("suspended", told, "en")) == [line] and list(suspension_lines("suspensions", {"items": []}, "en")) == []
    assert list(suspension_lines("resumed", {"subject": "uscc:x", "regime": "r"}, "zh")) == ["uscc:x  r  恢复公示"]


def test_a_finding_is_one_line() -> None:
    data = {"kind": "late_entry", "office": "/departments/d/offices/o", "detail_en": "Entered late.", "detail_zh": "逾期。"}
    finding = {"subject": "uscc:x", "event": {"subject": "uscc:x", "data": data}}
    assert finding_line(finding, "en") == "late_entry  /departments/d/offices/o  uscc:x  Entered late."


@pytest.mark.parametrize(
    ("lag", "records"),
    [(None, None), (0, 0), (7, 7), (True, None), ({}, 0), ({"facts": {"0": 2, "1": None}, "grades": 3}, 5), ("much", None)],
)
def test_a_lag_in_any_shape_is_a_number_or_unknown(lag: object, records: int | None) -> None:
    assert total_lag(lag) == records


CAUSE = {
    "source": "/departments/drug/offices/workstation",
    "id": FACT,
    "type": "mingjian.penalty.decided.v1",
    "topic": "mingjian.facts.v1",
    "partition": 3,
    "offset": 17,
}
SPAN = {"regime": "liyujiang", "grade": "D", "status": "graded", "in_force_from": "2026-05-22", "in_force_until": "2026-07-01"}
SPAN |= {"known_from": "2026-05-23T01:00:00.000Z", "clauses": ["三(二)3(2)"], "cause": CAUSE}
SILENT = {"regime": "fhrs", "reason": "not-known-yet", "detail_zh": "还没有。", "detail_en": "Nothing yet."}
ON_DAY = {"subject": "uscc:x", "as_of": "2026-06-01", "known_at": "2026-06-02T00:00:00.000Z", "unanswered": [SILENT]}


def test_a_grade_of_a_day_names_both_times_its_days_and_the_fact_that_decided() -> None:
    text = "\n".join(explanation_known({**ON_DAY, "grades": [SPAN | {"data": DATA, "retrospective": False}]}, "en", NAMES))
    assert "as of 2026-06-01, as known at 2026-06-02T00:00:00.000Z" in text
    assert "liyujiang: D Discredited  since 2026-05-22" in text and "holds: 2026-05-22 … 2026-07-01" in text
    assert f"decided by: penalty.decided · facts 3/17 · {FACT}" in text and "known from 2026-05-23T01:00:00.000Z" in text
    assert text.endswith("fhrs: Nothing yet.") and "before the first entry" not in text


def test_a_day_before_the_first_entry_says_so_and_an_open_stretch_was_in_force_then() -> None:
    one = SPAN | {"data": DATA, "retrospective": True, "in_force_until": None}
    text = "\n".join(explanation_known({**ON_DAY, "grades": [one]}, "zh", NAMES))
    assert "早于首条记录" in text and "2026-05-22 … 当时仍有效" in text and "fhrs: 还没有。" in text


def test_a_history_is_a_table_whose_columns_stand_under_each_other() -> None:
    open_one = SPAN | {"grade": None, "status": "new", "in_force_from": None, "in_force_until": None, "cause": CAUSE | {"type": None}}
    answer = {"subject": "uscc:x", "known_at": "2026-06-02T00:00:00.000Z", "unanswered": []}
    answer["regimes"] = [{"regime": "liyujiang", "recorded_from": "2026-01-01", "spans": [SPAN, open_one]}]
    for language, first, second in (("en", "Discredited", "New"), ("zh", "失信", "新开办")):
        lines = list(history_known(answer, language, NAMES))
        head, one, two = lines[-3:]
        assert first in one and second in two and "penalty.decided · facts 3/17" in one and two.endswith("facts 3/17")
        starts = {cell_len(line[: line.index("liyujiang")]) for line in (one, two)}
        assert len(starts) == 1 and cell_len(head[: head.index("制度" if language == "zh" else "regime")]) in starts
