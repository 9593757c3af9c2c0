"""``python -m services.audit.packing FINDING``: a finding's evidence pack on standard output, for an auditor who asked in the console.

A process of its own at the lowest priority: all of the log is looked through, and the service has facts to take meanwhile. It ends with
whoever started it. Exit codes: 0 all of the zip was written, 1 it couldn't be made (standard error says why), 2 not configured, 6 there is
no such finding in the log yet.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from schemas.rulebook import RulebookError
from schemas.rulebook.editions import files_by_digest
from services._bus import logs
from services._bus.settings import NotConfigured, folder
from services.audit.attended import stay_behind
from services.audit.domain.merkle import ProofError
from services.audit.domain.note import NoteError, VerifierKey
from services.audit.evidence.writing import LogUnreadable, NoEdition, NoFinding, make
from services.audit.packs import NO_SUCH
from services.audit.proving import NotPublished
from services.audit.wiring import Settings, genesis_event, log_store


def main(arguments: Sequence[str] = tuple(sys.argv[1:])) -> int:
    """The exit code of the process."""
    logs.setup("audit-packing")
    try:
        settings = Settings.from_env()
        finding = arguments[0]
        log = VerifierKey.parse(genesis_event(settings.genesis)["data"]["log_vkey"])
        policy = folder(settings.environ, "MINGJIAN_WITNESSES")
        editions = files_by_digest(settings.rulebooks)
        store = log_store(settings)
    except (IndexError, ValueError, NotConfigured, NoteError, RulebookError) as error:
        print(f"no pack: {error}", file=sys.stderr)
        return 2
    stay_behind()
    try:
        made = make(store.read, finding, log=log, editions=editions, policy=policy.read_bytes() if policy else None)
    except NoFinding as error:
        print(f"no pack: {error}", file=sys.stderr)
        return NO_SUCH
    except (LogUnreadable, NoEdition, NoteError, ProofError, NotPublished, ValueError, OSError) as error:
        print(f"no pack: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    sys.stdout.buffer.write(made.data)
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
