"""``docs/tampering.md`` is made of the kinds that the fault test does."""

from __future__ import annotations

from tests.tampering import KINDS, PAGE, page


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m tests.tampering"


def test_every_kind_has_a_name_of_its_own() -> None:
    assert len({one.name for one in KINDS}) == len(KINDS) >= 25
