"""Publishing a treaty: it is kept for good, and says who pays what is instructed from now on."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection

from acts.ledger_act import ledger_act
from acts.published_policies import published_policies
from acts.published_treaties import published_treaties
from handlers.audit.operator_acts import treaty_published
from infra.clock import Clock
from infra.ledger import treaty_rows
from infra.ledger.policy_rows import PublishedFile
from schemas.treaty.treaty_file import parse_treaty
from schemas.treaty.treaty_model import Treaty


class TreatyPublication(NamedTuple):
    """What publishing did, or would do. ``new`` is false when the same treaty was published before.

    ``unknown`` are the treaty's schemes that no published policy has.
    """

    treaty: Treaty
    new: bool
    unknown: tuple[str, ...]


def publish_treaty(
    connection: Connection, text: str, operator: str, shard_count: int, now: Clock, file: str = "treaty"
) -> TreatyPublication:
    """Publishes a treaty file in the name of an operator.

    No claim is decided again and no money moves: what was instructed before stays with whoever paid it. Raises
    TreatyError for an unusable file and TreatiesConflict when another treaty covers one of its days.
    """
    treaty = parse_treaty(text, file)
    with ledger_act(connection, range(shard_count), now) as journal:
        published = _joined(connection, treaty)
        if published.new:
            number = treaty_published(journal, text.encode("utf-8"), treaty, operator)
            journal.write()
            row = PublishedFile(text, operator, journal.recorded_at)
            treaty_rows.add(connection, treaty, row, journal.numbers[number])
    return published


def preview_treaty(connection: Connection, text: str, file: str = "treaty") -> TreatyPublication:
    """What publishing a treaty file would do; writes nothing and locks nothing. Raises what `publish_treaty` raises."""
    return _joined(connection, parse_treaty(text, file))


def _joined(connection: Connection, treaty: Treaty) -> TreatyPublication:
    before = published_treaties(connection)
    schemes = {scheme.id for policy in published_policies(connection).releases for scheme in policy.schemes}
    unknown = tuple(name for name in treaty.schemes if name not in schemes)
    return TreatyPublication(treaty, before.joined(treaty) is not before, unknown)
