"""``mingjian``: the command line. Exit codes: 0 done, 1 failed, 2 wrong use, 3 not running, 4 refused, 5 no answer
in time, 6 no such thing."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from typer.core import TyperGroup

from deploy.local.errors import LocalStackError
from schemas.rulebook import RulebookError
from services._cli.commands import agree, bring, findings, people, read, stack, write
from services._cli.errors import FAILED, NO_ANSWER, CliError
from services._cli.home import Home
from services._cli.session import Session
from services._cli.voice import Voice, fail

# Command → the module that has it, of its service as a rule.
_ELSEWHERE = {
    "verify": "services.audit.cli",
    "scan": "services.audit.cli_scan",
    "prove": "services.audit.cli_proofs",
    "verify-proof": "services.audit.cli_proofs",
    "consistency": "services.audit.cli_proofs",
    "export": "services.audit.cli_export",
    "notice": "services.audit.cli_notice",
    "hearing": "services.audit.cli_hearing",
    "supervision-report": "services.audit.cli_supervision",
    "evidence": "services.audit.cli_evidence",
    "effect": "services.audit.cli_effect",
    "witness": "services.audit.witness.cli",
    "projection": "services.publication.cli",
    "rate": "services.rating.cli",
    "replay": "services.rating.cli",
    "simulate": "services.rating.cli_simulate",
    "quality": "services.rating.cli_quality",
    "proposals": "services.rating.cli_proposals",
    "duties": "services.rating.cli_duties",
    "restore": "services._cli.commands.restore",
    "backup": "services._cli.commands.backup",
    "restore-check": "services._cli.commands.backup",
}


class _Commands(TyperGroup):
    """Ours, and what lies in a service's own cli.py, which is read only when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), *_ELSEWHERE]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        module = _ELSEWHERE.get(cmd_name)
        if module is None:
            return super().get_command(ctx, cmd_name)
        group = typer.main.get_command(import_module(module).app)
        assert isinstance(group, TyperGroup)
        return group.get_command(ctx, cmd_name)


app = typer.Typer(
    cls=_Commands,
    name="mingjian",
    help="Mingjian (明鉴): a credit register for regulators, with grades, lists and a provable log.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def session(
    context: typer.Context,
    home: Annotated[Path | None, typer.Option(help="Data directory; default MINGJIAN_HOME, else .mingjian.")] = None,
) -> None:
    context.obj = Session(Home.from_env(home), Voice.of_terminal())


app.command("init")(stack.init)
app.command("up")(stack.up)
app.command("down")(stack.down)
app.command("status")(stack.status)
app.command("doctor")(stack.doctor)
app.command("reset")(stack.reset)
app.command("enter")(stack.enter)
app.add_typer(write.key_app, name="key")
app.add_typer(people.officer_app, name="officer")
app.add_typer(write.event_app, name="event")
app.command("sign")(write.sign)
app.command("send")(write.send)
app.command("submit")(write.submit)
app.command("watch")(read.watch)
app.command("explain")(read.explain)
app.command("history")(read.history)
app.command("findings")(findings.findings)
app.command("finding")(findings.finding)
app.add_typer(bring.import_app, name="import")
app.command("agree")(agree.agree)
app.command("sample")(bring.sample)


def main() -> None:
    """Run, and say what went wrong in a sentence instead of a traceback."""
    try:
        app()
    except CliError as error:
        fail(str(error))
        sys.exit(error.code)
    except (LocalStackError, RulebookError) as error:
        fail(str(error))
        sys.exit(FAILED)
    except BrokenPipeError:
        # Whoever read our answer has had enough.
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        fail(_file_words(error))
        sys.exit(FAILED)
    except httpx.HTTPError as error:
        fail(f"a service's answer broke off ({type(error).__name__}); is the stack up? (`mingjian status`)")
        sys.exit(NO_ANSWER)


def _file_words(error: OSError) -> str:
    """What the system said, and about which file."""
    said = error.strerror or str(error)
    return f"{error.filename}: {said}" if error.filename is not None else said


if __name__ == "__main__":
    main()
