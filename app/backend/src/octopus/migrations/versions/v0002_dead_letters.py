"""Dead letters can be dropped, by a role that cannot remove any other message."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

FUNCTION = """
CREATE FUNCTION drop_dead_letters(ids bigint[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
AS $$ DELETE FROM messages WHERE status = 'dead' AND id = ANY (ids) $$;
REVOKE ALL ON FUNCTION drop_dead_letters FROM PUBLIC;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(FUNCTION)


def downgrade() -> None:
    """Take back."""
    op.execute("DROP FUNCTION drop_dead_letters")
