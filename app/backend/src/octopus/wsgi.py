"""What gunicorn serves."""

from octopus import logs
from octopus.api import create_app
from octopus.settings import Settings

_settings = Settings()
logs.configure(_settings.log_level)
app = create_app(_settings)
