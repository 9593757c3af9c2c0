"""The embedded stack with real servers: keeps the services apart, loses nothing, and leaves nobody behind."""

from __future__ import annotations

import asyncio
import dataclasses
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TransactionalIdAuthorizationFailed, UnknownTopicOrPartitionError
from psycopg import errors

from deploy.local import control, processes, roles, state, topics
from deploy.local.errors import LocalStackError
from deploy.local.ports import HOST, Ports
from deploy.local.stack import CHECKOUT, Stack
from schemas.topics import FACTS, TOPICS, topic_config
from tests.stack_fixtures import FreshStack, stack_home

OWNED = [(role, schema) for role, schemas in roles.ROLES.items() for schema in schemas]
RUN = """
import sys
from pathlib import Path
from deploy.local.ports import Ports
from deploy.local.stack import Stack
Stack(Path(sys.argv[1]), Ports(int(sys.argv[2]))).run((), ready=lambda stack: print("ready", flush=True))
"""


# PostgreSQL


@pytest.mark.parametrize(("role", "schema"), OWNED)
def test_a_service_makes_tables_in_its_own_schema(servers: Stack, role: str, schema: str) -> None:
    with psycopg.connect(servers.dsn(role)) as connection:
        connection.execute(f"CREATE TABLE {schema}.probe (one int)")
        connection.rollback()


@pytest.mark.parametrize(("owner", "schema"), OWNED)
def test_nobody_else_reads_a_schema(servers: Stack, owner: str, schema: str) -> None:
    """The vault above all: no other service can read or make anything there, nor can the public API."""
    with psycopg.connect(servers.dsn(owner), autocommit=True) as connection:
        connection.execute(f"CREATE TABLE {schema}.secret AS SELECT 1 AS one")
    try:
        for role in set(roles.ROLES) - {owner}:
            with psycopg.connect(servers.dsn(role), autocommit=True) as connection:
                for statement in (f"SELECT * FROM {schema}.secret", f"CREATE TABLE {schema}.mine (one int)"):  # noqa: S608
                    with pytest.raises(errors.InsufficientPrivilege):
                        connection.execute(statement)
    finally:
        with psycopg.connect(servers.dsn(owner), autocommit=True) as connection:
            connection.execute(f"DROP TABLE {schema}.secret")


def test_the_public_reader_gets_what_publication_grants(servers: Stack) -> None:
    with (
        psycopg.connect(servers.dsn("mj_publication"), autocommit=True) as owner,
        psycopg.connect(servers.dsn("mj_publication_read"), autocommit=True) as reader,
    ):
        owner.execute("CREATE TABLE shown AS SELECT 7 AS one")
        owner.execute("GRANT USAGE ON SCHEMA publication TO mj_publication_read")
        owner.execute("GRANT SELECT ON shown TO mj_publication_read")
        try:
            assert reader.execute("SELECT one FROM shown").fetchone() == (7,)
            with pytest.raises(errors.InsufficientPrivilege):
                reader.execute("UPDATE shown SET one = 8")
        finally:
            owner.execute("DROP TABLE shown")
            owner.execute("REVOKE USAGE ON SCHEMA publication FROM mj_publication_read")


@pytest.mark.parametrize("role", roles.ROLES)
def test_no_service_has_rights_over_the_server(servers: Stack, role: str) -> None:
    with psycopg.connect(servers.dsn(role), autocommit=True) as connection:
        for statement in ("CREATE TABLE public.anything (one int)", "CREATE ROLE another", "CREATE DATABASE another"):
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(statement)
        own = connection.execute("SELECT has_database_privilege(current_database(), 'CREATE')").fetchone()
        assert own == (role in roles.MAKES_SCHEMAS,)


@pytest.mark.parametrize("role", [*roles.ROLES, "mj_admin"])
def test_a_wrong_password_is_refused(servers: Stack, role: str) -> None:
    for password in ("wrong", ""):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(host=HOST, port=servers.ports.postgres, user=role, password=password, dbname=roles.DATABASE)


