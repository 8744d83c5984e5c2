"""Health: does the process live, and can it serve?"""

from octopus.api.openapi import NoArguments, StrictBlueprint
from octopus.api.problems import RETRY_AFTER, Problem
from octopus.api.schemas import LiveSchema, ReadySchema
from octopus.api.services import services

blueprint = StrictBlueprint("health", __name__, url_prefix="/api/health", description="Health")


@blueprint.route("/live")
@blueprint.arguments(NoArguments, location="query")
@blueprint.response(200, LiveSchema)
@blueprint.problems(500)
def get_live(_query: dict[str, object]) -> dict[str, str]:
    """Tell that the process lives"""
    return {"status": "ok"}


@blueprint.route("/ready")
@blueprint.arguments(NoArguments, location="query")
@blueprint.response(200, ReadySchema)
@blueprint.problems(500, 503)
def get_ready(_query: dict[str, object]) -> dict[str, object]:
    """Tell whether messages can be stored; the cache may be away, and is then named"""
    if not services().database.is_writable():
        message = "No database server that accepts writes answers."
        raise Problem(503, message, {"Retry-After": RETRY_AFTER}, missing=["database"])
    cache = services().cache.is_available()
    checks = {"database": "ok", "cache": "ok" if cache else "unavailable"}
    return {"status": "ok" if cache else "degraded", "checks": checks}
