"""Messages, their outbox, idempotency keys."""

from alembic import op

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


def upgrade() -> None:
    """Apply."""
    op.execute(TABLES)


def downgrade() -> None:
    """Take back."""
    op.execute("DROP TABLE idempotency_keys, outbox, messages")
