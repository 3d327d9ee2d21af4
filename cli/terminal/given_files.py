"""Files that a command is given: policies, and facts line by line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from cli.terminal.output import fail
from schemas.policy.model import Policies
from schemas.policy.policy_file import PolicyError, read_policies


def load_policies(files: list[Path]) -> Policies:
    """The policies in some files; ends the command with the reason if they cannot be used."""
    try:
        return read_policies(files)
    except PolicyError as error:
        fail(str(error))


def bytes_of(file: Path) -> bytes:
    """The content of a small file; ends the command if it cannot be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        fail(f"{file}: cannot be read: {error.strerror}")


def lines_of(facts: Path) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, with their line numbers from 1."""
    try:
        stream = sys.stdin.buffer if str(facts) == "-" else facts.open("rb")
    except OSError as error:
        fail(f"{facts}: cannot be read: {error.strerror}")
    with stream:
        for number, line in enumerate(stream, start=1):
            if line.strip():
                yield number, line.rstrip(b"\r\n")
