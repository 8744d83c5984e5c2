"""Runs in the worker, which shares a network with every store: tries to log in to each as somebody.

Reads a list of [store, user, password] from standard input; prints for each whether it was let in. What is
neither a yes nor a no of the store itself is an error.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import urllib.error
import urllib.request
from typing import Any

import amqp
import psycopg2
import redis

WAIT = 5  # seconds
WRONG = "password authentication failed"


def postgres(user: str, password: str, **more: Any) -> bool:
    options: dict[str, Any] = {"host": os.environ["POSTGRES_HOSTS"].split(",")[0], "connect_timeout": WAIT}
    options |= {"sslmode": "verify-full", "sslrootcert": os.environ["POSTGRES_SSLROOTCERT"]}
    try:
        psycopg2.connect(user=user, password=password, **options, **more).close()
    except psycopg2.OperationalError as error:
        if WRONG in str(error):
            return False
        raise
    return True


def database(user: str, password: str) -> bool:
    return postgres(user, password, dbname=os.environ["POSTGRES_DB"])


def replication(user: str, password: str) -> bool:
    return postgres(user, password, replication="true")


def cache(user: str, password: str) -> bool:
    client = redis.Redis(os.environ["REDIS_HOST"], username=user, password=password, socket_timeout=WAIT)
    try:
        return bool(client.ping())
    except redis.AuthenticationError:
        return False


def queue(user: str, password: str) -> bool:
    host, vhost = os.environ["RABBITMQ_HOST"], os.environ["RABBITMQ_VHOST"]
    connection = amqp.Connection(
        host, userid=user, password=password, virtual_host=vhost, connect_timeout=WAIT
    )
    try:
        connection.connect()
    except amqp.AccessRefused:
        return False
    finally:
        connection.collect()
    return True


def management(user: str, password: str) -> bool:
    login = base64.b64encode(f"{user}:{password}".encode()).decode()
    url = f"http://{os.environ['RABBITMQ_HOST']}:15672/api/overview"
    try:
        request = urllib.request.Request(url, headers={"Authorization": f"Basic {login}"})
        return bool(urllib.request.urlopen(request, timeout=WAIT).status == 200)  # noqa: S310
    except urllib.error.HTTPError as error:
        if error.code == 401:
            return False
        raise


STORES = {one.__name__: one for one in (database, replication, cache, queue, management)}

if __name__ == "__main__":
    tries = json.load(sys.stdin)
    print(json.dumps([STORES[store](user, password) for store, user, password in tries]))
