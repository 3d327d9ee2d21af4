"""The oracle: what every claim is owed, worked out a second time from the written contract alone.

It shares no code with the program it checks. Money is an exact `Fraction` of a yuan, nothing is cached,
and every question is answered by looking again at everything that could bear on it. It is slow on purpose.

    python -m tests.oracle.calculator --policy F [--policy F ...] [--as-of INSTANT] FACTS.jsonl
"""

import argparse
import json
import re
import sys
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from math import floor
from pathlib import Path
from zoneinfo import ZoneInfo

from .grace import is_in_grace
from .sums_assured import SumAssured, days_of_stay, read_sum_assured

SHANGHAI = ZoneInfo("Asia/Shanghai")
BYTES_MAX = 1024 * 1024
YUAN_LIMIT = Fraction(10**14, 100)  # an amount must be smaller than 10^14 fen
SECONDS_PER_DAY = 24 * 60 * 60
ZERO = Fraction(0)

# ---------------------------------------------------------------------------------------------------------
# The table of section 3. A field is `name:kind`; a name that ends in `?` may be left out.
# ---------------------------------------------------------------------------------------------------------

EVERY_EVENT = "event_type:name event_id:name occurred_at:instant source:name"

TABLE = {
    "encounter.discharged": "encounter_id:encounter version:version person_id:name facility_id:name"
    " facility_level:level care_type:care admitted_on:date discharged_on:date diagnoses:codes",
    "settlement.posted": "settlement_id:name version:version encounter_id:encounter person_id:name"
    " facility_id:name settled_at:instant final:flag currency:name total_charge:money"
    " basic_insurance_paid:money serious_illness_paid:money medical_assistance_paid:money"
    " other_fund_paid:money copay:money out_of_catalogue:money invoice_no?:text",
    "settlement.voided": "settlement_id:name version:version encounter_id:encounter person_id:name reason:text",
    "coverage.recorded": "coverage_id:name version:version person_id:name programme:name category:name"
    " household_id?:text pool_id?:text area?:text valid_from:date valid_to?:date ended_reason?:ending",
    "coverage.voided": "coverage_id:name version:version person_id:name reason:text",
    "membership.recorded": "membership_id:name version:version person_id:name household_id:name unit:unit"
    " role?:text valid_from:date valid_to?:date",
    "membership.voided": "membership_id:name version:version person_id:name reason:text",
    "person.died": "person_id:name version:version died_on:date",
    "aid.decided": "aid_id:name version:version person_id:name level:text amount:money emergency:flag decided_on:date"
    " decided_by:name countersigned_by:name alert_id?:text reason:text",
    "aid.voided": "aid_id:name version:version person_id:name reason:text",
    "incident.recorded": "incident_id:name version:version person_id:name kind:text occurred_on:date degree?:text"
    " verified_loss?:money days?:count event_code?:text evidence?:hashes recorded_by:name verified_by:name",
    "incident.voided": "incident_id:name version:version person_id:name reason:text",
    "payout.reported": "payout_id:name person_id:name status:outcome reported_at:instant reference:text reason?:text",
    "statement.answered": "insurer_id:name statement_id:name version:version verdict:verdict lines?:numbers"
    " reasons?:texts",
    "pool.recorded": "pool_id:name version:version title:text area?:text on_shortage?:shortage opened_on:date",
    "contribution.received": "contribution_id:name version:version pool_id:name kind:contribution amount:money"
    " received_on:date restricted_to?:texts reference:text",
    "contribution.voided": "contribution_id:name version:version pool_id:name reason:text",
}

WORDS = {
    "level": ("city", "county", "town"),
    "care": ("inpatient", "outpatient_special"),
    "outcome": ("paid", "failed", "returned"),
    "verdict": ("confirmed", "disputed"),
    "unit": ("household", "single", "collective"),
    "ending": ("income", "assets", "employment", "moved", "death", "fraud", "request"),
    "shortage": ("owe", "queue", "pro_rata"),
    "contribution": ("villager", "collective", "government", "donation", "lottery", "transfer"),
}

PAID_BY_OTHERS = (
    "basic_insurance_paid",
    "serious_illness_paid",
    "medical_assistance_paid",
    "other_fund_paid",
)
MONEY_FIELDS = ("total_charge", *PAID_BY_OTHERS, "copay", "out_of_catalogue")

# The subject is the id whose versions form one line.
SUBJECT = {
    "encounter.discharged": "encounter_id",
    "settlement.posted": "settlement_id",
    "settlement.voided": "settlement_id",
    "coverage.recorded": "coverage_id",
    "coverage.voided": "coverage_id",
    "membership.recorded": "membership_id",
    "membership.voided": "membership_id",
    "person.died": "person_id",
    "aid.decided": "aid_id",
    "aid.voided": "aid_id",
    "incident.recorded": "incident_id",
    "incident.voided": "incident_id",
    "payout.reported": "payout_id",
    "statement.answered": "statement_id",
    "pool.recorded": "pool_id",
    "contribution.received": "contribution_id",
    "contribution.voided": "contribution_id",
}

# Whose event it is, where it is no person's.
OWNER = {
    "statement.answered": "insurer_id",
    "pool.recorded": "pool_id",
    "contribution.received": "pool_id",
    "contribution.voided": "pool_id",
}

# Ids that belong to whoever was first accepted with them.
OWNED = (
    "encounter_id",
    "settlement_id",
    "coverage_id",
    "membership_id",
    "aid_id",
    "incident_id",
    "statement_id",
    "contribution_id",
)

# How a claim is named that is no encounter's.
PREFIXES = {"aid": "aid:", "incident": "incident:"}


class RefusalError(Exception):
    """One event cannot be a fact; `code` says why, `pointers` where."""

    def __init__(self, code: str, pointers: Sequence[str] = ()) -> None:
        super().__init__(code)
        self.code = code
        self.pointers = tuple(pointers)


@dataclass(frozen=True)
class Number:
    """A JSON number as it was written."""

    literal: str


# ---------------------------------------------------------------------------------------------------------
# Reading values
# ---------------------------------------------------------------------------------------------------------


