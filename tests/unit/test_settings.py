"""Settings: the address of the ledger as people write it, which place counts, and names that are none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from infra.settings import Settings, SettingsError
from infra.settings_in_force import SettingPlace, SettingsInForce, Source, settings_in_force

ADDRESS = "me:secret@db.example:5433/huzhu?sslmode=require"


class Surroundings:
    """The environment and the working directory of a process, with nothing of Huzhu in them at first."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self._patch, self.folder = monkeypatch, folder
        for name in [name for name in os.environ if name.upper().startswith("HUZHU_")]:
            monkeypatch.delenv(name)
        monkeypatch.chdir(folder)

    def file(self, text: str, name: str = "huzhu.toml") -> Path:
        (self.folder / name).write_text(text, "utf-8")
        return self.folder / name

    def found(self, **environment: str | Path) -> SettingsInForce:
        """What is in force with these variables, which are also there later."""
        for name, value in environment.items():
            self._patch.setenv(name, str(value))
        return settings_in_force()

    def refusal(self, **environment: str | Path) -> str:
        with pytest.raises(SettingsError) as refused:
            self.found(**environment)
        return str(refused.value)


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Surroundings:
    return Surroundings(monkeypatch, tmp_path)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_usual_address_of_postgresql_is_good(scheme: str, around: Surroundings) -> None:
    """The driver is added where it is left out."""
    found = around.found(HUZHU_DATABASE_URL=f"{scheme}://{ADDRESS}")
    assert f"postgresql+psycopg://{ADDRESS}" == found.settings.database_url


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "mysql://me:secret@a/b",
        "postgresql:me",
        "postgresql+psycopg2://me:secret@a/b",
        f"x{ADDRESS}",
        "postgresql://me:secret@a:port/b",
    ],
)
def test_another_address_is_refused_without_its_password(url: str, around: Surroundings) -> None:
    """The sentence names the variable and says how to write it."""
    said = around.refusal(HUZHU_DATABASE_URL=url)
    assert said.startswith("HUZHU_DATABASE_URL: ")
    assert "postgresql://USER" in said
    assert "secret" not in said


def test_nothing_set_is_the_defaults(around: Surroundings) -> None:
    """No file has to be there."""
    found = around.found()
    assert (Settings(), None) == (found.settings, found.file)
    assert SettingPlace(Source.DEFAULT, "") == found.place("shards")


def test_the_environment_comes_before_the_file(around: Surroundings) -> None:
    """Setting by setting: what the environment does not name is the file's."""
    file = around.file('shards = 12\nbatch_wait = 1\ngateway_host = "10.0.0.5"\n')
    found = around.found(HUZHU_SHARDS="6")
    assert (6, 1, "10.0.0.5") == (found.settings.shards, found.settings.batch_wait, found.settings.gateway_host)
    assert SettingPlace(Source.ENVIRONMENT, "HUZHU_SHARDS") == found.place("shards")
    assert SettingPlace(Source.FILE, str(file)) == found.place("batch_wait")


@pytest.mark.parametrize("named_in", ["environment", "file"])
def test_a_secret_file_comes_before_the_file_of_settings(named_in: str, around: Surroundings) -> None:
    """Wherever the secret file is named; the line end that editors add does not count."""
    secret = around.file(f"postgresql://{ADDRESS}\n", "secret")
    around.file(
        'database_url = "postgresql://other/huzhu"\n' + (f'database_url_file = "{secret}"\n' * ("file" == named_in))
    )
    found = around.found(**({"HUZHU_DATABASE_URL_FILE": secret} if named_in == "environment" else {}))
    assert f"postgresql+psycopg://{ADDRESS}" == found.settings.database_url
    assert SettingPlace(Source.SECRET_FILE, str(secret)) == found.place("database_url")


def test_the_environment_comes_before_a_secret_file(around: Surroundings) -> None:
    """The file is not even read."""
    found = around.found(HUZHU_KAFKA_SASL_PASSWORD="own", HUZHU_KAFKA_SASL_PASSWORD_FILE="/gone")
    assert found.settings.kafka_sasl_password is not None
    assert "own" == found.settings.kafka_sasl_password.get_secret_value()
    assert SettingPlace(Source.ENVIRONMENT, "HUZHU_KAFKA_SASL_PASSWORD") == found.place("kafka_sasl_password")


def test_another_file_of_settings_can_be_named(around: Surroundings) -> None:
    """Then `huzhu.toml` is not read; a file that is named has to be there."""
    around.file("shards = 12\nrelay_batch = 10\n")
    named = around.file("shards = 8\n", "other.toml")
    found = around.found(HUZHU_SETTINGS_FILE=named)
    assert (8, 3000, named) == (found.settings.shards, found.settings.relay_batch, found.file)
    assert around.refusal(HUZHU_SETTINGS_FILE="gone.toml").startswith(f"{around.folder / 'gone.toml'}: ")
    assert "cannot be read" in around.refusal(HUZHU_SETTINGS_FILE=around.folder)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("HUZHU_SHARD", "did you mean HUZHU_SHARDS?"),
        ("HUZHU_DATABSE_URL", "did you mean HUZHU_DATABASE_URL?"),
        ("HUZHU_SETTING_FILE", "did you mean HUZHU_SETTINGS_FILE?"),
        ("huzhu_shards", "did you mean HUZHU_SHARDS?"),
        ("HUZHU_COMPILED", "did you mean HUZHU_COMPILE?"),
        ("HUZHU_QQQQQQQQ", "delete it, or correct its name"),
    ],
)
def test_a_variable_that_is_no_setting_is_refused(name: str, meant: str, around: Surroundings) -> None:
    """With the name that was most likely meant."""
    assert f"{name} is no setting: {meant}" == around.refusal(**{name: "1"})


def test_variables_of_others_are_left_alone(around: Surroundings) -> None:
    """Those of other programs, of the local parts, of the build and of the tests."""
    names = ["CACHE_DIR", "COMPILE", "FAULTS", "FAULTS_SEED", "TEST_LONG", "SIM_RUNS", "BENCH", "BENCH_SCALE"]
    found = around.found(**dict.fromkeys([*(f"HUZHU_{name}" for name in names), "NOT_HUZHU_SHARD"], "1"))
    assert Settings() == found.settings


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("shrads = 3", "huzhu.toml: shrads is no setting: did you mean shards?"),
        ("HUZHU_SHARD = 3", "huzhu.toml: HUZHU_SHARD is no setting: did you mean shards?"),
        ("audit-interval = 3", "huzhu.toml: audit-interval is no setting: did you mean audit_interval?"),
        ("[table]\nshards = 1", "huzhu.toml: table is no setting: delete it, or correct its name"),
        ("shards = true", "huzhu.toml: write a number, or a text in quotes"),
        ("shards = [3]", "huzhu.toml: write a number, or a text in quotes"),
        ("shards = 1000", "huzhu.toml: Input should be less than or equal to 256"),
        ("shards = ", "huzhu.toml: is no TOML: Invalid value (at "),
        ("database_url = 'mysql://me:secret@a/b'", "huzhu.toml: is no address of PostgreSQL"),
        ("kafka_sasl_password_file = '/gone'", "huzhu.toml: the file cannot be read (No such file or directory)"),
    ],
)
def test_a_mistake_in_the_file_is_named(text: str, said: str, around: Surroundings) -> None:
    """With the file, and no value of it."""
    around.file(text)
    refusal = around.refusal()
    assert said in refusal
    assert "secret" not in refusal
    assert 1 == len(refusal.splitlines())
