"""A figure: one thing measured several times, with its median and spread, and the ratio of two of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Literal

Better = Literal["more", "less"]


@dataclass(frozen=True, slots=True)
class Figure:
    """``values`` has one value a run; ``loads`` is the machine's load average after each.

    ``rounds`` says which runs they are, where some did not finish; empty means all, in order.
    """

    part: str
    subject: str
    measure: str
    unit: str
    better: Better
    values: tuple[float, ...]
    loads: tuple[float, ...] = ()
    note: str = ""
    rounds: tuple[int, ...] = ()

    def by_round(self) -> dict[int, float]:
        return dict(zip(self.rounds or range(len(self.values)), self.values, strict=True))

    @property
    def median(self) -> float:
        return median(self.values)

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"median": self.median, "min": min(self.values), "max": max(self.values)}


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times better a figure is than another of the same runs: run by run, then the median."""

    part: str
    what: str
    values: tuple[float, ...]
    aim: float | None

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def verdict(self) -> str:
        if self.aim is None:
            return ""
        return "reached" if self.median >= self.aim else "missed"

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"median": self.median, "min": min(self.values), "max": max(self.values)}


def from_json(document: dict[str, Any]) -> Figure:
    known = {name: document[name] for name in Figure.__slots__}
    return Figure(**known | {name: tuple(document[name]) for name in ("values", "loads", "rounds")})


def ratio(part: str, what: str, ours: Figure, theirs: Figure, aim: float | None) -> Ratio | None:
    """Above 1 is better, whether more or less of the unit is; None if no run has both."""
    one_by_round, other_by_round = ours.by_round(), theirs.by_round()
    pairs = [(one_by_round[each], other_by_round[each]) for each in one_by_round if each in other_by_round]
    if not pairs:
        return None
    more = ours.better == "more"
    return Ratio(part, what, tuple((one / other if more else other / one) for one, other in pairs), aim)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that ``share`` of the values do not pass (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1))]
