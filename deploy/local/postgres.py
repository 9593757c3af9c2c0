"""The embedded PostgreSQL: the wheel's ``initdb`` and ``postgres`` run directly, passwords (scram-sha-256) for everybody.

The wheel's own ``get_server`` trusts whoever connects and leaves its server behind when its owner is killed.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from deploy.local.account import postgres_account, programs, seen_as
from deploy.local.errors import LocalStackError
from deploy.local.ports import HOST, Ports
from deploy.local.processes import Identity, Spec, identify
from deploy.local.roles import DATABASE, dsn_text, password_of, write_secret

ADMIN = "mj_admin"
_INITDB_LIMIT_S = 120


def settings(ports: Ports) -> dict[str, str]:
    """Server settings, given on its command line so that they are all here and nothing on disk disagrees."""
    return {
        "listen_addresses": HOST,
        "port": str(ports.postgres),
        "unix_socket_directories": "",  # one way in; socket paths are also too long under deep home directories
        "password_encryption": "scram-sha-256",
        "max_connections": "80",
        "shared_buffers": "64MB",
        "work_mem": "8MB",
        "max_wal_size": "512MB",
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "%m [%p] %u ",
        # A failed statement may hold personal data: the log gets its error, not its text.
        "log_min_error_statement": "panic",
    }


def prepare(folder: Path, admin_dsn: Path, ports: Ports) -> None:
    """Make the cluster unless it is there, and write the administrator's DSN. Raises LocalStackError.

    ``initdb`` works in a folder beside, which takes its name when it is done: a crash leaves nothing half made.
    """
    if not (folder / "PG_VERSION").exists():
        password = secrets.token_urlsafe(24)
        write_secret(admin_dsn, dsn_text(ADMIN, password, HOST, ports.postgres, "postgres"))
        _initdb(folder, password)
    elif not admin_dsn.exists():
        raise LocalStackError(f"{admin_dsn} is missing and {folder} can't be opened without it; put it back or start on an empty home.")
    else:  # the port may have changed since
        write_secret(admin_dsn, dsn_text(ADMIN, password_of(admin_dsn), HOST, ports.postgres, "postgres"))


def spec(folder: Path, ports: Ports) -> Spec:
    """How to run the server that ``prepare`` made ready. SIGINT is PostgreSQL's fast stop: it ends sessions and flushes."""
    options = [text for key, value in settings(ports).items() for text in ("-c", f"{key}={value}")]
    account = postgres_account()
    argv = (str(programs(account) / "postgres"), "-D", seen_as(folder, account), *options)
    return Spec("postgres", argv, env=_environment(), cwd=folder, account=account, stop_signal=signal.SIGINT, stop_limit_s=20.0)


def is_ready(folder: Path, pid: int) -> bool:
    """True when the postmaster ``pid`` says in its pid file that it takes connections."""
    try:
        lines = (folder / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"


def leftover(folder: Path) -> Identity | None:
    """The living postmaster that this data folder names, if any: it can outlive a supervisor that was killed."""
    try:
        lines = (folder / "postmaster.pid").read_text().splitlines()
        pid = int(lines[0])
    except (OSError, ValueError, IndexError):
        return None
    who = identify(pid)
    if who is None:
        return None
    try:
        works_in = os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return who if not Path("/proc/self").exists() else None
    # The id may have gone to a stranger since: ours works in this very folder.
    return who if works_in == str(folder) else None


def _environment() -> dict[str, str]:
    """Nothing of ours goes in: PG* variables would change what the server does."""
    return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}


def _initdb(folder: Path, password: str) -> None:
    account = postgres_account()
    arriving = folder.with_name(f"{folder.name}.arriving")
    shutil.rmtree(arriving, ignore_errors=True)
    arriving.mkdir(mode=0o700, parents=True)
    run_as: dict[str, object] = {"env": _environment(), "cwd": arriving, "stdin": subprocess.DEVNULL, "timeout": _INITDB_LIMIT_S}
    with tempfile.TemporaryFile() as secret:  # a file without a name: nothing to forget
        secret.write(password.encode())
        secret.seek(0)
        if account:
            os.chown(arriving, account.uid, account.gid)
            os.fchown(secret.fileno(), account.uid, account.gid)
            run_as |= {"user": account.uid, "group": account.gid, "extra_groups": []}
        argv = [str(programs(account) / "initdb"), "-D", seen_as(arriving, account), "-U", ADMIN]
        argv += [f"--pwfile=/dev/fd/{secret.fileno()}", "--auth=scram-sha-256", "--no-instructions"]
        # The built-in locale sorts the same on every system: an index never depends on the C library.
        argv += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        done = subprocess.run(argv, capture_output=True, text=True, pass_fds=(secret.fileno(),), **run_as)
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if "error" in line or "FATAL" in line] or ["no reason given"]
        raise LocalStackError(f"PostgreSQL could not make {folder}: {said[0]}.")
    arriving.rename(folder)


def database_dsn(admin_dsn: Path, ports: Ports) -> str:
    """The administrator's DSN for the product's database."""
    return dsn_text(ADMIN, password_of(admin_dsn), HOST, ports.postgres, DATABASE)
