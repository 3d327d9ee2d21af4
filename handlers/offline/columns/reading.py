"""Lines read into tables: the usual ones many at once, the others one by one with `handlers.claims.read`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from handlers.claims.read import read, recall
from handlers.offline.columns.arrays import Ints
from handlers.offline.columns.fact_tables import Tables, joined, tables_of
from handlers.offline.columns.usual_lines import read_usual_lines
from schemas.refusals import Refusal


class Lines(NamedTuple):
    """What some lines say: the facts, how many there are, and the lines that were refused, by where they begin."""

    tables: Tables
    facts: int
    refused: list[tuple[int, Refusal]]


def read_lines(lines: Sequence[bytes], positions: Ints, as_of: datetime | None = None) -> Lines:
    """Reads lines that begin at some positions, as taken in at ``as_of``; without it none is too new."""
    usual = read_usual_lines(lines, positions, as_of)
    facts, refused = [], []
    for number in usual.others:
        position, reading = int(positions[number]), read(lines[number], as_of=as_of)
        if isinstance(reading, Refusal):
            refused.append((position, reading))
        else:
            facts.append((position, reading.fact))
    return Lines(joined([usual.tables, tables_of(facts)]), len(lines) - len(refused), refused)


def recall_lines(lines: Sequence[bytes], positions: Ints) -> Tables:
    """The facts in lines that were accepted before: no rule is checked again."""
    usual = read_usual_lines(lines, positions)
    facts = [(int(positions[number]), recall(lines[number])) for number in usual.others]
    return joined([usual.tables, tables_of(facts)])
