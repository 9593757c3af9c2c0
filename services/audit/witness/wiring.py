"""The one place of the witness with a clock and the environment."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

from services._bus.settings import folder, number
from services.audit.witness.adapters.home import WitnessHome
from services.audit.witness.handlers import Witness

_DEFAULT_HOME, _DEFAULT_PORT = ".mingjian-witness", 19104


def default_home(env: Mapping[str, str] = os.environ) -> Path:
    """The witness's folder."""
    return folder(env, "MINGJIAN_WITNESS_HOME") or Path(_DEFAULT_HOME)


def default_place(env: Mapping[str, str] = os.environ) -> tuple[str, int]:
    """Host and port to listen on. Raises ``NotConfigured``."""
    return env.get("MINGJIAN_HOST") or "127.0.0.1", number(env, "MINGJIAN_PORT", _DEFAULT_PORT)


def witness_of(home: WitnessHome) -> Witness:
    """The witness of a folder. Raises ``HomeError``."""
    return Witness(key=home.key, sign=home.private.sign, logs=home.logs(), states=home.states, wall=time.time)
