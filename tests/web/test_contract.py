"""The OpenAPI document says what the API does: schemathesis tries it, and its examples are posted."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import Engine

from schemas.access.callers import ApiRole
from tests.support.length import times
from tests.web.door import open_door
from web.api.openapi import EXAMPLES

EXAMPLES_EACH = times(15, 60)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def test_the_api_answers_as_its_document_says(ledger: Engine) -> None:
    """Whatever schemathesis makes of the document, good or bad, the answer is one that the document names."""
    tried: set[str] = set()
    with open_door(ledger) as door:
        token = {role: door.key(role, *scope) for role, scope in SCOPES.items()}
        with door.client(token[ApiRole.HOSPITAL]) as hospital:
            assert 202 == hospital.post("/v1/events", json=[EXAMPLES["discharge"], EXAMPLES["settlement"]]).status_code
        schema: Any = schemathesis.openapi.from_url(f"{door.address}/openapi.json")
        for found in schema.get_all_operations():
            operation = found.ok()
            role = ApiRole.INSURER if "instructions" in operation.path else ApiRole.HOSPITAL
            for mode in GenerationMode:
                attack(operation, mode, token[role])
            tried.add(operation.label)
    assert {
        "GET /healthz",
        "GET /readyz",
        "POST /v1/events",
        "POST /v1/settlements",
        "POST /v1/quotes",
        "GET /v1/claims/{claim_id}",
        "GET /v1/instructions",
    } == tried


def attack(operation: Any, mode: GenerationMode, secret: str) -> None:
    """Tries an operation with requests of its document, or with requests that break it."""

    @settings(
        max_examples=EXAMPLES_EACH,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def once(case: Any) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {secret}"}, checks=CHECKS)

    try:
        once()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE, "there is nothing to break in a request without parameters"


SCOPES: dict[ApiRole, list[str]] = {
    ApiRole.HOSPITAL: ["H1"],
    ApiRole.INSURER: ["village_mutual_aid"],
    ApiRole.LEAD: ["insurer-a"],
    ApiRole.REGISTRY: [],
}


def test_every_example_of_the_document_is_taken(ledger: Engine) -> None:
    """Each example body of the document is acknowledged or answered as it is."""
    with open_door(ledger) as door:
        with door.client(door.key(ApiRole.REGISTRY)) as registry:
            assert 202 == registry.post("/v1/events", json=EXAMPLES["coverage"]).status_code
        with door.client(door.key(ApiRole.HOSPITAL, "H1")) as hospital:
            document = hospital.get("/openapi.json").json()
            shown = 0
            for path, operations in document["paths"].items():
                for method, operation in operations.items():
                    content = operation.get("requestBody", {}).get("content", {})
                    for example in content.get("application/json", {}).get("examples", {}).values():
                        answer = hospital.request(method, path, json=example["value"])
                        assert answer.status_code in (200, 202), (path, answer.text)
                        shown += 1
    assert 6 == shown


@pytest.mark.parametrize("path", ["/v1/events", "/v1/settlements", "/v1/quotes", "/v1/instructions"])
def test_the_document_says_that_a_key_is_needed(ledger: Engine, path: str) -> None:
    """Each address under /v1 names the bearer key; the document itself needs none."""
    with open_door(ledger) as door, door.client("") as nobody:
        document = nobody.get("/openapi.json").json()
    assert {"key": {"type": "http", "scheme": "bearer"}} == document["components"]["securitySchemes"]
    assert all([{"key": []}] == operation["security"] for operation in document["paths"][path].values())
