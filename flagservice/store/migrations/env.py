"""Runs the migrations on the connection that `store.database` hands over."""

from alembic import context
from sqlmodel import SQLModel

from flagservice.store import tables

# The import fills the metadata.
assert tables.PersonRow.__tablename__ in SQLModel.metadata.tables

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
