"""A policy: an immutable, dated release of an ordered list of schemes (claims.md, section 5).

Money is fen, rates are exact fractions, intervals of dates are half-open. A policy is identified by the SHA-256 of
its canonical form, which is canonical JSON of every field that was set, so comments, order of keys and the way a
number was written do not matter, and everything that can change a payment does.
"""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from math import lcm
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationInfo,
    field_validator,
    model_validator,
)

from schemas.canonical import canonical_json, sha256_hex
from schemas.facts import CareType, EndedReason, FacilityLevel, Identifier, PolicyIdentifier
from schemas.ids import Trigger
from schemas.money import format_yuan
from schemas.policy.fitting_fields import checked, scheme_problems, tier_problems
from schemas.policy.policy_values import PolicyDate, PolicyYuan, Rate, wrong
from schemas.policy.shared_years import year_conflicts
from schemas.policy.succession import PoliciesConflict, conflicts, ends

DAYS_MAX = 20_000
"""So many days are remembered at most: a sender may name any."""

GRACE_MONTHS_MAX = 1_200
"""A hundred years: whoever wants more means a coverage without an end."""

Basis = Literal["copay", "out_of_catalogue", "personal_burden", "verified_loss"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, strict=False)


class NamedSums(dict[str, int]):
    """A sum of fen for each degree or level; it never changes."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))


_Sums = Annotated[dict[Identifier, PolicyYuan], Field(min_length=1), AfterValidator(NamedSums)]


class Bracket(_Part):
    """Each yuan from ``over`` fen up to the next bracket counts at ``rate``."""

    over: PolicyYuan
    rate: Rate


SumKind = Literal["fixed", "by_degree", "per_day"]
"""How a sum assured (定额) is named in a tier; a step of an explanation has the same name."""


class Tier(_Part):
    """What the persons of some categories get: brackets of the basis, or a sum assured, which measures nothing.

    A sum assured is ``fixed``, depends on the degree of an incident, or is paid ``per_day`` (fen).
    """

    name: Identifier
    categories: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    brackets: Annotated[tuple[Bracket, ...], Field(min_length=1)] = ()
    fixed: PolicyYuan | None = None
    by_degree: _Sums | None = None
    per_day: PolicyYuan | None = None
    from_day: Annotated[int, Field(strict=True, ge=1, le=100_000)] = 1
    days_max: Annotated[int, Field(strict=True, ge=1, le=100_000)] | None = None

    @model_validator(mode="wrap")
    @classmethod
    def _one_measure(cls, value: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        return checked(value, handler, tier_problems)

    @property
    def sum_kind(self) -> SumKind | None:
        """How its sum assured is named; None for brackets."""
        if self.brackets:
            return None
        if self.fixed is not None:
            return "fixed"
        return "per_day" if self.by_degree is None else "by_degree"

    @field_validator("brackets")
    @classmethod
    def _ascending(cls, brackets: tuple[Bracket, ...]) -> tuple[Bracket, ...]:
        for index, (before, after) in enumerate(pairwise(brackets), start=1):
            if after.over <= before.over:
                over, lower = format_yuan(after.over), format_yuan(before.over)
                raise wrong(
                    "brackets",
                    f'是 "{over}",不高于前一段的 "{lower}":各段请按 over 从小到大写,每个 over 只写一次',
                    f'is "{over}", not higher than the "{lower}" of the bracket before it: '
                    "write the brackets in ascending order, each `over` once",
                    at=(index, "over"),
                )
        return brackets

    @cached_property
    def scale(self) -> int:
        """Common denominator of the rates: every sum of slices is a whole number of fen / scale."""
        return lcm(*(bracket.rate.denominator for bracket in self.brackets))

    @cached_property
    def slices(self) -> tuple[tuple[int, int | None, int], ...]:
        """(over, next over or None, rate * scale) of each bracket, in fen and whole numbers."""
        ends: list[int | None] = [*(bracket.over for bracket in self.brackets[1:]), None]
        return tuple(
            (bracket.over, end, int(bracket.rate * self.scale))
            for bracket, end in zip(self.brackets, ends, strict=False)
        )


class Scheme(_Part):
    """One benefit layer. Optional limits are None when the policy does not set them.

    Only temporary aid has ``levels`` (fen), and neither programme nor tiers. ``basis``, ``measured_on`` and
    ``accumulates`` are there where a tier has brackets.
    """

    id: Identifier
    title: str = ""
    trigger: Trigger = "stay"
    programme: Identifier | None = None
    basis: Basis | None = None
    measured_on: Literal["billed", "remaining"] | None = None
    accumulates: Literal["stay", "person_year", "household_year"] | None = None
    incident_kinds: Annotated[tuple[Identifier, ...], Field(min_length=1)] | None = None
    care_types: Annotated[tuple[CareType, ...], Field(min_length=1)] | None = None
    facility_levels: Annotated[tuple[FacilityLevel, ...], Field(min_length=1)] | None = None
    diagnoses_any: Annotated[tuple[Identifier, ...], Field(min_length=1)] | None = None
    areas: Annotated[tuple[Identifier, ...], Field(min_length=1)] | None = None
    waiting_days: Annotated[int, Field(strict=True, ge=0, le=100_000)] | None = None
    grace_months: Annotated[int, Field(strict=True, ge=0, le=GRACE_MONTHS_MAX)] | None = None
    grace_reasons: Annotated[tuple[EndedReason, ...], Field(min_length=1)] | None = None
    file_within_days: Annotated[int, Field(strict=True, ge=0, le=100_000)] | None = None
    threshold: PolicyYuan | None = None
    cap_per_stay: PolicyYuan | None = None
    cap_per_year: PolicyYuan | None = None
    cap_per_household_year: PolicyYuan | None = None
    funded_by: Literal["pool"] | None = None
    once_per: Literal["claim", "year", "life"] = "claim"
    floor_per_stay: PolicyYuan = 0
    levels: _Sums | None = None
    tiers: Annotated[tuple[Tier, ...], Field(alias="tier", min_length=1)] = ()

    @model_validator(mode="wrap")
    @classmethod
    def _as_its_trigger_asks(cls, value: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        return checked(value, handler, scheme_problems)

    @property
    def by_household(self) -> bool:
        """Whether it adds up or caps what all members of a household get (groups.md, section 2)."""
        return self.accumulates == "household_year" or self.cap_per_household_year is not None

    @property
    def by_life(self) -> bool:
        """Whether what it owes may depend on claims of other policy years: paid once in a life, or days paid once."""
        return self.once_per == "life" or any(tier.per_day is not None for tier in self.tiers)

    @field_validator("grace_reasons")
    @classmethod
    def _only_with_months(
        cls, reasons: tuple[EndedReason, ...] | None, others: ValidationInfo
    ) -> tuple[EndedReason, ...] | None:
        if reasons is not None and others.data.get("grace_months", 0) is None:
            raise wrong(
                "grace_reasons",
                "要与 grace_months 一起用:请写渐退期有几个月,如 grace_months = 6,或删去本项",
                "goes only with grace_months: say how many months the grace lasts, such as grace_months = 6, or "
                "delete it",
            )
        return reasons

    @field_validator("threshold")
    @classmethod
    def _only_per_stay(cls, threshold: int | None, others: ValidationInfo) -> int | None:
        if threshold is not None and others.data.get("accumulates") in ("person_year", "household_year"):
            raise wrong(
                "threshold",
                '只能与 accumulates = "stay" 一起用:年度起付线请删去本项,让第一段从它开始;'
                '逐次判断请写 accumulates = "stay"',
                'goes only with accumulates = "stay": for a yearly deductible delete it and let the first bracket '
                'start at it; to test every stay separately write accumulates = "stay"',
            )
        return threshold


class Check(StrEnum):
    """What follows where a claim may be there twice."""

    OFF = "off"
    ALERT = "alert"
    HOLD = "hold"


class Checks(_Part):
    """What follows from one invoice in two encounters, and from two stays that share a night (time.md, section 2)."""

    duplicate_invoice: Check = Check.ALERT
    overlapping_stays: Check = Check.ALERT

    def of(self, code: str) -> Check:
        """What follows from a finding of the alert's code."""
        return self.duplicate_invoice if code == "DUPLICATE_INVOICE" else self.overlapping_stays


