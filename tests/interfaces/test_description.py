"""The API does what its description says, whatever is sent to it: Schemathesis attacks the running app by it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from interfaces.inside import Client, Inside, inside
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.transport import Response
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
ENDLESS = ("/v1/events", "/ofrep/v1/events")


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    made = inside(tmp_path_factory.mktemp("described") / "own")
    made.judge(0.9)
    made.ticks[0] = 1e9
    yield made
    made.engine.database.close()


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_it_finds_nothing(api: Inside, mode: GenerationMode) -> None:
    document = api.client.get("/v1/openapi.json").json()
    for path in ENDLESS:
        document["paths"].pop(path)
    document["components"].pop("securitySchemes")  # who comes in is tested elsewhere
    for route in (route for routes in document["paths"].values() for route in routes.values()):
        route.pop("security", None)
    schema = schemathesis.openapi.from_dict(document)
    found = [problem for each in schema.get_all_operations() for problem in attacked(api, each.ok(), mode)]
    assert not found, "\n\n".join(found)


def attacked(api: Inside, operation: Any, mode: GenerationMode) -> Iterator[str]:
    """Send what fits one operation's description, or what does not, and yield what is wrong with an answer."""

    @seed(1)
    @settings(
        max_examples=12,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def attack(case: Case) -> None:
        api.later(100)  # it asks more often than anybody may
        case.validate_response(asked(api.client, case), checks=CHECKS)

    try:
        attack()
    except Unsatisfiable:
        return  # nothing that would not fit: an operation that takes nothing
    except (FailureGroup, AssertionError) as problem:
        yield f"{operation.label}: {'; '.join(str(each) for each in getattr(problem, 'exceptions', [problem]))}"


def asked(client: Client, case: Case) -> Response:
    """Send a case to the app in this process."""
    made = case.as_transport_kwargs(base_url="http://127.0.0.1")
    made.pop("cookies", None)
    method, url = made.pop("method"), made.pop("url")
    if isinstance(made.get("data"), (bytes, str)):
        made["content"] = made.pop("data")
    found = client.request(method, url, **{name: value for name, value in made.items() if value is not None})
    return Response.from_any(found)


def test_every_route_is_described_with_what_it_needs(api: Inside) -> None:
    document = api.client.get("/v1/openapi.json").json()
    paths = set(document["paths"])
    assert {"/v1/fleet", "/v1/switches/{model}/pull", "/v1/events", "/v1/alertmanager", "/v1/log/{seq}"} <= paths
    for path, routes in document["paths"].items():
        for method, route in routes.items():
            needed = [] if path in ("/healthz", "/readyz") else [{"HTTPBearer": []}]
            assert route.get("security", []) == needed, path
            assert route.get("description") or route["summary"], f"{method} {path}"
    assert {api.client.get(path).status_code for path in ("/docs", "/redoc")} == {404}
