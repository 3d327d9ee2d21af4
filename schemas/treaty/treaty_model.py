"""A treaty: which insurers bear, and which one pays, what some schemes owe (payers.md, section 2).

Money is fen, shares are exact decimals, intervals of dates are half-open. A treaty is identified by the SHA-256 of its
canonical form, as a policy is: comments, the order of keys and the spelling of a number do not matter. The order of the
shares does: it decides who gets a fen that is left over.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from schemas.canonical import canonical_json, sha256_hex
from schemas.money import format_yuan
from schemas.policy.policy_values import decimal_text
from schemas.treaty.treaty_conflicts import TreatiesConflict, conflicts

FUND = "fund"
"""The payer of a scheme on a day that no treaty covers: the public fund. No insurer has this id."""


@dataclass(frozen=True, slots=True)
class Share:
    """The share that an insurer bears: over 0, at most 1."""

    insurer: str
    share: Decimal


@dataclass(frozen=True, slots=True)
class StopLoss:
    """``insurer`` bears ``share`` of what the whole treaty pays beyond ``attachment``, up to ``limit`` (fen) of it."""

    attachment: int
    limit: int
    share: Decimal
    insurer: str


@dataclass(frozen=True, slots=True)
class Treaty:
    """Covers its schemes on the days of ``[effective_from, effective_to)``, by date of discharge.

    The ``lead`` receives the instructions and pays them; the shares, in the file's order, add up to 1.
    """

    id: str
    title: str
    status: str
    effective_from: date
    effective_to: date | None
    schemes: tuple[str, ...]
    lead: str
    shares: tuple[Share, ...]
    stop_loss: StopLoss | None
    sha256: str

    @property
    def insurers(self) -> tuple[str, ...]:
        """Everybody who bears a part, each once: the lead, the others in the file's order, whoever bears the excess."""
        last = () if self.stop_loss is None else (self.stop_loss.insurer,)
        return tuple(dict.fromkeys((self.lead, *(each.insurer for each in self.shares), *last)))

    @property
    def last_day(self) -> date | None:
        """The last day that it covers, for people, who do not think half-open."""
        return None if self.effective_to is None else self.effective_to - timedelta(days=1)

    @property
    def fields(self) -> dict[str, Any]:
        """Every field that is set, as the file spells it; shares in their shortest form."""
        found: dict[str, Any] = {
            "id": self.id,
            "title": self.title,
            "status": self.status,
            "effective_from": self.effective_from.isoformat(),
            "effective_to": None if self.effective_to is None else self.effective_to.isoformat(),
            "schemes": list(self.schemes),
            "lead": self.lead,
            "share": [{"insurer": each.insurer, "share": share_text(each.share)} for each in self.shares],
        }
        if self.stop_loss is not None:
            found["stop_loss"] = {
                "attachment": format_yuan(self.stop_loss.attachment),
                "limit": format_yuan(self.stop_loss.limit),
                "share": share_text(self.stop_loss.share),
                "insurer": self.stop_loss.insurer,
            }
        return {name: value for name, value in found.items() if value not in (None, "")}

    @property
    def canonical(self) -> bytes:
        """The bytes that identify the treaty."""
        return canonical_json(self.fields)

    def holds(self, day: date) -> bool:
        """Whether it covers the discharges of a day."""
        return self.effective_from <= day and (self.effective_to is None or day < self.effective_to)


def share_text(share: Decimal) -> str:
    """A share in its shortest form: 0.60 is ``"0.6"``."""
    return decimal_text(Fraction(share))


def identified(treaty: Treaty) -> Treaty:
    """The same treaty with the SHA-256 of its canonical form."""
    return replace(treaty, sha256=sha256_hex(treaty.canonical))


_NONE: tuple[list[date], list[Treaty]] = ([], [])


class Treaties:
    """Treaties that are in force together, at most one for a scheme on any day. Their order does not matter."""

    def __init__(self, releases: Sequence[Treaty] = ()) -> None:
        """Raises TreatiesConflict when they cannot be in force together. The same treaty twice is one."""
        unique = {treaty.sha256: treaty for treaty in releases}
        self.releases = tuple(sorted(unique.values(), key=lambda treaty: (treaty.effective_from, treaty.id)))
        if found := conflicts(self.releases):
            raise TreatiesConflict(found)
        self._by_scheme: dict[str, tuple[list[date], list[Treaty]]] = {}
        for treaty in self.releases:
            for scheme_id in treaty.schemes:
                starts, treaties = self._by_scheme.setdefault(scheme_id, ([], []))
                starts.append(treaty.effective_from)
                treaties.append(treaty)

    def covering(self, scheme_id: str, day: date) -> Treaty | None:
        """The treaty that covers a scheme on a day of discharge; without one the public fund pays."""
        starts, treaties = self._by_scheme.get(scheme_id, _NONE)
        started = bisect_right(starts, day)
        if started == 0 or not treaties[started - 1].holds(day):
            return None
        return treaties[started - 1]

    def joined(self, treaty: Treaty) -> Treaties:
        """These, which are published and never change, and one more. Raises TreatiesConflict."""
        if any(treaty.sha256 == each.sha256 for each in self.releases):
            return self
        together = (*self.releases, treaty)
        if found := conflicts(together, published={each.id for each in self.releases}):
            raise TreatiesConflict(found)
        return Treaties(together)
