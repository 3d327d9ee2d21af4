"""Dockerfile and compose.yaml name only settings, commands, ports, files and secrets that exist, and open nothing."""

from __future__ import annotations

import re
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.servers.docker import KAFKA_IMAGE, POSTGRES_IMAGE
from schemas.metrics import Process
from tests.support.deployment import (
    COMPOSE,
    COMPOSE_FILE,
    DEPLOY,
    DOCKERFILE,
    ROLE_OF,
    calls_in,
    files,
    no_settings,
    tool,
    unknown_words,
)
from tests.support.paths import REPOSITORY

SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "huzhu:local"}
PROCESSES = [process.value for process in Process]
TEXT = DOCKERFILE.read_text("utf-8")


def test_every_file_names_settings_that_exist() -> None:
    """A misspelt variable would be ignored at best."""
    assert {} == {file.name: wrong for file in files() if (wrong := no_settings(file.read_text("utf-8")))}


@pytest.mark.parametrize("name", OURS)
def test_every_service_calls_commands_that_exist(name: str) -> None:
    """The words after the program, or those in the shell's script."""
    service = OURS[name]
    if "entrypoint" not in service:
        assert [] == unknown_words(service["command"])
        return
    script = " ".join(service["entrypoint"])
    if script.startswith("sh /"):
        mounted = next(volume for volume in service["volumes"] if script.removeprefix("sh ") in volume)
        script = (REPOSITORY / mounted.partition(":")[0]).read_text("utf-8")
    assert [] == [wrong for call in calls_in(script) if (wrong := unknown_words(call))]
    assert list(calls_in(script)) or script == "sleep infinity"


def test_every_process_of_huzhu_is_a_service() -> None:
    """Worker, relay, gateway, console and signer."""
    assert set(PROCESSES) <= OURS.keys()


@pytest.mark.parametrize("name", SERVICES)
def test_no_port_is_open_beyond_loopback(name: str) -> None:
    """What is published is so at 127.0.0.1 of the host; nobody shares the host's network."""
    service = SERVICES[name]
    assert [] == [port for port in service.get("ports", []) if not re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port)]
    assert service.get("network_mode", "none") in ("none", "service:net")


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_restricted(name: str) -> None:
    """No capability, no new privileges, and a root file system that nobody writes to, except Kafka's."""
    service = SERVICES[name]
    assert (["ALL"], ["no-new-privileges:true"]) == (service["cap_drop"], service["security_opt"])
    assert name == "kafka" or service["read_only"]
    assert "privileged" not in service


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_is_asked_for_its_health_at_its_own_port(name: str) -> None:
    """Prometheus reads the same one."""
    port = SERVICES[name]["environment"][f"HUZHU_{name.upper()}_METRICS_PORT"]
    assert f"'http://127.0.0.1:{port}/health/ready'" in SERVICES[name]["healthcheck"]["test"][-1]
    prometheus = yaml.safe_load((DEPLOY / "compose" / "prometheus.yml").read_text("utf-8"))
    assert f"127.0.0.1:{port}" in prometheus["scrape_configs"][0]["static_configs"][0]["targets"]
    assert "service:net" == SERVICES[name]["network_mode"] == SERVICES["prometheus"]["network_mode"]


def test_what_is_published_is_where_somebody_listens() -> None:
    """The ports of gateway and console are their settings, and no two services of one network have the same."""
    published = {port.split(":")[2] for port in SERVICES["net"]["ports"]}
    assert SERVICES["gateway"]["environment"]["HUZHU_GATEWAY_PORT"] in published
    assert SERVICES["console"]["environment"]["HUZHU_CONSOLE_PORT"] in published
    listening = [
        value for name in PROCESSES for variable, value in SERVICES[name]["environment"].items() if "_PORT" in variable
    ]
    assert 7 == len(listening) == len(set(listening))


@pytest.mark.parametrize("process", Process)
def test_a_process_knows_the_secret_of_its_role_and_no_other(process: Process) -> None:
    """Each signs in to PostgreSQL as its own role."""
    secret = f"{ROLE_OF[process]}_database_url"
    service = SERVICES[process.value]
    assert [secret] == service["secrets"]
    assert f"/run/secrets/{secret}" == service["environment"]["HUZHU_DATABASE_URL_FILE"]


def test_no_secret_stands_in_a_variable() -> None:
    """Passwords and addresses that hold one are files."""
    variables = {name for service in SERVICES.values() for name in service.get("environment", {})}
    assert set() == {name for name in variables if re.search("PASSWORD|DATABASE_URL|SECRET", name)} - {
        "HUZHU_DATABASE_URL_FILE",
        "POSTGRES_PASSWORD_FILE",
        "GF_SECURITY_ADMIN_PASSWORD__FILE",
    }


