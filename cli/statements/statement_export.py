"""Writing the lines of a statement to a file that must not be there yet."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from acts.statement_line_files import FORMATS, write_lines
from acts.statement_lines import NewLine
from cli.terminal.output import fail
from schemas.bordereau import StatementIssued

_SUFFIXES = [f".{name}" for name in FORMATS]


def require_usable(file: Path) -> None:
    """Ends the command unless the name says what kind of file is wanted, and there is none yet."""
    if file.suffix not in _SUFFIXES:
        names = ", ".join(_SUFFIXES)
        fail(f"--out {file}: 文件名须以 {names} 之一结尾\n--out {file}: the name must end in one of {names}")
    if file.exists():
        fail(f"--out {file}: 文件已存在,不会覆盖\n--out {file}: is there already and is not overwritten")


@contextmanager
def written(file: Path, statement: StatementIssued, lines: Iterable[NewLine]) -> Iterator[None]:
    """Writes the lines; the file appears when the block ends without an error. Ends the command if it cannot be."""
    part = file.with_name(f".{file.name}.part")
    try:
        write_lines(part, file.suffix[1:], statement, lines)
        yield
        os.replace(part, file)
    except OSError as error:
        fail(f"{file}: 不能写入\n{file}: cannot be written: {error.strerror}")
    finally:
        part.unlink(missing_ok=True)
