"""The APIs of intake, publication and audit against their own OpenAPI pages, on a real stack: no 5xx, no undocumented answer.

Inputs that fit the page and inputs that don't, from a fixed seed: the same requests on every run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from deploy.local.stack import Stack
from services.intake.cli import init_home
from tests.stack_fixtures import temporary_stack

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SERVICES = ("intake", "publication", "audit")
EXAMPLES = 20
# Of an endless answer only the beginning is read.
ENDLESS = ("/api/v1/stream",)
QUIET = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
# Every service's pages: what an operator's probes and the other services ask for.
COMMON = {"/livez", "/readyz", "/status"}


@pytest.fixture(scope="module")
def api_stack() -> Iterator[Stack]:
    """A stack with all services and nothing in it but genesis."""
    with temporary_stack() as stack:
        stack.start_servers("wall")
        init_home(stack.home, clock_mode="wall", sample=False)
        stack.start_services()
        yield stack


def _schema(stack: Stack, service: str) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_url(f"{stack.ports.url(service)}/openapi.json")


def _answer(case: Case, base: str) -> None:
    """Send a case and hold the answer to the page. Raises the failures that schemathesis found."""
    if case.path not in ENDLESS:
        case.call_and_validate(base_url=base, checks=CHECKS, timeout=10)
        return
    arguments = case.as_transport_kwargs(base_url=base)
    with (
        httpx.Client(timeout=10) as client,
        client.stream(case.method, arguments["url"], params=case.query, headers=case.headers) as answer,
    ):
        if answer.status_code != 200:
            answer.read()
            case.validate_response(answer, checks=CHECKS)
        else:
            assert answer.headers["content-type"].startswith("text/event-stream")


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["fitting", "unfitting"])
@pytest.mark.parametrize("service", SERVICES)
def test_every_answer_is_documented_and_none_is_the_servers_fault(service: str, mode: GenerationMode, api_stack: Stack) -> None:
    base = api_stack.ports.url(service)
    tried = set()
    for found in _schema(api_stack, service).get_all_operations():
        operation = found.ok()
        if mode is GenerationMode.NEGATIVE and not _has_input(operation):
            continue

        @QUIET
        @given(case=operation.as_strategy(generation_mode=mode))
        def attempt(case: Case) -> None:
            _answer(case, base)

        with suppress(Unsatisfiable):  # Where any text fits, nothing is unfitting.
            attempt()
        tried.add(operation.path)
    assert tried
    if mode is GenerationMode.POSITIVE:
        assert tried >= COMMON


def _has_input(operation: schemathesis.APIOperation) -> bool:
    return bool(operation.body or operation.query or operation.headers or operation.path_parameters)


@pytest.mark.parametrize("service", SERVICES)
def test_the_service_is_ready_after_all_that(service: str, api_stack: Stack) -> None:
    assert httpx.get(f"{api_stack.ports.url(service)}/readyz", timeout=10).status_code == 200
