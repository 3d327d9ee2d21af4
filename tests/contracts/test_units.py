"""The units for systemd run commands, name settings and read secrets that exist, and may do little."""

from __future__ import annotations

import re
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from infra.settings import Settings
from schemas.metrics import Process
from stream.outbound.cursors import LEDGER_REFUSED
from tests.support.deployment import DEPLOY, ROLE_OF, tool, unknown_words

FOLDER = DEPLOY / "systemd"
PROGRAM = "/opt/huzhu/bin/huzhu"
SERVICES = sorted(file.name for file in FOLDER.glob("*.service"))
OF_PROCESS = {
    process: f"huzhu-{process.value}{'@' if process is Process.WORKER else ''}.service" for process in Process
}
EXPOSURE_MAX = 2.0
"""Of systemd's own scale to 10."""


def read(name: str) -> dict[str, list[str]]:
    """The values of each key of a unit, in order."""
    found = defaultdict(list)
    for line in (FOLDER / name).read_text("utf-8").splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found[key].append(value)
    return dict(found)


def variables(name: str) -> dict[str, str]:
    return dict(each.split("=", 1) for line in read(name).get("Environment", []) for each in line.split())


@pytest.mark.parametrize("name", SERVICES)
def test_a_unit_runs_a_command_that_exists(name: str) -> None:
    """Once, with options that it has."""
    (call,) = read(name)["ExecStart"]
    words = re.search(rf"{PROGRAM} ([^$]+)", call)
    assert words is not None
    assert [] == unknown_words(words[1].split())


@pytest.mark.parametrize("process", Process)
def test_a_process_is_started_again_but_for_the_one_reason(process: Process) -> None:
    """Type=exec, so that a program that is not there fails the start; exit status 78 ends it for good."""
    unit = read(OF_PROCESS[process])
    assert ["exec"] == unit["Type"]
    assert (["on-failure"], ["0"]) == (unit["Restart"], unit["StartLimitIntervalSec"])
    assert [str(LEDGER_REFUSED)] == unit["RestartPreventExitStatus"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_secret_is_a_credential_that_is_used(name: str) -> None:
    """Whatever is loaded is named, whatever is named is loaded, and no secret stands in a variable."""
    unit = read(name)
    loaded = {each.partition(":")[0] for each in unit.get("LoadCredential", [])}
    named = set(re.findall(r"%d/([\w.]+)", " ".join([*unit["Environment"], *unit.get("ExecStartPre", [])])))
    assert loaded == named
    assert not variables(name).keys() & {"HUZHU_DATABASE_URL", "HUZHU_KAFKA_SASL_PASSWORD"}


@pytest.mark.parametrize("process", Process)
def test_a_process_signs_in_as_its_role(process: Process) -> None:
    """With the address that has that role's password."""
    (address,) = (each for each in read(OF_PROCESS[process])["LoadCredential"] if each.startswith("database_url:"))
    assert f"database_url:/etc/huzhu/secrets/{ROLE_OF[process]}_database_url" == address


def test_every_process_tells_its_metrics_at_a_port_of_its_own() -> None:
    """Ten workers of one machine have ten ports of their own."""
    ports = [
        variables(OF_PROCESS[process])[f"HUZHU_{process.name}_METRICS_PORT"].replace("%i", digit)
        for process in Process
        for digit in ("0123456789" if process is Process.WORKER else "0")
    ]
    assert 14 == len(ports) == len(set(ports))


def test_the_settings_that_all_share_are_good() -> None:
    """huzhu.env is read as systemd reads it, and holds no secret."""
    lines = [line for line in (FOLDER / "huzhu.env").read_text("utf-8").splitlines() if line and line[0] != "#"]
    shared = dict(line.split("=", 1) for line in lines)
    values = {name.removeprefix("HUZHU_").lower(): value for name, value in shared.items()}
    assert 3 == Settings.model_validate(values).replication_factor
    assert not [name for name in shared if re.search("PASSWORD|DATABASE_URL", name)]


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The units, with a program in place of Huzhu's that is there, and the shared part beside them."""
    folder = tmp_path_factory.mktemp("units")
    for file in [*FOLDER.glob("huzhu-*.service"), *FOLDER.glob("*.timer"), *FOLDER.glob("*.d/*.conf")]:
        copy = folder / file.relative_to(FOLDER)
        copy.parent.mkdir(exist_ok=True)
        copy.write_text(file.read_text("utf-8").replace(PROGRAM, "/bin/true"), "utf-8")
    return folder


def analyzed(units: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [tool("systemd-analyze"), *words],
        cwd=units,
        env={"SYSTEMD_UNIT_PATH": f"{units}:", "SYSTEMD_COLORS": "0"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_systemd_finds_nothing_wrong(units: Path) -> None:
    """`systemd-analyze verify` knows every key and value."""
    names = [f"./{name.replace('@', '@1')}" for name in SERVICES] + ["./huzhu-day.timer"]
    ran = analyzed(units, "verify", "--man=no", *names)
    assert (0, "") == (ran.returncode, ran.stderr)


@pytest.mark.parametrize("name", SERVICES)
def test_every_unit_may_do_little(name: str, units: Path) -> None:
    """What all share reaches each of them: systemd calls what is left exposed small."""
    ran = analyzed(units, "security", "--offline=yes", f"./{name.replace('@', '@1')}")
    level = re.search(r"Overall exposure level for \S+: ([\d.]+)", ran.stdout)
    assert level is not None, ran.stderr
    assert float(level[1]) <= EXPOSURE_MAX
