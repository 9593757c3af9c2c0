"""Reading: the stream of changes, a grade and its reasons, its history, findings."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from schemas.ids import SubjectError, check_subject
from schemas.rulebook import Rulebook, load_all
from schemas.times import milliseconds
from services._cli.delivery import get_json
from services._cli.errors import NOT_THERE, USAGE, CliError
from services._cli.session import Session, rulebooks_folder, session_of
from services._cli.stream import follow
from services._cli.telling import change_line, explanation, explanation_known, history_known, suspension_lines

_POLL_S = 0.2
_SUSPENSIONS = ("suspensions", "suspended", "resumed")


def grade_names(rulebooks: Iterable[Rulebook] | None = None) -> dict[str, dict[str, str]]:
    """Grade or status → its name by language, over all regimes, by default of this installation; a word two regimes share keeps the
    first."""
    names: dict[str, dict[str, str]] = {}
    for book in load_all(rulebooks_folder()).values() if rulebooks is None else rulebooks:
        for grade in book.grades:
            words = grade.name if grade.short.en == grade.grade else grade.short
            names.setdefault(grade.grade, {"zh": words.zh, "en": words.en})
        for status in book.statuses:
            names.setdefault(status.status, {"zh": status.name.zh, "en": status.name.en})
    return names


def watch(
    context: typer.Context,
    regime: Annotated[str | None, typer.Option(help="Only this regime.")] = None,
    subject: Annotated[str | None, typer.Option(help="Only this subject.")] = None,
    grade: Annotated[str | None, typer.Option(help="Only changes to this grade.")] = None,
    since: Annotated[int | None, typer.Option(min=0, help="Go on after this number; default: from now on.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Each change whole, one a line.")] = False,
) -> None:
    """Follow the changes of grades as they happen; a cut is waited out. Ctrl-C ends it."""
    session = session_of(context)
    given = {"regime": regime, "subject": subject, "grade": grade, "since": None if since is None else str(since)}
    names = {} if as_json else grade_names()
    try:
        with session.http("publication") as http:
            for one in follow(http, {key: value for key, value in given.items() if value is not None}, session.voice.mention):
                if one.event in _SUSPENSIONS:
                    # They have no number, so they are told apart from what has one.
                    if as_json:
                        session.voice.say(orjson.dumps({one.event: one.data}).decode())
                    else:
                        for line in suspension_lines(one.event, one.data, session.voice.lang):
                            session.voice.say(line)
                elif as_json:
                    session.voice.say(orjson.dumps({"id": one.id, "event": one.data}).decode())
                else:
                    session.voice.say(change_line(one.data["data"], one.data["subject"], one.id, session.voice.lang, names))
    except KeyboardInterrupt:
        return


KnownAt = Annotated[str | None, typer.Option(help="Only from what was known at this instant, such as 2026-01-15T08:30:00Z.")]


def explain(
    context: typer.Context,
    subject: Annotated[str, typer.Argument(help="Such as uscc:… or fhrs:….")],
    as_of: Annotated[str | None, typer.Option(help="The grade that held on this day, such as 2026-01-15.")] = None,
    known_at: KnownAt = None,
    lang: Annotated[str | None, typer.Option(help="zh or en; default by the locale.")] = None,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for a first grade; not with --as-of or --known-at.")] = 5.0,
    in_words: Annotated[bool, typer.Option("--paragraph", help="One paragraph for each grade, to quote.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The service's whole answer.")] = False,
    bundle: Annotated[
        Path | None, typer.Option(metavar="DIR", help="From a bundle of `mingjian export`, without any server; not with --as-of.")
    ] = None,
) -> None:
    """A subject's grade, the clauses and the facts it rests on; or its grade on a day, as known at an instant."""
    session = session_of(context)
    _checked(subject)
    if bundle is not None:
        if as_of is not None:
            raise CliError("--bundle tells the newest grade: leave out --as-of, or ask `mingjian replay --bundle --as-of`", USAGE)
        answer, names = _from_bundle(bundle, subject, known_at)
        _explained(session, answer, lang or session.voice.lang, names, in_words=in_words, as_json=as_json)
        return
    times = {name: value for name, value in (("as_of", as_of), ("known_at", known_at)) if value is not None}
    answer = _asked(session, f"/api/v1/subjects/{subject}/grades", times) if times else _once_graded(session, subject, wait)
    names = {} if as_json else grade_names()
    _explained(session, answer, lang or session.voice.lang, names, in_words=in_words, as_json=as_json, known=bool(times))


