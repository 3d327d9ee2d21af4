"""The rules of `schemas.access.kafka_rights`, put into a cluster that has an authorizer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourceType,
)
from kafka.errors import KafkaError

from infra.kafka.names import KafkaNames
from infra.kafka.topic_setup import admin
from schemas.access.kafka_rights import Rule


class NotApplied(Exception):
    """The cluster rejected some of the rules; the message says why."""


def in_kafka(rules: Sequence[Rule]) -> list[Rule]:
    """The rules for the names in Kafka. A reader's own groups start with its user's name, which is the cluster's."""
    names = KafkaNames.in_force()
    return [
        rule if rule.resource == "group" and rule.prefixed else replace(rule, name=names.in_kafka(rule.name))
        for rule in rules
    ]


def apply(bootstrap: str, rules: Sequence[Rule]) -> None:
    """Adds the rules, with names `in_kafka`, to the cluster; existing rules stay, and none is removed.

    Raises NotApplied, KafkaUnreachable.
    """
    try:
        with admin(bootstrap) as client:
            failed = client.create_acls([_acl(rule) for rule in rules])["failed"]
    except KafkaError as error:
        failed = [error]
    if failed:
        kinds = ", ".join(sorted({getattr(error, "__name__", type(error).__name__) for error in failed}))
        raise NotApplied(
            f"{len(failed)} rules were rejected ({kinds}): the cluster needs an authorizer, "
            "and this user the right to alter it"
        )


def _acl(rule: Rule) -> ACL:
    pattern = ACLResourcePatternType.PREFIXED if rule.prefixed else ACLResourcePatternType.LITERAL
    resource = ResourcePattern(ResourceType[rule.resource.upper()], rule.name, pattern)
    operation = ACLOperation[rule.operation]
    return ACL(f"User:{rule.user}", "*", operation, ACLPermissionType.ALLOW, resource)
