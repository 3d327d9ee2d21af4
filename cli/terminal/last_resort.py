"""What a command says when something outside it failed and nobody closer by has said so: one sentence, no traceback.

An error that nothing outside explains is a bug of ours: it keeps its traceback.
"""

from __future__ import annotations

import sys

from cli.terminal.extras import missing_extra
from cli.terminal.output import UNUSABLE

GONE = 75
"""Exit status when Kafka or the ledger is gone (`stream.deadline.INFRASTRUCTURE_GONE`, which takes long to import)."""


def explained(error: Exception) -> tuple[str, int] | None:
    """A sentence for a person and the exit status; None if the error is a bug.

    Modules that were never imported cannot have raised anything: they are not imported for this.
    """
    if _is(error, "sqlalchemy.exc", "DBAPIError"):
        return f"the ledger cannot be used: {str(getattr(error, 'orig', error)).splitlines()[0]}", GONE
    if _is(error, "psycopg", "Error"):
        return f"the ledger cannot be used: {str(error).splitlines()[0]}", GONE
    if _is(error, "infra.ledger.schema", "LedgerMismatch"):
        return str(error), UNUSABLE
    if _is(error, "infra.kafka.topic_setup", "KafkaUnreachable"):
        return str(error), GONE
    if _is(error, "confluent_kafka", "KafkaException") or _is(error, "kafka.errors", "KafkaError"):
        return f"Kafka cannot be used: {str(error).splitlines()[0]}", GONE
    if sentence := missing_extra(error):
        return sentence, UNUSABLE
    if isinstance(error, OSError) and error.strerror:
        place = "" if error.filename is None else f"{error.filename}: "
        return f"{place}cannot be used: {error.strerror}", UNUSABLE
    return None


def _is(error: Exception, module: str, name: str) -> bool:
    loaded = sys.modules.get(module)
    return loaded is not None and isinstance(error, getattr(loaded, name))
