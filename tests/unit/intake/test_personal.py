"""Numbers of persons are found however they are written; numbers of enterprises, papers and things are left alone."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from stdnum.cn import uscc

from schemas.events import CATALOGUE
from services.intake.domain.personal import NUMBERS, find, is_identity_number, search

TODAY = date(2026, 11, 23)
REGIONS = ("110101", "120119", "330106", "371402", "440305", "500112", "650104", "710000", "810000")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def identity(region: str, born: date, serial: int) -> str:
    """An identity number with its check character (GB 11643-1999), worked out here on its own."""
    head = f"{region}{born:%Y%m%d}{serial:03d}"
    return head + "10X98765432"[sum(w * int(d) for w, d in zip(_WEIGHTS, head, strict=True)) % 11]


IDENTITIES = st.builds(identity, st.sampled_from(REGIONS), st.dates(date(1900, 1, 1), TODAY), st.integers(0, 999))
MOBILES = st.builds(lambda second, rest: f"1{second}{rest:09d}", st.integers(3, 9), st.integers(0, 10**9 - 1))


def test_a_published_number_is_one() -> None:
    """The example of GB 11643-1999."""
    assert is_identity_number("11010519491231002X", TODAY)
    assert not is_identity_number("110105194912310021", TODAY)


@given(IDENTITIES)
def test_every_identity_number_is_found_in_running_text(number: str) -> None:
    assert "identity" == find(f"当事人身份证{number}，已核对", TODAY)
    assert "identity" == find(number, TODAY)


@given(
    IDENTITIES,
    st.sampled_from((" ", "-", "  ", " - ", "\u2003", "·", "\n", ",", "|", "、", ", ")),
    st.sampled_from(((6, 14), (6, 10, 14), (4, 8, 12, 16), (17,), (1, 2))),
)
def test_every_identity_number_is_found_however_it_is_split(number: str, gap: str, places: tuple[int, ...]) -> None:
    parts = [number[a:b] for a, b in zip((0, *places), (*places, 18), strict=True)]
    assert "identity" == find(f"编号2 {gap.join(parts)} 号", TODAY)


@given(IDENTITIES)
def test_every_identity_number_is_found_in_full_width_and_in_other_scripts(number: str) -> None:
    wide = number.translate({ord(a): ord(a) + 0xFEE0 for a in "0123456789X"})
    arabic = number.translate({ord("0") + n: 0x0660 + n for n in range(10)})
    hidden = "\u200b".join(number)
    for text in (wide, wide.lower(), arabic, hidden):
        assert "identity" == find(text, TODAY)


@given(IDENTITIES, st.integers(0, 17), st.integers(1, 9))
def test_a_number_with_one_wrong_digit_is_not_an_identity_number(number: str, place: int, more: int) -> None:
    wrong = "X" if number[place] != "X" and place == 17 else str((int(number[place]) + more) % 10) if number[place] != "X" else "1"
    changed = number[:place] + wrong + number[place + 1 :]
    assert not is_identity_number(changed, TODAY)


@given(MOBILES, st.sampled_from(("", "+86", "86 ", "0086-", "tel", "手机：", "(")), st.sampled_from(((), (3, 7), (3,), (4, 7))))
def test_every_mobile_number_is_found(number: str, before: str, places: tuple[int, ...]) -> None:
    parts = [number[a:b] for a, b in zip((0, *places), (*places, 11), strict=True)]
    for gap in (" ", "-", ",", "|", "、"):
        assert find(f"联系{before}{gap.join(parts)}，", TODAY)
    wide = number.translate({ord(a): ord(a) + 0xFEE0 for a in "0123456789"})
    assert "telephone" == find(wide, TODAY)


TELEPHONES = (
    "0571-87654321",
    "(0571)87654321",
    "（010）6234 5678",
    "010 62345678",
    "02087654321",
    "057187654321",
    "电话：87654321",
    "联系方式为 8765 4321",
    "+86 571 8765 4321 电话",
    "tel. 87654321",
    "07911 123456",
    "07911123456",
    "+44 7911 123456",
    "0044 (0)7911 123456",
    "020 7946 0958",
    "(020) 7946 0958",
    "+44 20 7946 0958",
    "01632 960983",
    "0161 496 0123",
    "01613496012",
    "86-571-87654321",
    "86 571 8765 4321",
    "(212) 555-0123",
    "+1 (212) 555-0123",
    "+1 212 555 0123",
    "138,0013,8000",
    "138|0013|8000",
    "138、0013、8000",
    "13800138000元",
    "手机13800138000元旦后可打",
    "fhrs:13800138000",
)


@pytest.mark.parametrize("text", TELEPHONES)
def test_telephone_numbers_of_both_countries_are_found(text: str) -> None:
    assert "telephone" == find(f"请联系 {text}。", TODAY)


LEFT_ALONE = (
    "样例罚〔2026〕4号",
    "罚款15000000000元",
    "1500 2000 300",
    "国药准字Z20023456",
    "81234567890123456789",
    "6901234567892",
    "2026-01-15 2026-02-15 01",
    "2026-01-15T08:30:00.000Z",
    "12315",
    "400-820-8820",
    "10.1, 10.2, 10.3, 10.4, 10.5",
    "Unit 12, 1234 Long Street, 56789",
    "0123456789abcdef0123456789abcdef",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "01926073-8000-7000-8000-012345678901",
    "2026年1月15日8时30分至2026年1月15日11时20分",
    "-74.030483382339",
    "GSP-01 02 03 04 05 06 07 08 09",
    "罚款13812345678元",
    "没收违法所得，金额为13812345678.90元",
    "注册资本15000000000元",
    "13,800,138,000元",
    "1,380,013,800",
    "罚没合计1,380,013,800.00元",
    "fhrs:1234567",
    "camis:41234567",
    "uscc:91990000YL0000012A",
    "注册号330106680115123",
    "营业执照编号：330106680115123",
    "No. 330106680115123",
    "PI/01234567890",
    "GSP-07、GSP-08、YP-104",
    "批号20260115、20260116、20260117",
)


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_other_numbers_are_left_alone(text: str) -> None:
    assert find(text, TODAY) is None


OLD_IDENTITIES = st.builds(
    lambda region, born, serial: f"{region}{born:%y%m%d}{serial:03d}",
    st.sampled_from(REGIONS),
    st.dates(date(1900, 1, 1), date(1999, 12, 31)),
    st.integers(0, 999),
)


@given(OLD_IDENTITIES, st.sampled_from(("当事人{}，已核对", "{}", "身份证号：{}", "身份证号码为{}", "公民身份号码{}")))
def test_identity_numbers_of_15_digits_are_found_in_running_text(number: str, text: str) -> None:
    assert "identity" == find(text.format(number), TODAY)
    assert "identity" == find(text.format(f"{number[:6]} {number[6:12]} {number[12:]}"), TODAY)


@given(OLD_IDENTITIES)
def test_licences_and_papers_with_15_digits_are_left_alone(number: str) -> None:
    for text in (f"注册号：{number}", f"许可证编号{number}", f"JY{number}", f"罚款{number}元"):
        assert find(text, TODAY) is None
    assert search({"document_no": number, "licence_numbers": [number], "permit_no": f"浙{number}"}, TODAY) is None


@given(st.integers(0, 10**15 - 1), st.integers(0, 99))
def test_amounts_are_left_alone(yuan: int, fen: int) -> None:
    for text in (
        f"罚款{yuan}元",
        f"罚款{yuan}.{fen:02d}元",
        f"金额为{yuan}元",
        f"¥{yuan}元",
        f"处罚款{yuan:,}元",
        f"{yuan:,}",
        f"{yuan:,}.{fen:02d}",
    ):
        assert find(text, TODAY) is None, text


@given(IDENTITIES)
def test_a_scheme_before_a_number_hides_nobody(number: str) -> None:
    if not uscc.is_valid(number):
        assert "identity" == find(f"uscc:{number}", TODAY)


@given(MOBILES)
def test_a_field_s_name_and_a_paper_s_number_hide_no_telephone(number: str) -> None:
    assert ("/data/commitments", "telephone") == search({"commitments": {f"p{number}": "0" * 64}}, TODAY, "/data")
    assert ("/document_no", "telephone") == search({"document_no": f"电话{number}"}, TODAY)
    assert ("/document_no", "telephone") == search({"document_no": f"tel{number}"}, TODAY)
    assert ("/document_no", "telephone") == search({"document_no": "电话0571-87654321"}, TODAY)


def test_none_of_5000_credit_codes_behind_their_scheme_is_taken_for_a_person() -> None:
    rng = Random("credit codes as subjects")
    assert [] == [code for code in credit_codes(rng, 5000) if find(f"uscc:{code}", TODAY)]


def credit_codes(rng: Random, many: int) -> list[str]:
    """Credit codes of all kinds: old ones whose middle is digits alone, new ones that begin with MA."""
    found = []
    while len(found) < many:
        region = f"{rng.choice((11, 31, 33, 37, 44, 51, 65))}{rng.randint(1, 20):02d}{rng.randint(0, 30):02d}"
        middle = (
            "".join(rng.choices("0123456789", k=8))
            if rng.random() < 0.6
            else "MA" + "".join(rng.choices("0123456789ABCDEFGHJKLMNPQRTUWXY", k=6))
        )
        head = rng.choice(("91", "92", "93", "11", "12", "51", "52", "Y1")) + region + middle
        try:
            organisation = middle + uscc_organisation_check(middle)
            head = head[:8] + organisation
            found.append(head + uscc.calc_check_digit(head))
        except (ValueError, KeyError):
            continue
    return found


def uscc_organisation_check(middle: str) -> str:
    """GB 11714: the ninth character of the organisation's code."""
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(w * "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".index(c) for w, c in zip(weights, middle, strict=True))
    return "0123456789X0"[11 - total % 11]


