"""Alembic's entry: runs the migrations on the connection that `infra.ledger.upgrading` hands over, or prints them."""

from alembic import context

from infra.ledger import console_tables, day_tables, gateway_tables, group_tables, list_tables, pool_tables  # noqa: F401 - each adds its tables to the metadata
from infra.ledger.tables import metadata

if context.is_offline_mode():
    context.configure(
        dialect_name="postgresql",
        target_metadata=metadata,
        transactional_ddl=True,
        literal_binds=True,
        dialect_opts={"paramstyle": "named"},
    )
else:
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
