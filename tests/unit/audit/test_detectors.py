"""The detectors' suite on the fake."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.unit.audit.clock_suite import CLOCKS
from tests.unit.audit.detector_suite import SUITE
from tests.unit.audit.fake_work import MemoryStore
from tests.unit.audit.service_suite import SERVICES
from tests.unit.audit.signature_suite import SIGNATURES


@pytest.mark.parametrize("case", SUITE + SERVICES + SIGNATURES + CLOCKS, ids=lambda one: one.__name__)
def test_detectors(case: Callable[[Any], Awaitable[None]]) -> None:
    asyncio.run(case(MemoryStore()))
