"""Other versions of the application, as edits of a copy of this repository."""

from __future__ import annotations

from pathlib import Path

from tests.reconfigure.checkout import replace
from tests.reconfigure.platform import Platform

PACKAGE = Path("app/backend/src/octopus")
MIGRATION = '''"""A column that this version alone knows."""

from alembic import op

revision = "reconfigure"
down_revision = {last!r}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute("ALTER TABLE messages ADD COLUMN mood text")


def downgrade() -> None:
    """Take back."""
    op.execute("ALTER TABLE messages DROP COLUMN mood")
'''
# The last column of messages that this repository's own version knows
LAST_COLUMN = '    Column("dead_reason", Text),\n'
# What a test leaves of it in the database
MIGRATED = "select count(*) as columns from information_schema.columns where column_name = 'mood'"
UNDO = "alter table messages drop column if exists mood; update alembic_version set version_num = '{last}'"


def greets(root: Path, text: str) -> Path:
    """Make a version that can be told by its greeting."""
    replace(root / PACKAGE / "api/data.py", '"Hello from Docker!"', f'"{text}"')
    return root


def api_does_not_start(root: Path, says: str) -> Path:
    """Make a version whose API ends as soon as it is started."""
    return ends_at_start(root, "Run the API under gunicorn.", says)


def worker_does_not_start(root: Path, says: str) -> Path:
    """Make a version whose API works, and whose worker ends as soon as it is started."""
    return ends_at_start(root, "Run the Celery worker.", says)


def ends_at_start(root: Path, command: str, says: str) -> Path:
    """Have the command of this docstring end before it does anything."""
    first = f'    """{command}"""\n'
    replace(root / PACKAGE / "commands.py", first, f'{first}    raise RuntimeError("{says}")\n')
    return root


def is_never_ready(root: Path, says: str) -> Path:
    """Make a version whose API starts, logs why it cannot serve, and never can."""
    replace(
        root / PACKAGE / "api/health.py",
        "    if not services().database.is_writable():\n",
        f'    logging.getLogger("octopus").error("{says}")\n    if True:\n',
    )
    replace(root / PACKAGE / "api/health.py", '"""\n\nfrom', '"""\n\nimport logging\n\nfrom')
    return root


def migrates(root: Path, last: str) -> Path:
    """Make a version with a further migration, after the last one that there is.

    It reads the new column with every message: without the migration, nobody could list them.
    """
    name = "migrations/versions/v9999_reconfigure.py"
    (root / PACKAGE / name).write_text(MIGRATION.format(last=last), encoding="utf-8")
    replace(root / PACKAGE / "models.py", LAST_COLUMN, f'{LAST_COLUMN}    Column("mood", Text),\n')
    return root


def is_migrated(platform: Platform) -> bool:
    """Tell whether the database has what migrates() adds."""
    target, database = platform.target, platform.settings["postgres_database"]
    return target.rows(target.primary, MIGRATED, database) == [{"columns": 1}]