Names = dict[str, dict[str, str]]


def _explained(
    session: Session, answer: dict[str, Any], language: str, names: Names, *, in_words: bool, as_json: bool, known: bool = False
) -> None:
    """``known``: the answer is one as known at an instant."""
    if as_json:
        session.voice.say(orjson.dumps(answer).decode())
        return
    if in_words:
        for one in answer["grades"]:
            session.voice.say((one.get("explanation") or {}).get(language) or one["regime"])
        return
    for line in explanation_known(answer, language, names) if known else explanation(answer, language, names, session.home.zone()):
        session.voice.say(line)


def _from_bundle(folder: Path, subject: str, known_at: str | None) -> tuple[dict[str, Any], Names]:
    """The answer about a subject, and the names of grades, by a bundle's facts and rulebooks."""
    from services.rating.adapters.leaves import BundleDamaged
    from services.rating.from_bundle import answer_about, books_in, opened

    try:
        until = milliseconds(known_at) if known_at is not None else None
        bundle = opened(folder)
        books = books_in(bundle)
        answer = answer_about(bundle, books, subject, until)
        if not answer["grades"]:
            chain = f"a chain's, to which its shops lead, is in what `mingjian replay --bundle {folder} --json FILE` writes"
            raise CliError(f"no facts of {subject} in the bundle lead to a grade; {chain}", NOT_THERE)
        return answer, grade_names(book.rulebook for book in books.values())
    except ValueError:
        raise CliError(f"--known-at is {known_at!r}; write an instant in UTC, such as 2026-01-31T08:00:00Z", USAGE) from None
    except BundleDamaged as error:
        raise CliError(f"{error}. `mingjian verify --bundle {folder}` looks at all of it") from None


def history(
    context: typer.Context,
    subject: Annotated[str, typer.Argument(help="Such as uscc:… or fhrs:….")],
    known_at: KnownAt = None,
    lang: Annotated[str | None, typer.Option(help="zh or en; default by the locale.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The service's whole answer.")] = False,
) -> None:
    """A subject's grades from day to day, with what caused each; by default as known now."""
    session = session_of(context)
    _checked(subject)
    given = {"known_at": known_at} if known_at is not None else {}
    answer = _asked(session, f"/api/v1/subjects/{subject}/grades/history", given)
    if as_json:
        session.voice.say(orjson.dumps(answer).decode())
        return
    for line in history_known(answer, lang or session.voice.lang, grade_names()):
        session.voice.say(line)


def _checked(subject: str) -> None:
    try:
        check_subject(subject)
    except SubjectError as error:
        raise CliError(f"{subject!r} is not a subject: {error}", USAGE) from None


def _asked(session: Session, path: str, given: dict[str, str]) -> dict[str, Any]:
    with session.http("publication") as http:
        return get_json(http, path, given)


def _once_graded(session: Session, subject: str, wait_s: float) -> dict[str, Any]:
    """The subject's answer, as soon as there is a grade in it, or what there is after ``wait_s`` seconds."""
    until = time.monotonic() + wait_s
    with session.http("publication") as http:
        while True:
            try:
                answer = get_json(http, f"/api/v1/subjects/{subject}", {})
                if answer["grades"] or time.monotonic() >= until:
                    return answer
            except CliError as error:
                if error.code != NOT_THERE or time.monotonic() >= until:
                    raise
            time.sleep(_POLL_S)