class Product(_Part):
    """What people call some schemes together (慈福 ...). It decides nothing. Without ``schemes`` it is all of them."""

    id: Identifier
    title: Annotated[str, Field(min_length=1)]
    schemes: Annotated[tuple[Identifier, ...], Field(min_length=1)] | None = None


class Policy(_Part):
    """A dated release. In force on the days of ``[effective_from, effective_to)``, by date of discharge."""

    id: PolicyIdentifier
    title: str = ""
    status: Literal["sample", "enacted"]
    source: Annotated[str | None, Field(validate_default=True)] = None
    effective_from: PolicyDate
    effective_to: PolicyDate | None = None
    succeeds: PolicyIdentifier | None = None
    year_starts: str = "01-01"
    checks: Checks = Checks()
    products: Annotated[tuple[Product, ...], Field(alias="product", min_length=1)] = ()
    schemes: Annotated[tuple[Scheme, ...], Field(alias="scheme", min_length=1)]

    @field_validator("source")
    @classmethod
    def _named_when_enacted(cls, source: str | None, others: ValidationInfo) -> str | None:
        if others.data.get("status") == "enacted" and not (source or "").strip():
            raise wrong(
                "source",
                '没有填写:正式方案要写明公布的依据文件;请补上,或写 status = "sample"',
                'is missing: an enacted policy names its published regulation; add it, or status = "sample"',
            )
        return source

    @field_validator("effective_to")
    @classmethod
    def _later(cls, effective_to: date | None, others: ValidationInfo) -> date | None:
        effective_from = others.data.get("effective_from")
        if effective_to is not None and effective_from is not None and effective_to <= effective_from:
            raise wrong(
                "effective_to",
                f"不晚于 effective_from = {effective_from}:请写方案不再有效的第一天",
                f"is not after effective_from = {effective_from}: write the first day on which the policy is no longer "
                "in force",
            )
        return effective_to

    @field_validator("succeeds")
    @classmethod
    def _another(cls, succeeds: str | None, others: ValidationInfo) -> str | None:
        if succeeds is not None and succeeds == others.data.get("id"):
            raise wrong(
                "succeeds",
                "写的是本方案自己:请写前一个方案的编号",
                "names this policy itself: write the id of the policy before it",
            )
        return succeeds

    @field_validator("year_starts")
    @classmethod
    def _day_of_every_year(cls, year_starts: str) -> str:
        try:  # the pattern keeps out other ISO spellings; 2023 is no leap year, as the day must exist every year
            exists = bool(re.fullmatch(r"[0-9]{2}-[0-9]{2}", year_starts) and date.fromisoformat(f"2023-{year_starts}"))
        except ValueError:
            exists = False
        if not exists:
            raise wrong(
                "year_starts",
                '不是每年都有的日子:请写 "月月-日日",如 "01-01" 或 "07-01"',
                'is not a day of every year: write "MM-DD", such as "01-01" or "07-01"',
            )
        return year_starts

    @field_validator("products")
    @classmethod
    def _products_once(cls, products: tuple[Product, ...]) -> tuple[Product, ...]:
        seen: set[str] = set()
        for index, product in enumerate(products):
            if product.id in seen:
                raise wrong(
                    "product_id",
                    f"“{product.id}”已是前面一个产品的编号:每个产品要有自己的编号",
                    f'"{product.id}" is also the id of an earlier product: give each product its own id',
                    at=(index, "id"),
                )
            seen.add(product.id)
        return products

    @field_validator("schemes")
    @classmethod
    def _known_to_products(cls, schemes: tuple[Scheme, ...], others: ValidationInfo) -> tuple[Scheme, ...]:
        known = {scheme.id for scheme in schemes}
        for product in others.data.get("products", ()):
            for name in product.schemes or ():
                if name not in known:
                    raise wrong(
                        "product_schemes",
                        f"产品“{product.id}”写了保障层“{name}”,本方案没有它:请改正产品的 schemes,或加上这个保障层",
                        f'product "{product.id}" names the scheme "{name}", which this policy does not have: correct '
                        "the product's schemes, or add the scheme",
                    )
        return schemes

    @field_validator("schemes")
    @classmethod
    def _ids_once(cls, schemes: tuple[Scheme, ...]) -> tuple[Scheme, ...]:
        seen: set[str] = set()
        for index, scheme in enumerate(schemes):
            if scheme.id in seen:
                name = json.dumps(scheme.id, ensure_ascii=False)
                raise wrong(
                    "scheme_id",
                    f"{name} 已是前面一个保障层的编号:每个保障层要有自己的编号",
                    f"{name} is also the id of an earlier scheme: give each scheme its own id",
                    at=(index, "id"),
                )
            seen.add(scheme.id)
        return schemes

    @cached_property
    def has_grace(self) -> bool:
        """Whether some scheme counts coverages for some months after their end (time.md, section 6)."""
        return any(scheme.grace_months for scheme in self.schemes)

    @cached_property
    def canonical(self) -> bytes:
        """The bytes that identify the policy: canonical JSON of every field that is not at its default."""
        fields = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return canonical_json(fields)

    @cached_property
    def sha256(self) -> str:
        return sha256_hex(self.canonical)

    def year_of(self, day: date) -> date:
        """First day of the policy year that holds ``day`` (before year 1 there is none: 0001-01-01 takes its place)."""
        month, first = int(self.year_starts[:2]), int(self.year_starts[3:])
        if (day.month, day.day) >= (month, first):
            return date(day.year, month, first)
        return date(day.year - 1, month, first) if day.year > 1 else date.min

    @property
    def term(self) -> Term:
        """The days that the policy gives itself; among others a successor may end it (`Policies.term`)."""
        return Term(self.effective_from, self.effective_to)


