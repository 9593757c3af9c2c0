"""The witness that runs beside an embedded stack, and the policy by which audit asks it.

It walks the whole way every day; it convinces nobody, for it is in the operator's hands: docs/operate.md says how to add one that does.
"""

from __future__ import annotations

import json
from pathlib import Path

from deploy.local.errors import LocalStackError

# While the file begins so, it is ours and follows the ports; whoever takes the line out has the file to himself.
_OURS = "# Made by the embedded stack at every start. Take this line out to keep what you change.\n"


def folder(home: Path) -> Path:
    """Its key and state."""
    return home / "witness"


def policy(home: Path) -> Path:
    """Whom audit asks, and how many have to cosign."""
    return home / "witnesses"


def prepare(home: Path, url: str) -> None:
    """Make the witness where there is none, let it follow this stack's log, and write the policy. Raises LocalStackError."""
    from services.audit.witness.cli import HomeError, embedded

    try:
        vkey = json.loads((home / "genesis.json").read_bytes())["event"]["data"]["log_vkey"]
        key = embedded(folder(home), vkey)
    except (HomeError, OSError, ValueError, KeyError) as error:
        raise LocalStackError(f"The witness can't be set up in {folder(home)}: {error}") from error
    file = policy(home)
    if file.exists() and not file.read_text().startswith(_OURS):
        return
    arriving = file.with_name(f"{file.name}.arriving")
    arriving.write_text(f"{_OURS}witness embedded {key} {url}\nquorum embedded\n")
    arriving.rename(file)
