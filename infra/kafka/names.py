"""What one installation is called in Kafka: its prefix comes before the name of every topic, group and transaction.

Everything else in the program says `claims.decisions`: declarations, the outbox, offsets in the ledger, the audit log,
metrics. Only whoever speaks with Kafka translates, with this, in both directions. So several installations can share
a cluster, each with a ledger of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from infra.settings_in_force import settings_in_force


@dataclass(frozen=True, slots=True)
class KafkaNames:
    """The names with a ``prefix``, which is a word with a dot, or empty: then both kinds of name are the same."""

    prefix: str = ""

    @classmethod
    def in_force(cls) -> KafkaNames:
        """Those of this process. Raises SettingsError."""
        return cls(settings_in_force().settings.prefix)

    def in_kafka(self, name: str) -> str:
        """What Kafka calls the topic, group or transaction."""
        return self.prefix + name

    def ours(self, name: str) -> str:
        """What the program calls a topic of this installation."""
        return name.removeprefix(self.prefix)

    def among(self, names: list[str]) -> list[str]:
        """Those of this installation among the names of a cluster, as the program calls them. Others can be there."""
        return [self.ours(name) for name in names if name.startswith(self.prefix)]

    def home(self, cluster_id: str) -> str:
        """What a ledger belongs to: the cluster, and the topics of this prefix in it."""
        return f"{cluster_id}/{self.prefix}" if self.prefix else cluster_id
