"""Alembic's entry: runs the migrations on the connection that `infra.ledger.schema.upgrade` hands over."""

from alembic import context

from infra.ledger import console_tables, day_tables, gateway_tables, group_tables, pool_tables  # noqa: F401 - each adds its tables to the metadata
from infra.ledger.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