def test_none_of_5000_credit_codes_is_taken_for_a_person() -> None:
    rng = Random("credit codes")
    hits = [code for code in credit_codes(rng, 5000) if find(f"统一社会信用代码{code}", TODAY)]
    assert [] == hits


def test_a_number_that_begins_with_9_is_a_person_s_unless_it_is_a_credit_code() -> None:
    """Foreigners' permanent residence cards have the form of identity numbers; so have a few credit codes."""
    both = [identity("911119", date(1990, 1, 1) + timedelta(days=n), 12) for n in range(1000)]
    codes = [one for one in both if uscc.is_valid(one)]
    cards = [one for one in both if not uscc.is_valid(one)]
    assert codes and cards
    assert not any(find(one, TODAY) for one in codes)
    assert all(find(one, TODAY) == "identity" for one in cards)


def test_none_of_5000_document_numbers_is_taken_for_a_person() -> None:
    """Region, date of the last years and a serial number: the form of an identity number, and not one."""
    rng = Random("documents")
    for _ in range(5000):
        day = TODAY - timedelta(days=rng.randint(0, 13 * 365))
        region = rng.choice(REGIONS)
        number = rng.choice(
            (
                f"{region}{day:%Y%m%d}{rng.randint(0, 9999):04d}",
                f"浙药监罚〔{day.year}〕{rng.randint(1, 99999):05d}号",
                f"JY1{rng.randint(10**12, 10**13 - 1)}",
                f"GZ1{rng.randint(3, 9)}{rng.randint(0, 10**9 - 1):09d}",
                f"{day:%Y%m%d}{rng.randint(0, 999):03d}",
                f"{region}-{day:%Y%m%d}-{rng.randint(0, 9999):04d}",
            )
        )
        assert search({"document_no": number}, TODAY) is None, number