def test_the_secrets_that_are_mounted_are_made(tmp_path: Path) -> None:
    """deploy/compose/make-secrets.sh makes each, changes none that is there, and lets nobody else into their folder."""
    script = tmp_path / "make-secrets.sh"
    script.write_bytes((DEPLOY / "compose" / "make-secrets.sh").read_bytes())
    subprocess.run(["sh", script], check=True)
    made = {file.name: file.read_bytes() for file in (tmp_path / "secrets").iterdir()}
    subprocess.run(["sh", script], check=True)
    assert made == {file.name: file.read_bytes() for file in (tmp_path / "secrets").iterdir()}
    assert COMPOSE["secrets"].keys() == made.keys()
    assert len(made) == len(set(made.values()))
    assert 0o700 == (tmp_path / "secrets").stat().st_mode & 0o777
    assert all("deploy/compose/secrets/" + name == secret["file"] for name, secret in COMPOSE["secrets"].items())


def test_nothing_starts_before_the_tables_and_the_topics_are_there() -> None:
    """The processes join the network only after upgrade, grants, topics and keys have ended well."""

    def after(name: str) -> set[str]:
        waited = SERVICES[name].get("depends_on", {})
        return {each for other in waited for each in {other, *after(other)}}

    assert {"upgrade", "grants", "topics", "keys", "kafka", "postgres"} <= after("net")
    assert all("service_" in each["condition"] for s in SERVICES.values() for each in s.get("depends_on", {}).values())


def test_every_mounted_file_exists_and_is_only_read() -> None:
    """Rules and dashboard are those of infra/monitoring."""
    mounted = [volume for service in SERVICES.values() for volume in service.get("volumes", []) if volume[0] == "."]
    assert [] == [each for each in mounted if not each.endswith(":ro")]
    assert [] == [each for each in mounted if not (REPOSITORY / each.partition(":")[0]).is_file()]
    assert {"huzhu-alerts.yml", "huzhu-dashboard.json"} <= {Path(each.partition(":")[0]).name for each in mounted}


def test_kafka_and_postgresql_are_those_of_the_tests() -> None:
    """The same versions as infra/servers starts in Docker."""
    assert (KAFKA_IMAGE, POSTGRES_IMAGE) == (SERVICES["kafka"]["image"], SERVICES["postgres"]["image"])


def test_the_image_is_nobodys_root() -> None:
    """The last stage sets a user, by a number."""
    users = re.findall(r"^USER (.+)$", TEXT.rpartition("\nFROM ")[2], re.MULTILINE)
    assert len(users) == 1
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", users[0])


def test_everything_that_pip_installs_is_pinned_with_its_hash() -> None:
    """But the wheel, which is built there."""
    calls = re.findall(r"pip install ([^&\n]*)", TEXT)
    assert len(calls) == 3
    assert all("--require-hashes -r" in call or "--no-deps /dist/huzhu" in call for call in calls)
    named = {f"{name}.txt" for name in re.findall(r"ARG REQUIREMENTS=(\w+)", TEXT)} | {"dev.txt", "metrics.txt"}
    assert named <= {file.name for file in (REPOSITORY / "requirements").iterdir()}


def pinned(name: str) -> set[str]:
    """The packages of a list, each with its version."""
    return set(re.findall(r"^\S+==\S+", (REPOSITORY / "requirements" / f"{name}.txt").read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize(("shorter", "longer"), [*pairwise(("main", "metrics", "image", "dev"))])
def test_a_longer_list_of_packages_holds_the_shorter_one(shorter: str, longer: str) -> None:
    """In the same versions: who adds a package makes all lists anew, and the image is what the tests run."""
    assert set() == pinned(shorter) - pinned(longer)


def test_the_image_is_built_from_all_that_the_wheel_needs_and_nothing_else() -> None:
    """Dockerfile.dockerignore lets in what pyproject.toml builds from: neither history nor tests nor secrets."""
    first, *let_in = [
        line
        for line in (REPOSITORY / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
        if line and line[0] in "*!"
    ]
    rooms = {"schemas", "handlers", "infra", "acts", "stream", "web", "cli"}
    needed = rooms | {"pyproject.toml", "hatch_build.py", "README.md", "LICENSE", "requirements"}
    assert ("*", needed) == (first, {line[1:] for line in let_in if line[0] == "!"})


def test_hadolint_finds_nothing() -> None:
    """Its rules for Dockerfiles, and ShellCheck's for what they run."""
    ran = subprocess.run([tool("hadolint"), str(DOCKERFILE)], capture_output=True, text=True, check=False)
    assert (0, "") == (ran.returncode, ran.stdout)


def test_compose_reads_the_file(tmp_path: Path) -> None:
    """`docker compose config` knows every key, and sees the services with those of a profile."""
    command = [
        tool("docker-compose"),
        "--file",
        str(COMPOSE_FILE),
        "--profile",
        "operator",
        "config",
        "--format",
        "json",
    ]
    ran = subprocess.run(command, capture_output=True, check=False)
    assert (0, b"") == (ran.returncode, ran.stderr)
    assert SERVICES.keys() == yaml.safe_load(ran.stdout)["services"].keys()
