"""`huzhu contracts`: the JSON Schemas, AsyncAPI and OpenAPI documents, generated, compared, and released."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.terminal.output import err, fail, out
from schemas.contract import asyncapi
from schemas.contract.compatibility import breaks_readers, breaks_senders, topics_broken
from schemas.contract.json_schema import CONTRACT_VERSION, Schema, events, inlined
from schemas.topics import INBOUND

app = typer.Typer(no_args_is_help=True, help="JSON Schemas, AsyncAPI and OpenAPI for the programs of others.")

Folder = Annotated[Path, typer.Argument(help="Where the contract stands.")]
HERE = Path("docs/contracts")
EXAMPLE = "Example: huzhu contracts check && echo as generated, and compatible"


def generated() -> dict[str, str]:
    """The text of every generated file by its path below the folder."""
    from web.api.api_app import openapi_document  # importing FastAPI takes half a second: not for every command

    documents: dict[str, Any] = {f"schemas/{event.event_type}.json": event.schema for event in events()}
    documents["asyncapi.json"] = asyncapi.document()
    documents["openapi.json"] = openapi_document()
    return {path: json.dumps(each, ensure_ascii=False, indent=2) + "\n" for path, each in documents.items()}


def differences(folder: Path) -> list[str]:
    """Files of the folder that are not as generated."""
    wanted = generated()
    present = {str(path.relative_to(folder)) for path in [*folder.glob("schemas/*.json"), *folder.glob("*.json")]}
    found = [f"{folder / path}: is not generated any more" for path in sorted(present - set(wanted))]
    for path, text in wanted.items():
        file = folder / path
        if not file.exists() or file.read_text("utf-8") != text:
            found.append(f"{file}: is {'not as generated' if file.exists() else 'missing'}")
    return found


def breaking(folder: Path) -> tuple[str, list[str]] | None:
    """The newest released version, and in what the contract of this program breaks it; None if none is released."""
    released = sorted((each for each in folder.glob("released/*") if each.is_dir()), key=_version_of)
    if not released:
        return None
    newest = released[-1]
    current = {event.event_type: event for event in events()}
    broken = topics_broken(_read(newest / "asyncapi.json"), asyncapi.document())
    for file in sorted(newest.glob("schemas/*.json")):
        event, old = current.get(file.stem), _read(file)
        if event is None:
            broken.append(f"{file.stem}: is gone")
            continue
        compare = breaks_senders if event.topic in INBOUND else breaks_readers
        broken += [f"{file.stem}: {each}" for each in compare(inlined(old), inlined(event.schema))]
    return newest.name, broken


@app.command("write", epilog="Example: huzhu contracts write docs/contracts")
def write(folder: Folder = HERE) -> None:
    """Write the JSON Schema of every event, and the AsyncAPI and OpenAPI documents."""
    (folder / "schemas").mkdir(parents=True, exist_ok=True)
    wanted = generated()
    for path in folder.glob("schemas/*.json"):
        if str(path.relative_to(folder)) not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, "utf-8")
    out.print(f"{len(wanted)} files of contract {CONTRACT_VERSION} in {folder}")


@app.command("check", epilog=EXAMPLE)
def check(folder: Folder = HERE) -> None:
    """Say whether the files are as generated, and whether the contract breaks the released one. Exit status 1 if so.

    A breaking change is fine under a higher major version.
    """
    found = differences(folder)
    compared = breaking(folder)
    if compared is not None and _version_of(Path(compared[0]))[0] >= _version_of(Path(CONTRACT_VERSION))[0]:
        version, broken = compared
        found += [f"breaks {version}: {each}" for each in broken]
    for each in found:
        err.print(each, soft_wrap=True)
    if found:
        err.print("run `huzhu contracts write`; a breaking change also needs a new CONTRACT_VERSION in json_schema.py")
        raise typer.Exit(1)
    out.print(f"contract {CONTRACT_VERSION} is as generated and breaks nobody")


@app.command("release", epilog="Example: huzhu contracts release")
def release(folder: Folder = HERE) -> None:
    """Keep the contract of this version under released/, for later versions to be compared with."""
    target = folder / "released" / CONTRACT_VERSION
    if target.exists():
        fail(f"{target} exists: a release never changes; raise CONTRACT_VERSION in json_schema.py")
    found = differences(folder)
    if found:
        fail("\n".join(found) + "\nrun `huzhu contracts write` first")
    (target / "schemas").mkdir(parents=True)
    for name in generated():
        shutil.copyfile(folder / name, target / name)
    out.print(f"released {target}")


def _read(file: Path) -> Schema:
    document: Schema = json.loads(file.read_text("utf-8"))
    return document


def _version_of(folder: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in folder.name.split("."))
