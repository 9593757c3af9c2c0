"""Taking in a published file: every row is accounted for, as accepted or as refused with its line and the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from schemas.keys import SigningKey
from services._cli.delivery import BATCH, Intake, Outcome, problem_words
from services._cli.errors import USAGE, CliError
from services._cli.home import Home, load_key
from services._cli.registry import enrol
from services._cli.sample.people import Officer
from services._cli.signing import submission
from services.intake.importers import fhrs, nyc
from services.intake.importers.rows import CHANNEL, NotThisFormat, PublishedFormat, Refused, Row

FORMATS: dict[str, PublishedFormat] = {one.REGIME: one for one in (fhrs, nyc)}


@dataclass
class Report:
    """The account of one import, in lines of the file. ``accepted + len(refused) == rows``. ``known``: events that had a receipt
    before."""

    file: str
    rows: int = 0
    accepted: int = 0
    events: int = 0
    known: int = 0
    refused: list[Refused] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def read_rows(path: Path, given: PublishedFormat) -> tuple[list[Row], list[Refused]]:
    """All rows of a file of the format. Raises ``CliError`` where it is not one."""
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            found = list(given.read(lines))
    except FileNotFoundError:
        raise CliError(f"there is no file {path}", USAGE) from None
    except OSError as error:
        raise CliError(f"{path} can't be read: {error.strerror}", USAGE) from None
    except UnicodeDecodeError as error:
        raise CliError(f"{path} is not UTF-8 (byte {error.start})", USAGE) from None
    except NotThisFormat as error:
        raise CliError(f"{path}: {error}", USAGE) from None
    return [one for one in found if isinstance(one, Row)], [one for one in found if isinstance(one, Refused)]


def importer_key(home: Home, intake: Intake, given: PublishedFormat, offices: Sequence[str]) -> SigningKey:
    """The format's importer's key, made and enrolled by the registrar's key where that hasn't happened yet, with a role at each office."""
    name = given.OFFICER.removeprefix("officer:")
    key_path = f"keys/officers/{name}.json"
    path = home.root / key_path
    if not path.exists():
        SigningKey.generate().save(path)
    key = load_key(path)
    granted = {one.office for one in home.officers() if one.pseudonym == given.OFFICER}
    for office in offices:
        if office not in granted:
            officer = Officer(name, office, "importer", (CHANNEL,))
            enrol(home, intake, officer, key, schemes=(given.SCHEME,), regimes=(given.REGIME,), key_path=key_path)
    return key


def batches(rows: Sequence[Row], size: int = BATCH) -> Iterator[list[tuple[Row, dict[str, Any]]]]:
    """Events with their rows, at most ``size`` a batch; the events of a row stay together."""
    batch: list[tuple[Row, dict[str, Any]]] = []
    for row in rows:
        if len(batch) + len(row.events) > size:
            yield batch
            batch = []
        batch += [(row, event) for event in row.events]
    if batch:
        yield batch


def import_rows(
    rows: Sequence[Row],
    key: SigningKey,
    intake: Intake,
    report: Report,
    *,
    moved: Callable[[int], None],
    kept: Callable[[Outcome], None],
    size: int = BATCH,
) -> None:
    """Deliver all rows and fill ``report``. ``moved`` hears how many events are through, ``kept`` every receipt's outcome."""
    done = 0
    for batch in batches(rows, size):
        outcomes = intake.deliver([submission(event, key) for _, event in batch], channel=CHANNEL)
        refused: dict[int, str] = {}
        for (row, _), outcome in zip(batch, outcomes, strict=True):
            if outcome.accepted:
                report.known += outcome.again
                kept(outcome)
            else:
                refused.setdefault(row.line, problem_words(outcome.problem or {}))
        carried = {row.line: row for row, _ in batch}
        for line, row in carried.items():
            if line in refused:
                premises = row.subject.partition(":")[2]
                report.refused += [Refused(one, premises, refused[line]) for one in row.lines]
            else:
                report.accepted += len(row.lines)
        done += len(batch)
        report.events = done
        moved(done)
