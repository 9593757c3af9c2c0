"""What the tests of judging say, and how they ask for a judgment."""

from __future__ import annotations

from typing import Any

from schemas.keys import SigningKey
from services.intake.domain.judging import Admitted, Denied
from services.intake.domain.registry import Registry
from tests import toolkit as kit

D = "/event/data"


def inspected(**more: Any) -> dict[str, Any]:
    """An inspection that holds, but for what ``more`` says."""
    return kit.event("inspection.recorded", kit.inspection(**more))


def denied(submission: Any, registry: Registry, **more: Any) -> Denied:
    """The denial that a submission must get."""
    found = kit.judged(submission, registry, **more)
    assert isinstance(found, Denied), found
    return found


def admitted(submission: Any, registry: Registry, **more: Any) -> Admitted:
    """The admission that a submission must get."""
    found = kit.judged(submission, registry, **more)
    assert isinstance(found, Admitted), found
    return found


def granting(source: str) -> dict[str, Any]:
    """A role for ``COLLEAGUE``."""
    data = {"occurred_on": kit.TODAY, "role": "officer", "office": kit.OFFICE, "schemes": ["uscc"], "regimes": []}
    return kit.event("role.granted", data, subject=kit.COLLEAGUE.pseudonym, source=source)


def key_data(key: SigningKey) -> dict[str, Any]:
    """Data of a key's registration."""
    return {"occurred_on": kit.TODAY, "key": key.public_object(), "channels": ["desk"]}