class Term(NamedTuple):
    """The days ``[first, end)`` of a policy, and the policy that succeeds it on ``end``, if one does."""

    first: date
    end: date | None
    successor: Policy | None = None

    def holds(self, day: date) -> bool:
        return self.first <= day and (self.end is None or day < self.end)

    def meets(self, other: Term) -> bool:
        """Whether both hold some day."""
        return self.holds(other.first) or other.holds(self.first)

    @property
    def last_day(self) -> date | None:
        """The last day in force, for people, who do not think half-open."""
        return None if self.end is None else self.end - timedelta(days=1)


class Policies:
    """Policies that are in force together, at most one on any day. Their order does not matter."""

    def __init__(self, policies: tuple[Policy, ...] = (), *, elsewhere: bool = False) -> None:
        """Raises PoliciesConflict (a ValueError) when they cannot be in force together.

        With ``elsewhere``, they may succeed policies that are not among them.
        """
        unique = {policy.sha256: policy for policy in policies}
        self.releases = tuple(sorted(unique.values(), key=lambda policy: policy.effective_from))
        if found := [*conflicts(self.releases, elsewhere=elsewhere), *year_conflicts(self.releases)]:
            raise PoliciesConflict(found)
        until = ends(self.releases)
        followers = {policy.succeeds: policy for policy in self.releases if policy.succeeds is not None}
        self._terms = {
            policy.id: Term(policy.effective_from, until[policy.id], followers.get(policy.id))
            for policy in self.releases
        }
        self.household_schemes = frozenset(
            scheme.id for policy in self.releases for scheme in policy.schemes if scheme.by_household
        )
        """The ids of the schemes of which some release counts by household; all releases' payments count then."""
        self.life_schemes = frozenset(
            scheme.id for policy in self.releases for scheme in policy.schemes if scheme.by_life
        )
        """The ids of the schemes of which some release looks at other policy years: all claims are decided then."""
        self._by_day: dict[date, tuple[Policy | None, date | None]] = {}

    def on(self, day: date) -> Policy | None:
        """The policy in force on a day."""
        return (self._by_day.get(day) or self._look_up(day))[0]

    def year(self, day: date) -> date | None:
        """First day of the policy year that holds the day, under the policy in force on it."""
        return (self._by_day.get(day) or self._look_up(day))[1]

    def _look_up(self, day: date) -> tuple[Policy | None, date | None]:
        """Remembers what it finds: stays share few days, and each is asked about many times."""
        policy = next((policy for policy in self.releases if self._terms[policy.id].holds(day)), None)
        found = policy, None if policy is None else policy.year_of(day)
        if len(self._by_day) >= DAYS_MAX:
            self._by_day.clear()
        self._by_day[day] = found
        return found

    def term(self, policy: Policy) -> Term:
        """When one of the policies is in force, and which of them succeeds it."""
        return self._terms[policy.id]

    def named(self, policy_id: str) -> Policy | None:
        """The policy of an id."""
        return next((policy for policy in self.releases if policy.id == policy_id), None)

    def joined(self, policy: Policy) -> Policies:
        """These, which are published and never change, and one more. Raises PoliciesConflict."""
        together = (*self.releases, policy)
        published = {each.id for each in self.releases}
        if found := [*conflicts(together, published=published), *year_conflicts(together, published)]:
            raise PoliciesConflict(found)
        return Policies(together)
