"""How Alembic runs: over the connection that octopus.migrate opened, in one transaction."""

from alembic import context
from sqlalchemy import text

from octopus.models import metadata

LOCK = 7_381_201  # any number: two migrations at once wait for each other

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata)
with context.begin_transaction():
    connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
    context.run_migrations()
