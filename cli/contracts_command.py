"""`huzhu contracts`: generate, compare and release the JSON Schemas and the AsyncAPI and OpenAPI documents."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import contracts_register
from cli.terminal.given_files import folder_for
from cli.terminal.listing import JsonOption, print_json
from cli.terminal.output import err, fail, out
from schemas.contract import asyncapi
from schemas.contract.compatibility import breaks_readers, breaks_senders, topics_broken
from schemas.contract.json_schema import CONTRACT_VERSION, Schema, events, inlined
from schemas.topics import INBOUND

app = typer.Typer(no_args_is_help=True, help="JSON Schemas, AsyncAPI and OpenAPI documents for other programs.")
app.command("register", epilog=contracts_register.EXAMPLE)(contracts_register.register)

Folder = Annotated[Path, typer.Argument(help="Folder of the contract.")]
HERE = Path("docs/contracts")
EXAMPLE = "Example: huzhu contracts check && echo up to date and compatible"


def generated() -> dict[str, str]:
    """The text of every generated file, by its path in the folder."""
    from web.api.api_app import openapi_document  # importing FastAPI takes half a second: not for every command

    documents: dict[str, Any] = {f"schemas/{event.event_type}.json": event.schema for event in events()}
    documents["asyncapi.json"] = asyncapi.document()
    documents["openapi.json"] = openapi_document()
    return {path: json.dumps(document, ensure_ascii=False, indent=2) + "\n" for path, document in documents.items()}


def differences(folder: Path) -> list[str]:
    """Files of the folder that differ from what would be generated now."""
    texts = generated()
    present = {str(path.relative_to(folder)) for path in [*folder.glob("schemas/*.json"), *folder.glob("*.json")]}
    messages = [f"{folder / path}: is no longer generated" for path in sorted(present - set(texts))]
    for path, text in texts.items():
        file = folder / path
        if not file.exists() or file.read_text("utf-8") != text:
            messages.append(f"{file}: {'differs from the generated one' if file.exists() else 'is missing'}")
    return messages


def breaking(folder: Path) -> tuple[str, list[str]] | None:
    """The newest released version, and how the current contract breaks it; None if nothing is released."""
    released = sorted((path for path in folder.glob("released/*") if path.is_dir()), key=_version_of)
    if not released:
        return None
    newest = released[-1]
    current = {event.event_type: event for event in events()}
    broken = topics_broken(_read(newest / "asyncapi.json"), asyncapi.document())
    for file in sorted(newest.glob("schemas/*.json")):
        event, old = current.get(file.stem), _read(file)
        if event is None:
            broken.append(f"{file.stem}: was removed")
            continue
        compare = breaks_senders if event.topic in INBOUND else breaks_readers
        broken += [f"{file.stem}: {message}" for message in compare(inlined(old), inlined(event.schema))]
    return newest.name, broken


@app.command("write", epilog="Example: huzhu contracts write docs/contracts")
def write(folder: Folder = HERE) -> None:
    """Write the JSON Schema of every event, and the AsyncAPI and OpenAPI documents."""
    folder_for(folder / "schemas")
    texts = generated()
    for path in folder.glob("schemas/*.json"):
        if str(path.relative_to(folder)) not in texts:
            path.unlink()
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8")
    out.print(f"wrote {len(texts)} files of contract {CONTRACT_VERSION} to {folder}")


@app.command("check", epilog=EXAMPLE)
def check(folder: Folder = HERE, as_json: JsonOption = False) -> None:
    """Check that the files are up to date and that the contract does not break the released one.

    Exit status 1 if it fails. A breaking change is allowed with a higher major version.
    """
    messages = differences(folder)
    compared = breaking(folder)
    if compared is not None and _version_of(Path(compared[0]))[0] >= _version_of(Path(CONTRACT_VERSION))[0]:
        version, broken = compared
        messages += [f"breaks {version}: {message}" for message in broken]
    if as_json:
        print_json({"version": CONTRACT_VERSION, "released": compared and compared[0], "problems": messages})
        raise typer.Exit(1 if messages else 0)
    for message in messages:
        err.print(message, soft_wrap=True)
    if messages:
        err.print("run `huzhu contracts write`; a breaking change also needs a new CONTRACT_VERSION in json_schema.py")
        raise typer.Exit(1)
    out.print(f"contract {CONTRACT_VERSION} is up to date and breaks nothing")


@app.command("release", epilog="Example: huzhu contracts release")
def release(folder: Folder = HERE) -> None:
    """Copy the contract of this version to released/, so that later versions are compared with it."""
    target = folder / "released" / CONTRACT_VERSION
    if target.exists():
        fail(f"{target} exists: a release never changes; raise CONTRACT_VERSION in json_schema.py")
    messages = differences(folder)
    if messages:
        fail("\n".join(messages) + "\nrun `huzhu contracts write` first")
    (target / "schemas").mkdir(parents=True)
    for name in generated():
        shutil.copyfile(folder / name, target / name)
    out.print(f"released {target}")


def _read(file: Path) -> Schema:
    document: Schema = json.loads(file.read_text("utf-8"))
    return document


def _version_of(folder: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in folder.name.split("."))
