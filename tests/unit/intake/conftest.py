"""A register that everybody of the toolkit is enrolled in."""

from __future__ import annotations

import pytest

from services.intake.domain.registry import Registry
from tests import toolkit as kit


@pytest.fixture(scope="module")
def registry() -> Registry:
    """Not to be changed by a test."""
    return kit.enrolled_registry()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Tests that are coroutines run on asyncio."""
    return "asyncio"
