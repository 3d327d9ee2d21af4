"""A policy: an immutable, dated release of an ordered list of schemes (claims.md, section 5).

Money is fen, rates are exact fractions, intervals of dates are half-open. A policy is identified by the SHA-256 of
its canonical form, which is canonical JSON of every field that was set, so comments, order of keys and the way a
number was written do not matter, and everything that can change a payment does.
"""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise
from math import lcm
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from schemas.canonical import canonical_json, sha256_hex
from schemas.facts import CareType, FacilityLevel, Identifier, PolicyIdentifier
from schemas.money import format_yuan
from schemas.policy.policy_values import PolicyDate, PolicyYuan, Rate

Basis = Literal["copay", "out_of_catalogue", "personal_burden"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, strict=False)


class Bracket(_Part):
    """Each yuan from ``over`` fen up to the next bracket counts at ``rate``."""

    over: PolicyYuan
    rate: Rate


class Tier(_Part):
    """The brackets that apply to the persons of some categories."""

    name: Identifier
    categories: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    brackets: Annotated[tuple[Bracket, ...], Field(min_length=1)]

    @field_validator("brackets")
    @classmethod
    def _ascending(cls, brackets: tuple[Bracket, ...]) -> tuple[Bracket, ...]:
        for index, (before, after) in enumerate(pairwise(brackets), start=1):
            if after.over <= before.over:
                raise PydanticCustomError(
                    "brackets",
                    'is "{over}", not higher than the "{before}" of the bracket before it: '
                    "write the brackets in ascending order, each `over` once",
                    {"at": (index, "over"), "over": format_yuan(after.over), "before": format_yuan(before.over)},
                )
        return brackets

    @cached_property
    def scale(self) -> int:
        """Common denominator of the rates: every sum of slices is a whole number of fen / scale."""
        return lcm(*(bracket.rate.denominator for bracket in self.brackets))

    @cached_property
    def slices(self) -> tuple[tuple[int, int | None, int], ...]:
        """(over, next over or None, rate * scale) of each bracket, in fen and whole numbers."""
        ends: list[int | None] = [bracket.over for bracket in self.brackets[1:]]
        return tuple(
            (bracket.over, end, int(bracket.rate * self.scale))
            for bracket, end in zip(self.brackets, [*ends, None], strict=True)
        )


class Scheme(_Part):
    """One benefit layer. Optional limits are None when the policy does not set them."""

    id: Identifier
    title: str = ""
    programme: Identifier
    basis: Basis
    measured_on: Literal["billed", "remaining"]
    accumulates: Literal["stay", "person_year"]
    care_types: Annotated[tuple[CareType, ...], Field(min_length=1)] | None = None
    facility_levels: Annotated[tuple[FacilityLevel, ...], Field(min_length=1)] | None = None
    diagnoses_any: Annotated[tuple[Identifier, ...], Field(min_length=1)] | None = None
    areas: Annotated[tuple[Identifier, ...], Field(min_length=1)] | None = None
    waiting_days: Annotated[int, Field(strict=True, ge=0, le=100_000)] | None = None
    file_within_days: Annotated[int, Field(strict=True, ge=0, le=100_000)] | None = None
    threshold: PolicyYuan | None = None
    cap_per_stay: PolicyYuan | None = None
    cap_per_year: PolicyYuan | None = None
    floor_per_stay: PolicyYuan = 0
    tiers: Annotated[tuple[Tier, ...], Field(alias="tier", min_length=1)]

    @field_validator("threshold")
    @classmethod
    def _only_per_stay(cls, threshold: int | None, others: ValidationInfo) -> int | None:
        if threshold is not None and others.data.get("accumulates") == "person_year":
            raise PydanticCustomError(
                "threshold",
                'goes only with accumulates = "stay": for a yearly deductible delete it and let the first bracket '
                'start at it; to test every stay separately write accumulates = "stay"',
            )
        return threshold