def test_the_server_trusts_nobody_and_keeps_what_it_acknowledged(servers: Stack) -> None:
    with psycopg.connect(servers.admin_dsn) as admin:
        methods = {method for (method,) in admin.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules")}
        kept = [admin.execute(f"SHOW {name}").fetchone()[0] for name in ("fsync", "synchronous_commit", "full_page_writes")]
        stored = admin.execute("SELECT count(*) FROM pg_authid WHERE rolcanlogin AND rolpassword NOT LIKE 'SCRAM-SHA-256$%'").fetchone()
        assert admin.execute("SHOW unix_socket_directories").fetchone() == ("",)
    assert methods == {"scram-sha-256"}
    assert kept == ["on", "on", "on"]
    assert stored == (0,)


def test_secrets_are_readable_by_their_owner_alone(servers: Stack) -> None:
    files = sorted(servers.secrets.iterdir())
    assert [file.name for file in files] == sorted(["admin.dsn", *(f"{role}.dsn" for role in roles.ROLES)])
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert servers.secrets.stat().st_mode & 0o777 == 0o700


def test_a_lost_dsn_file_gets_a_new_password(servers: Stack) -> None:
    path = roles.dsn_file(servers.secrets, "mj_rating")
    before = path.read_text()
    path.unlink()
    servers.start_servers()
    assert path.read_text() != before
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(before)
    psycopg.connect(path.read_text()).close()


# Kafka


def _configs(bootstrap: str) -> dict[str, dict[str, str]]:
    async def read() -> dict[str, dict[str, str]]:
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
        await admin.start()
        try:
            found = await admin.describe_topics()
            answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic.name) for topic in TOPICS])
        finally:
            await admin.close()
        counts = {one["topic"]: str(len(one["partitions"])) for one in found}
        return {
            one["resource_name"]: {
                **{entry["config_names"]: entry["config_value"] for entry in one["config_entries"]},
                "partitions": counts[one["resource_name"]],
            }
            for answer in answers
            for one in answer.to_object()["resources"]
        }

    return asyncio.run(read())


async def _send(bootstrap: str, value: bytes, *, topic: str = FACTS, at_ms: int | None = None, **options: Any) -> Any:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, acks="all", **options)
    try:
        await producer.start()
        return await asyncio.wait_for(producer.send_and_wait(topic, value, partition=0, timestamp_ms=at_ms), 20)
    finally:
        await producer.stop()


async def _read(bootstrap: str, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        place = TopicPartition(FACTS, 0)
        consumer.assign([place])
        await consumer.seek_to_beginning(place)
        return [(await asyncio.wait_for(consumer.getone(), 20)).value for _ in range(count)]
    finally:
        await consumer.stop()


async def _offset(bootstrap: str, commit: int | None = None) -> int | None:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id="kept", enable_auto_commit=False)
    await consumer.start()
    try:
        place = TopicPartition(FACTS, 0)
        consumer.assign([place])
        if commit is not None:
            await consumer.commit({place: commit})
        return await consumer.committed(place)
    finally:
        await consumer.stop()


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_a_topic_is_as_the_table_says(servers: Stack, topic: Any) -> None:
    actual = _configs(servers.bootstrap)[topic.name]
    wanted = {**topic_config(topic, "wall"), "partitions": str(topic.partitions)}
    assert {key: actual[key] for key in wanted} == wanted


def test_a_misspelt_topic_is_refused_not_made(servers: Stack) -> None:
    with pytest.raises((UnknownTopicOrPartitionError, asyncio.TimeoutError)):
        asyncio.run(asyncio.wait_for(_send(servers.bootstrap, b"x", topic="mingjian.fact.v1", request_timeout_ms=10_000), 40))
    assert "mingjian.fact.v1" not in _configs(servers.bootstrap)


def test_transactions_are_refused(servers: Stack) -> None:
    """One transaction marker takes an offset, and completeness is proved by offsets without a gap."""
    with pytest.raises(TransactionalIdAuthorizationFailed):
        asyncio.run(_send(servers.bootstrap, b"x", transactional_id="any"))


def test_the_broker_dates_records_on_a_wall_clock(servers: Stack) -> None:
    before = time.time() * 1000
    record = asyncio.run(_send(servers.bootstrap, b"{}", at_ms=1_672_531_200_000))
    assert before - 5000 <= record.timestamp <= time.time() * 1000 + 5000


