"""`huzhu ledger archive`: audit entries and events of past months as signed Parquet files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from acts.verify_audit_log import Trust
from cli.audit.audit_keys import signing_key
from cli.terminal.connect import explained_failure, ledger, read_settings
from cli.terminal.given_month import given_month
from cli.terminal.language import LanguageOption, OutputLanguage, translator
from cli.terminal.listing import JsonOption, print_json, print_table
from cli.terminal.operators import Operator, signed_in
from cli.terminal.output import SOME_REFUSED, fail, out, progress
from infra.clock import utc_now
from infra.keys.audit_signing import KeyUnusable, read_public_keys
from schemas.access.console_rights import Right
from schemas.archive_manifest import ArchiveManifest
from schemas.bilingual import Saying
from schemas.canonical import sha256_hex

EXAMPLE = "Example: huzhu ledger archive /srv/archive --before 2027-03 --operator li.na"

NOTHING = Saying("没有可归档的内容。", "There is nothing to archive.")
HEADS = (
    Saying("分片", "shard"),
    Saying("首条", "first entry"),
    Saying("末条", "last entry"),
    Saying("事件", "events"),
    Saying("内容字节", "bytes in the ledger"),
    Saying("文件字节", "bytes of the files"),
)


def archive(
    folder: Annotated[Path, typer.Argument(help="Folder of all archives; each month gets a folder in it.")],
    before: Annotated[str, typer.Option(help="Take what was recorded before this month began, such as 2027-03.")],
    operator: Operator,
    key: Annotated[
        list[Path] | None,
        typer.Option("--key", help="Earlier public keys, if the key was changed, one per line; can be repeated."),
    ] = None,
    as_json: JsonOption = False,
    language: LanguageOption = OutputLanguage.ZH,
) -> None:
    """Write audit entries and events of past months to signed Parquet files, and read them back.

    Goes on where the archives in FOLDER end, up to the last signed checkpoint before the month. Removes nothing from
    the ledger. Exit status 3: the log does not hold together, and nothing was written.
    """
    operator = signed_in(operator, Right.EXPORT)
    month, settings = given_month(before), read_settings()
    own = signing_key(settings, "archives")
    try:
        trust = Trust([own.verifier, *read_public_keys(key or [])])
    except KeyUnusable as error:
        fail(str(error))
    from acts.archive_ledger import DoesNotHoldTogether, NotArchived, archive_ledger  # needs Arrow

    engine = ledger(settings)
    with progress() as bar, explained_failure("read"):
        task = bar.add_task("archiving", total=None)
        try:
            made = archive_ledger(
                engine, folder, month, own, trust, operator, utc_now, lambda count: bar.advance(task, count)
            )
        except NotArchived as error:
            fail(str(error))
        except DoesNotHoldTogether as error:
            first = error.findings[0]
            place = f"shard {first.shard}, entry {first.seq}"
            fail(
                f"nothing was archived: {place}: {first.fault}: {first.saying.en}; run `huzhu audit verify`",
                SOME_REFUSED,
            )
        except OSError as error:
            fail(f"nothing was archived: {error.filename or folder}: {error.strerror}")
    _tell(made, folder, language, as_json=as_json)


def _tell(made: ArchiveManifest | None, folder: Path, language: OutputLanguage, *, as_json: bool) -> None:
    say = translator(language, " ")
    if as_json:
        told = None if made is None else made.model_dump(mode="json") | {"sha256": sha256_hex(made.text)}
        print_json({"archive": told})
        return
    if made is None:
        out.print(say(NOTHING))
        return
    rows = [
        (
            *(each.shard, each.first, each.last, each.events.rows),
            each.entries.value_bytes + each.events.value_bytes,
            each.entries.bytes + each.events.bytes,
        )
        for each in made.shards
    ]
    print_table([say(head) for head in HEADS], [[f"{cell:,}" for cell in row] for row in rows], right=range(len(HEADS)))
    done = Saying(
        f"已归档并复核:{folder / made.name},清单 SHA-256 {sha256_hex(made.text)}。账本内容未删除。",
        f"Archived and read back: {folder / made.name}, SHA-256 of its manifest {sha256_hex(made.text)}. "
        "Nothing was removed from the ledger.",
    )
    out.print(say(done), soft_wrap=True)
