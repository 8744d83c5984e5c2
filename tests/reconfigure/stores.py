"""Where each key of .env counts, and whether a value is accepted there: by a login, as its client would."""

from __future__ import annotations

import uuid

from plugins.filter.scram import scram_matches
from tests.infra.http_requests import to
from tests.infra.target import wait_for
from tests.reconfigure import repository
from tests.reconfigure.platform import Platform

# Key -> where it counts, and the variable that names its user there
LOGINS = {
    "POSTGRES_MIGRATION_PASSWORD": ("database", "postgres_migration_user"),
    "POSTGRES_APP_PASSWORD": ("database", "postgres_app_user"),
    "POSTGRES_REPLICATION_PASSWORD": ("replication", "postgres_replication_user"),
    "POSTGRES_EXPORTER_PASSWORD": ("database", "postgres_exporter_user"),
    "REDIS_PASSWORD": ("cache", "redis_app_user"),
    "REDIS_EXPORTER_PASSWORD": ("cache", "redis_exporter_user"),
    "RABBITMQ_PASSWORD": ("queue", "rabbitmq_app_user"),
    "RABBITMQ_ADMIN_PASSWORD": ("management", "rabbitmq_admin_user"),
}
# Grafana's image may be missing.
UNSEEN = ("GRAFANA_ADMIN_PASSWORD",)
SCRAPED_WITHIN = 60  # seconds


def accepted(platform: Platform, key: str, value: str) -> bool:
    """Tell whether the store takes a key's value."""
    if key == "API_KEY":
        status = platform.request("POST", "/api/messages", headers={"X-API-Key": value}, json={}).status_code
        # An empty body is looked at after the key.
        assert status in (401, 422), status
        return status == 422
    if key == "POSTGRES_PASSWORD":
        # The superuser is let in on the local socket alone, by its name: this is what is stored.
        target = platform.target
        stored = target.rows(target.primary, "select rolpassword from pg_authid where rolname = 'postgres'")
        return scram_matches(str(stored[0]["rolpassword"]), value)
    if key == "BACKUP_CIPHER_PASSWORD":
        return repository.opens(platform, value)
    store, user = LOGINS[key]
    tried = platform.target.secretly("passwords", [[store, platform.settings[user], value]], "worker")
    return bool(tried[0])


def follow_anew(platform: Platform) -> None:
    """End the standby's connection, and wait until it has logged in again and streams."""
    target = platform.target
    query = "select pid, state from pg_stat_replication"
    before = target.rows(target.primary, query)
    assert [row["state"] for row in before] == ["streaming"]
    target.rows(target.primary, "select pg_terminate_backend(pid) from pg_stat_replication")

    def streams() -> bool:
        rows = target.rows(target.primary, query)
        return [row["state"] for row in rows] == ["streaming"] and rows[0]["pid"] != before[0]["pid"]

    wait_for("the replica streams again", streams, 30)


def store_message(platform: Platform, text: str = "") -> int:
    """Store a message, and wait until it has gone all the way."""
    text = text or f"octopus-rotation {uuid.uuid4()}"
    answer = platform.request("POST", "/api/messages", json={"text": text})
    assert answer.status_code == 201, answer.text
    identity = int(answer.json()["id"])
    wait_for("the message is logged", lambda: status(platform, identity) == "logged", 30)
    return identity


def status(platform: Platform, identity: int) -> str:
    return str(platform.request("GET", f"/api/messages/{identity}").json().get("status"))


def measured(platform: Platform, name: str) -> list[str]:
    """Return the newest values of a metric in Prometheus, if they are from after this call."""
    target = platform.target
    began = float(target.run("date +%s"))
    address = target.one("prometheus").addresses["monitoring"]

    def fresh() -> list[str]:
        path = f"/api/v1/query?query={name}%20and%20(timestamp({name})%3E{began:.0f})"
        found = target.ask(to(address, 9090, path))[0].json()["data"]["result"]
        return [str(one["value"][1]) for one in found]

    return list(wait_for(f"Prometheus asks for {name}", fresh, SCRAPED_WITHIN))
