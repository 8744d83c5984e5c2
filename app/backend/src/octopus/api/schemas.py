"""What goes in and out, for validation and for the OpenAPI document."""

import re
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

MAX_ID = 2**63 - 1
MAX_TEXT = 2000  # characters
MAX_LIMIT = 100
STATUSES = ("queued", "logged", "dead")

_DIGITS = re.compile(r"[0-9]{1,19}", re.ASCII)
_SURROGATE = re.compile("[\ud800-\udfff]")
_TIME = {"format": "date-time"}


class Digits(fields.Integer):
    """A number in a query: digits only, where int() would also take ' 1_0' or digits of other scripts."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        if not _DIGITS.fullmatch(str(value)):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **more)


def _can_be_stored(value: str) -> None:
    if _SURROGATE.search(value):
        raise ValidationError("Half of a surrogate pair is no character.")


class NewMessageSchema(Schema):
    """A message to be logged."""

    text = fields.String(
        required=True,
        validate=[
            validate.Length(min=1, max=MAX_TEXT),
            # PostgreSQL cannot store U+0000.
            validate.Regexp(r"^[^\u0000]*$", error="U+0000 cannot be stored."),
            _can_be_stored,
        ],
    )


class IdempotencySchema(Schema):
    """The headers of a request that may be repeated."""

    key = fields.String(
        data_key="Idempotency-Key",
        validate=[validate.Regexp(r"^[!-~]{1,255}\Z", error="1 to 255 visible ASCII characters.")],
        metadata={
            "pattern": "^[!-~]{1,255}$",
            "description": "Kept 24 hours: the same key with the same body gets the first answer again.",
        },
    )


class AcceptedSchema(Schema):
    """A message just stored."""

    id = fields.Integer(required=True)
    text = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf(["queued"]))
    created_at = fields.String(required=True, metadata=_TIME)


class MessageSchema(Schema):
    """A message."""

    id = fields.Integer(required=True)
    text = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf(STATUSES))
    created_at = fields.String(required=True, metadata=_TIME)
    logged_at = fields.String(required=True, allow_none=True, metadata=_TIME)
    dead_reason = fields.String(required=True, allow_none=True)


class PageSchema(Schema):
    """Which messages to list."""

    limit = Digits(
        load_default=20,
        validate=validate.Range(min=1, max=MAX_LIMIT),
        metadata={"description": "How many at most."},
    )
    before = Digits(
        validate=validate.Range(min=1, max=MAX_ID),
        metadata={"description": "Only messages with a smaller id."},
    )


class MessageListSchema(Schema):
    """Messages, newest first."""

    items = fields.List(fields.Nested(MessageSchema), required=True)
    next = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "Pass it as `before` to go on; null at the end."},
    )


class DataSchema(Schema):
    """The greeting."""

    message = fields.String(required=True)


class LiveSchema(Schema):
    """The process lives."""

    status = fields.String(required=True, validate=validate.OneOf(["ok"]))


class ReadySchema(Schema):
    """The process can serve."""

    status = fields.String(required=True, validate=validate.OneOf(["ok", "degraded"]))
    checks = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
