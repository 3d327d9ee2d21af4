"""Settings: the address of the ledger as people write it, and variables that are none."""

from __future__ import annotations

import pytest

from infra.settings import Settings, SettingsError, unknown_settings

ADDRESS = "me:secret@db.example:5433/huzhu?sslmode=require"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_usual_address_of_postgresql_is_good(scheme: str) -> None:
    """The driver is added where it is left out."""
    settings = Settings.from_environment({"HUZHU_DATABASE_URL": f"{scheme}://{ADDRESS}"})
    assert f"postgresql+psycopg://{ADDRESS}" == settings.database_url


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
def test_another_address_is_refused_without_its_password(url: str) -> None:
    """The sentence names the variable and says how to write it."""
    with pytest.raises(SettingsError, match=r"HUZHU_DATABASE_URL: .*postgresql://USER") as refused:
        Settings.from_environment({"HUZHU_DATABASE_URL": url})
    assert "secret" not in str(refused.value)


def test_variables_that_are_no_settings_are_named() -> None:
    """A misspelt one is; settings, other programs' variables and those of build, local parts and tests are not."""
    others = ["HUZHU_CACHE_DIR", "HUZHU_COMPILE", "HUZHU_TEST_LONG", "PATH"]
    names = ["HUZHU_SHARD", "HUZHU_SHARDS", "HUZHU_DATABSE_URL", *others]
    assert ["HUZHU_DATABSE_URL", "HUZHU_SHARD"] == unknown_settings(dict.fromkeys(names, "1"))
