"""The categories in which the ledger's persons are or were covered."""

from __future__ import annotations

import json

from sqlalchemy import Connection

from infra.ledger import reads


def seen_categories(connection: Connection) -> set[str]:
    """Every category that an accepted coverage has named, in any version."""
    found = set()
    for value in reads.coverage_values(connection):
        fields = json.loads(value, parse_int=str, parse_float=str)  # unknown fields may hold numbers of any length
        category = fields.get("category")
        if isinstance(category, str):
            found.add(category)
    return found
