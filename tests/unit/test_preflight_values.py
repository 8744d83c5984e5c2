"""The filter wrong_values with the rules of roles/preflight: what each wrong value of a variable is told."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from plugins.filter.variables import wrong_values
from plugins.lookup.role_variables import ROOT, mapping, options, roles

OPTIONS = {name: option for role in roles(ROOT) for name, option in options(role).items()}
RULES = mapping(ROOT / "roles/preflight/vars/main.yml")["preflight_rules"]


def told(name: str, value: Any, error: str = "") -> list[str]:
    entry = {"name": name, "option": OPTIONS[name], "value": value, "error": error}
    return wrong_values([entry], RULES, made=["env_file"])


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("proxy_https_port", "abc", "proxy_https_port is 'abc': it has to be a whole number."),
        ("proxy_https_port", 80.5, "proxy_https_port is 80.5: it has to be a whole number."),
        ("proxy_https_port", True, "proxy_https_port is True: it has to be a whole number."),
        ("proxy_https_port", None, "proxy_https_port is empty: remove it, or set it to a whole number."),
        ("proxy_http_port", 0, "proxy_http_port is 0: it has to be 1 to 65535."),
        ("proxy_https_port", "65536", "proxy_https_port is 65536: it has to be 1 to 65535."),
        ("backend_replicas", "0", "backend_replicas is 0: it has to be 1 to 50."),
        ("worker_replicas", -1, "worker_replicas is -1: it has to be 1 to 50."),
        ("backend_threads", 65, "backend_threads is 65: it has to be 1 to 64."),
        ("image_keep", 0, "image_keep is 0: it has to be 1 or more."),
        ("certificates_days", 0, "certificates_days is 0: it has to be 1 to 36500."),
        ("proxy_client_connections", 0, "proxy_client_connections is 0: it has to be 1 or more."),
        *(
            (
                "proxy_host_names",
                ["www.example.org", wrong],
                f"proxy_host_names has {wrong}: it has to be"
                " a host name such as www.example.org or *.example.org.",
            )
            for wrong in (
                "https://example.org",
                "example.org:443",
                "a; return 200",
                "w*.example.org",
                "",
                ".a",
            )
        ),
        ("proxy_cpus", "fast", "proxy_cpus is 'fast': it has to be a number."),
        ("proxy_cpus", True, "proxy_cpus is True: it has to be a number."),
        ("proxy_cpus", "nan", "proxy_cpus is 'nan': it has to be a number."),
        ("proxy_cpus", 0, "proxy_cpus is 0: it has to be 0.01 or more."),
        ("redis_memory", "much", "redis_memory is much: it has to be a size such as 256m."),
        ("redis_maxmemory", "48mib", "redis_maxmemory is 48mib: it has to be a size such as 64mb."),
        (
            "broker_disk_free_limit",
            "lots",
            "broker_disk_free_limit is lots: it has to be a size such as 350MiB.",
        ),
        (
            "postgres_base_max_wal_size",
            "1gb",
            "postgres_base_max_wal_size is 1gb: it has to be a size such as 128MB.",
        ),
        (
            "postgres_app_user",
            "app-user",
            "postgres_app_user is app-user:"
            " it has to be small letters, digits and underscores, no digit first.",
        ),
        ("rabbitmq_vhost", "a/b", "rabbitmq_vhost is a/b: it has to be letters, digits and _ . -."),
        ("postgres_major", "17.1", "postgres_major is 17.1: it has to be a major version such as 17."),
        ("redis_memory", [1], "redis_memory is [1]: it has to be a text."),
        ("platform_root", "opt", "platform_root is opt: it has to be an absolute path of the target."),
        (
            "env_file",
            "my.env",
            "env_file is my.env: it has to be an absolute path, which begins with a slash.",
        ),
        ("env_file", "/", "env_file is /: on the controller, that is no file that can be read."),
        (
            "grafana_image_archive",
            "/none.tar",
            "grafana_image_archive is /none.tar: on the controller, that is no file that can be read.",
        ),
        ("proxy_ipv6", "yse", "proxy_ipv6 is 'yse': it has to be true or false."),
        ("teardown_data", 1, "teardown_data is 1: it has to be true or false."),
        (
            "base_image_packages",
            "vim",
            "base_image_packages is 'vim': it has to be a list"
            " (on the command line: -e '{\"base_image_packages\": …}').",
        ),
    ],
)
def test_a_wrong_value_gets_one_sentence(name: str, value: Any, says: str) -> None:
    assert told(name, value) == [says]


def test_choices_are_named() -> None:
    (sentence,) = told("base_image_source", "magic")
    assert "one of: archive, registry" in sentence


def test_a_template_that_fails_is_told_with_its_variable() -> None:
    assert told("proxy_http_port", None, "'nope' is undefined") == [
        "proxy_http_port cannot be worked out: 'nope' is undefined"
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("proxy_https_port", value) for value in (1, 443, "8443", 65535)),
        *(("backend_replicas", value) for value in (1, "3")),
        *(("redis_memory", value) for value in ("128m", "1g", "64MB", 67108864)),
        *(("proxy_cpus", value) for value in (1, 0.5, "1.5")),
        *(("proxy_ipv6", value) for value in (True, False, "true", "false")),
        *(("postgres_major", value) for value in (17, "18")),
        ("proxy_host_names", []),
        ("proxy_host_names", ["Example.org", "*.example.org", "a_b", "intranet"]),
        ("proxy_certificate_file", ""),
        ("proxy_certificate_file", str(ROOT / "README.md")),
        ("env_file", "/none-such.env"),
        ("observability_retention_time", "1h30m"),
    ],
)
def test_a_right_value_gets_none(name: str, value: Any) -> None:
    assert told(name, value) == []


def test_every_default_is_right() -> None:
    for role in roles(ROOT):
        for name, value in mapping(role / "defaults/main.yml").items():
            is_template = isinstance(value, str) and "{{" in value
            assert is_template or told(name, value) == [], name


def test_all_variables_are_told_at_once() -> None:
    wrong = {"proxy_http_port": "x", "backend_replicas": 0}
    entries = [{"name": n, "option": OPTIONS[n], "value": v, "error": ""} for n, v in wrong.items()]
    assert len(wrong_values(entries, RULES)) == len(wrong)


def test_every_rule_is_for_a_variable_that_exists() -> None:
    for rule in RULES:
        assert any(re.fullmatch(rule["names"], name) for name in OPTIONS), rule


def test_an_unreadable_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root reads everything, so the answer of the system is made up."""
    file = tmp_path / "key.pem"
    file.write_text("")
    monkeypatch.setattr("os.access", lambda *_: False)
    assert told("proxy_certificate_key_file", str(file))


def test_what_a_sentence_tells_to_run_exists() -> None:
    text = yaml.safe_dump(mapping(ROOT / "roles/preflight/vars/main.yml"))
    for playbook in re.findall(r"playbooks/\w+\.yml", text):
        assert (ROOT / playbook).is_file()
