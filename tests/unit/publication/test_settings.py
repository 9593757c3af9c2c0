"""What the environment decides: where links lead, and whose word is taken for a reader's address."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from services._bus.settings import NotConfigured
from services.publication.adapters.neighbours import Neighbours
from services.publication.wiring import Settings, settings

INSIDE = "http://mingjian-audit:8080"


@pytest.fixture
def given(tmp_path: Path) -> dict[str, str]:
    """The least that a process needs."""
    dsn = tmp_path / "dsn"
    dsn.write_text("postgresql://nobody@127.0.0.1/nothing")
    return {"MINGJIAN_KAFKA": "127.0.0.1:9", "MINGJIAN_DSN_FILE": str(dsn), "MINGJIAN_DSN_READ_FILE": str(dsn)}


@pytest.mark.parametrize(
    ("inside", "public", "link"),
    [
        (None, None, None),
        (INSIDE, None, None),
        (INSIDE, "https://audit.example/", "https://audit.example"),
        ("http://127.0.0.1:19102", None, "http://127.0.0.1:19102"),
        ("http://localhost:19102/", None, "http://localhost:19102"),
    ],
)
def test_links_lead_where_a_reader_can_go(given: dict[str, str], inside: str | None, public: str | None, link: str | None) -> None:
    made: Settings = settings(given | {"MINGJIAN_AUDIT_URL": inside or "", "MINGJIAN_AUDIT_PUBLIC_URL": public or ""})
    assert made.audit_public_url == link and made.audit_url == inside


@pytest.mark.parametrize("bad", ["audit.example", "javascript:alert(1)", "https://"])
def test_an_address_that_is_none_is_refused_with_a_sentence(given: dict[str, str], bad: str) -> None:
    with pytest.raises(NotConfigured, match="MINGJIAN_AUDIT_PUBLIC_URL"):
        settings(given | {"MINGJIAN_AUDIT_PUBLIC_URL": bad})


def test_only_this_machine_s_proxy_is_believed_unless_others_are_named(given: dict[str, str]) -> None:
    assert settings(given).trusted_proxies == ("127.0.0.1",)
    assert settings(given | {"MINGJIAN_TRUSTED_PROXIES": "10.0.0.0/8, ::1"}).trusted_proxies == ("10.0.0.0/8", "::1")


def test_without_a_public_address_there_is_no_link() -> None:
    async def page() -> str | None:
        neighbours = Neighbours(audit_public=None, audit_inside=INSIDE, rating_url=None, clock=lambda: 0.0)
        try:
            return neighbours.leaf_page(1, 2)
        finally:
            await neighbours.close()

    assert asyncio.run(page()) is None
