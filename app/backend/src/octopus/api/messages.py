"""Messages: taking them in, listing them, looking one up."""

from typing import Any

from octopus import store
from octopus.api.auth import require_key
from octopus.api.numbers import ACCEPTED
from octopus.api.openapi import NoArguments, StrictBlueprint
from octopus.api.problems import Problem
from octopus.api.schemas import (
    MAX_ID,
    AcceptedSchema,
    IdempotencySchema,
    MessageListSchema,
    MessageSchema,
    NewMessageSchema,
    PageSchema,
)
from octopus.api.services import services

blueprint = StrictBlueprint("messages", __name__, url_prefix="/api/messages", description="Messages")
LOCATION = {
    "Location": {"description": "Where the message is.", "schema": {"type": "string"}, "required": True}
}


@blueprint.route("", methods=["POST"])
@require_key
@blueprint.arguments(NoArguments, location="query")
@blueprint.arguments(IdempotencySchema, location="headers")
@blueprint.arguments(NewMessageSchema)
@blueprint.response(201, AcceptedSchema, headers=LOCATION)
@blueprint.problems(401, 409, 413, 415, 422, 429, 500, 503)
@blueprint.doc(security=[{"ApiKey": []}])
def post_message(
    _query: dict[str, Any], headers: dict[str, str], body: dict[str, str]
) -> tuple[store.Answer, int, dict[str, str]]:
    """Take in a message to be logged"""
    answer = _accept(body["text"], headers.get("key"))
    return answer, 201, {"Location": f"/api/messages/{answer['id']}"}


def _accept(text: str, key: str | None) -> store.Answer:
    try:
        with services().database.write() as connection:
            if key is None:
                answer, is_new = store.add_message(connection, text), True
            else:
                answer, is_new = store.add_message_once(connection, text, key)
    except store.KeyInUse:
        raise Problem(409, "The first request with this Idempotency-Key is still running.") from None
    except store.KeyReused:
        raise Problem(422, "This Idempotency-Key was used with another body.") from None
    if is_new:
        ACCEPTED.inc()
        services().cache.changed()
    return answer


@blueprint.route("", methods=["GET"])
@blueprint.arguments(PageSchema, location="query")
@blueprint.response(200, MessageListSchema)
@blueprint.problems(500, 503)
def list_messages(query: dict[str, Any]) -> store.Answer:
    """List messages, newest first"""
    limit, before = query["limit"], query.get("before")
    found, key = services().cache.get_list(limit, before)
    if found is None:
        found = services().database.read(lambda connection: store.list_messages(connection, limit, before))
        services().cache.put_list(key, found)
    return found


@blueprint.route(f"/<int(min=1, max={MAX_ID}):message_id>", methods=["GET"])
@blueprint.arguments(NoArguments, location="query")
@blueprint.response(200, MessageSchema)
@blueprint.problems(404, 500, 503)
def get_message(_query: dict[str, Any], message_id: int) -> store.Answer:
    """Look up one message"""
    found = services().cache.get_message(message_id)
    if found is None:
        found = services().database.read(lambda connection: store.get_message(connection, message_id))
        if found is None:
            raise Problem(404, "There is no such message.")
        services().cache.put_message(found)
    return found
