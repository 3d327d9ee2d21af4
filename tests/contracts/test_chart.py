"""The Helm chart makes objects that Kubernetes knows, of commands, settings, ports and processes that exist."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.metrics import Process
from tests.support.deployment import DEPLOY, ROLE_OF, no_settings, tool, unknown_words

CHART = DEPLOY / "helm" / "huzhu"
KUBERNETES = ("1.29.0", "1.37.0")
"""The oldest and the newest whose objects are compared."""

VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
PROCESSES = [process.value for process in Process]


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `helm template` makes of the values as they are."""
    command = [tool("helm"), "template", "city", str(CHART), "--kube-version", KUBERNETES[0]]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (0, "") == (ran.returncode, ran.stderr)
    file = tmp_path_factory.mktemp("chart") / "rendered.yaml"
    file.write_text(ran.stdout, "utf-8")
    return file


@pytest.fixture(scope="module")
def objects(rendered: Path) -> list[dict[str, Any]]:
    return [each for each in yaml.safe_load_all(rendered.read_text("utf-8")) if each]


def pods(objects: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The component and the pod of each object that has one."""
    for each in objects:
        spec = each["spec"].get("jobTemplate", each)["spec"]
        if "template" in spec:
            yield each["metadata"]["labels"]["app.kubernetes.io/component"], spec["template"]["spec"]


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod.get("initContainers", []), *pod["containers"]]


def test_the_values_have_every_process_with_its_command() -> None:
    """Worker, relay, gateway, console and signer; no two tell their metrics at one port."""
    assert set(PROCESSES) == VALUES["processes"].keys()
    assert [] == [wrong for each in VALUES["processes"].values() if (wrong := unknown_words(each["call"]))]
    ports = [each[key] for each in VALUES["processes"].values() for key in ("metricsPort", "port") if key in each]
    assert 7 == len(ports) == len(set(ports))


@pytest.mark.parametrize("process", Process)
def test_the_values_give_every_process_the_secret_of_its_role(process: Process) -> None:
    """By reference: the chart holds no secret and makes none."""
    assert f"huzhu-{ROLE_OF[process]}" == VALUES["processes"][process.value]["secret"]


def test_helm_finds_nothing() -> None:
    """`helm lint --strict`."""
    command = [tool("helm"), "lint", "--strict", "--quiet", "--kube-version", KUBERNETES[0], str(CHART)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (0, "") == (ran.returncode, ran.stderr), ran.stdout


@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_knows_every_field(version: str, rendered: Path) -> None:
    """Each object has the form of its kind, and nothing more."""
    command = [tool("kubernetes-validate"), "-k", version, "--strict", "--quiet", str(rendered)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (0, "") == (ran.returncode, ran.stdout + ran.stderr)


def test_what_is_made_names_settings_that_exist(rendered: Path) -> None:
    """Also those whose names the chart puts together."""
    assert set() == no_settings(rendered.read_text("utf-8"))


def test_every_pod_may_do_little(objects: list[dict[str, Any]]) -> None:
    """Not root, no capability, a root file system that is only read, and no way to Kubernetes itself."""
    found = dict(pods(objects))
    assert {*PROCESSES, "upgrade", "day"} == found.keys()
    for pod in found.values():
        assert (True, 10001) == (pod["securityContext"]["runAsNonRoot"], pod["securityContext"]["runAsUser"])
        assert (False, False) == (pod["automountServiceAccountToken"], pod["enableServiceLinks"])
        for container in containers(pod):
            allowed = container["securityContext"]
            assert (False, True) == (allowed["allowPrivilegeEscalation"], allowed["readOnlyRootFilesystem"])
            assert {"drop": ["ALL"]} == allowed["capabilities"]


def test_every_process_is_asked_for_its_health_at_its_own_port(objects: list[dict[str, Any]]) -> None:
    """Inside the pod, as nobody else can ask."""
    found = dict(pods(objects))
    for name in PROCESSES:
        (container,) = found[name]["containers"]
        told = {each["name"]: each["value"] for each in container["env"]}
        address = f"http://127.0.0.1:{told[f'HUZHU_{name.upper()}_METRICS_PORT']}/health/"
        for probe, path in (("readinessProbe", "ready"), ("livenessProbe", "live")):
            assert f"'{address}{path}'" in container[probe]["exec"]["command"][-1]


def test_every_file_that_a_setting_names_is_mounted(objects: list[dict[str, Any]]) -> None:
    """And every mount has its volume; secrets are files."""
    for _, pod in pods(objects):
        volumes = {each["name"] for each in pod["volumes"]}
        for container in containers(pod):
            mounted = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
            assert set(mounted.values()) <= volumes
            files = [each["value"] for each in container.get("env", []) if each["value"].startswith("/")]
            assert [] == [file for file in files if str(Path(file).parent) not in mounted]
            names = {each["name"] for each in container.get("env", [])}
            assert not names & {"HUZHU_DATABASE_URL", "HUZHU_KAFKA_SASL_PASSWORD"}


def test_the_ledger_is_upgraded_before_anything_runs(objects: list[dict[str, Any]]) -> None:
    """A job of Helm's hooks: the tables as their owner, then the topics."""
    (job,) = (each for each in objects if each["kind"] == "Job")
    assert "pre-install,pre-upgrade" == job["metadata"]["annotations"]["helm.sh/hook"]
    calls = [container["args"] for container in containers(job["spec"]["template"]["spec"])]
    assert [["ledger", "upgrade"], ["topics", "apply"]] == calls
    assert [[], []] == [unknown_words(call) for call in calls]