def test_records_years_away_are_taken_on_a_simulated_clock(fresh_stack: FreshStack) -> None:
    stack = fresh_stack("simulated")
    for year_ms in (1_672_531_200_000, 2_200_000_000_000, 1_600_000_000_000):
        assert asyncio.run(_send(stack.bootstrap, b"{}", at_ms=year_ms)).timestamp == year_ms
    with pytest.raises(LocalStackError, match=r"was made with another clock than 'wall', which only an empty home can take\.$"):
        topics.ensure_topics(stack.bootstrap, "wall")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"partitions": 6}, f"Topic {FACTS} has 12 partitions instead of 6; topics are never repartitioned: "),
        ({"config": {"cleanup.policy": "compact"}}, f"Topic {FACTS} has cleanup.policy=delete instead of compact; set it back "),
    ],
)
def test_an_existing_topic_that_differs_stops_the_start(servers: Stack, changed: dict[str, Any], says: str) -> None:
    other = dataclasses.replace(TOPICS[0], **changed)
    with pytest.raises(LocalStackError) as caught:
        topics.ensure_topics(servers.bootstrap, "wall", topics=[other])
    assert str(caught.value).startswith(says)


# Starting and stopping


def _remember(stack: Stack) -> None:
    asyncio.run(_send(stack.bootstrap, b'{"kept":1}'))
    asyncio.run(_offset(stack.bootstrap, commit=1))
    with psycopg.connect(stack.dsn("mj_intake")) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept AS SELECT 1 AS one")


def _assert_remembered(stack: Stack) -> None:
    assert asyncio.run(_read(stack.bootstrap, 1)) == [b'{"kept":1}']
    assert asyncio.run(_offset(stack.bootstrap)) == 1
    with psycopg.connect(stack.dsn("mj_intake")) as connection:
        assert connection.execute("SELECT one FROM kept").fetchone() == (1,)


def test_a_restart_keeps_facts_offsets_and_rows_even_on_other_ports(fresh_stack: FreshStack) -> None:
    stack = fresh_stack()
    _remember(stack)
    stack.stop()
    assert processes.marked(str(stack.home)) == []
    stack.start_servers()
    _assert_remembered(stack)
    stack.stop()
    with stack_home() as (_, ports), Stack(stack.home, ports) as moved:
        moved.start_servers()
        _assert_remembered(moved)


def test_killed_servers_come_back_with_everything(fresh_stack: FreshStack) -> None:
    stack = fresh_stack()
    _remember(stack)
    stack.kill("postgres")
    stack.kill("kafka")
    assert [one["running"] for one in stack.status()["processes"].values()] == [False, False]
    stack.start("postgres")
    stack.start("kafka")
    _assert_remembered(stack)
    assert [one["ready"] for one in stack.status()["processes"].values()] == [True, True]


