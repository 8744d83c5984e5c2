"""The greeting of the first version, kept."""

from octopus.api.openapi import NoArguments, StrictBlueprint
from octopus.api.schemas import DataSchema

blueprint = StrictBlueprint("data", __name__, url_prefix="/api", description="A greeting")


@blueprint.route("/data")
@blueprint.arguments(NoArguments, location="query")
@blueprint.response(200, DataSchema)
@blueprint.problems(500)
def get_data(_query: dict[str, object]) -> dict[str, str]:
    """Greet"""
    return {"message": "Hello from Docker!"}