def money_of(value: object) -> Fraction:
    """The yuan in a string or a number literal with at most two decimals; ValueError for anything else."""
    written = value.literal if isinstance(value, Number) else value
    if not isinstance(written, str) or not re.fullmatch(r"-?[0-9]+(\.[0-9]{1,2})?", written):
        raise ValueError(value)
    yuan = Fraction(written)
    if abs(yuan) >= YUAN_LIMIT:
        raise ValueError(value)
    return yuan


def date_of(value: object) -> date:
    """A calendar date written YYYY-MM-DD; ValueError for anything else."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError(value)
    return date(int(value[:4]), int(value[5:7]), int(value[8:]))


def instant_of(value: object) -> Fraction:
    """Seconds from 0001-01-01T00:00:00Z to an RFC 3339 time with offset; ValueError for anything else."""
    pattern = (
        r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]+)?"
        r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
    )
    found = re.fullmatch(pattern, value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(value)
    day, hour, minute, second, fraction, sign, offset_hour, offset_minute = found.groups()
    if int(hour) > 23 or int(minute) > 59 or int(second) > 59:
        raise ValueError(value)
    if int(offset_hour or 0) > 23 or int(offset_minute or 0) > 59:
        raise ValueError(value)
    whole_days = date_of(day).toordinal() - 1
    local = whole_days * SECONDS_PER_DAY + int(hour) * 3600 + int(minute) * 60 + int(second)
    offset = int(offset_hour or 0) * 3600 + int(offset_minute or 0) * 60
    instant = local + Fraction("0" + (fraction or ".0")) - (-offset if sign == "-" else offset)
    try:
        shanghai_date(instant)
    except OverflowError:
        raise ValueError(value) from None
    return instant


def shanghai_date(instant: Fraction) -> date:
    """The calendar date in Asia/Shanghai at that instant."""
    return (datetime(1, 1, 1, tzinfo=UTC) + timedelta(seconds=floor(instant))).astimezone(SHANGHAI).date()


def version_of(value: object) -> int:
    """A whole number from 1, written as one; ValueError for anything else."""
    if not isinstance(value, Number) or not re.fullmatch(r"[0-9]+", value.literal) or int(value.literal) < 1:
        raise ValueError(value)
    return int(value.literal)


def bad_places(kind: str, value: object) -> list[str]:
    """Where, below the field itself, a value is not of its kind; an empty list when it is."""
    if kind == "codes":
        if not isinstance(value, list):
            return [""]
        return [f"/{place}" for place, code in enumerate(value) if not isinstance(code, str) or code == ""]
    if kind in ("numbers", "texts", "hashes"):
        if not isinstance(value, list):
            return [""]
        one = {"numbers": "version", "texts": "text", "hashes": "hash"}[kind]
        return [f"/{place}" for place, each in enumerate(value) if bad_places(one, each)]
    good = False
    try:
        if kind == "money":
            money_of(value)
        elif kind == "date":
            date_of(value)
        elif kind == "instant":
            instant_of(value)
        elif kind == "version":
            version_of(value)
        good = kind in ("money", "date", "instant", "version")
    except ValueError:
        good = False
    if kind == "flag":
        good = isinstance(value, bool)
    if kind == "text":
        good = isinstance(value, str)
    if kind == "name":
        good = isinstance(value, str) and value != ""
    if kind == "encounter":
        good = isinstance(value, str) and value != "" and not value.startswith(tuple(PREFIXES.values()))
    if kind == "hash":
        good = isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None
    if kind == "count":
        good = isinstance(value, Number) and re.fullmatch("[0-9]+", value.literal) is not None
    if kind in WORDS:
        good = isinstance(value, str) and value in WORDS[kind]
    return [] if good else [""]


# ---------------------------------------------------------------------------------------------------------
# One event, looked at alone
# ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Event:
    """A well-formed event of a known type: its members with every number as written."""

    body: dict[str, object]

    @property
    def type(self) -> str:
        return self.text("event_type")

    @property
    def subject(self) -> tuple[str, str]:
        """The kind of id and the id whose versions form one line."""
        return SUBJECT[self.type], self.text(SUBJECT[self.type])

    @property
    def version(self) -> int:
        return version_of(self.body["version"])

    @property
    def owner(self) -> str:
        """Whose event it is: a person's, a pool's, or the insurer's who answers a statement."""
        return self.text(OWNER.get(self.type, "person_id"))

    @property
    def is_void(self) -> bool:
        return self.type.endswith(".voided")

    def text(self, field: str) -> str:
        value = self.body[field]
        assert isinstance(value, str), field
        return value

    def has(self, field: str) -> bool:
        return self.body.get(field) is not None

    def money(self, field: str) -> Fraction:
        return money_of(self.body[field])

    def date(self, field: str) -> date:
        return date_of(self.body[field])

    def instant(self, field: str) -> Fraction:
        return instant_of(self.body[field])

    def content(self) -> object:
        """What must be the same for two messages to be one: all members but event_id and occurred_at."""
        return [
            (name, ("money", money_of(value)))
            if f"{name}:money" in TABLE[self.type].split()
            else (name, meaning(value))
            for name, value in sorted(self.body.items())
            if name not in ("event_id", "occurred_at")
        ]


def meaning(value: object) -> object:
    """A JSON value in a form where == is equality of JSON (so that true is not 1)."""
    if isinstance(value, Number):
        try:
            return ("number", Decimal(value.literal))
        except InvalidOperation:
            return ("unreadable number", value.literal)
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, list):
        return ("array", [meaning(member) for member in value])
    if isinstance(value, dict):
        return ("object", [(name, meaning(member)) for name, member in sorted(value.items())])
    return ("string or null", value)


