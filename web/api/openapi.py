"""What the OpenAPI document says beyond the signatures: bodies, answers, keys and examples."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from fastapi import FastAPI

from schemas.facts import FACT_TYPES
from web.api.problems import CODES

Json = dict[str, Any]

DISCHARGE: Json = {
    "event_type": "encounter.discharged",
    "event_id": "H1-ev-20240310-0001",
    "occurred_at": "2024-03-10T14:55:00+08:00",
    "source": "his.h1",
    "encounter_id": "H1-E-1001",
    "version": 1,
    "person_id": "P-1001",
    "facility_id": "H1",
    "facility_level": "county",
    "care_type": "inpatient",
    "admitted_on": "2024-03-01",
    "discharged_on": "2024-03-10",
    "diagnoses": ["I10"],
}
SETTLEMENT: Json = {
    "event_type": "settlement.posted",
    "event_id": "H1-ev-20240310-0002",
    "occurred_at": "2024-03-10T15:00:00+08:00",
    "source": "his.h1",
    "settlement_id": "H1-S-1001",
    "version": 1,
    "encounter_id": "H1-E-1001",
    "person_id": "P-1001",
    "facility_id": "H1",
    "settled_at": "2024-03-10T15:00:00+08:00",
    "final": True,
    "currency": "CNY",
    "total_charge": "18600.00",
    "basic_insurance_paid": "9000.00",
    "serious_illness_paid": "1600.00",
    "medical_assistance_paid": "0.00",
    "other_fund_paid": "0.00",
    "copay": "7000.00",
    "out_of_catalogue": "1000.00",
    "invoice_no": "0012345678",
}
COVERAGE: Json = {
    "event_type": "coverage.recorded",
    "event_id": "reg-ev-7",
    "occurred_at": "2024-01-02T09:00:00+08:00",
    "source": "registry",
    "coverage_id": "C-1001",
    "version": 1,
    "person_id": "P-1001",
    "programme": "village_mutual_aid",
    "category": "member",
    "valid_from": "2024-01-01",
    "valid_to": "2025-01-01",
}
EXAMPLES: dict[str, Json] = {"discharge": DISCHARGE, "settlement": SETTLEMENT, "coverage": COVERAGE}
"""The example events of the document. A test posts each of them."""


def _schemas() -> Json:
    schemas: Json = {}
    for name, model in FACT_TYPES.items():
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= schema.pop("$defs", {})
        schemas[model.__name__] = schema | {"description": f"{name}: {(model.__doc__ or '').strip()}"}
    schemas["Event"] = {
        "oneOf": [{"$ref": f"#/components/schemas/{model.__name__}"} for model in FACT_TYPES.values()],
        "discriminator": {
            "propertyName": "event_type",
            "mapping": {name: f"#/components/schemas/{model.__name__}" for name, model in FACT_TYPES.items()},
        },
    }
    schemas["Problem"] = _PROBLEM
    schemas["Receipt"] = _RECEIPT
    schemas["BatchReceipt"] = _BATCH
    schemas["Undecided"] = _UNDECIDED
    return schemas


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(properties: Json, optional: tuple[str, ...] = ()) -> Json:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


_STRING: Json = {"type": "string"}
_WHOLE: Json = {"type": "integer"}
_PROBLEM = _object(
    {
        "type": _STRING,
        "title": _STRING,
        "status": _WHOLE,
        "detail": _STRING,
        "code": {"type": "string", "description": f"A code of claims.md, or one of {', '.join(CODES)}"},
        "pointers": {"type": "array", "items": _STRING},
        "zh": _STRING,
        "en": _STRING,
    }
)
_RECEIPT = _object(
    {
        "event_id": _STRING,
        "event_type": _STRING,
        "kind": _STRING,
        "id": _STRING,
        "version": {"type": ["integer", "null"]},
        "status": {"const": "acknowledged"},
        "claim_id": _STRING,
    },
    optional=("claim_id",),
)
_BATCH_ITEM = _object(
    {"index": _WHOLE, "status": _WHOLE, "receipt": _ref("Receipt"), "problem": _ref("Problem")},
    optional=("receipt", "problem"),
)
_BATCH = _object({"acknowledged": _WHOLE, "refused": _WHOLE, "items": {"type": "array", "items": _BATCH_ITEM}})
_UNDECIDED = _object(
    {"status": {"const": "acknowledged"}, "claim_id": _STRING, "events": {"type": "array", "items": _ref("Receipt")}}
)

_RETRY: Json = {"Retry-After": {"description": "Seconds to wait.", "schema": _WHOLE}}


def _problems(*statuses: int) -> dict[int | str, Json]:
    descriptions = {
        400: "The body is not JSON.",
        401: "Missing or invalid key.",
        403: "Not allowed with this key.",
        404: "Not found.",
        408: "The body took too long to arrive.",
        409: "Conflicts with an event that was accepted before.",
        413: "Too large.",
        415: "Unsupported content type.",
        422: "Refused; code and pointers say why.",
        429: "Too many events.",
        503: "The ledger cannot be reached; nothing was acknowledged.",
    }
    answers: dict[int | str, Json] = {}
    for status in statuses:
        answers[status] = {
            "description": descriptions[status],
            "content": {"application/problem+json": {"schema": _ref("Problem")}},
        }
        if status in (429, 503):
            answers[status]["headers"] = _RETRY
    return answers


def _json(schema: Json, description: str, headers: Json | None = None) -> Json:
    answer: Json = {"description": description, "content": {"application/json": {"schema": schema}}}
    return answer | ({"headers": headers} if headers else {})


def _body(schema: Json, examples: Json, **others: Json) -> Json:
    values = {name: {"value": value} for name, value in examples.items()}
    content = {"application/json": {"schema": schema, "examples": values}, **others}
    return {"requestBody": {"required": True, "content": content}}


_EVENTS = {"oneOf": [_ref("Event"), {"type": "array", "items": _ref("Event"), "minItems": 1, "maxItems": 1000}]}
_LINES: Json = {"schema": {"type": "string", "description": "One event per line, at most 1,000."}}
_POSTING = (400, 401, 403, 408, 409, 413, 415, 422, 429, 503)

UNAVAILABLE = _problems(503)
POST_EVENTS: Json = {
    "tags": ["post"],
    "summary": "Post one event or a batch",
    "description": "202 means that the events are stored for good and will be decided, even if Kafka is down now. The "
    "events of a batch are judged independently: 207 means that some were refused. Where the operator has set it up, "
    "national settlement lists are accepted as `application/vnd.huzhu.national+json`: one record or an array of them.",
    "responses": {
        202: _json({"anyOf": [_ref("Receipt"), _ref("BatchReceipt")]}, "Acknowledged."),
        207: _json(_ref("BatchReceipt"), "Some events were refused; items says which and why."),
        **_problems(*_POSTING),
    },
    "openapi_extra": _body(
        _EVENTS,
        {"discharge": DISCHARGE, "settlement": SETTLEMENT, "batch": [DISCHARGE, SETTLEMENT]},
        **{"application/x-ndjson": _LINES},
    ),
}
POST_SETTLEMENTS: Json = {
    "tags": ["post"],
    "summary": "Post a settlement and wait for its decision",
    "description": "The settlement, alone or in an array with its discharge: both are accepted or neither. The "
    "answer is the decision that takes them into account, or 202 with a Location if there is none in time.",
    "responses": {
        200: _json(_ref("ClaimView"), "Decided.", {"Content-Location": {"schema": _STRING}}),
        202: _json(_ref("Undecided"), "Acknowledged but not decided yet.", {"Location": {"schema": _STRING}}),
        **_problems(*_POSTING),
    },
    "openapi_extra": _body(
        {"oneOf": [_ref("Event"), {"type": "array", "items": _ref("Event"), "minItems": 1, "maxItems": 2}]},
        {"settlement": SETTLEMENT, "with its discharge": [DISCHARGE, SETTLEMENT]},
    ),
}
POST_QUOTES: Json = {
    "tags": ["ask"],
    "summary": "What would each scheme pay?",
    "description": "A settlement that has not been posted, with its discharge and, if the registry does not have them "
    "yet, coverages. Uses everything known about the person; writes nothing.",
    "responses": _problems(400, 401, 403, 408, 409, 413, 415, 422, 429, 503),
    "openapi_extra": _body(
        _object(
            {
                "settlement": _ref("SettlementPosted"),
                "discharge": _ref("EncounterDischarged"),
                "coverages": {"type": "array", "items": _ref("CoverageRecorded"), "maxItems": 50},
            },
            optional=("discharge", "coverages"),
        ),
        {"quote": {"settlement": SETTLEMENT, "discharge": DISCHARGE, "coverages": [COVERAGE]}},
    ),
}
GET_CLAIM: Json = {
    "tags": ["ask"],
    "summary": "A claim: state, decision, explanation, payouts",
    "responses": _problems(401, 403, 404, 422, 429, 503),
}
GET_INSTRUCTIONS: Json = {
    "tags": ["ask"],
    "summary": "Payout instructions that the key's holder pays, page by page",
    "description": "An `insurer` key: what the public fund pays of its schemes. A `lead` key: what its insurers pay "
    "under treaties.",
    "responses": {
        200: {"headers": {"Link": {"description": 'The next page, `rel="next"`, if it is ready.', "schema": _STRING}}},
        **_problems(401, 403, 422, 429, 503),
    },
}


def quoted(claim_id: str) -> str:
    """An id, escaped for use in a URL."""
    return quote(claim_id, safe="")


class DescribedAPI(FastAPI):
    """An application whose document also describes the events and the keys."""

    def openapi(self) -> Json:
        if self.openapi_schema is None:
            document = super().openapi()
            document["components"]["schemas"] = document["components"].get("schemas", {}) | _schemas()
            document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
            for path, operations in document["paths"].items():
                for operation in operations.values():
                    if path.startswith("/v1/"):
                        operation["security"] = [{"key": []}]
            self.openapi_schema = document
        return self.openapi_schema
