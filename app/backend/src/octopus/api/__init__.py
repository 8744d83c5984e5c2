"""The Flask application."""

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from octopus.api import data, exposition, health, messages, numbers, requests
from octopus.api.openapi import ProblemApi
from octopus.api.services import Services, install
from octopus.cache import Cache
from octopus.database import Database
from octopus.settings import Settings

BODY_LIMIT = 64 * 1024  # bytes


def create_app(settings: Settings, services: Services | None = None) -> Flask:
    """Return the application; nothing is connected before the first request."""
    app = Flask(__name__, static_folder=None)
    app.config.update(
        API_TITLE="Octopus",
        API_VERSION="1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api",
        OPENAPI_JSON_PATH="openapi.json",
        MAX_CONTENT_LENGTH=BODY_LIMIT,
        # OPTIONS is a wrong method like any other, and `//` another path, not a redirect.
        PROVIDE_AUTOMATIC_OPTIONS=False,
    )
    app.url_map.merge_slashes = False
    # The proxy sets the header to one address; anything before it came from the client.
    # To assign it is how Flask wants an application wrapped.
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=0)  # type: ignore[method-assign]
    if services is None:
        services = Services(
            database=Database(settings.database, pool_size=settings.backend_threads),
            cache=Cache(settings.cache, count=numbers.count_cache),
            api_key=settings.api_key,
        )
    install(app, services)
    requests.install(app)
    api = ProblemApi(app)
    for blueprint in (data.blueprint, messages.blueprint, health.blueprint):
        api.register_blueprint(blueprint)
    app.register_blueprint(exposition.blueprint)
    numbers.count_from_zero(app, api.spec.to_dict()["paths"])
    return app
