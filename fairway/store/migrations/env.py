"""What Alembic runs: the steps, on the connection that ``upgrade`` opened.

Room: ``fairway.store``. It opens and commits nothing itself.
"""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
