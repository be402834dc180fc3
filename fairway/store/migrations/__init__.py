"""The shapes of the tables, as steps from one schema to the next.

Room: ``fairway.store``. Each step is one file in ``versions``. It writes no row; the tables are
filled by the modules that own them.
"""

from pathlib import Path

from fairway.store.database import Database, refusals

HEAD = "0001"  # the newest step; a test holds it equal to what ``versions`` says


def version(db: Database) -> str | None:
    """The schema's version, read without Alembic; None in an empty database.

    Raises:
        StoreError: If the database cannot be read.
    """
    if not db.read("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"):
        return None
    rows = db.read("SELECT version_num FROM alembic_version")
    return str(rows[0]["version_num"]) if rows else None


def upgrade(db: Database) -> None:
    """Bring the schema to ``HEAD`` in one transaction; a kill in the middle changes nothing.

    The caller holds the home's lock, so that only one process does this.

    Raises:
        StoreError: If the database refuses.
    """
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with db.connect() as connection, refusals(db.path):
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
