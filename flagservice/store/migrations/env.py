"""Runs the migrations on the connection that `store.database` hands over."""

from alembic import context
from sqlmodel import SQLModel

from flagservice.store import tables
from flagservice.store.sealing import pseudonyms
from flagservice.store.tables import acknowledgements, alarms, leak_checks, policies

for filled in (
    acknowledgements.AnswerRow,
    policies.PolicyTextRow,
    leak_checks.LeakResultRow,
    pseudonyms.PseudonymVersion,
    tables.PersonRow,
    alarms.StrangerRow,
):  # the import fills the metadata
    assert filled.__tablename__ in SQLModel.metadata.tables

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