class _Running:
    """A stack in a process of its own, as the command line runs it."""

    def __init__(self, home: Path, ports: Ports) -> None:
        argv = [sys.executable, "-c", RUN, str(home), str(ports.base)]
        self.process = subprocess.Popen(argv, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"


@pytest.fixture
def place() -> Iterator[tuple[Path, Ports]]:
    with stack_home() as found:
        yield found
        control.stop_running(found[0])


@pytest.mark.stack
def test_what_a_killed_supervisor_left_is_stopped_and_nothing_is_lost(place: tuple[Path, Ports]) -> None:
    home, ports = place
    running = _Running(home, ports)
    stack = Stack(home, ports)
    _remember(stack)
    left = state.children(home)
    running.process.kill()
    running.process.wait()
    assert set(left) == {"kafka", "postgres"}
    assert all(processes.alive(who) for who in left.values())
    with stack:
        stack.start_servers()
        assert not any(processes.alive(who) for who in left.values())
        _assert_remembered(stack)
    assert processes.marked(str(home)) == []


@pytest.mark.stack
def test_a_running_stack_refuses_a_second_and_is_stopped_from_another_process(place: tuple[Path, Ports]) -> None:
    home, ports = place
    running = _Running(home, ports)
    children = state.children(home)
    with pytest.raises(LocalStackError, match=rf"^A stack is already running on {home} \(pid {running.process.pid}\); stop it first or "):
        with Stack(home, ports) as second:
            second.start_servers()
    assert Stack(home, ports).status()["supervisor"] == running.process.pid
    assert state.children(home) == children
    assert control.stop_running(home) is True
    assert running.process.wait(5) == 0
    assert not any(processes.alive(who) for who in children.values())
    assert Stack(home, ports).status() == {"home": str(home), "supervisor": None, "processes": {}}
    assert control.stop_running(home) is False


@pytest.mark.stack
def test_sigterm_in_the_middle_of_a_start_leaves_nobody(place: tuple[Path, Ports]) -> None:
    home, ports = place
    starting = subprocess.Popen([sys.executable, "-c", RUN, str(home), str(ports.base)], cwd=CHECKOUT)
    while "kafka" not in state.children(home):
        assert starting.poll() is None
        time.sleep(0.02)
    starting.terminate()
    assert starting.wait(90) == 0
    assert processes.marked(str(home)) == []


@pytest.mark.stack
def test_a_crashed_server_is_started_again_by_a_running_stack(place: tuple[Path, Ports]) -> None:
    home, ports = place
    running = _Running(home, ports)
    before = state.children(home)["postgres"]
    processes.send(before, signal.SIGKILL)
    until = time.monotonic() + 60
    while not (one := Stack(home, ports).status()["processes"]["postgres"])["ready"] or one["pid"] == before.pid:
        assert time.monotonic() < until
        time.sleep(0.1)
    assert one["restarts"] >= 1
    psycopg.connect(Stack(home, ports).dsn("mj_audit"), connect_timeout=10).close()
    running.process.terminate()
    assert running.process.wait(90) == 0


@pytest.mark.stack
def test_a_taken_port_stops_the_start_with_one_sentence(place: tuple[Path, Ports]) -> None:
    home, ports = place
    with (
        socket.create_server((HOST, ports.kafka)),
        pytest.raises(LocalStackError, match=rf"^Port {ports.kafka} \(Kafka\) is taken by pid "),
    ):
        Stack(home, ports).start_servers()
    assert processes.marked(str(home)) == []


@pytest.mark.stack
def test_a_home_may_be_closed_to_others(place: tuple[Path, Ports]) -> None:
    """As under /root, when PostgreSQL runs as another user than the one who started it."""
    home, ports = place
    home.chmod(0o700)
    with Stack(home, ports) as stack:
        stack.start_servers()
        _remember(stack)


def test_outside_servers_get_topics_roles_and_schemas(fresh_stack: FreshStack, place: tuple[Path, Ports]) -> None:
    """With addresses from outside nothing is started; an administrator who is no superuser is enough."""
    given = fresh_stack()
    with psycopg.connect(given.admin_dsn, autocommit=True) as admin:
        for role, schemas in roles.ROLES.items():
            for schema in schemas:
                admin.execute(f"DROP SCHEMA {schema}")
            admin.execute(f"DROP OWNED BY {role}")
            admin.execute(f"DROP ROLE {role}")
        admin.execute("CREATE ROLE outside LOGIN CREATEDB CREATEROLE PASSWORD 'over there'")
    with psycopg.connect(given.admin_dsn.replace(f"/{roles.DATABASE}", "/postgres"), autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {roles.DATABASE}")
    home, ports = place
    outside = f"postgresql://outside:over%20there@{HOST}:{given.ports.postgres}/postgres"
    with Stack(home, ports, kafka=given.bootstrap, postgres=outside) as stack:
        stack.start_servers()
        stack.start_servers()
        assert state.children(home) == {}
        _remember(stack)
        _assert_remembered(stack)
        assert stack.service_env("intake")["MINGJIAN_KAFKA"] == given.bootstrap


# What services are given


def test_a_service_gets_its_own_secrets_and_no_others(servers: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINGJIAN_POSTGRES", "postgresql://admin:secret@db.example/")
    monkeypatch.setenv("PGPASSWORD", "secret")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector.example:4318")
    env = servers.service_env("publication")
    assert env["MINGJIAN_DSN_FILE"] == str(servers.home / "secrets" / "mj_publication.dsn")
    assert env["MINGJIAN_DSN_READ_FILE"] == str(servers.home / "secrets" / "mj_publication_read.dsn")
    assert env["MINGJIAN_PORT"] == str(servers.ports.publication)
    assert env["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://collector.example:4318"
    assert "MINGJIAN_DSN_READ_FILE" not in servers.service_env("intake")
    assert not any("secret@" in value or key == "PGPASSWORD" for key, value in env.items())
