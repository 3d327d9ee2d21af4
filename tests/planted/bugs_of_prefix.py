"""Planted bugs: several installations on one Kafka, each under its own prefix, and what an operator may tune there."""

from __future__ import annotations

from tests.planted.bug import Bug

NAMES = "tests/unit/test_kafka_names.py"
TUNED = "tests/unit/test_topic_differences.py"
BOTH_WAYS = (f"{NAMES}::test_names_are_translated_in_both_directions",)

BUGS = (
    Bug(
        "prefixes",
        "a-ledger-belongs-to-any-prefix",
        "infra/kafka/names.py",
        'return f"{cluster_id}/{self.prefix}" if self.prefix else cluster_id',
        "return cluster_id",
        BOTH_WAYS,
    ),
    Bug(
        "prefixes",
        "another-citys-topics-are-ours",
        "infra/kafka/names.py",
        " for name in names if name.startswith(self.prefix)]",
        " for name in names]",
        BOTH_WAYS,
    ),
    Bug(
        "prefixes",
        "the-prefix-stays-on-what-is-read",
        "infra/kafka/names.py",
        "return name.removeprefix(self.prefix)",
        "return name",
        BOTH_WAYS,
    ),
    Bug(
        "prefixes",
        "a-prefix-of-two-words",
        "infra/settings.py",
        "[a-z0-9-]{0,39}",
        "[a-z0-9.-]{0,39}",
        (f"{NAMES}::test_another_prefix_is_refused",),
    ),
    Bug(
        "prefixes",
        "the-cluster-is-blamed-for-the-prefix",
        "infra/ledger/schema.py",
        'held.partition("/")[0] == found.partition("/")[0]',
        "held == found",
        ("tests/ledger/test_migrations.py::test_a_ledger_is_bound_to_its_shards_and_cluster",),
    ),
    Bug(
        "prefixes",
        "a-readers-own-groups-get-the-prefix",
        "infra/kafka/acls.py",
        'if rule.resource == "group" and rule.prefixed else',
        'if rule.resource == "user" else',
        (f"{NAMES}::test_rules_are_for_the_names_in_kafka",),
    ),
    Bug(
        "prefixes",
        "two-cities-are-one-source",
        "stream/outbound/cloudevents.py",
        'return SOURCE + b"/" + prefix.rstrip(".").encode() if prefix else SOURCE',
        "return SOURCE",
        ("tests/unit/test_cloudevents.py::test_the_source_tells_installations_apart",),
    ),
    Bug(
        "prefixes",
        "workers-of-all-cities-are-one-group",
        "stream/inbound/worker.py",
        "        names.in_kafka(WORKER_GROUP),\n",
        "        WORKER_GROUP,\n",
        (f"{NAMES}::test_a_worker_joins_its_installations_group",),
    ),
    Bug(
        "prefixes",
        "the-ledger-is-asked-by-kafkas-names",
        "stream/inbound/transport.py",
        "self._position.reached(self._names.ours(topic), partition)",
        "self._position.reached(topic, partition)",
        (f"{NAMES}::test_the_ledgers_position_is_found_by_kafkas_names",),
    ),
    Bug(
        "prefixes",
        "clients-are-named-alike",
        "infra/kafka/client_security.py",
        '{"client.id": f"{settings.prefix}{CLIENT}"}',
        '{"client.id": CLIENT}',
        (f"{NAMES}::test_clients_are_named_after_their_installation",),
    ),
    Bug(
        "tuned",
        "small-messages-are-harmless",
        "infra/kafka/topic_setup.py",
        "return int(found) > int(declared)",
        "return True",
        (f"{TUNED}::test_what_could_lose_a_message_stops_worker_and_relay",),
    ),
    Bug(
        "tuned",
        "compaction-is-harmless",
        "infra/kafka/topic_setup.py",
        'return name in ("retention.ms", "message.timestamp.type")',
        'return name in ("retention.ms", "message.timestamp.type", "cleanup.policy")',
        (
            f"{TUNED}::test_what_could_lose_a_message_stops_worker_and_relay",
            f"{TUNED}::test_cursors_that_are_deleted_instead_of_compacted_stop_the_relay",
        ),
    ),
    Bug(
        "tuned",
        "another-retention-stops-everything",
        "infra/kafka/topic_setup.py",
        'return name in ("retention.ms", "message.timestamp.type")',
        'return name == "message.timestamp.type"',
        (f"{TUNED}::test_what_an_operator_may_tune_is_told_and_stops_nothing",),
    ),
    Bug(
        "tuned",
        "only-fewer-partitions-are-noticed",
        "infra/kafka/topic_setup.py",
        "if len(partitions) != settings.shards:",
        "if len(partitions) < settings.shards:",
        (f"{TUNED}::test_partitions_and_too_few_copies_stop_worker_and_relay",),
    ),
)
