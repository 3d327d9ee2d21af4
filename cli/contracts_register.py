"""`huzhu contracts register`: telling a schema registry the schema of every event."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.terminal.connect import read_settings
from cli.terminal.output import err, fail, out
from infra.schema_registry import RegistryAway, RegistryRefused, SchemaRegistry
from infra.settings import SettingsError
from schemas.contract.subjects import RegistrySubject, subjects
from stream.deadline import INFRASTRUCTURE_GONE

EXAMPLE = "Example: huzhu contracts register https://registry.example:8081 --check"


def register(
    url: Annotated[str, typer.Argument(help="Address of the registry, before /subjects.", metavar="URL")],
    check: Annotated[bool, typer.Option("--check", help="Only say what is missing or would be refused.")] = False,
) -> None:
    """Register the JSON Schema of every event in a registry that speaks Confluent's API. Twice is once.

    The subject is TOPIC-value, or TOPIC-TYPE for each type of a topic with several; HUZHU_PREFIX comes before. Each
    subject's compatibility level is set too. Exit status 1: the registry refuses a schema, or with --check something is
    not registered. Exit status 75: it does not answer.
    """
    settings = read_settings()
    try:
        registry = SchemaRegistry(url, settings)
        said = [line for each in subjects(settings.prefix) if (line := _checked(registry, each, change=not check))]
    except SettingsError as error:
        fail(str(error))
    except RegistryAway as error:
        fail(str(error), INFRASTRUCTURE_GONE)
    except RegistryRefused as error:
        fail(str(error), 1)
    for line in said:
        (err if check else out).print(line, soft_wrap=True, markup=False)
    if not said:
        out.print(f"all {len(subjects())} schemas are registered")
    elif check:
        raise typer.Exit(1)


def _checked(registry: SchemaRegistry, subject: RegistrySubject, *, change: bool) -> str | None:
    """What is, or was, to be done about a subject; None if nothing."""
    held = registry.has(subject)
    if not change:
        if held:
            level = registry.level(subject)
            return None if level == subject.level else f"{subject.name}: its level is {level}, not {subject.level}"
        objection = None if held is None else registry.objection(subject)
        return f"{subject.name}: is not registered" + (f", and would be refused: {objection}" if objection else "")
    if not held:
        try:
            registry.register(subject)
        except RegistryRefused as error:
            raise RegistryRefused(error.status, error.code, f"{subject.name}: {error}") from None
    if registry.level(subject) != subject.level:
        registry.set_level(subject)
        return f"{subject.name}: {'level set' if held else 'registered'}"
    return None if held else f"{subject.name}: registered"
