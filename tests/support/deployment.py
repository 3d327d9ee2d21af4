"""What runs Huzhu, as data: files for containers and supervisors, the commands they call, and tools to check them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from cli.main import huzhu
from infra.settings import Settings
from schemas.metrics import Process
from tests.support.paths import REPOSITORY

DEPLOY = REPOSITORY / "deploy"
DOCKERFILE, COMPOSE_FILE = REPOSITORY / "Dockerfile", REPOSITORY / "compose.yaml"
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_FILE.read_text("utf-8"))
TOOLS = REPOSITORY / ".cache" / "tools" / "bin"
"""Where `make tools` puts what the system does not have."""

FROM_FILES = {"HUZHU_DATABASE_URL_FILE", "HUZHU_KAFKA_SASL_PASSWORD_FILE"}
OF_THE_BUILD = {"HUZHU_COMPILE"}
SETTINGS = {f"HUZHU_{name.upper()}" for name in Settings.model_fields} | FROM_FILES
ROLE_OF = {process: process.value for process in Process} | {Process.SIGNER: "auditor"}
"""The role in PostgreSQL of each process."""


def files() -> list[Path]:
    """Every file that runs Huzhu; the secrets that somebody made are none of ours."""
    return [
        DOCKERFILE,
        COMPOSE_FILE,
        *sorted(file for file in DEPLOY.rglob("*") if file.is_file() and "secrets" not in file.parts),
    ]


def no_settings(text: str) -> set[str]:
    """The names in a text that look like settings and are none."""
    return set(re.findall(r"\bHUZHU_[A-Z0-9_]*[A-Z0-9]\b", text)) - SETTINGS - OF_THE_BUILD


def unknown_words(words: Sequence[str]) -> list[str]:
    """What of a call of `huzhu`, without the program's name, is no command or no option of one."""
    command: Any = typer.main.get_command(huzhu())
    wrong = []
    for word in words:
        inner = getattr(command, "commands", None)
        if inner is not None:
            if word not in inner:
                return [word]
            command = inner[word]
        elif word.startswith("-") and not any(word in parameter.opts for parameter in command.params):
            wrong.append(word)
    return [*wrong, "a command is missing"] if getattr(command, "commands", None) is not None else wrong


def calls_in(script: str) -> Iterator[list[str]]:
    """The calls of `huzhu` in a shell script, without the program's name and what follows a redirection."""
    for found in re.finditer(r"(?:^|[;&|]|\|\||\s)huzhu ((?:[\w./-]+ ?)+)", script):
        yield found[1].split()


def tool(name: str) -> str:
    """The program of that name; skips the test where it is not installed."""
    found = shutil.which(name) or shutil.which(name, path=str(TOOLS))
    if found is None:
        pytest.skip(f"{name} is not installed: see `make tools`")
    return found
