"""What changed a scheme's number, step by step: from this an explanation is written."""

from __future__ import annotations

from typing import NamedTuple

from schemas.decisions import StepKind


class Slice(NamedTuple):
    """The part of the measured amount that lies in one bracket; ``exact`` is its benefit in fen / scale."""

    bracket: int
    start: int
    end: int
    exact: int


class Assured(NamedTuple):
    """From what a sum assured, or an aid, came about. ``sum`` is what the policy names for it, a day or a level (fen).

    ``word`` is the degree, or the level of aid, of which ``asked`` fen were decided. Of ``days``, ``counted_before``
    from the first paid one on were an earlier claim's, and ``days_paid`` are paid.
    """

    sum: int
    word: str = ""
    asked: int = 0
    days: int = 0
    counted_before: int = 0
    days_paid: int = 0


class Step(NamedTuple):
    """One step that changed a scheme's number by ``amount`` fen. ``limit`` is the limit that applied, in fen."""

    kind: StepKind
    amount: int
    before: int = 0
    limit: int = 0
    slice: Slice | None = None
    assured: Assured | None = None
