"""The filter unknown_variables and the lookup role_variables that feeds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugins.filter.variables import unknown_variables
from plugins.lookup.role_variables import ROOT, role_variables

KNOWN = {
    "": ["platform_name", "redis_password"],
    "proxy": ["proxy_http_port", "proxy_https_port"],
    "redis": ["redis_memory"],
    "pg_primary": ["pg_primary_port"],
}
REAL = role_variables(ROOT)


def test_known_foreign_and_ansible_names_pass() -> None:
    names = ["proxy_http_port", "redis_password", "ansible_host", "inventory_hostname", "proxying"]
    assert unknown_variables(names, KNOWN) == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("grafana_requird", "grafana_required"),
        ("grafana_admin_user", "grafana_admin_password"),
        ("platform_nam", "platform_name"),
        ("platfrom_name", "platform_name"),
        ("build_http_prox", "build_http_proxy"),
        ("env_fil", "env_file"),
        ("api_kye", "api_key"),
        ("image_revison", "image_revision"),
        ("application_log_lvl", "application_log_level"),
        ("postgres_databse", "postgres_database"),
        ("rabitmq_vhost", "rabbitmq_vhost"),
        ("proxi_https_port", "proxy_https_port"),
        ("backend_replica", "backend_replicas"),
        ("worker_replcas", "worker_replicas"),
    ],
)
def test_misspelt_variables_of_this_repository_are_found(name: str, meant: str) -> None:
    assert unknown_variables([name], REAL) == [f"{name} is no variable of ours; did you mean {meant}?"]


# What Ansible, Molecule, the playbooks and people define.
@pytest.mark.parametrize(
    "name",
    [
        *("ansible_host", "ansible_user", "ansible_become_password", "ansible_check_mode", "ansible_facts"),
        *("ansible_ssh_common_args", "ansible_python_interpreter", "ansible_playbook_python"),
        *("group_names", "groups", "hostvars", "inventory_dir", "inventory_file", "inventory_hostname"),
        *("omit", "play_hosts", "playbook_dir", "role_names", "role_path", "environment", "vars"),
        *("molecule_yml", "molecule_file", "molecule_ephemeral_directory", "molecule_scenario_directory"),
        *("test_host", "test_host_suite", "test_host_packages", "test_host_rootfs", "test_host_name"),
        *("verify_disruptive", "verify_junit", "verify_values", "check_mode_run"),
        *("my_team", "my_platform_name", "team_name", "host_name", "company_proxy", "domain", "http_proxy"),
        *("env_name", "env_type", "build_number", "build_id", "application_name", "application_owner"),
        *("api_token", "api_url", "images_dir", "database_name", "site_name", "app_user", "timezone"),
    ],
)
def test_names_of_others_pass(name: str) -> None:
    assert unknown_variables([name], REAL) == []


def test_what_tasks_of_ours_leave_behind_is_known() -> None:
    left = ["preflight_probe_run", "docker_host_there", "base_image_name", "image_names"]
    assert unknown_variables(left, REAL) == []


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
        "roles/redis/tasks/main.yml": (
            "[{block: [{command: 'true', register: redis_run}]}, {ansible.builtin.set_fact: {redis_fact: 1}}]"
        ),
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    expected = {
        "": ["platform_name"],
        "proxy": ["proxy_container", "proxy_port"],
        "redis": ["redis_fact", "redis_run"],
    }
    assert role_variables(tmp_path) == expected