def parse_json(line: bytes) -> object:
    """The JSON value of a line, or RefusalError with MALFORMED_JSON."""

    def members(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len({name for name, _ in pairs}) != len(pairs):
            raise ValueError("a member name occurs twice")
        return dict(pairs)

    def no_constant(name: str) -> object:
        raise ValueError(name)

    try:
        text = line.decode("utf-8", errors="strict")
        value: object = json.loads(
            text, parse_int=Number, parse_float=Number, parse_constant=no_constant, object_pairs_hook=members
        )
        refuse_lone_surrogates(value)
    except (ValueError, RecursionError):
        raise RefusalError("MALFORMED_JSON") from None
    return value


def refuse_lone_surrogates(value: object) -> None:
    """Raise ValueError when a string or a member name anywhere inside cannot be written as UTF-8."""
    if isinstance(value, str):
        value.encode("utf-8")  # UnicodeEncodeError is a ValueError
    if isinstance(value, list):
        for member in value:
            refuse_lone_surrogates(member)
    if isinstance(value, dict):
        for name, member in value.items():
            refuse_lone_surrogates(name)
            refuse_lone_surrogates(member)


def read_event(line: bytes, as_of: Fraction | None = None) -> Event:
    """The event on a line, or RefusalError with the first rule of section 3 that it breaks by itself.

    `as_of` is the instant at which it is taken in, as `instant_of` counts; without it no clock is looked at.
    """
    if len(line) > BYTES_MAX:
        raise RefusalError("TOO_LARGE")
    value = parse_json(line)
    if not isinstance(value, dict):
        raise RefusalError("SCHEMA_INVALID", [""])
    if not isinstance(value.get("event_type"), str):
        raise RefusalError("SCHEMA_INVALID", ["/event_type"])
    if value["event_type"] not in TABLE:
        raise RefusalError("UNKNOWN_EVENT_TYPE")
    refuse_bad_fields(value)
    event = Event(value)
    refuse_bad_answer(event)
    refuse_bad_contribution(event)
    refuse_bad_amounts(event)
    refuse_bad_dates(event)
    if as_of is not None and event.instant("occurred_at") - as_of > SECONDS_PER_DAY:
        raise RefusalError("FUTURE_DATED")
    return event


def refuse_bad_fields(body: dict[str, object]) -> None:
    pointers: list[str] = []
    for entry in f"{EVERY_EVENT} {TABLE[str(body['event_type'])]}".split():
        field, kind = entry.split(":")
        name = field.removesuffix("?")
        if field.endswith("?") and body.get(name) is None:
            continue
        places = bad_places(kind, body[name]) if name in body else [""]
        pointers += [f"/{name}{place}" for place in places]
    if pointers:
        raise RefusalError("SCHEMA_INVALID", sorted(pointers))


def refuse_bad_answer(event: Event) -> None:
    """An insurer that disputes says why: of each line it names, once, or of the whole statement (payers.md, 3)."""
    if event.type != "statement.answered":
        return
    lines, reasons = (event.body.get(name) or [] for name in ("lines", "reasons"))
    assert isinstance(lines, list)
    assert isinstance(reasons, list)
    if event.text("verdict") == "confirmed":
        fits = not lines and not reasons
    else:
        numbers = {version_of(line) for line in lines}
        fits = bool(reasons) and all(reason.strip() for reason in reasons) and len(numbers) == len(lines)
        fits = fits and len(lines) in (0, len(reasons))
    if not fits:
        raise RefusalError("SCHEMA_INVALID")


def refuse_bad_contribution(event: Event) -> None:
    """Each of the schemes that money is restricted to is named once."""
    only = event.body.get("restricted_to") or []
    assert isinstance(only, list)
    if event.type == "contribution.received" and len(set(only)) < len(only):
        raise RefusalError("SCHEMA_INVALID")


def refuse_bad_amounts(event: Event) -> None:
    if event.type in ("contribution.received", "aid.decided") and event.money("amount") <= 0:
        raise RefusalError("NEGATIVE_AMOUNT")
    if event.type == "incident.recorded" and event.has("verified_loss") and event.money("verified_loss") < 0:
        raise RefusalError("NEGATIVE_AMOUNT")
    if event.type != "settlement.posted":
        return
    if event.text("currency") != "CNY":
        raise RefusalError("UNSUPPORTED_CURRENCY")
    if any(event.money(field) < 0 for field in MONEY_FIELDS):
        raise RefusalError("NEGATIVE_AMOUNT")
    parts = sum((event.money(field) for field in (*PAID_BY_OTHERS, "copay", "out_of_catalogue")), ZERO)
    if event.money("total_charge") != parts:
        raise RefusalError("AMOUNTS_DO_NOT_BALANCE")


def refuse_bad_dates(event: Event) -> None:
    if event.type == "encounter.discharged" and event.date("discharged_on") < event.date("admitted_on"):
        raise RefusalError("DATES_OUT_OF_ORDER")
    if (
        event.type in ("coverage.recorded", "membership.recorded")
        and event.has("valid_to")
        and not event.date("valid_to") > event.date("valid_from")
    ):
        raise RefusalError("DATES_OUT_OF_ORDER")
    occurred_at = event.instant("occurred_at")
    if event.type == "settlement.posted" and event.instant("settled_at") - occurred_at > SECONDS_PER_DAY:
        raise RefusalError("FUTURE_DATED")
    sent_on = shanghai_date(occurred_at)
    if event.type == "encounter.discharged" and (event.date("discharged_on") - sent_on).days > 1:
        raise RefusalError("FUTURE_DATED")
    if event.type == "person.died" and (event.date("died_on") - sent_on).days > 1:
        raise RefusalError("FUTURE_DATED")


# ---------------------------------------------------------------------------------------------------------
# Events against history
# ---------------------------------------------------------------------------------------------------------


class Ledger:
    """The accepted events, in the order in which they came."""

    def __init__(self) -> None:
        self.lines: dict[tuple[str, str], list[Event]] = {}  # subject -> accepted events
        self.people: dict[tuple[str, str], str] = {}  # an id of OWNED -> person, insurer or pool
        self.encounters: dict[str, str] = {}  # settlement id -> encounter id

    def consider(self, event: Event) -> str:
        """Record the event or not; says "accepted", "duplicate" or "stale", or raises RefusalError."""
        self.refuse_stranger(event)
        line = self.lines.get(event.subject, [])
        if event.type == "payout.reported":
            if any(old.content() == event.content() for old in line):
                return "duplicate"
        else:
            same_version = [old for old in line if old.version == event.version]
            if any(old.content() != event.content() for old in same_version):
                raise RefusalError("VERSION_CONFLICT")
            if same_version:
                return "duplicate"
            if any(old.version > event.version for old in line):
                return "stale"
        self.lines.setdefault(event.subject, []).append(event)
        for name in OWNED:
            if name in TABLE[event.type]:
                self.people.setdefault((name, event.text(name)), event.owner)
        if event.subject[0] == "settlement_id":
            self.encounters.setdefault(event.subject[1], event.text("encounter_id"))
        return "accepted"

    def refuse_stranger(self, event: Event) -> None:
        person = event.owner
        for name in OWNED:
            if name in TABLE[event.type] and self.people.get((name, event.text(name)), person) != person:
                raise RefusalError("PERSON_MISMATCH")
        if event.subject[0] == "settlement_id":
            encounter = event.text("encounter_id")
            if self.encounters.get(event.subject[1], encounter) != encounter:
                raise RefusalError("PERSON_MISMATCH")

    def newest(self, kind: str) -> list[Event]:
        """The newest version of every id of a kind."""
        return [
            max(line, key=lambda event: event.version)
            for (line_kind, _), line in self.lines.items()
            if line_kind == kind
        ]


# ---------------------------------------------------------------------------------------------------------
# Policies
# ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bracket:
    over: Fraction
    rate: Fraction


@dataclass(frozen=True)
class Tier:
    name: str
    categories: tuple[str, ...]
    brackets: tuple[Bracket, ...]
    assured: SumAssured | None
    """What is there in place of brackets."""

    def f(self, amount: Fraction) -> Fraction:
        """Each slice of the amount times the rate of its bracket, exactly."""
        total = ZERO
        for place, bracket in enumerate(self.brackets):
            is_last = place + 1 == len(self.brackets)
            upper = amount if is_last else min(amount, self.brackets[place + 1].over)
            if upper > bracket.over:
                total += (upper - bracket.over) * bracket.rate
        return total


@dataclass(frozen=True)
class Scheme:
    """A scheme of aid has levels, and neither programme, basis, ways of measuring nor tiers."""

    id: str
    trigger: str
    programme: str | None
    basis: str | None
    measured_on: str | None
    accumulates: str | None
    levels: dict[str, Fraction]
    incident_kinds: tuple[str, ...] | None
    once_per: str
    care_types: tuple[str, ...] | None
    facility_levels: tuple[str, ...] | None
    diagnoses_any: tuple[str, ...] | None
    areas: tuple[str, ...] | None
    waiting_days: int | None
    grace_months: int | None
    grace_reasons: tuple[str, ...] | None
    file_within_days: int | None
    threshold: Fraction | None
    cap_per_stay: Fraction | None
    cap_per_year: Fraction | None
    cap_per_household_year: Fraction | None
    floor_per_stay: Fraction | None
    funded_by: str | None
    tiers: tuple[Tier, ...]


@dataclass(frozen=True)
class Policy:
    id: str
    succeeds: str | None
    effective_from: date
    effective_to: date | None
    year_starts: tuple[int, int]
    schemes: tuple[Scheme, ...]

    def in_force(self, day: date) -> bool:
        return self.effective_from <= day and (self.effective_to is None or day < self.effective_to)

    def year_of(self, day: date) -> date:
        """The first day of the policy year that holds the day."""
        month, day_of_month = self.year_starts
        if (day.month, day.day) >= (month, day_of_month):
            return date(day.year, month, day_of_month)
        return date(day.year - 1, month, day_of_month)


class UnusableError(Exception):
    """The policies cannot be used together; `place` says which of them is to blame, from 0."""

    def __init__(self, place: int, reason: str) -> None:
        super().__init__(reason)
        self.place = place


def read_policies(texts: Sequence[str]) -> list[Policy]:
    """The policies, each ending where its successor starts; UnusableError when they cannot be used together."""
    written = [read_policy(text) for text in texts]
    for place, policy in enumerate(written):
        if policy.succeeds is not None:
            refuse_bad_succession(place, policy, written)
    policies = [replace(policy, effective_to=end_of(policy, written)) for policy in written]
    for place, policy in enumerate(policies):
        for other in policies[:place]:
            if share_a_day(policy, other):
                raise UnusableError(place, f"{policy.id} and {other.id} are in force on one day")
            if share_a_scheme(policy, other) and policy.year_starts != other.year_starts:
                raise UnusableError(place, f"{policy.id} and {other.id} share a scheme, but not the policy year")
    return policies


def refuse_bad_succession(place: int, policy: Policy, written: Sequence[Policy]) -> None:
    named = [other for other in written if other.id == policy.succeeds]
    if not named:
        raise UnusableError(place, f"{policy.id} succeeds {policy.succeeds}, which is not there")
    if len(named) > 1:
        raise UnusableError(place, f"{policy.id} succeeds {policy.succeeds}, which is there twice")
    if named[0].effective_to is not None:
        raise UnusableError(place, f"{policy.id} succeeds {policy.succeeds}, which has an end already")
    if any(other.succeeds == policy.succeeds for other in written[:place]):
        raise UnusableError(place, f"{policy.id} succeeds {policy.succeeds}, which has another successor")
    if policy.effective_from <= named[0].effective_from:
        raise UnusableError(place, f"{policy.id} succeeds {policy.succeeds}, which does not start before it")


def end_of(policy: Policy, written: Sequence[Policy]) -> date | None:
    """The first day on which a policy is no longer in force: its own, or its successor's first."""
    for other in written:
        if other.succeeds == policy.id:
            return other.effective_from
    return policy.effective_to


def share_a_day(one: Policy, other: Policy) -> bool:
    """Whether two policies are ever in force on one day: if so, on the first day of one of them."""
    return one.in_force(other.effective_from) or other.in_force(one.effective_from)


def share_a_scheme(one: Policy, other: Policy) -> bool:
    """Whether running sums and caps go over from one policy to the other."""
    return bool({scheme.id for scheme in one.schemes} & {scheme.id for scheme in other.schemes})


def read_policy(text: str) -> Policy:
    """A policy from its TOML text, which is taken to be valid."""
    document = tomllib.loads(text)
    head = document["policy"]
    month, day = head["year_starts"].split("-")
    return Policy(
        id=head["id"],
        succeeds=head.get("succeeds"),
        effective_from=head["effective_from"],
        effective_to=head.get("effective_to"),
        year_starts=(int(month), int(day)),
        schemes=tuple(read_scheme(table) for table in document["scheme"]),
    )


def read_scheme(table: dict[str, object]) -> Scheme:
    def words(name: str, of: dict[str, object] = table) -> tuple[str, ...] | None:
        value = of.get(name)
        return tuple(str(word) for word in value) if isinstance(value, list) else None

    def yuan(name: str) -> Fraction | None:
        return Fraction(str(table[name])) if name in table else None

    def whole(name: str) -> int | None:
        value = table.get(name)
        return value if isinstance(value, int) else None

    def word(name: str) -> str | None:
        return str(table[name]) if name in table else None

    tiers, levels = table.get("tier", []), table.get("levels", {})
    assert isinstance(tiers, list)
    assert isinstance(levels, dict)
    return Scheme(
        id=str(table["id"]),
        trigger=word("trigger") or "stay",
        programme=word("programme"),
        basis=word("basis"),
        measured_on=word("measured_on"),
        accumulates=word("accumulates"),
        levels={level: Fraction(str(amount)) for level, amount in levels.items()},
        incident_kinds=words("incident_kinds"),
        once_per=word("once_per") or "claim",
        care_types=words("care_types"),
        facility_levels=words("facility_levels"),
        diagnoses_any=words("diagnoses_any"),
        areas=words("areas"),
        waiting_days=whole("waiting_days"),
        grace_months=whole("grace_months"),
        grace_reasons=words("grace_reasons"),
        file_within_days=whole("file_within_days"),
        threshold=yuan("threshold"),
        cap_per_stay=yuan("cap_per_stay"),
        cap_per_year=yuan("cap_per_year"),
        cap_per_household_year=yuan("cap_per_household_year"),
        floor_per_stay=yuan("floor_per_stay"),
        funded_by=word("funded_by"),
        tiers=tuple(
            Tier(
                name=str(tier["name"]),
                categories=words("categories", tier) or (),
                brackets=tuple(
                    Bracket(Fraction(str(bracket["over"])), Fraction(str(bracket["rate"])))
                    for bracket in tier.get("brackets", [])
                ),
                assured=read_sum_assured(tier),
            )
            for tier in tiers
        ),
    )


# ---------------------------------------------------------------------------------------------------------
# Claims
# ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Claim:
    """An encounter, aid or incident with all that is recorded, in its newest version, about it and its person."""

    id: str
    person_id: str
    discharge: Event | None
    settlements: tuple[Event, ...]
    coverages: tuple[Event, ...]
    memberships: tuple[Event, ...]
    death: Event | None
    occasion: Event | None = None
    """The aid or the incident; None for an encounter."""

    @property
    def trigger(self) -> str:
        return "stay" if self.occasion is None else self.occasion.type.split(".")[0]

    @property
    def occurred(self) -> Event:
        assert self.occasion is not None, self.id
        return self.occasion

    @property
    def policy_date(self) -> date:
        """The day that decides on policy, coverages, memberships and order."""
        if self.occasion is None:
            return self.discharged_on
        return self.occasion.date({"aid": "decided_on", "incident": "occurred_on"}[self.trigger])

    @property
    def began_on(self) -> date:
        """The day that a death and waiting times are held against."""
        return self.admitted_on if self.occasion is None else self.policy_date

    @property
    def verified_loss(self) -> Fraction:
        if self.occasion is None or not self.occasion.has("verified_loss") or self.occasion.is_void:
            return ZERO
        return self.occasion.money("verified_loss")

    @property
    def burden(self) -> Fraction:
        return self.copay + self.out_of_catalogue + self.verified_loss

    @property
    def live(self) -> list[Event]:
        return [settlement for settlement in self.settlements if not settlement.is_void]

    @property
    def live_finals(self) -> list[Event]:
        return [settlement for settlement in self.live if settlement.body["final"] is True]

    @property
    def copay(self) -> Fraction:
        return sum((settlement.money("copay") for settlement in self.live), ZERO)

    @property
    def out_of_catalogue(self) -> Fraction:
        return sum((settlement.money("out_of_catalogue") for settlement in self.live), ZERO)

    @property
    def discharged(self) -> Event:
        assert self.discharge is not None, self.id
        return self.discharge

    @property
    def discharged_on(self) -> date:
        return self.discharged.date("discharged_on")

    @property
    def admitted_on(self) -> date:
        return self.discharged.date("admitted_on")

    @property
    def memberships_held(self) -> list[Event]:
        """The person's memberships that hold the claim's day; the one that counts comes last."""
        held = [
            membership
            for membership in self.memberships
            if not membership.is_void and holds(membership, self.policy_date)
        ]
        return sorted(held, key=lambda membership: (membership.date("valid_from"), membership.text("membership_id")))

    @property
    def unit(self) -> tuple[str, str]:
        """Whose sum the claim is added to: a household's, or that of the person alone (groups.md, 2)."""
        held = self.memberships_held
        if held and held[-1].text("unit") == "household":
            return "household", held[-1].text("household_id")
        return "person", self.person_id

    def status_before_coverage(self, policies: Sequence[Policy]) -> str | None:
        """The first status of section 4 that holds, down to no_policy; None when none of those does."""
        if (self.settlements and not self.live) or (self.occasion is not None and self.occasion.is_void):
            return "voided"
        if self.occasion is None and (self.discharge is None or not self.live_finals):
            return "incomplete"
        if self.death is not None and self.began_on > self.death.date("died_on"):
            return "after_death"
        if not any(policy.in_force(self.policy_date) for policy in policies):
            return "no_policy"
        return None

    def policy(self, policies: Sequence[Policy]) -> Policy:
        (policy,) = [policy for policy in policies if policy.in_force(self.policy_date)]
        return policy


def claims_of(ledger: Ledger) -> list[Claim]:
    """Every encounter that has a discharge or a settlement, every aid and incident, by code points of their ids."""
    discharges = {event.text("encounter_id"): event for event in ledger.newest("encounter_id")}
    settlements = by_field(ledger.newest("settlement_id"), "encounter_id")
    coverages = by_field(ledger.newest("coverage_id"), "person_id")
    memberships = by_field(ledger.newest("membership_id"), "person_id")
    deaths = {event.text("person_id"): event for event in ledger.newest("person_id")}
    occasions = {
        prefix + event.text(f"{kind}_id"): event
        for kind, prefix in PREFIXES.items()
        for event in ledger.newest(f"{kind}_id")
    }
    owners = {encounter_id: ledger.people["encounter_id", encounter_id] for encounter_id in {*discharges, *settlements}}
    owners |= {claim_id: occasion.owner for claim_id, occasion in occasions.items()}
    return [
        Claim(
            id=claim_id,
            person_id=person_id,
            discharge=discharges.get(claim_id),
            settlements=tuple(settlements.get(claim_id, ())),
            coverages=tuple(coverages.get(person_id, ())),
            memberships=tuple(memberships.get(person_id, ())),
            death=deaths.get(person_id),
            occasion=occasions.get(claim_id),
        )
        for claim_id, person_id in sorted(owners.items())
    ]


def holds(event: Event, day: date) -> bool:
    """Whether the half-open interval of a coverage or a membership holds a day."""
    return event.date("valid_from") <= day and (not event.has("valid_to") or day < event.date("valid_to"))


def by_field(events: Iterable[Event], field: str) -> dict[str, list[Event]]:
    groups: dict[str, list[Event]] = {}
    for event in events:
        groups.setdefault(event.text(field), []).append(event)
    return groups


# ---------------------------------------------------------------------------------------------------------
# Section 5
# ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ruling:
    """What one scheme gives to one claim. `measured` is None when the measuring step was not reached."""

    claim: Claim
    policy: Policy
    scheme: Scheme
    tier: str | None
    measured: Fraction | None
    benefit: Fraction
    reason: str | None
    is_assured: bool = False
    """Of a sum assured: it leaves the bill as it is."""
    days: tuple[date, ...] = ()
    """The days of a stay that a daily sum was counted for."""

    @property
    def policy_year(self) -> date:
        return self.policy.year_of(self.claim.policy_date)


def to_the_fen(yuan: Fraction) -> Fraction:
    """Half-up to the fen."""
    return Fraction(floor(yuan * 100 + Fraction(1, 2)), 100)


def counts_for(coverage: Event, scheme: Scheme, day: date) -> bool:
    """Whether a coverage holds the day, or the scheme's grace makes it count."""
    ended_on = coverage.date("valid_to") if coverage.has("valid_to") else None
    ended_reason = coverage.text("ended_reason") if coverage.has("ended_reason") else None
    return holds(coverage, day) or is_in_grace(day, ended_on, ended_reason, scheme.grace_months, scheme.grace_reasons)


def coverages_held(claim: Claim, scheme: Scheme) -> list[Event]:
    """The person's coverages of the scheme's programme and area on the claim's day, or still in its grace then."""
    return [
        coverage
        for coverage in claim.coverages
        if not coverage.is_void
        and coverage.text("programme") == scheme.programme
        and counts_for(coverage, scheme, claim.policy_date)
        and (scheme.areas is None or (coverage.has("area") and coverage.text("area") in scheme.areas))
    ]


def is_covered(claim: Claim, policy: Policy) -> bool:
    """Whether any scheme finds a coverage with a category of one of its tiers; scope and waiting play no part."""
    return any(
        coverage.text("category") in tier.categories
        for scheme in policy.schemes
        for tier in scheme.tiers
        for coverage in coverages_held(claim, scheme)
    )


def is_in_scope(claim: Claim, scheme: Scheme) -> bool:
    """Whether the scheme is for such an occasion, and for a stay or an incident like this."""
    if claim.trigger != scheme.trigger:
        return False
    if claim.trigger == "aid":
        return claim.occurred.text("level") in scheme.levels
    if claim.trigger == "incident":
        return scheme.incident_kinds is None or claim.occurred.text("kind") in scheme.incident_kinds
    discharge = claim.discharged
    diagnoses = discharge.body["diagnoses"]
    assert isinstance(diagnoses, list)
    if scheme.care_types is not None and discharge.text("care_type") not in scheme.care_types:
        return False
    if scheme.facility_levels is not None and discharge.text("facility_level") not in scheme.facility_levels:
        return False
    return scheme.diagnoses_any is None or any(
        code.startswith(prefix) for code in diagnoses for prefix in scheme.diagnoses_any
    )


def find_tier(claim: Claim, scheme: Scheme) -> Tier | str:
    """Step 1 as far as the tier: the tier, or the reason that there is none."""
    if not is_in_scope(claim, scheme):
        return "NOT_IN_SCOPE"
    if not coverages_held(claim, scheme):
        return "NO_COVERAGE"
    coverages = coverages_old_enough(claim, scheme)
    if not coverages:
        return "WAITING_PERIOD"

    for tier in scheme.tiers:
        if any(coverage.text("category") in tier.categories for coverage in coverages):
            return tier
    return "NO_TIER"


def coverages_old_enough(claim: Claim, scheme: Scheme) -> list[Event]:
    """Those of the coverages held whose waiting time, if there is one, was over on the day on which the claim began."""
    return [
        coverage
        for coverage in coverages_held(claim, scheme)
        if scheme.waiting_days is None or (claim.began_on - coverage.date("valid_from")).days >= scheme.waiting_days
    ]


def coverage_of_tier(claim: Claim, scheme: Scheme) -> Event:
    """The coverage that gave the tier: of several the one that began last, then the greatest id (groups.md, 3)."""
    tier = find_tier(claim, scheme)
    assert isinstance(tier, Tier), tier
    giving = [
        coverage for coverage in coverages_old_enough(claim, scheme) if coverage.text("category") in tier.categories
    ]
    return max(giving, key=lambda coverage: (coverage.date("valid_from"), coverage.text("coverage_id")))


def filed_late(claim: Claim, scheme: Scheme) -> bool:
    if scheme.file_within_days is None or claim.trigger != "stay":
        return False
    filed_on = shanghai_date(min(settlement.instant("settled_at") for settlement in claim.live_finals))
    return (filed_on - claim.discharged_on).days > scheme.file_within_days


def amount_left(claim: Claim, basis: str, earlier_layers: Sequence[Ruling]) -> Fraction:
    """What is left of a basis amount of the claim after earlier schemes paid on it."""
    earlier_layers = [layer for layer in earlier_layers if not layer.is_assured]
    if basis == "verified_loss":
        return claim.verified_loss - sum((layer.benefit for layer in earlier_layers), ZERO)
    copay, out_of_catalogue = claim.copay, claim.out_of_catalogue
    for layer in earlier_layers:
        if layer.scheme.basis == "copay":
            copay -= layer.benefit
        elif layer.scheme.basis == "out_of_catalogue":
            out_of_catalogue -= layer.benefit
        else:
            from_copay = min(copay, layer.benefit)
            copay -= from_copay
            out_of_catalogue -= layer.benefit - from_copay
    assert min(copay, out_of_catalogue) >= 0, claim.id
    return {
        "copay": copay,
        "out_of_catalogue": out_of_catalogue,
        "personal_burden": copay + out_of_catalogue,
    }[basis]


def rule(
    claim: Claim,
    policy: Policy,
    scheme: Scheme,
    earlier_layers: Sequence[Ruling],
    of_person: Sequence[Ruling],
    of_unit: Sequence[Ruling],
) -> Ruling:
    """What the scheme gives to the claim.

    `earlier_layers` are the rulings of the policy's earlier schemes on this claim; `of_person` and `of_unit`
    those of the same scheme id on earlier claims of the person, and of the claim's unit; all in order.
    """

    policy_year = policy.year_of(claim.policy_date)
    this_year = [earlier for earlier in of_person if earlier.policy_year == policy_year]
    of_unit_this_year = [earlier for earlier in of_unit if earlier.policy_year == policy_year]
    blank = Ruling(claim, policy, scheme, None, None, ZERO, None)

    # 1. Scope and eligibility
    if scheme.trigger == "aid" and is_in_scope(claim, scheme):
        benefit = min(claim.occurred.money("amount"), scheme.levels[claim.occurred.text("level")])
        owed, left = replace(blank, benefit=benefit, is_assured=True), None
    else:
        tier = find_tier(claim, scheme)
        if isinstance(tier, str):
            return replace(blank, reason=tier)
        blank = replace(blank, tier=tier.name)
        if filed_late(claim, scheme):
            return replace(blank, reason="FILED_LATE")

        # 2 to 4. Measure, Brackets, Accumulate; or a sum assured
        if tier.assured is not None:
            owed, left = rule_assured(blank, tier.assured, of_person), None
        else:
            counted_with = of_unit_this_year if scheme.accumulates == "household_year" else this_year
            owed, left = rule_brackets(blank, tier, earlier_layers, counted_with)
    if owed.reason is not None:
        return owed
    if owed.benefit == 0:
        return replace(owed, reason="NOTHING_DUE")
    paid_before = {"claim": [], "year": this_year, "life": of_person}[scheme.once_per]
    if any(earlier.benefit > 0 for earlier in paid_before):
        return replace(owed, benefit=ZERO, reason="ALREADY_PAID")

    # 5. Limit
    benefit = owed.benefit if left is None else min(owed.benefit, left)
    if benefit == 0:
        return replace(owed, benefit=ZERO, reason="NOTHING_LEFT")
    if scheme.cap_per_stay is not None:
        benefit = min(benefit, scheme.cap_per_stay)
    if scheme.cap_per_year is not None:
        paid_this_year = sum((earlier.benefit for earlier in this_year), ZERO)
        benefit = min(benefit, max(ZERO, scheme.cap_per_year - paid_this_year))
    if scheme.cap_per_household_year is not None:
        paid_to_the_unit = sum((earlier.benefit for earlier in of_unit_this_year), ZERO)
        benefit = min(benefit, max(ZERO, scheme.cap_per_household_year - paid_to_the_unit))
    if benefit == 0:
        return replace(owed, benefit=ZERO, reason="CAP_REACHED")
    if scheme.floor_per_stay is not None and benefit < scheme.floor_per_stay:
        return replace(owed, benefit=ZERO, reason="BELOW_FLOOR")
    return replace(owed, benefit=benefit)


def rule_assured(blank: Ruling, assured: SumAssured, of_person: Sequence[Ruling]) -> Ruling:
    """What a sum assured gives before limits; of days, those that no earlier claim of the person was counted for."""
    claim, degree, days, paid = blank.claim, None, 0, list[date]()
    if claim.occasion is None:
        counted = {day for earlier in of_person for day in earlier.days}
        paid = assured.dates_paid(days_of_stay(claim.admitted_on, claim.discharged_on), counted)
        days = len(paid)
    else:
        recorded = claim.occasion.body.get("days")
        days = assured.days_paid(int(recorded.literal) if isinstance(recorded, Number) else 0)
        degree = claim.occasion.text("degree") if claim.occasion.has("degree") else None
    return replace(blank, benefit=assured.amount(degree, days), is_assured=True, days=tuple(paid))


def rule_brackets(
    blank: Ruling, tier: Tier, earlier_layers: Sequence[Ruling], counted_with: Sequence[Ruling]
) -> tuple[Ruling, Fraction]:
    """What brackets give before limits, and what is left of the basis amount.

    `counted_with` are the rulings of the scheme id on earlier claims of the policy year that a running sum may hold.
    """
    claim, scheme = blank.claim, blank.scheme
    assert scheme.basis is not None, scheme.id
    left = amount_left(claim, scheme.basis, earlier_layers)
    measured = left if scheme.measured_on == "remaining" else amount_left(claim, scheme.basis, [])
    blank = replace(blank, measured=measured)
    if scheme.threshold is not None and not measured > scheme.threshold:
        return replace(blank, reason="UNDER_THRESHOLD"), left
    if scheme.accumulates == "stay":
        return replace(blank, benefit=to_the_fen(tier.f(measured))), left
    before = ZERO
    for earlier in counted_with:
        if earlier.scheme.accumulates == scheme.accumulates and earlier.measured is not None:
            before += earlier.measured
    return replace(blank, benefit=to_the_fen(tier.f(before + measured)) - to_the_fen(tier.f(before))), left


def rule_all(claims: Sequence[Claim], policies: Sequence[Policy]) -> dict[str, list[Ruling]]:
    """The rulings on each claim, in the order of the schemes of its policy.

    All claims of all persons in canonical order, each through the schemes in order (groups.md, 2).
    """
    rulings: dict[str, list[Ruling]] = {}
    so_far: dict[tuple[str, str, str], list[Ruling]] = {}  # scheme id and person, or scheme id and unit
    for claim in sorted(claims, key=lambda claim: (claim.policy_date, claim.id)):
        policy = claim.policy(policies)
        layers: list[Ruling] = []
        for scheme in policy.schemes:
            of_person = so_far.setdefault((scheme.id, "person's own", claim.person_id), [])
            of_unit = so_far.setdefault((scheme.id, *claim.unit), [])
            ruling = rule(claim, policy, scheme, layers, of_person, of_unit)
            layers.append(ruling)
            of_person.append(ruling)
            of_unit.append(ruling)
        rulings[claim.id] = layers
    return rulings


def rule_payable(claims: Sequence[Claim], policies: Sequence[Policy]) -> dict[str, list[Ruling]]:
    """The rulings on each claim whose status lets it be ruled on; the others have none."""
    return rule_all([claim for claim in claims if claim.status_before_coverage(policies) is None], policies)


# ---------------------------------------------------------------------------------------------------------
# Section 8
# ---------------------------------------------------------------------------------------------------------


def yuan_text(yuan: Fraction) -> str:
    """Exactly two decimals."""
    fen = yuan * 100
    assert fen.denominator == 1, yuan
    assert fen >= 0, yuan
    return f"{fen.numerator // 100}.{fen.numerator % 100:02d}"


def print_benefit(ruling: Ruling) -> dict[str, object]:
    printed: dict[str, object] = {
        "scheme_id": ruling.scheme.id,
        "tier": ruling.tier,
        "basis": ruling.scheme.basis,
        "measured": yuan_text(ruling.measured or ZERO),
        "benefit": yuan_text(ruling.benefit),
    }
    if ruling.reason is not None:
        printed["reason"] = ruling.reason
    return printed


def print_claim(claim: Claim, status: str, rulings: Sequence[Ruling]) -> dict[str, object]:
    on_the_bill = sum((ruling.benefit for ruling in rulings if not ruling.is_assured), ZERO)
    total = sum((ruling.benefit for ruling in rulings), ZERO)
    return {
        "claim_id": claim.id,
        "person_id": claim.person_id,
        "status": status,
        "policy_id": rulings[0].policy.id if rulings else None,
        "personal_burden": yuan_text(claim.burden),
        "benefits": [print_benefit(ruling) for ruling in rulings],
        "total_benefit": yuan_text(total),
        "patient_pays": yuan_text(claim.burden - on_the_bill),
    }


def adjudicate(
    policy_texts: list[str], lines: list[bytes], as_of: Fraction | None = None
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """The claims as section 8 prints them, without `explanation`; and the refusals, with `code` and `line`.

    `line` counts every physical line from 1; a blank line is skipped but counted. All lines are taken in at `as_of`.
    """
    policies = read_policies(policy_texts)
    ledger = Ledger()
    refusals: list[dict[str, object]] = []
    for number, raw in enumerate(lines, start=1):
        line = raw.removesuffix(b"\n")
        if not line.strip(b" \t\r\n"):
            continue
        try:
            ledger.consider(read_event(line, as_of))
        except RefusalError as refused:
            refusals.append({"line": number, "code": refused.code, "pointers": list(refused.pointers)})

    claims = claims_of(ledger)
    rulings = rule_payable(claims, policies)
    printed = []
    for claim in claims:
        status = claim.status_before_coverage(policies)
        if status is None:
            covered = claim.trigger == "aid" or is_covered(claim, claim.policy(policies))
            status = "adjudicated" if covered else "not_covered"
        printed.append(print_claim(claim, status, rulings.get(claim.id, [])))
    return printed, refusals


def main(arguments: Sequence[str]) -> int:
    """The command line; 0 when all facts were accepted, 3 when some were refused, 2 when the policies are unusable."""
    parser = argparse.ArgumentParser(description="The oracle: adjudicate facts a second, independent way.")
    parser.add_argument("--policy", action="append", required=True, type=Path)
    parser.add_argument("--as-of", type=instant_of, help="when the facts are taken in, RFC 3339 with offset")
    parser.add_argument("facts", help="a file of facts, one a line; - for standard input")
    options = parser.parse_args(arguments)
    facts = sys.stdin.buffer.read() if options.facts == "-" else Path(options.facts).read_bytes()
    policy_texts = [policy.read_text(encoding="utf-8") for policy in options.policy]
    try:
        claims, refusals = adjudicate(policy_texts, facts.split(b"\n"), options.as_of)
    except UnusableError as unusable:
        print(f"{options.policy[unusable.place]}: {unusable}", file=sys.stderr)
        return 2
    for stream, records in ((sys.stdout, claims), (sys.stderr, refusals)):
        for record in records:
            stream.buffer.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
    return 3 if refusals else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
