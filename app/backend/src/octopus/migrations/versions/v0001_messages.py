"""Messages, their outbox, idempotency keys, and the application's rights to them."""

from alembic import context, op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE messages (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    text        text NOT NULL CHECK (char_length(text) BETWEEN 1 AND 2000),
    status      text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'logged', 'dead')),
    created_at  timestamptz NOT NULL DEFAULT now(),
    logged_at   timestamptz,
    dead_reason text,
    CHECK ((status = 'logged') = (logged_at IS NOT NULL))
);
CREATE TABLE outbox (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id bigint NOT NULL REFERENCES messages ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX outbox_message_id ON outbox (message_id);
CREATE TABLE idempotency_keys (
    key        text PRIMARY KEY,
    body_hash  text NOT NULL,
    response   jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at);
"""

# SELECT ... FOR UPDATE asks for the right to update at least one column, even where nothing is updated.
GRANTS = """
GRANT SELECT, INSERT (text), UPDATE (status, logged_at, dead_reason) ON messages TO {role};
GRANT SELECT, INSERT (message_id), UPDATE (created_at), DELETE ON outbox TO {role};
GRANT SELECT, INSERT (key, body_hash, response), DELETE ON idempotency_keys TO {role};
"""


def upgrade() -> None:
    """Apply."""
    role = op.get_bind().dialect.identifier_preparer.quote(context.config.attributes["app_role"])
    op.execute(TABLES)
    op.execute(GRANTS.format(role=role))


def downgrade() -> None:
    """Take back."""
    op.execute("DROP TABLE idempotency_keys, outbox, messages")
