"""The published JSON Schemas as validators, read from the files that other programs read."""

from __future__ import annotations

import json
from typing import Any

from jsonschema import Draft202012Validator

from tests.support.paths import CONTRACTS


def validators() -> dict[str, Draft202012Validator]:
    """A validator for each event type."""
    found = {}
    for file in sorted((CONTRACTS / "schemas").glob("*.json")):
        schema = json.loads(file.read_text("utf-8"))
        Draft202012Validator.check_schema(schema)
        found[file.stem] = Draft202012Validator(schema)
    return found


def faults(known: dict[str, Draft202012Validator], value: Any) -> list[str]:
    """What a message's own schema says against it."""
    return [f"{error.json_path}: {error.message}" for error in known[value["event_type"]].iter_errors(value)]
