"""The work of a simulation on many persons at once. It lists no claims."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from handlers.claims.account import Decidable
from handlers.offline.columns.column_tally import tally_of, tally_of_accounts
from handlers.offline.what_if import Tally
from schemas.policy.model import Policies


@dataclass(frozen=True, slots=True)
class SimulatingColumns:
    """The work on a group of packed persons."""

    before: Policies
    after: Policies

    def __call__(self, table: pa.Table) -> tuple[Tally, Path | None]:
        return tally_of(table, self.before, self.after), None


@dataclass(frozen=True, slots=True)
class SimulatingMany:
    """The work on the accounts of a bucket."""

    before: Policies
    after: Policies

    def __call__(self, accounts: Iterator[Decidable]) -> tuple[Tally, Path | None]:
        return tally_of_accounts(accounts, self.before, self.after), None
