"""Remarks of one visit used again at others; and texts that rightly repeat."""

from __future__ import annotations

from datetime import date
from random import Random

from services._cli.sample.enterprises import Enterprise
from services._cli.sample.falsify.doings import items, pair, visit
from services._cli.sample.falsify.ground import Ground, Row
from services._cli.sample.falsify.phrases import own_words
from services._cli.sample.people import RETAIL, Officer

KIND = "copied_findings"
_COPIES = 7


def sow(ground: Ground) -> None:
    """Word for word, and with a word or a number changed here and there."""
    rng = ground.chance(KIND)
    if ground.plants:
        for changed, why in ((False, "one visit's remark word for word at other enterprises"), (True, "the same with small changes")):
            lead, second = pair(ground.take(office=RETAIL), rng)
            text, first = own_words(rng) + own_words(rng), _early(ground, rng)
            rows = [
                _told(ground, (lead, second), ground.after(first, step), _varied(text, rng) if changed else text, rng)
                for step in range(_COPIES)
            ]
            ground.sow(KIND, True, rows, why)
    if ground.likens:
        phrase = (
            "检查了购进验收、陈列、养护、处方销售和温湿度记录，均按规定执行，资料齐全，人员在岗，未发现不符合要求的情形，建议继续保持。"
        )
        rows = [
            _told(ground, pair(ground.take(office=RETAIL), rng), ground.after(ground.day(rng), step), phrase, rng) for step in range(30)
        ]
        ground.sow(KIND, False, rows, "a standard phrase that everybody of the office uses")
        one, day, text = ground.take(office=RETAIL), ground.day(rng), own_words(rng)
        lead, second = pair(one, rng)
        first = _told(ground, (lead, second), day, text, rng, enterprise=one)
        again = _told(ground, (lead, second), ground.after(day, 15), f"上次记录：{text}本次已经改正。", rng, enterprise=one)
        ground.sow(KIND, False, [first, again], "the next visit to the same enterprise quotes the last one")
        one, day, text = ground.take(office=RETAIL), ground.day(rng), own_words(rng)
        rows = [_told(ground, (lead, second), day, own_words(rng), rng) for _ in range(3)]
        ground.sow(KIND, False, rows, "one team's remarks of one day, in the same style about different things")


def _told(ground: Ground, team: tuple[Officer, Officer], day: date, text: str, rng: Random, *, enterprise: Enterprise | None = None) -> Row:
    one = enterprise or ground.take(office=RETAIL)
    found = items(rng, count=3)
    found[0]["remark"] = text
    return visit(ground, one, day, rng, officers=team, items=found)


def _early(ground: Ground, rng: Random) -> date:
    """A working day of a month's first half: all of it within one month."""
    day = ground.day(rng)
    return ground.workdays.after(day.replace(day=1), rng.randint(1, 8))


def _varied(text: str, rng: Random) -> str:
    """The text with one number and one word other than before."""
    digits = [place for place, sign in enumerate(text) if sign.isdigit()]
    place = rng.choice(digits)
    varied = text[:place] + str(rng.randint(1, 9)) + text[place + 1 :]
    return varied.replace("。", f"，{rng.choice(('已告知', '已提醒', '店主知悉', '当面说明'))}。", 1)
