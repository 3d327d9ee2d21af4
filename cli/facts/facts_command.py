"""`huzhu facts pack`: read, check and sort facts once, so that every what-if after it starts from columns."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated

import pyarrow as pa
import typer

from cli.offline import packed_file
from cli.offline.by_person import by_person
from cli.offline.plan import plan_for
from cli.offline.worker_processes import JobsOption, cores, workers
from cli.terminal.given_files import AsOfOption, instant_of, tell_refused
from cli.terminal.output import SOME_REFUSED, fail, out, progress
from handlers.offline.columns.layout import SCHEMA
from handlers.offline.columns.packing import FEN_MAX, Packed, pack_refused
from handlers.words.claim_sentences import yuan

app = typer.Typer(no_args_is_help=True, help="Pack files of facts into columns.")


@app.callback()
def _facts() -> None:
    """Keeps `pack` a command of a group."""


@app.command("pack", epilog="Example: huzhu facts pack facts.jsonl facts.parquet")
def pack_facts(
    facts: Annotated[Path, typer.Argument(help="Facts, one JSON object per line, in any order; - for standard input.")],
    packed: Annotated[Path, typer.Argument(help="The Parquet file to write; one that is there is replaced.")],
    as_of: AsOfOption = None,
    jobs: JobsOption = None,
) -> None:
    """Read, check and sort facts once into a Parquet file, from which simulate and adjudicate start faster.

    The results are the same to the fen. The file holds what decisions need of the accepted facts, and the refused
    lines, which every command that reads it tells again. Refused facts go to standard error, one JSON object per line.
    Exit status: 0 if all facts were accepted, 3 if some were refused, 2 if a file cannot be used.
    """
    moment = instant_of(as_of)
    if packed.exists() and facts.exists() and packed.samefile(facts):
        fail(f"{packed}: 就是数据文件本身:请写另一个文件名\n{packed}: is the file of facts itself: name another one")
    with plan_for(facts, jobs or cores(), moment) as plan, workers(plan.processes) as pool:
        try:
            with progress() as bar:
                worked = by_person(plan, Packing(plan.folder), pool, bar, grouped=True, invoices=True)
        except TooMuch:
            fail(
                f"{facts}: 一笔理赔的金额合计超过 {yuan(FEN_MAX)} 元,无法打包\n"
                f"{facts}: the bills of one claim add up to more than {yuan(FEN_MAX)} yuan: they cannot be packed"
            )
        tables = chain(map(packed_file.table_of, worked.results), [pack_refused(worked.refused)])
        packed_file.write(packed, tables, worked.facts)
    tell_refused(worked.refused)
    out.print(f"{packed}: {worked.facts} facts packed, {len(worked.refused)} refused")
    if worked.refused:
        raise typer.Exit(SOME_REFUSED)


class TooMuch(Exception):
    """The bills of one claim add up to more than a column holds."""


@dataclass(frozen=True, slots=True)
class Packing:
    """Writes the persons of a bucket to a file of columns."""

    folder: Path

    def __call__(self, packed: Packed) -> Path:
        if packed.beyond:
            raise TooMuch
        with (
            NamedTemporaryFile(dir=self.folder, prefix="columns-", delete=False) as file,
            pa.ipc.new_file(file, SCHEMA) as writer,
        ):
            writer.write_table(packed.table)
        return Path(file.name)
