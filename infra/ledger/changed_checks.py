"""For migrations: another CHECK under the name of an old one, without reading the table while others wait for it."""

from __future__ import annotations

from alembic import op

LATER = "huzhu_checks_to_look_through"
"""Where the attributes of Alembic's configuration hold the changed checks, as table and name, in their order."""


def change_check(table: str, name: str, condition: str) -> None:
    """Replaces the CHECK ``name`` of a table by one with another condition, in a moment, whatever the table's size.

    New rows have to meet it at once. The rows that are there are looked through after all migrations, in a transaction
    that only keeps other migrations out: `infra.ledger.upgrading` does that for each check that is not valid yet.
    """
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}, ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID")
    config = op.get_context().config
    if config is not None:
        config.attributes.setdefault(LATER, {})[table, name] = None
