"""Gunicorn's own log and the access log, as JSON lines like everything else."""

import logging
from datetime import timedelta
from typing import Any

from gunicorn.glogging import Logger

from octopus.logs import line_handler

# Asked for every few seconds by machines; logged only when something is wrong.
QUIET = ("/api/health/", "/metrics")
ERROR = 400


class JsonLogger(Logger):
    """Sends both logs to standard output."""

    def setup(self, cfg: Any) -> None:
        """Use our handler in place of gunicorn's."""
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            log.handlers[:] = [line_handler()]
            log.propagate = False
        self.access_log.setLevel(logging.INFO)

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> None:
        """Log one answer."""
        status = int(str(resp.status).split(maxsplit=1)[0])
        path = environ.get("RAW_URI", environ.get("PATH_INFO", ""))
        if status < ERROR and path.startswith(QUIET):
            return
        self.access_log.info(
            "%s %s %s", req.method, path.partition("?")[0], status,
            extra={
                "client": environ.get("REMOTE_ADDR"),
                "method": req.method,
                "path": path,
                "status": status,
                "bytes": getattr(resp, "sent", None),
                "duration_ms": round(request_time.total_seconds() * 1000, 1),
                "request_id": dict(req.headers).get("X-REQUEST-ID"),
            },
        )  # fmt: skip
