"""Files that a command is given: policies, treaties, watches, and facts with the moment when they are taken in."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from cli.terminal.language import OutputLanguage, translator
from cli.terminal.output import fail
from schemas.bilingual import Saying
from schemas.dates import parse_instant
from schemas.policy.model import Policies
from schemas.policy.policy_file import FileProblem, PolicyError, parse_policy, read_policies, read_text
from schemas.policy.succession import PoliciesConflict
from schemas.refusals import Refusal
from schemas.treaty.treaty_conflicts import TreatiesConflict
from schemas.treaty.treaty_file import TreatyError, read_treaties
from schemas.treaty.treaty_model import Treaties
from schemas.watch.watch_conflicts import WatchesConflict
from schemas.watch.watch_file import WatchError, read_watches
from schemas.watch.watch_model import Watches

FACTS_HELP = (
    "Facts, one JSON object per line, in any order; - for standard input. Or a file that `huzhu facts pack` wrote."
)

AsOfOption = Annotated[
    str | None,
    typer.Option(
        metavar="INSTANT",
        help="Take the facts in as of this moment: those that occurred more than a day after it are refused "
        "(FUTURE_DATED). Without it no clock is looked at.",
    ),
]


def instant_of(as_of: str | None) -> datetime | None:
    """The moment that ``--as-of`` gives; ends the command if it is none."""
    try:
        return None if as_of is None else parse_instant(as_of)
    except ValueError:
        fail(
            f"--as-of {as_of}: 应为带时区的日期时间,如 2024-05-01T08:00:00+08:00\n"
            f"--as-of {as_of}: an instant is RFC 3339 with an offset, such as 2024-05-01T08:00:00+08:00"
        )


def load_policies(
    files: list[Path], language: OutputLanguage = OutputLanguage.BOTH, *, elsewhere: bool = False
) -> Policies:
    """The policies in some files; ends the command with the reason if they cannot be used.

    With ``elsewhere``, they may succeed policies that are not among the files.
    """
    try:
        return read_policies(files, elsewhere=elsewhere)
    except PolicyError as error:
        refuse(error, language)


def by_start(files: list[Path]) -> list[tuple[Path, str]]:
    """Usable policy files and their texts in the order of their first days, so that a successor comes later."""
    texts = [(file, read_text(file)) for file in files]
    return sorted(texts, key=lambda each: parse_policy(each[1], str(each[0])).effective_from)


def load_treaties(files: list[Path], language: OutputLanguage = OutputLanguage.BOTH) -> Treaties:
    """The treaties in some files; ends the command with the reason if they cannot be used."""
    try:
        return read_treaties(files)
    except TreatyError as error:
        refuse(error, language)


def load_watches(file: Path, language: OutputLanguage = OutputLanguage.BOTH) -> Watches:
    """The watches in a file; ends the command with the reason if they cannot be used."""
    try:
        return read_watches(file)
    except WatchError as error:
        refuse(error, language)


def refuse(error: PolicyError | TreatyError | WatchError, language: OutputLanguage) -> NoReturn:
    """Ends the command with what is wrong with files of policies, treaties or watches."""
    fail("\n".join(translator(language)(problem.said) for problem in error.problems))


def refuse_together(
    error: PoliciesConflict | TreatiesConflict | WatchesConflict, language: OutputLanguage, place: str = ""
) -> NoReturn:
    """Ends the command with why these cannot be in force together; ``place`` comes before each reason."""
    say = translator(language)
    said = [Saying(place + found.message.zh, place + found.message.en) for found in error.conflicts]
    fail("\n".join(map(say, said)))


def warning_text(problem: FileProblem, say: Callable[[Saying], str]) -> str:
    """A warning as it stands on standard error."""
    return say(Saying(f"提醒:{problem.said.zh}", f"warning: {problem.said.en}")) + "\n"


def folder_for(folder: Path) -> None:
    """Makes a folder for results unless it is there; ends the command if that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        fail(f"{folder}: cannot be created: it is a file; name a folder")
    except OSError as error:
        fail(f"{folder}: cannot be created: {error.strerror}")


def bytes_of(file: Path) -> bytes:
    """The content of a small file; ends the command if it cannot be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        fail(f"{file}: cannot be read: {error.strerror}")


PARQUET = b"PAR1"
"""The first bytes of every Parquet file."""


def is_packed(facts: Path) -> bool:
    """Whether a file of facts is meant to be packed: by its first bytes, or by its name."""
    try:
        with facts.open("rb") as file:
            return file.read(len(PARQUET)) == PARQUET or facts.suffix == ".parquet"
    except OSError:
        return False


def no_columns(facts: Path, first: bytes) -> None:
    """Ends the command if a file, where lines are expected, begins as packed facts do."""
    if first.startswith(PARQUET):
        fail(
            f"{facts}: 是 Parquet 文件,这里要每行一个 JSON 对象的数据\n"
            f"{facts}: is a Parquet file; here facts are expected, one JSON object per line"
        )


def tell_refused(refused: Iterable[tuple[int, Refusal]]) -> None:
    """Writes refused lines to standard error, one JSON object per line with ``line`` and ``code``."""
    for number, refusal in refused:
        document = {"line": number, **refusal.model_dump(mode="json")}
        sys.stderr.write(json.dumps(document, ensure_ascii=False) + "\n")


def lines_of(facts: Path) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, with their line numbers from 1."""
    try:
        stream = sys.stdin.buffer if str(facts) == "-" else facts.open("rb")
    except OSError as error:
        fail(f"{facts}: cannot be read: {error.strerror}")
    with stream:
        for number, line in enumerate(stream, start=1):
            if number == 1:
                no_columns(facts, line)
            if line.strip():
                yield number, line.rstrip(b"\r\n")
