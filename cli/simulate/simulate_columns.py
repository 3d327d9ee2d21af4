"""The work of a simulation on many persons at once. It lists no claims."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from handlers.offline.columns.column_tally import tally_of
from handlers.offline.columns.packing import Packed
from handlers.offline.what_if import Tally
from schemas.policy.model import Policies


@dataclass(frozen=True, slots=True)
class SimulatingColumns:
    """The work on a group of packed persons."""

    before: Policies
    after: Policies

    def __call__(self, packed: Packed) -> tuple[Tally, Path | None]:
        return tally_of(packed, self.before, self.after), None
