"""A policy: an immutable, dated release of an ordered list of schemes (claims.md, section 5).

Money is fen, rates are exact fractions, intervals of dates are half-open. A policy is identified by the SHA-256 of
its canonical form, which is canonical JSON of every field that was set, so comments, order of keys and the way a
number was written do not matter, and everything that can change a payment does.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator
from pydantic_core import PydanticCustomError

from schemas.canonical import canonical_json, sha256_hex
from schemas.facts import CareType, FacilityLevel, Identifier
from schemas.money import WireYuan

Basis = Literal["copay", "out_of_catalogue", "personal_burden"]

_RATE = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,40})?")


def _rate(value: object) -> Fraction:
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not _RATE.fullmatch(text):
        raise PydanticCustomError("rate", 'a rate is a decimal from "0" to "1", such as "0.80"')
    rate = Fraction(text)
    if rate > 1:
        raise PydanticCustomError("rate", 'a rate is at most "1": 80 % is written "0.80"')
    return rate


def decimal_text(value: Fraction) -> str:
    """A finite decimal fraction in its shortest form: 4/5 is ``"0.8"``."""
    scale = 0
    while (value * 10**scale).denominator != 1:
        scale += 1
    digits = str((value * 10**scale).numerator).rjust(scale + 1, "0")
    return digits if scale == 0 else f"{digits[:-scale]}.{digits[-scale:]}"


def _toml_date(value: object) -> date:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    elif isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise PydanticCustomError("date", "a date is written 2024-07-01, without quotes and without a time")


def _not_negative(value: int) -> int:
    if value < 0:
        raise PydanticCustomError("amount", "an amount in a policy is not negative")
    return value


Rate = Annotated[Fraction, BeforeValidator(_rate), PlainSerializer(decimal_text, return_type=str)]
PolicyDate = Annotated[date, BeforeValidator(_toml_date)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, strict=False)


class Bracket(_Part):
    """From ``over`` fen on, up to the next bracket, each yuan counts at ``rate``."""

    over: WireYuan
    rate: Rate

    @model_validator(mode="after")
    def _check(self) -> Self:
        _not_negative(self.over)
        return self


class Tier(_Part):
    """The brackets that apply to the persons of some categories."""

    name: Identifier
    categories: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    brackets: Annotated[tuple[Bracket, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        for before, after in zip(self.brackets, self.brackets[1:], strict=False):
            if after.over <= before.over:
                raise PydanticCustomError("brackets", "brackets ascend: each `over` is higher than the one before")
        return self

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
    threshold: WireYuan | None = None
    cap_per_stay: WireYuan | None = None
    cap_per_year: WireYuan | None = None
    floor_per_stay: WireYuan = 0
    tiers: Annotated[tuple[Tier, ...], Field(alias="tier", min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for amount in (self.threshold, self.cap_per_stay, self.cap_per_year, self.floor_per_stay):
            _not_negative(amount or 0)
        if self.threshold is not None and self.accumulates == "person_year":
            raise PydanticCustomError(
                "threshold",
                'a threshold goes only with accumulates = "stay"; for a yearly deductible let the first bracket '
                "start at it",
            )
        return self


class Policy(_Part):
    """A dated release. In force on the days of ``[effective_from, effective_to)``, by date of discharge."""

    id: Identifier
    title: str = ""
    status: Literal["sample", "enacted"]
    source: str | None = None
    effective_from: PolicyDate
    effective_to: PolicyDate | None = None
    year_starts: str = "01-01"
    schemes: Annotated[tuple[Scheme, ...], Field(alias="scheme", min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.status == "enacted" and not (self.source or "").strip():
            raise PydanticCustomError("source", "an enacted policy names its `source`, the published regulation")
        if self.effective_to is not None and self.effective_to <= self.effective_from:
            raise PydanticCustomError("effective_to", "effective_to is the first day after the policy, so it is later")
        try:  # 2023 is no leap year: a policy year must start on a day that every year has
            date.fromisoformat(f"2023-{self.year_starts}")
        except ValueError:
            raise PydanticCustomError(
                "year_starts", 'year_starts is a day that every year has, "MM-DD", such as "01-01" or "07-01"'
            ) from None
        ids = [scheme.id for scheme in self.schemes]
        if len(set(ids)) < len(ids):
            raise PydanticCustomError("scheme", "two schemes of a policy have the same id")
        return self

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
        """First day of the policy year that holds ``day`` (before year 1 there is none: 0001-01-01 stands for it)."""
        month, first = int(self.year_starts[:2]), int(self.year_starts[3:])
        if (day.month, day.day) >= (month, first):
            return date(day.year, month, first)
        return date(day.year - 1, month, first) if day.year > 1 else date.min

    def overlaps(self, other: Policy) -> bool:
        """Whether some day has both policies in force."""
        latest_start = max(self.effective_from, other.effective_from)
        ends = [policy.effective_to for policy in (self, other) if policy.effective_to is not None]
        return not ends or latest_start < min(ends)

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
                        f"policies {one.id!r} and {other.id!r} are both in force on {day}: "
                        f"end the first with effective_to = {other.effective_from} or move the second"
                    )
                if one.id == other.id:
                    raise ValueError(f"two different policies have the id {one.id!r}: a release needs an id of its own")

    def on(self, day: date) -> Policy | None:
        """The policy in force on a day."""
        for policy in self.releases:
            if policy.in_force_on(day):
                return policy
        return None
