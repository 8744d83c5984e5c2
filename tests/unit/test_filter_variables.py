"""The filter unknown_variables and the lookup role_variables that feeds it."""

from __future__ import annotations

from pathlib import Path

from plugins.filter.variables import unknown_variables
from plugins.lookup.role_variables import role_variables

KNOWN = {
    "": ["platform_name", "redis_password"],
    "proxy": ["proxy_http_port", "proxy_https_port"],
    "redis": ["redis_memory"],
    "pg_primary": ["pg_primary_port"],
}


def test_known_foreign_and_ansible_names_pass() -> None:
    names = [
        "proxy_http_port",
        "redis_password",
        "ansible_host",
        "inventory_hostname",
        "proxying",
        "platform_x",
    ]
    assert unknown_variables(names, KNOWN) == []


def test_a_misspelt_name_gets_the_nearest() -> None:
    assert unknown_variables(["proxy_htpp_port"], KNOWN) == [
        "proxy_htpp_port is no variable of ours; did you mean proxy_http_port?"
    ]


def test_a_name_like_nothing_gets_no_suggestion() -> None:
    assert unknown_variables(["redis_zzzzzzzzzzzzzzzzzzzzzzzzzz"], KNOWN) == [
        "redis_zzzzzzzzzzzzzzzzzzzzzzzzzz is no variable of ours."
    ]


def test_sentences_are_sorted_and_told_once() -> None:
    sentences = unknown_variables(["redis_b", "pg_primary_a", "redis_b"], KNOWN)
    assert [sentence.split()[0] for sentence in sentences] == ["pg_primary_a", "redis_b"]


def test_the_lookup_reads_specs_defaults_vars_and_group_vars(tmp_path: Path) -> None:
    for name, text in {
        "group_vars/all/platform.yml": "platform_name: octopus",
        "roles/proxy/meta/argument_specs.yml": "argument_specs: {main: {options: {proxy_port: {type: int}}}}",
        "roles/proxy/defaults/main.yml": "proxy_port: 80",
        "roles/proxy/vars/main.yml": "proxy_container: {}",
        "roles/redis/tasks/main.yml": "[]",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    expected = {"": ["platform_name"], "proxy": ["proxy_container", "proxy_port"], "redis": []}
    assert role_variables(tmp_path) == expected
