"""Officers: who may say what."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import orjson
import typer

from schemas.keys import SigningKey
from services._cli.errors import USAGE, CliError
from services._cli.home import load_key
from services._cli.registry import enrol
from services._cli.sample.bootstrap import schemes_of
from services._cli.sample.people import Officer
from services._cli.session import session_of

officer_app = typer.Typer(help="Officers.", no_args_is_help=True)
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{2,62}")
_OFFICE = re.compile(r"/departments/[a-z0-9-]{1,40}/offices/[a-z0-9-]{1,40}")


@officer_app.command("enrol")
def officer_enrol(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The pseudonym's last part, such as r07; never a person's name.")],
    office: Annotated[str, typer.Option(help="/departments/<department>/offices/<office>")],
    role: Annotated[str, typer.Option(help="officer, approver, auditor or importer")] = "officer",
    scheme: Annotated[
        list[str],
        typer.Option(help="Subjects the role is for; may stand more than once. Default: uscc, and whatever else the role enters about."),
    ] = [],  # noqa: B006
    regime: Annotated[list[str], typer.Option(help="Regimes the role is for; none means all.")] = [],  # noqa: B006
    channel: Annotated[list[str], typer.Option(help="Ways the key may be used.")] = ["desk", "field"],  # noqa: B006
    key: Annotated[Path | None, typer.Option(help="The officer's key file; one is made where it is missing.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The receipts, one a line.")] = False,
) -> None:
    """Enrol an officer, register a key and grant a role, all signed by the registrar's key of this home."""
    session = session_of(context)
    bare = name.removeprefix("officer:")
    if not _NAME.fullmatch(bare):
        raise CliError(f"{name!r} is not a pseudonym: small letters, digits and hyphens, 3 to 63 of them", USAGE)
    if not _OFFICE.fullmatch(office):
        raise CliError(f"{office!r} is not an office: /departments/<department>/offices/<office>", USAGE)
    relative = f"keys/officers/{bare}.json"
    path = key or session.home.root / relative
    if not path.exists():
        SigningKey.generate().save(path)
    private = load_key(path)
    outcomes = enrol(
        session.home,
        session.intake(),
        Officer(bare, office, role, tuple(channel)),
        private,
        schemes=scheme or schemes_of(role),
        regimes=regime,
        key_path=str(path.absolute()) if key else relative,
    )
    if as_json:
        for one in outcomes:
            session.voice.say(orjson.dumps(one.receipt).decode())
    else:
        session.voice.say(f"officer:{bare} may enter for {office} as {role}, with the key {private.key_id}")
