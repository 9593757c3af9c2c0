"""The sample town's offices adopt some measures, and not all that they owe is done in time (四)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from services._cli.sample.bootstrap import bootstrap
from services._cli.sample.load import active_rulebooks, in_order
from services.rating.domain.controls import Controls
from services.rating.domain.duties import Duty
from services.rating.domain.facts import CONTROLS, compact
from services.rating.domain.fold import duties_on
from services.rating.domain.subject import Subject
from tests.cases.ledger import book
from tests.cases.test_sample_town import UNTIL, make

pytestmark = [pytest.mark.sweep, pytest.mark.clause("四(二)2", "四(三)1", "四(三)2", "四(四)1", "四(四)3", "四(四)6")]


def owed(repository: Path) -> list[Duty]:
    town = make(repository, 1)
    rulebooks = active_rulebooks(repository / "rulebooks", town.plan.first)
    controls, subjects = Controls(), {}
    for offset, sent in enumerate(in_order(bootstrap(town.plan, source="/departments/yangli/offices/bureau", rulebooks=rulebooks), town)):
        known = int(sent.received.timestamp() * 1000)
        fact = compact(sent.event, {}, partition=0, offset=offset, known=known, stamp=known)
        if fact is None:
            continue
        if fact.name in CONTROLS:
            controls.apply(fact)
        else:
            subjects.setdefault(sent.event["subject"], Subject(sent.event["subject"], 0)).apply(fact)
    return [one for state in subjects.values() for one in duties_on(state, controls, book("liyujiang"), upto=10**9, as_of=UNTIL.date())]


def test_some_duties_are_done_some_late_some_overdue_and_some_still_open(repository: Path) -> None:
    found = owed(repository)
    states = Counter(one.state for one in found)
    late = sum(one.performed_on is not None and one.performed_on > one.due_on for one in found)
    assert {"open", "performed", "overdue", "lapsed"} == set(states) and late > 0, states
    assert states["performed"] > states["overdue"] > 0
    assert {"四(二)2", "四(三)1", "四(三)2", "四(四)1", "四(四)3", "四(四)6"} == {one.measure.clause for one in found}
    assert 3 == len({one.office for one in found})
