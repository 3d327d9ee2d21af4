"""Planted bugs: what a schema registry is told, and what is said where it refuses."""

from __future__ import annotations

from tests.planted.bug import Bug

REGISTRY = "tests/contracts/test_schema_registry.py"

BUGS = (
    Bug(
        "registering",
        "all-types-of-a-topic-are-one-subject",
        "schemas/contract/subjects.py",
        'return "value" if len(event.topic.event_types) == 1 else event.event_type',
        'return "value"',
        (f"{REGISTRY}::test_subjects_have_the_names_of_the_registries_strategies",),
    ),
    Bug(
        "registering",
        "each-release-is-a-new-schema",
        "schemas/contract/subjects.py",
        'if name not in ("$schema", "$id")}',
        'if name != "$schema"}',
        (f"{REGISTRY}::test_schemas_stand_alone_in_the_dialect_that_registries_compare",),
    ),
    Bug(
        "registering",
        "a-password-over-http",
        "infra/schema_registry.py",
        'if parts.scheme == "http" and parts.hostname not in LOOPBACK:',
        "if not parts.scheme:",
        (f"{REGISTRY}::test_what_cannot_be_used_is_said_before_anything_is_sent",),
    ),
    Bug(
        "registering",
        "an-unknown-user-is-a-wrong-address",
        "infra/schema_registry.py",
        "if error.code in (401, 403):",
        "if error.code == 407:",
        (f"{REGISTRY}::test_a_refusal_is_explained",),
    ),
    Bug(
        "registering",
        "a-users-name-is-not-sent",
        "infra/schema_registry.py",
        'f"{user}:{password.get_secret_value()}"',
        'f":{password.get_secret_value()}"',
        (f"{REGISTRY}::test_a_refusal_is_explained",),
    ),
)
