"""The enterprises of the sample town: visibly invented, with credit codes of a region that does not exist."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from stdnum.cn import uscc

from services._cli.sample.people import RETAIL, WHOLESALE

# Region codes of GB/T 2260 begin with 11 to 82: nobody is registered in 99.
_REGION = "990000"
_ORGANISATION_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)

_FIRST = "百草 康宁 仁和 济众 同心 福寿 回春 杏林 保康 惠民 长青 安泰 德善 永春 和泰 正源 乐康 天和 瑞草 云岭".split()
_STREETS = "样例大街 样例东路 样例河沿 样例老街 样例新村 样例集市".split()
_BRANCHES = "总店 东门店 西门店 河沿店 老街店 新村店 集市店 车站店 学府店 桥头店".split()
_DISTRICTS = "样例东片 样例西片 样例南片 样例北片".split()
_KINDS = (
    ("drug_retail", "大药房", 62),
    ("drug_chain", "医药连锁", 8),
    ("device_retail", "医疗器械店", 14),
    ("drug_wholesale", "医药批发公司", 10),
    ("device_wholesale", "医疗器械公司", 6),
)


@dataclass(frozen=True)
class Enterprise:
    """``standing`` holds, per calendar year, what the year's facts are made to earn: A–E; a year without a letter has none.

    ``started`` is the first day of operation, ``closed`` the day of closing or None, ``final`` what the town was asked to show;
    ``told``: the town's story is about this one, the first that ends as D."""

    subject: str
    name: str
    kind: str
    office: str
    address: str
    district: str
    licence: str
    started: date
    closed: date | None
    final: str
    standing: dict[int, str]
    told: bool = False


def organisation_code(stem: str) -> str:
    """Eight characters and their check character (GB 11714)."""
    total = sum(weight * _ORGANISATION_ALPHABET.index(one) for weight, one in zip(_ORGANISATION_WEIGHTS, stem, strict=True))
    return stem + "0123456789X0"[(11 - total % 11) % 11]


def credit_code(number: int) -> str:
    """The valid unified social credit code of the made-up enterprise ``number``."""
    stem = f"91{_REGION}" + organisation_code(f"YL{number:06d}")
    return stem + uscc.calc_check_digit(stem)


# What the town shows in the end, in shares of a hundred: A–E, not yet a year old, closed.
_SHARES = (("A", 15), ("B", 45), ("C", 20), ("D", 11), ("E", 4), ("new", 3), ("closed", 2))


def _finals(rng: Random, count: int) -> list[str]:
    """At least one of each, otherwise by the shares, in a shuffled order."""
    finals = [name for name, _ in _SHARES]
    cumulative = 0
    for name, share in _SHARES:
        cumulative += share
        while len(finals) < count and len(finals) - len(_SHARES) < (count - len(_SHARES)) * cumulative // 100:
            finals.append(name)
    rng.shuffle(finals)
    return finals[:count] if count >= len(_SHARES) else finals


_BEFORE = {"A": "AAB", "B": "BBBAC", "C": "BBCCD", "D": "BBCD", "E": "BCD"}


def _standing(rng: Random, final: str, years: range, current: int, *, told: bool) -> dict[int, str]:
    """A plausible path of yearly letters that ends at ``final``. D and E may come in the current year, for they act at once."""
    last = final if final in "ABCDE" else "B"
    letters = {years[-1]: last} if years else {}
    if last in "DE" and (rng.random() < 0.5 or told):
        letters = {current: last, **({years[-1]: rng.choice("BBC")} if years else {})}
    after = letters.get(years[-1], last) if years else last
    for year in reversed(years[:-1]):
        # A needs three clean years (三(二)1(1)), so the years before an A are good ones.
        after = rng.choice("AAAB") if last == "A" else rng.choice(_BEFORE[after])
        letters[year] = after
    letters.setdefault(current, "A" if last == "A" else "B")
    return letters


def enterprises(rng: Random, count: int, first: date, last: date) -> tuple[Enterprise, ...]:
    """``count`` enterprises of a town watched from ``first`` to ``last``. Names and codes are unique."""
    made: list[Enterprise] = []
    names: set[str] = set()
    for number, final in enumerate(_finals(rng, count), start=1):
        kind, ending, _ = rng.choices(_KINDS, weights=[share for _, _, share in _KINDS])[0]
        name = f"样例{rng.choice(_FIRST)}{ending}"
        if name in names:
            name = f"{name}({rng.choice(_BRANCHES)})"
        if name in names:
            name = f"样例{number}号{ending}"
        names.add(name)
        if final == "new":
            started = last - timedelta(days=rng.randint(40, 300))
            started = max(started, first + timedelta(days=40))
        else:
            started = first - timedelta(days=rng.randint(900, 5200))
        told = final == "D" and not any(one.told for one in made)
        closed = None
        if final == "closed":
            closed = max(last - timedelta(days=rng.randint(20, 500)), first + timedelta(days=60))
        made.append(
            Enterprise(
                subject=f"uscc:{credit_code(number)}",
                name=name,
                kind=kind,
                office=WHOLESALE if kind.endswith("wholesale") else RETAIL,
                address=f"样例镇{rng.choice(_STREETS)}{rng.randint(1, 260)}号",
                district=rng.choice(_DISTRICTS),
                licence=f"样例证{number:05d}",
                started=started,
                closed=closed,
                final=final,
                standing=_standing(rng, final, range(first.year, last.year), last.year, told=told),
                told=told,
            )
        )
    return tuple(made)
