"""What Alembic runs: the steps, on the connection that `fenix.store.migrate` hands over.

It leaves logging as the program has configured it.
"""

from alembic import context

from fenix.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
