"""Runs in a container of the application: tries RabbitMQ as its user, prints each reply code, 0 for success.

The argument names virtual hosts to open, and what to try with which queue or exchange in the own one.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import amqp

WAIT = 5  # seconds
TRIES: dict[str, Callable[[Any, str], Any]] = {
    "look at queue": lambda channel, name: channel.queue_declare(name, passive=True),
    # It ends with its connection, should it come to be.
    "declare queue": lambda channel, name: channel.queue_declare(
        name, exclusive=True, arguments={"x-queue-type": "classic"}
    ),
    "declare exchange": lambda channel, name: (
        channel.exchange_declare(name, "topic"),
        channel.exchange_delete(name, if_unused=True),
    ),
    "delete queue": lambda channel, name: channel.queue_delete(name, if_unused=True, if_empty=True),
    "purge queue": lambda channel, name: channel.queue_purge(name),
    "consume": lambda channel, name: channel.basic_consume(name),  # nothing is acknowledged
    "get": lambda channel, name: channel.basic_get(name),
    "publish": lambda channel, name: channel.basic_publish_confirm(amqp.Message("x"), name, "verify"),
}


def connection(vhost: str) -> Any:
    return amqp.Connection(
        f"{os.environ['RABBITMQ_HOST']}:{os.environ['RABBITMQ_PORT']}",
        userid=os.environ["RABBITMQ_USER"],
        password=Path(os.environ["RABBITMQ_PASSWORD_FILE"]).read_text().strip(),
        virtual_host=vhost,
        connect_timeout=WAIT,
        read_timeout=WAIT,
    )


def code(vhost: str, attempt: str = "", name: str = "") -> int:
    """Return the broker's reply code, 0 where it did as it was told; each try has a connection of its own."""
    opened = connection(vhost)
    try:
        opened.connect()
        if attempt:
            TRIES[attempt](opened.channel(), name)
    except amqp.AMQPError as error:
        return int(error.reply_code or -1)
    finally:
        opened.collect()
    return 0


if __name__ == "__main__":
    job = json.loads(sys.argv[1])
    own = os.environ["RABBITMQ_VHOST"]
    vhosts = [code(vhost) for vhost in job["vhosts"]]
    tries = [code(own, attempt, name) for attempt, name in job["tries"]]
    print(json.dumps({"vhosts": vhosts, "tries": tries}))
