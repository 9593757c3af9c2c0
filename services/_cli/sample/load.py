"""Bringing a town into a stack: signs, sends in the order of the simulated clock, and writes down what was planted."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from schemas.keys import SigningKey
from schemas.rulebook import digest, load_all
from services._cli.delivery import BATCH, Intake, problem_words
from services._cli.errors import CliError
from services._cli.home import Home, KnownOfficer, write_atomically
from services._cli.registry import registrar_key
from services._cli.sample.acts import instant
from services._cli.sample.approvals import with_approvals
from services._cli.sample.bootstrap import ActiveRulebook, bootstrap
from services._cli.sample.falsify.all import falsified
from services._cli.sample.falsify.ground import Choice
from services._cli.sample.falsify.open_approvals import some_left_open
from services._cli.sample.people import BUREAU, OFFICERS, REGIME
from services._cli.sample.tables import calendar_tables
from services._cli.sample.town import REGISTRAR, Plan, Sent, Town, generate
from services._cli.signing import submission
from services.rating.domain.fold import Book

# Other regimes than the town's own rate what is published, however old it is.
_ALWAYS = date(2005, 1, 1)


@dataclass(frozen=True)
class Order:
    """What was asked for. ``until`` is fixed once, so that the same order gives the same town on every day."""

    seed: int
    enterprises: int
    years: int
    until: str
    falsify: Choice | None = None


def make_town(order: Order, rulebooks: Path) -> Town:
    """The town of an order. ``rulebooks``: the folder with the rulebooks and the calendar's table."""
    until = datetime.fromisoformat(order.until)
    tables = calendar_tables(rulebooks, until.year - order.years - 1, until.year)
    plan = Plan(seed=order.seed, enterprises=order.enterprises, years=order.years, until=until, tables=tables)
    return approved(plan, rulebooks, order.falsify)


def approved(plan: Plan, rulebooks: Path, falsify: Choice | None = None) -> Town:
    """The town of a plan, with what its approver signs; ``falsify``: with falsehoods, look-alikes, both or neither."""
    town = generate(plan)
    if falsify is not None:
        town = falsified(town, falsify)
    # Who the registrar is changes nothing of what is proposed.
    control = bootstrap(plan, source=BUREAU, rulebooks=active_rulebooks(rulebooks, plan.first), more=town.control)
    book = Book.of(load_all(rulebooks)[REGIME])
    return with_approvals(town, in_order(control, town), book) if falsify is None else some_left_open(town, in_order(control, town), book)


def active_rulebooks(rulebooks: Path, first: date) -> list[ActiveRulebook]:
    """Every rulebook of the folder, with the digest that services hold it against. The town's own is in force from ``first``:
    what lies in the paper archive lowers nobody."""
    books = load_all(rulebooks).values()
    return [
        ActiveRulebook(one.header.regime, one.header.version, digest(one), first if one.header.regime == REGIME else _ALWAYS)
        for one in books
    ]


def control_events(town: Town, home: Home, rulebooks: Path) -> list[Sent]:
    """The registrar's part of the town."""
    source = home.genesis()["event"]["source"]
    return bootstrap(town.plan, source=source, rulebooks=active_rulebooks(rulebooks, town.plan.first), more=town.control)


def in_order(control: Sequence[Sent], town: Town) -> list[Sent]:
    """Both parts by the instant of their entry; of the same instant the registrar's come first."""
    return sorted([*control, *town.sent], key=lambda one: (one.received, one.signer != REGISTRAR))


def keys(town: Town, home: Home) -> dict[str, SigningKey]:
    """Every signer's key. The officers' are written to the home, so that a person can sign as one of them."""
    found = {REGISTRAR: registrar_key(home)}
    for officer in OFFICERS:
        key = officer.key(town.plan.seed)
        relative = f"keys/officers/{officer.name}.json"
        if not (home.root / relative).exists():
            key.save(home.root / relative)
        home.remember(KnownOfficer(officer.pseudonym, officer.office, officer.role, list(officer.channels), relative))
        found[officer.name] = key
    return found


def load(sent: Sequence[Sent], signers: dict[str, SigningKey], intake: Intake, moved: Callable[[int], None], *, size: int = BATCH) -> int:
    """Send everything; returns how many events have a receipt. Raises ``CliError`` at the first that is refused: the town
    is made to be taken whole."""
    done = 0
    for start in range(0, len(sent), size):
        batch = sent[start : start + size]
        made = [submission(one.event, signers[one.signer], one.private) for one in batch]
        outcomes = intake.deliver(made, channel=[one.channel for one in batch], at=[instant(one.received) for one in batch])
        for one, outcome in zip(batch, outcomes, strict=True):
            if not outcome.accepted:
                words = problem_words(outcome.problem or {})
                raise CliError(f"the sample's {one.event['type']} about {one.event['subject']} was refused: {words}")
        done += len(batch)
        moved(done)
    # What is already in, once more and without an instant: from here the stack's clock goes on at wall speed.
    intake.deliver(made[-1:], channel=batch[-1].channel)
    return done


def write_planted(home: Home, town: Town) -> None:
    """What was planted, for whoever checks the findings; of a falsified town its matters too, one a line. No service reads them."""
    plan = town.plan
    planted: dict[str, Any] = {
        "seed": plan.seed,
        "first": plan.first.isoformat(),
        "go_live": plan.go_live.isoformat(),
        "last": plan.last.isoformat(),
        "late": list(town.planted),
        "lookalikes": list(town.lookalikes),
        "enterprises": [{"subject": one.subject, "name": one.name, "final": one.final} for one in town.enterprises],
    }
    write_atomically(home.planted_path, json.dumps(planted, indent=1, ensure_ascii=False) + "\n")
    if town.choice is not None:
        lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in town.matters)
        write_atomically(home.matters_path, lines)


@dataclass(frozen=True)
class Mark:
    """``sample/order.json``: what was ordered, and whether all of it is in."""

    order: Order
    done: bool

    @staticmethod
    def read(home: Home) -> Mark | None:
        path = home.root / "sample" / "order.json"
        if not path.exists():
            return None
        stored = json.loads(path.read_text())
        return Mark(Order(**stored["order"]), stored["done"])

    def write(self, home: Home) -> None:
        write_atomically(home.root / "sample" / "order.json", json.dumps(asdict(self), indent=1) + "\n")
