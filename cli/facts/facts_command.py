"""`huzhu facts pack`: read, check and sort facts once, so that every what-if after it starts from columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated

import pyarrow as pa
import typer

from cli.offline import packed_file
from cli.offline.by_person import by_person, plan_for
from cli.offline.worker_processes import cores, workers
from cli.terminal.given_files import AsOfOption, instant_of, tell_refused
from cli.terminal.output import SOME_REFUSED, fail, out, progress
from handlers.claims.account import Decidable
from handlers.offline.columns.layout import SCHEMA
from handlers.offline.columns.packing import FEN_MAX, pack, pack_refused
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
) -> None:
    """Read, check and sort facts once into a Parquet file, from which simulate and adjudicate start faster.

    The results are the same to the fen. The file holds what decisions need of the accepted facts, and the refused
    lines, which every command that reads it tells again. Refused facts go to standard error, one JSON object per line.
    Exit status: 0 if all facts were accepted, 3 if some were refused, 2 if a file cannot be used.
    """
    moment = instant_of(as_of)
    if packed.exists() and facts.exists() and packed.samefile(facts):
        fail(f"{packed}: 就是数据文件本身:请写另一个文件名\n{packed}: is the file of facts itself: name another one")
    with plan_for(facts, 4 * cores(), moment) as plan, workers(cores() if plan.buckets > 1 else 1) as pool:
        try:
            with progress() as bar:
                worked = by_person(plan, Packing(plan.folder), pool, bar)
        except TooMuch:
            fail(
                f"{facts}: 一笔理赔的金额合计超过 {yuan(FEN_MAX)} 元,无法打包\n"
                f"{facts}: the bills of one claim add up to more than {yuan(FEN_MAX)} yuan: they cannot be packed"
            )
        packed_file.write(packed, _tables(worked.results, pack_refused(worked.refused)), worked.facts)
    tell_refused(worked.refused)
    out.print(f"{packed}: {worked.facts} facts packed, {len(worked.refused)} refused")
    if worked.refused:
        raise typer.Exit(SOME_REFUSED)


class TooMuch(Exception):
    """The bills of one claim add up to more than a column holds."""


@dataclass(frozen=True, slots=True)
class Packing:
    """Writes the accounts of a bucket to a file of columns."""

    folder: Path

    def __call__(self, accounts: Iterator[Decidable]) -> Path:
        with NamedTemporaryFile(dir=self.folder, prefix="columns-", delete=False) as file:
            table, beyond = pack(accounts)
            if beyond:
                raise TooMuch
            with pa.ipc.new_file(file, SCHEMA) as writer:
                writer.write_table(table)
        return Path(file.name)


def _tables(parts: list[Path], refused: pa.Table) -> Iterator[pa.Table]:
    """The tables that were written, then the refused lines."""
    for part in parts:
        with part.open("rb") as file:
            yield pa.ipc.open_file(file).read_all()
        part.unlink()
    yield refused
