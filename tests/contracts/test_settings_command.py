"""`huzhu settings` says what is in force and where it stands, without a secret; all commands refuse what it does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.servers.settings_command import shown
from infra.settings import Settings
from tests.support.processes import huzhu

SECRET = "t0p-s3cret"
LEDGER = f"postgresql://me:{SECRET}@db.example:5433/huzhu?sslpassword={SECRET}"


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    """A file of settings with two secrets, one of them in a file of its own."""
    (tmp_path / "password").write_text(f"{SECRET}\n", "utf-8")
    file = tmp_path / "huzhu.toml"
    file.write_text(
        f'shards = 12\nkafka_bootstrap = "broker:9093"\ndatabase_url = "{LEDGER}"\n'
        'kafka_security_protocol = "SASL_SSL"\nkafka_sasl_username = "worker"\n'
        f'kafka_sasl_password_file = "{tmp_path / "password"}"\n',
        "utf-8",
    )
    return file


def test_every_setting_is_shown_with_its_place(settings_file: Path) -> None:
    """As JSON: the value in force, and the variable or file that it stands in."""
    done = huzhu("settings", "--json", HUZHU_SETTINGS_FILE=str(settings_file), HUZHU_BATCH_EVENTS="7")
    assert (0, "") == (done.returncode, done.stderr)
    page = json.loads(done.stdout)
    found = {each["setting"]: (each["value"], each["source"], each["where"]) for each in page["settings"]}
    assert [f"HUZHU_{name.upper()}" for name in Settings.model_fields] == list(found)
    assert str(settings_file) == page["file"]
    assert (7, "environment", "HUZHU_BATCH_EVENTS") == found["HUZHU_BATCH_EVENTS"]
    assert (12, "file", str(settings_file)) == found["HUZHU_SHARDS"]
    password = str(settings_file.with_name("password"))
    assert ("***", "secret file", password) == found["HUZHU_KAFKA_SASL_PASSWORD"]
    assert (3000, "default", None) == found["HUZHU_RELAY_BATCH"]
    assert (None, "default", None) == found["HUZHU_AUDIT_KEY_FILE"]


@pytest.mark.parametrize("how", [[], ["--json"]])
def test_no_secret_is_shown(how: list[str], settings_file: Path) -> None:
    """Of the ledger everything but the password and what follows the database."""
    done = huzhu("settings", *how, columns=300, HUZHU_SETTINGS_FILE=str(settings_file))
    assert 0 == done.returncode
    assert "postgresql+psycopg://me:***@db.example:5433/huzhu" in done.stdout
    assert SECRET not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("postgresql+psycopg://huzhu@127.0.0.1/huzhu", "postgresql+psycopg://huzhu@127.0.0.1/huzhu"),
        ("postgresql+psycopg://db:5432/huzhu", "postgresql+psycopg://db:5432/huzhu"),
        ("postgresql+psycopg://me:s3@cret@db/huzhu", "***"),
        ("postgresql+psycopg://me:s3/cret@db/huzhu", "***"),
        ("postgresql+psycopg://me:s3?cret@db/huzhu", "***"),
        ("postgresql+psycopg://me:s3#cret@db/huzhu", "***"),
    ],
)
def test_an_address_that_can_be_read_in_two_ways_is_not_shown(url: str, seen: str) -> None:
    """A password with a sign that an address may not hold could look like its server."""
    assert seen == shown("database_url", url)


def test_settings_that_do_not_fit_are_shown_and_refused(settings_file: Path) -> None:
    """What is in force helps to find out why."""
    done = huzhu("settings", "--json", HUZHU_SETTINGS_FILE=str(settings_file), HUZHU_KAFKA_SASL_USERNAME="")
    assert 2 == done.returncode
    assert json.loads(done.stdout)["settings"]
    assert done.stderr.startswith("HUZHU_KAFKA_SASL_USERNAME: is needed with")


@pytest.mark.parametrize("command", [["settings"], ["policy", "show"], ["worker"], ["status"]])
def test_a_misspelt_setting_ends_a_command(command: list[str]) -> None:
    """One sentence and exit status 2: what somebody set would otherwise not be in force."""
    done = huzhu(*command, HUZHU_SHARD="3")
    assert (2, "HUZHU_SHARD is no setting: did you mean HUZHU_SHARDS?\n") == (done.returncode, done.stderr)
    assert "" == done.stdout


def test_a_setting_of_the_file_reaches_a_command(settings_file: Path) -> None:
    """The ledger is sought where the file says."""
    settings_file.write_text('database_url = "postgresql://me@127.0.0.1:1/huzhu"\n', "utf-8")
    done = huzhu("policy", "show", HUZHU_SETTINGS_FILE=str(settings_file))
    assert 75 == done.returncode
    assert "the ledger cannot be reached" in done.stderr
