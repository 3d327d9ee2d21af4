"""What the coverages of the ledger's persons have ever said that a policy can be compared with."""

from __future__ import annotations

import json

from sqlalchemy import Connection

from infra.ledger import reads
from schemas.policy.doubts import SeenCoverages


def seen_coverages(connection: Connection) -> SeenCoverages:
    """The words of every coverage that was accepted, in any version."""
    seen = SeenCoverages.none()
    for value in reads.coverage_values(connection):
        fields = json.loads(value, parse_int=str, parse_float=str)  # unknown fields may hold numbers of any length
        category, programme = fields.get("category"), fields.get("programme")
        if isinstance(category, str) and isinstance(programme, str):
            seen.categories.add(category)
            seen.programmes.add(programme)
            if isinstance(fields.get("pool_id"), str):
                seen.with_pools.add(programme)
            if isinstance(fields.get("ended_reason"), str):
                seen.with_reasons.add(programme)
    return seen
