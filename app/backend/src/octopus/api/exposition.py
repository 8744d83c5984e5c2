"""The numbers for Prometheus, outside /api: the proxy does not pass them on."""

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST

from octopus import metrics

blueprint = Blueprint("exposition", __name__)


@blueprint.get("/metrics")
def get_metrics() -> Response:
    """Return what all processes of this container have counted."""
    return Response(metrics.exposition(), content_type=CONTENT_TYPE_LATEST)
