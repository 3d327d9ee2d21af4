"""What a simulation was asked for, and the work that follows from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cli.offline.plan import Worked, sorted_part
from cli.simulate import claims_csv
from handlers.claims.decidable import Decidable
from handlers.offline.what_if import Tally, all_pairs
from schemas.policy.model import Policies

if TYPE_CHECKING:
    from cli.offline.by_person import Work


@dataclass(frozen=True, slots=True)
class Simulating:
    """The work on the accounts of a bucket. ``claims`` is the folder for the list of every claim, or None."""

    before: Policies
    after: Policies
    claims: Path | None

    def __call__(self, accounts: Iterator[Decidable]) -> tuple[Tally, Path | None]:
        tally, lines = Tally(), []
        for decided in all_pairs(accounts, self.before, self.after):
            tally.take(decided)
            if self.claims is not None:
                lines += [line for pair in decided for line in claims_csv.lines_of(pair)]
        return tally, None if self.claims is None else sorted_part(lines, self.claims)


Compared = tuple[Policies | None, Policies]
"""The policies before (None if there is nothing to compare with) and after."""


def by_household(compared: Compared) -> bool:
    """Whether one of the sides counts by household."""
    return any(policies.household_schemes for policies in compared if policies is not None)


Simulated = tuple[Tally, Path | None]
"""The sums of some persons, and the file that lists their claims, if it was asked for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How to work, and where the list of every claim goes, if there is one."""

    jobs: int
    claims: Path | None

    def one_by_one(self, compared: Compared, spool: Path) -> Simulating:
        return Simulating(compared[0] or Policies(), compared[1], spool if self.claims else None)

    def work(self, compared: Compared, spool: Path) -> Work[Simulated]:
        """The work on packed persons."""
        from cli.offline.by_person import OneByOne  # Arrow and numpy take long to import
        from cli.simulate.simulate_columns import SimulatingColumns

        if self.claims:
            return OneByOne(self.one_by_one(compared, spool))
        return SimulatingColumns(compared[0] or Policies(), compared[1])

    def collect(self, worked: Worked[Simulated]) -> None:
        """Merges what the parts list."""
        parts = [part for _, part in worked.results if part is not None]
        if self.claims is not None and parts:
            claims_csv.merge(parts, self.claims)
