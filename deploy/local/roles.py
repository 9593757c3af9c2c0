"""The database, its roles and schemas: one role a service, none able to look into another's schema.

The same on the embedded server and on an outside one. Passwords are random, live only in files of mode 0600 under
``secrets/``, and go to the server as SCRAM verifiers.
"""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from urllib.parse import quote, unquote, urlencode, urlsplit

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from deploy.local.errors import LocalStackError

DATABASE = "mingjian"
# Which schemas a role owns. Rating keeps its state in Kafka. The public API and `mingjian verify` read with roles of their own, which
# get what the services' migrations grant them and nothing else: verify sees what the log is held against, and nothing of the vault.
ROLES: dict[str, tuple[str, ...]] = {
    "mj_intake": ("intake", "vault"),
    "mj_rating": (),
    "mj_publication": ("publication",),
    "mj_publication_read": (),
    "mj_audit": ("audit",),
    "mj_verify": (),
}
# A rebuild of the projection fills a new schema beside the old one; whoever makes a schema owns that one alone.
MAKES_SCHEMAS = ("mj_publication",)
# A host's name or address, or the folder of its socket; several with commas.
_HOST = re.compile(r"[A-Za-z0-9._:/,\[\]-]*")
_PORT = re.compile(r"[0-9,]*")
_FATAL = re.compile(r"FATAL: .*")
_SEARCH_PATH = {"mj_publication_read": "publication"}


def dsn_file(folder: Path, role: str) -> Path:
    """Path of a role's DSN file in the folder of secrets."""
    return folder / f"{role}.dsn"


def dsn_text(user: str, password: str, host: str, port: int | str, database: str, options: dict[str, str] | None = None) -> str:
    """A PostgreSQL URI. ``options``: further connection parameters, such as ``sslmode``."""
    query = f"?{urlencode(options)}" if options else ""
    return f"postgresql://{quote(user)}:{quote(password, safe='')}@{quote(host, safe=':[]')}:{port}/{quote(database)}{query}"


def password_of(path: Path) -> str:
    """The password in a DSN file. Raises LocalStackError when the file doesn't hold one."""
    password = urlsplit(path.read_text().strip()).password
    if not password:
        raise LocalStackError(f"{path} holds no PostgreSQL address with a password; delete it and start again.")
    return unquote(password)


def write_secret(path: Path, text: str) -> None:
    """Write a file that only this user can read, whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    arriving = path.with_name(f".{path.name}.arriving")
    handle = os.open(arriving, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    arriving.rename(path)


def search_path(role: str) -> str:
    """The schema in which a role's statements look for what they name."""
    owned = ROLES[role]
    return _SEARCH_PATH.get(role) or (owned[0] if owned else "pg_catalog")


def ensure_roles(admin_dsn: str, folder: Path) -> None:
    """Make the database, roles and schemas that are missing and write ``folder/<role>.dsn``. Doing it again changes nothing.

    ``admin_dsn`` names a role that may create databases and roles. Raises LocalStackError when the server can't be
    reached or refuses.
    """
    given = _parsed(admin_dsn)
    try:
        with psycopg.connect(admin_dsn, autocommit=True, connect_timeout=10) as admin:
            if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone():
                admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(DATABASE)))
            _ensure_each(admin, given, folder)
        with psycopg.connect(**{**given, "dbname": DATABASE}, autocommit=True, connect_timeout=10) as own:
            _ensure_schemas(own)
    except psycopg.Error as error:
        host = f"{given.get('host', '')}:{given.get('port', '5432')}"
        words = f"PostgreSQL at {host} did not make roles and schemas ({_reason(error)}); check address and rights."
        # Not even as a cause: the library's own words repeat parts of the address.
        raise LocalStackError(words) from None


def _parsed(dsn: str) -> dict[str, str]:
    """The parts of an address. Raises LocalStackError, which repeats nothing of it, where they can't be told apart for certain:
    with a password that is not percent-encoded, a piece of it may stand in any of them."""
    try:
        given = {key: str(value) for key, value in conninfo_to_dict(dsn).items()}
    except psycopg.Error:
        given = {"host": "@"}
    if _HOST.fullmatch(given.get("host", "")) and _PORT.fullmatch(given.get("port", "5432")) and "@" not in given.get("dbname", ""):
        return given
    raise LocalStackError(
        "MINGJIAN_POSTGRES is no address of the form postgresql://user:password@host:port/database; "
        "signs such as @ : / % in the password are written %40 %3A %2F %25."
    )


def _reason(error: psycopg.Error) -> str:
    """What the server said, or that it said nothing; never the library's words."""
    said = error.diag.message_primary or (_FATAL.search(str(error)) or [""])[0].removeprefix("FATAL:").strip()
    return said or f"no answer from a server, {type(error).__name__}"


def _ensure_each(admin: psycopg.Connection, given: dict[str, str], folder: Path) -> None:
    options = {key: value for key, value in given.items() if key.startswith("ssl") or key == "target_session_attrs"}
    existing = {name for (name,) in admin.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'mj\\_%%'")}
    for role in ROLES:
        path = dsn_file(folder, role)
        known = path.exists()
        password = password_of(path) if known else secrets.token_urlsafe(24)
        if role not in existing or not known:
            verifier = admin.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
            verb = "ALTER" if role in existing else "CREATE"
            statement = sql.SQL(verb + " ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT PASSWORD {}")
            admin.execute(statement.format(sql.Identifier(role), sql.Literal(verifier)))
        # After the role, never before: a crash in between makes a new password next time instead of a file that lies.
        write_secret(path, dsn_text(role, password, given.get("host", "127.0.0.1"), given.get("port", "5432"), DATABASE, options))


def _ensure_schemas(own: psycopg.Connection) -> None:
    """Rights in the product's database: nothing for PUBLIC, to each role its own schemas."""
    database = sql.Identifier(DATABASE)
    own.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    own.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    superuser = own.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (True,)
    schemas = {name for (name,) in own.execute("SELECT nspname FROM pg_namespace")}
    for role, owned in ROLES.items():
        name = sql.Identifier(role)
        own.execute(sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(database, name))
        if role in MAKES_SCHEMAS:
            own.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(database, name))
        if owned and not superuser:  # only a member may make a schema in the role's name
            own.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(name))
        for schema in owned:
            if schema not in schemas:
                own.execute(sql.SQL("CREATE SCHEMA {} AUTHORIZATION {}").format(sql.Identifier(schema), name))
        path = sql.Identifier(search_path(role))
        own.execute(sql.SQL("ALTER ROLE {} IN DATABASE {} SET search_path = {}").format(name, database, path))