def test_a_grown_up_is_found_in_a_document_number_too() -> None:
    number = identity("330106", date(1990, 1, 1), 123)
    assert ("/document_no", "identity") == search({"document_no": number}, TODAY)
    assert ("/licence_numbers/0", "identity") == search({"licence_numbers": [number]}, TODAY)


def test_the_place_is_named_and_amounts_are_not_looked_at() -> None:
    data = {"acts": [{"amount": "13800138000", "basis": ["第一条", "电话 13800138000"]}], "total": "13800138000"}
    assert ("/event/data/acts/0/basis/1", "telephone") == search(data, TODAY, "/event/data")


def decimal_fields(model: type[BaseModel]) -> set[str]:
    """Names of the fields whose text is a decimal number, at any depth."""
    found: set[str] = set()
    for part in model.model_json_schema().get("$defs", {}).values():
        found |= _decimal(part)
    return found | _decimal(model.model_json_schema())


def _decimal(schema: dict[str, Any]) -> set[str]:
    return {name for name, one in schema.get("properties", {}).items() if "(0|[1-9][0-9]{0,14})" in str(one)}


def test_the_fields_not_looked_at_are_exactly_the_decimal_ones() -> None:
    found = {name for row in CATALOGUE.values() if row.route != "derived" for name in decimal_fields(row.model)}
    assert NUMBERS == found
