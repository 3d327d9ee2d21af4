"""Which settings are in force, and where each of them stands.

What stands in more than one place is taken from the first of these: the environment, a file that holds a secret,
`huzhu.toml`, the default. A name that is no setting is refused wherever it stands: most likely it is misspelt.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from infra.settings import PREFIX, SECRETS, Settings, SettingsError

SETTINGS_FILE = "HUZHU_SETTINGS_FILE"
USUAL_FILE = "huzhu.toml"
FILE_SUFFIX = "_file"
"""With it, the name of a secret is the setting that names the file that holds the secret."""

ELSEWHERE = ("CACHE_DIR", "COMPILE", "FAULTS", "BENCH", "SCREENSHOTS")
ELSEWHERE_BEGINS = ("TEST_", "SIM_", "FAULTS_", "BENCH_")
"""Variables of the local Kafka, of the build and of the tests: the program's environment may hold them."""


class Source(StrEnum):
    """Where a setting can stand."""

    ENVIRONMENT = "environment"
    SECRET_FILE = "secret file"
    FILE = "file"
    DEFAULT = "default"


class SettingPlace(NamedTuple):
    """Where a setting stands: in the environment under a name, or in a file."""

    source: Source
    where: str


class _Sought(Settings, BaseSettings):
    """What pydantic-settings looks for. Its sources are asked one by one: so it is known which of them answered."""

    model_config = SettingsConfigDict(env_prefix=PREFIX)


@dataclass(frozen=True, slots=True)
class SettingsInForce:
    """The settings, the place of each that somebody set, and the file that was read, if there is one."""

    settings: Settings
    places: Mapping[str, SettingPlace]
    file: Path | None

    def place(self, name: str) -> SettingPlace:
        return self.places.get(name, SettingPlace(Source.DEFAULT, ""))


def settings_in_force() -> SettingsInForce:
    """Reads the environment, `huzhu.toml` and the files of secrets. Raises SettingsError, which quotes no value."""
    _refuse_unknown_variables(os.environ)
    file = settings_file()
    in_file = _content(file) if file else {}
    in_environment = EnvSettingsSource(_Sought)()
    values = {**in_file, **in_environment}
    places = {name: SettingPlace(Source.FILE, str(file)) for name in in_file}
    places |= {name: SettingPlace(Source.ENVIRONMENT, variable(name)) for name in in_environment}
    for name in SECRETS:
        holder = name + FILE_SUFFIX
        if values.get(holder) is not None and name not in in_environment:
            values[name] = _secret(str(values[holder]), said(holder, places[holder]))
            places[name] = SettingPlace(Source.SECRET_FILE, str(values[holder]))
    try:
        return SettingsInForce(Settings.model_validate(values), places, file)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        name = str(first["loc"][0])
        raise SettingsError(f"{said(name, places[name])}: {first['msg']}") from None


def settings_file() -> Path | None:
    """The file of settings, from the root: what HUZHU_SETTINGS_FILE names, or `huzhu.toml` in the working directory.

    None where the variable is not set and there is no such file.
    """
    named = os.environ.get(SETTINGS_FILE)
    file = Path(USUAL_FILE if named is None else named).absolute()
    return file if named is not None or file.exists() else None


def variable(name: str) -> str:
    """The variable of the environment that holds a setting."""
    return f"{PREFIX}{name.upper()}"


def said(name: str, place: SettingPlace) -> str:
    """How a message names a setting: as it is written where it stands."""
    return variable(name) if place.source is Source.ENVIRONMENT else f"{name} in {place.where}"


def _refuse_unknown_variables(environment: Iterable[str]) -> None:
    known = {SETTINGS_FILE, *map(variable, Settings.model_fields), *(PREFIX + name for name in ELSEWHERE)}
    begins = tuple(PREFIX + name for name in ELSEWHERE_BEGINS)
    for name in sorted(environment):
        if name.upper().startswith(PREFIX) and name not in known and not name.startswith(begins):
            raise SettingsError(_no_setting(name, name.upper(), sorted(known)))


def _no_setting(name: str, meant: str, known: Iterable[str]) -> str:
    near = get_close_matches(meant, known, 1)
    return f"{name} is no setting: " + (f"did you mean {near[0]}?" if near else "delete it, or correct its name")


def _content(file: Path) -> dict[str, Any]:
    """What the file sets. It has no tables: a setting is a number or a text."""
    try:
        with file.open("rb") as opened:  # a file that cannot be opened would count as an empty one
            opened.read(1)
        content = dict(TomlConfigSettingsSource(_Sought, file).toml_data)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file}: is no TOML: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: {_unreadable(error)}") from None
    for name, value in content.items():
        if name not in Settings.model_fields:
            meant = name.lower().removeprefix(PREFIX.lower()).replace("-", "_")
            raise SettingsError(f"{file}: {_no_setting(name, meant, Settings.model_fields)}")
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise SettingsError(f"{name} in {file}: write a number, or a text in quotes")
    return content


def _secret(file: str, named: str) -> str:
    """What a file of a secret holds; a line end at its end does not count."""
    try:
        return Path(file).read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{named}: {_unreadable(error)}") from None


def _unreadable(error: OSError | UnicodeDecodeError) -> str:
    reason = error.strerror if isinstance(error, OSError) else "no text"
    return f"the file cannot be read ({reason}): check path and permissions"
