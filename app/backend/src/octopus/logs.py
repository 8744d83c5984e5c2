"""JSON-lines logging: whatever is logged, one record is one line of valid UTF-8."""

import fcntl
import json
import logging
import os
import re
import tempfile
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

# json escapes what is below U+0020; terminals and log readers also act on these (UTF-8 has no surrogates).
_UNSAFE = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

# The id that the proxy gave to the request being answered; every record logged meanwhile carries it.
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


def to_line(document: dict[str, Any]) -> str:
    """Serialise as one line of JSON: non-ASCII as it is, control characters escaped."""
    text = json.dumps(document, ensure_ascii=False, default=str)
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


class JsonFormatter(logging.Formatter):
    """Formats a record as one JSON object; what was passed as `extra` becomes keys of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's line, without line feed."""
        document: dict[str, Any] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (request := request_id.get()) is not None:
            document["request_id"] = request
        document |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info:
            document["exception"] = self.formatException(record.exc_info)
        return to_line(document)


class LineHandler(logging.Handler):
    """Writes whole lines to a descriptor that forked processes share.

    A pipe keeps only writes of up to 4 KiB whole, so longer lines of two processes could mix: a record
    lock, which unlike flock is held by the process and not by the inherited descriptor, keeps them apart.
    """

    def __init__(self, descriptor: int = 1) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._guard = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self.setFormatter(JsonFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record's line."""
        try:
            data = (self.format(record) + "\n").encode()
            fcntl.lockf(self._guard, fcntl.LOCK_EX)
            try:
                while data:
                    data = data[os.write(self._descriptor, data) :]
            finally:
                fcntl.lockf(self._guard, fcntl.LOCK_UN)
        except Exception:
            self.handleError(record)


_handlers: list[LineHandler] = []


def line_handler() -> LineHandler:
    """Return the handler of this process and its forks, made at the first call."""
    if not _handlers:
        _handlers.append(LineHandler())
    return _handlers[0]


def configure(level: str) -> None:
    """Send every logger's records from `level` on to standard output as JSON lines."""
    root = logging.getLogger()
    root.handlers[:] = [line_handler()]
    root.setLevel(level)
    # A traceback to standard error inside a log handler would be no JSON line.
    logging.raiseExceptions = False
    # Celery would announce each task twice; its failures are still logged.
    for noisy in ("alembic", "amqp", "kombu", "celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelName(level)))
