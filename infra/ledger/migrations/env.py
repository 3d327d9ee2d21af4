"""Alembic's entry: runs the migrations on the connection that `infra.ledger.schema.upgrade` hands over."""

from alembic import context

from infra.ledger.gateway_tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