class Policy(_Part):
    """A dated release. In force on the days of ``[effective_from, effective_to)``, by date of discharge."""

    id: PolicyIdentifier
    title: str = ""
    status: Literal["sample", "enacted"]
    source: Annotated[str | None, Field(validate_default=True)] = None
    effective_from: PolicyDate
    effective_to: PolicyDate | None = None
    year_starts: str = "01-01"
    schemes: Annotated[tuple[Scheme, ...], Field(alias="scheme", min_length=1)]

    @field_validator("source")
    @classmethod
    def _named_when_enacted(cls, source: str | None, others: ValidationInfo) -> str | None:
        if others.data.get("status") == "enacted" and not (source or "").strip():
            raise PydanticCustomError(
                "source", 'is missing: an enacted policy names its published regulation; add it, or status = "sample"'
            )
        return source

    @field_validator("effective_to")
    @classmethod
    def _later(cls, effective_to: date | None, others: ValidationInfo) -> date | None:
        effective_from = others.data.get("effective_from")
        if effective_to is not None and effective_from is not None and effective_to <= effective_from:
            raise PydanticCustomError(
                "effective_to",
                "is not after effective_from = {day}: write the first day on which the policy is no longer in force",
                {"day": str(effective_from)},
            )
        return effective_to

    @field_validator("year_starts")
    @classmethod
    def _day_of_every_year(cls, year_starts: str) -> str:
        try:  # the pattern keeps out other ISO spellings; 2023 is no leap year, as the day must exist every year
            exists = bool(re.fullmatch(r"[0-9]{2}-[0-9]{2}", year_starts) and date.fromisoformat(f"2023-{year_starts}"))
        except ValueError:
            exists = False
        if not exists:
            raise PydanticCustomError(
                "year_starts", 'is not a day of every year: write "MM-DD", such as "01-01" or "07-01"'
            )
        return year_starts

    @field_validator("schemes")
    @classmethod
    def _ids_once(cls, schemes: tuple[Scheme, ...]) -> tuple[Scheme, ...]:
        seen: set[str] = set()
        for index, scheme in enumerate(schemes):
            if scheme.id in seen:
                raise PydanticCustomError(
                    "scheme_id",
                    "{id} is also the id of an earlier scheme: give each scheme its own id",
                    {"at": (index, "id"), "id": json.dumps(scheme.id, ensure_ascii=False)},
                )
            seen.add(scheme.id)
        return schemes

    @cached_property
    def canonical(self) -> bytes:
        """The bytes that identify the policy: canonical JSON of every field that is not at its default."""
        fields = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return canonical_json(fields)

    @cached_property
    def sha256(self) -> str:
        return sha256_hex(self.canonical)

    def in_force_on(self, day: date) -> bool:
        return self.effective_from <= day and (self.effective_to is None or day < self.effective_to)

    def year_of(self, day: date) -> date:
        """First day of the policy year that holds ``day`` (before year 1 there is none: 0001-01-01 takes its place)."""
        month, first = int(self.year_starts[:2]), int(self.year_starts[3:])
        if (day.month, day.day) >= (month, first):
            return date(day.year, month, first)
        return date(day.year - 1, month, first) if day.year > 1 else date.min

    def overlaps(self, other: Policy) -> bool:
        """Whether both policies are in force on some day."""
        latest_start = max(self.effective_from, other.effective_from)
        ends = [policy.effective_to for policy in (self, other) if policy.effective_to is not None]
        return not ends or latest_start < min(ends)

    def way_out(self, later: Policy) -> str:
        """What to do about an overlap with a policy that starts on the same day or later."""
        if self.effective_from == later.effective_from:
            return "both start on that day: use only one of them, or correct the dates"
        after = "" if self.effective_to is None else f', or let "{later.id}" start on {self.effective_to}'
        return f'end "{self.id}" with effective_to = {later.effective_from}{after}'

    def last_day(self) -> date | None:
        """The last day in force, for people, who do not think half-open."""
        return None if self.effective_to is None else self.effective_to - timedelta(days=1)


class Policies:
    """The published policies, at most one in force on any day."""

    def __init__(self, policies: tuple[Policy, ...] = ()) -> None:
        """Raises ValueError when two different policies are in force on one day or share an id."""
        unique = {policy.sha256: policy for policy in policies}
        self.releases = tuple(sorted(unique.values(), key=lambda policy: policy.effective_from))
        for index, one in enumerate(self.releases):
            for other in self.releases[index + 1 :]:
                if one.overlaps(other):
                    day = max(one.effective_from, other.effective_from)
                    raise ValueError(
                        f"policies {one.id!r} and {other.id!r} are both in force on {day}: {one.way_out(other)}"
                    )
                if one.id == other.id:
                    raise ValueError(f"two different policies have the id {one.id!r}: each release needs its own id")

    def on(self, day: date) -> Policy | None:
        """The policy in force on a day."""
        for policy in self.releases:
            if policy.in_force_on(day):
                return policy
        return None
