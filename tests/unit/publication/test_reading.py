"""Search, cursors, history in valid time, languages and words."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal, get_args, get_origin
from zoneinfo import ZoneInfo

import pytest
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from schemas.events import CATALOGUE
from services.publication.domain import search
from services.publication.domain.cursor import BadCursor, decode, encode
from services.publication.domain.history import Span, Told, spans
from services.publication.domain.vocabulary import STEPS, Vocabulary, _shade
from services.publication.web import dates, i18n, words
from services.publication.web.charts import step_chart
from services.publication.web.portal import tongue
from services.publication.web.views import natural

PUBLICATION = Path(i18n.__file__).resolve().parents[1]


def found(name: str, text: str, **more: Any) -> bool:
    """Whether the database would find ``name`` by ``text``: all tokens, then every term by LIKE."""
    row, asked = search.index(name=name, **more), search.query(text)
    texts = (row.folded, row.pinyin, row.initials)
    return set(asked.tokens) <= set(row.tokens) and all(any(term in text for text in texts) for term in asked.terms)


@pytest.mark.parametrize("text", ["鲤鱼江", "大药房", "江大", "鲤", "liyujiang", "dayao", "lyj", "LYJ", "鲤鱼 药房", "  鲤鱼江大药房 "])
def test_a_chinese_name_is_found_by_parts_pinyin_and_initials(text: str) -> None:
    assert found("鲤鱼江大药房", text)


@pytest.mark.parametrize("text", ["药江", "liyuhe", "房大", "大药房 东路"])
def test_what_the_name_does_not_hold_is_not_found(text: str) -> None:
    assert not found("鲤鱼江大药房", text)


def test_latin_names_addresses_and_numbers_are_found() -> None:
    others = ("5 KING STREET", "WC2E 8HN", "1177669")
    assert all(found("% Arabica", text, others=others) for text in ("arabica", "% a", "king street", "wc2e", "1177669", "ＡＲＡＢ"))


@given(st.text(max_size=80))
def test_any_text_is_a_question_and_no_name_is_lost_to_itself(text: str) -> None:
    asked = search.query(text)
    assert len(asked.terms) <= search.MAX_TERMS
    short = text[: search.MAX_QUERY]
    if 0 < len(search.fold(short).split()) <= search.MAX_TERMS:
        assert found(short, short)


def test_like_takes_its_own_characters_literally() -> None:
    assert search.like("50%_a\\b") == "%50\\%\\_a\\\\b%"


@given(st.lists(st.text(max_size=30).filter(lambda text: "\x00" not in text), min_size=1, max_size=3))
def test_a_cursor_comes_back_as_it_was_with_the_same_filters_only(key: list[str]) -> None:
    text = encode(key, {"regime": "fhrs"})
    assert decode(text, {"regime": "fhrs"}, len(key)) == key
    for filters, length in (({}, len(key)), ({"regime": "fhrs"}, len(key) + 1)):
        with pytest.raises(BadCursor):
            decode(text, filters, length)


@given(st.text(alphabet="ABCabc019-_", max_size=40))
def test_any_other_text_is_no_cursor(text: str) -> None:
    with pytest.raises(BadCursor):
        decode(text, {}, 1)


@given(st.text(st.characters(categories=["Cs", "Lu"]), max_size=8))
def test_what_comes_out_of_a_cursor_can_be_stored(part: str) -> None:
    """JSON can write half a character: two halves make a whole one, one alone is refused like any text that is none of ours."""
    try:
        found = decode(encode([part, "x"], {}), {}, 2)
    except BadCursor:
        assert any("\ud800" <= one <= "\udfff" for one in part)
    else:
        assert found[0].encode("utf-16", "surrogatepass").decode("utf-16") == found[0]
        found[0].encode()


DAYS = st.dates(date(2020, 1, 1), date(2020, 3, 1))


@st.composite
def tellings(draw: st.DrawFn) -> list[Told]:
    rows = draw(st.lists(st.tuples(st.sampled_from("ABC"), DAYS, st.none() | DAYS), max_size=8))
    return [Told(seq, grade, "graded", start, until) for seq, (grade, start, until) in enumerate(rows)]


@given(tellings())
def test_every_day_has_the_grade_told_last_for_it(told: list[Told]) -> None:
    laid = spans(told)
    for number in range(70):
        day = date(2020, 1, 1) + timedelta(days=number)
        wanted = [one.seq for one in told if one.start <= day and (one.until is None or day <= one.until)]
        holding = [one.seq for one in laid if one.start <= day and (one.end is None or day < one.end)]
        assert holding == ([max(wanted)] if wanted else [])


def test_a_corrected_past_splits_what_was_told_before() -> None:
    day = date(2020, 1, 1)
    told = [Told(1, "A", "graded", day, None), Told(2, "C", "graded", day + timedelta(10), day + timedelta(19))]
    assert spans(told) == [
        Span(1, "A", "graded", day, day + timedelta(10)),
        Span(2, "C", "graded", day + timedelta(10), day + timedelta(20)),
        Span(1, "A", "graded", day + timedelta(20), None),
    ]


def test_shades_go_from_the_best_to_the_worst_and_use_both_ends() -> None:
    assert [_shade(rank, 5) for rank in range(5)] == [0, 1, 3, 4, 5]
    assert [_shade(rank, 6) for rank in range(6)] == [0, 1, 2, 3, 4, 5]
    for grades in range(2, 12):
        shades = [_shade(rank, grades) for rank in range(grades)]
        assert shades == sorted(shades) and (shades[0], shades[-1]) == (0, STEPS - 1)


@pytest.mark.parametrize(
    ("link", "accept", "lang"),
    [
        (None, "", "zh"),
        ("en", "zh-CN", "en"),
        ("fr", "en", "en"),
        (None, "en-GB,en;q=0.9", "en"),
        (None, "fr, zh;q=0.5, en;q=0.4", "zh"),
        (None, "zh;q=0, en;q=0.1", "en"),
        (None, "de;q=x, *", "zh"),
    ],
)
def test_the_link_decides_the_language_then_the_browser_then_chinese(link: str | None, accept: str, lang: str) -> None:
    assert i18n.negotiate(link, accept) == lang


def test_every_message_of_the_portal_has_its_chinese(tmp_path: Path) -> None:
    """The catalogues hold exactly the messages of templates and code, with the same placeholders."""
    template = tmp_path / "messages.pot"
    command = [
        sys.executable,
        "-m",
        "babel.messages.frontend",
        "-q",
        "extract",
        "-F",
        "locale/babel.cfg",
        "-k",
        "N_",
        "-o",
        str(template),
        ".",
    ]
    subprocess.run(command, cwd=PUBLICATION, check=True, timeout=60)
    wanted = {entry.id for entry in read_po(template.open("rb")) if entry.id}
    catalogues = {lang: read_po((PUBLICATION / "locale" / lang / "LC_MESSAGES" / "messages.po").open("rb")) for lang in i18n.LANGUAGES}
    for catalogue in catalogues.values():
        assert {entry.id for entry in catalogue if entry.id} == wanted
    for entry in catalogues["zh"]:
        if entry.id:
            texts = entry.string if isinstance(entry.string, tuple) else (entry.string,)
            assert all(texts) and not entry.fuzzy, entry.id
            sources = " ".join(entry.id) if isinstance(entry.id, tuple) else entry.id
            assert set(re.findall(r"%\(\w+\)s", sources)) == set(re.findall(r"%\(\w+\)s", " ".join(texts))), entry.id


def literals(annotation: Any) -> set[str]:
    """The words of a Literal anywhere within an annotation."""
    if get_origin(annotation) is Literal:
        return set(get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return set().union(*(literals(info.annotation) for info in annotation.model_fields.values()))
    return set().union(*(literals(part) for part in get_args(annotation))) if get_args(annotation) else set()


def test_every_word_that_a_wired_fact_can_show_has_a_name() -> None:
    shown = [row.model for row in CATALOGUE.values() if row.wired and row.route == "facts" and not row.withheld]
    used = set().union(*(literals(model) for model in shown)) - {"pass", "fail", "not_applicable", "not_checked"}
    assert used <= set(words.VALUES)


def test_amounts_and_days_are_shown_as_people_read_them() -> None:
    data = {"acts": [{"kinds": ["fine"], "amount": "20000.5", "violation": "V1", "legal_field": "drug"}], "correct_by": "2026-01-15"}
    lines = words.lines(data, lambda text: text, "en", lambda day: f"<{day}>")
    assert lines == [("To be corrected by", "<2026-01-15>"), ("Act", "fine · ¥20,000.5 · V1 · drug law")]


def test_one_word_has_the_name_that_its_fact_gives_it() -> None:
    def said(kind: str) -> list[tuple[str, str]]:
        return words.lines({"final": True}, lambda text: text, "en", str, type_name=f"mingjian.{kind}.v1")

    assert said("crime.judged") == [("No appeal left", "yes")] and said("score.recorded") == [("Final score", "yes")]


def test_a_sentence_has_its_dates_as_its_readers_write_them() -> None:
    assert dates.in_text("2026-01-05送达，编号2026-01-05-7。", "zh") == "2026年1月5日送达，编号2026-01-05-7。"
    assert dates.in_text("served on 2026-01-05", "en") == "served on 2026-01-05"


def test_chinese_on_a_page_in_english_says_that_it_is_chinese() -> None:
    assert tongue("en", "样例大药房") == ' lang="zh-CN"' and tongue("en", "Arabica") == "" == tongue("zh", "样例大药房") == tongue(
        "en", None
    )


def test_the_line_without_a_grade_is_named_where_it_is_longest_and_stays_in_the_drawing() -> None:
    day = date(2020, 1, 1)
    laid = [
        Span(1, None, "awaiting", day, day + timedelta(10)),
        Span(2, "A", "graded", day + timedelta(10), day + timedelta(60)),
        Span(3, None, "closed", day + timedelta(60), None),
    ]
    chart = step_chart("nowhere", laid, today=day + timedelta(100), vocabulary=Vocabulary(()))
    assert chart is not None
    assert [(one.status, one.x, one.anchor) for one in chart.names] == [("closed", "100.00%", "end"), ("awaiting", "0.00%", "start")]
    crowded = [Span(1, None, "awaiting", day, day + timedelta(10)), Span(2, None, "exempt", day + timedelta(10), day + timedelta(100))]
    chart = step_chart("nowhere", crowded, today=day + timedelta(100), vocabulary=Vocabulary(()))
    assert chart is not None and [one.status for one in chart.names] == ["exempt"]


def test_dates_carry_their_weekday() -> None:
    assert dates.day("2026-01-15", "zh") == "2026年1月15日 周四"
    assert dates.day(date(2026, 1, 15), "en") == "2026-01-15 (Thu)"
    assert dates.moment("2026-01-15T16:30:05.123Z", "en", ZoneInfo("Asia/Shanghai")) == "2026-01-16 (Fri) 00:30:05"


def test_a_civil_day_of_a_change_of_clocks_has_23_hours() -> None:
    start, end = dates.day_bounds(date(2026, 3, 29), ZoneInfo("Europe/London"))
    assert end - start == 23 * 3600 * 1000


def test_clauses_and_readings_sort_as_people_count() -> None:
    assert sorted(["R10", "R2", "R1"], key=natural) == ["R1", "R2", "R10"]
    assert sorted(["三(二)1", "三(一)1", "三(三)", "五(四)"], key=natural) == ["三(一)1", "三(二)1", "三(三)", "五(四)"]
