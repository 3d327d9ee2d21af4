"""The seeded population: reproducible, well-formed, balanced, with every refusal, and bounded in memory."""

import json
import re
import subprocess
import sys
import tomllib
import tracemalloc
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from itertools import islice, pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from handlers.claims.read import Reading, read
from handlers.offline.book import Book
from infra.population import claims_twice, describe, generate
from schemas.refusals import Refusal
from tests.support.paths import REPOSITORY

Json = dict[str, Any]

CODES = {
    "MALFORMED_JSON",
    "SCHEMA_INVALID",
    "UNKNOWN_EVENT_TYPE",
    "UNSUPPORTED_CURRENCY",
    "NEGATIVE_AMOUNT",
    "AMOUNTS_DO_NOT_BALANCE",
    "DATES_OUT_OF_ORDER",
    "FUTURE_DATED",
    "VERSION_CONFLICT",
    "PERSON_MISMATCH",
}
PARTS = (
    "basic_insurance_paid",
    "serious_illness_paid",
    "medical_assistance_paid",
    "other_fund_paid",
    "copay",
    "out_of_catalogue",
)
DATE = r"\d{4}-\d{2}-\d{2}"
INSTANT = rf"{DATE}T\d{{2}}:\d{{2}}:\d{{2}}(Z|[+-]\d{{2}}:\d{{2}})"
MONEY = r"-?\d+(\.\d{1,2})?"
COMMON = {
    "event_id": r"ev-[0-9a-f]{8}-\d{5}",
    "occurred_at": INSTANT,
    "source": r".+",
    "person_id": r"P-[0-9a-f]{8}",
}
SETTLEMENT = {"settlement_id": r"S-[0-9a-f]{8}-\d{3,}-\w+", "encounter_id": r"E-[0-9a-f]{8}-\d{3,}"}
MEMBERSHIP = {"membership_id": r"M-[0-9a-f]{8}-[123]"}
POOL = {"pool_id": r"village-[a-z]+-\d{3}9?"}
CONTRIBUTION = {"contribution_id": r"G-village-[a-z]+-\d{3}-\d{4}-\d"}
INCIDENT = {"incident_id": r"I-[0-9a-f]{8}-\d"}
AID = {"aid_id": r"A-[0-9a-f]{8}-\d"}
CLERK = r"[a-z]+-clerk-\d"
COVERAGE = {"coverage_id": r"C-[0-9a-f]{8}-[AV]\d+"}
KINDS = (
    *("accident", "accidental_death", "disability", "enrolment", "fire", "fracture", "natural_disaster"),
    *("serious_illness", "women_serious_illness"),
)
FIELDS: dict[str, dict[str, str]] = {
    "encounter.discharged": {
        "encounter_id": r"E-[0-9a-f]{8}-\d{3,}",
        "facility_id": r"H-[A-Z]{3}-[ABC]\d{2}",
        "facility_level": "city|county|town",
        "care_type": "inpatient|outpatient_special",
        "admitted_on": DATE,
        "discharged_on": DATE,
    },
    "settlement.posted": {
        **SETTLEMENT,
        "facility_id": r"H-[A-Z]{3}-[ABC]\d{2}",
        "settled_at": INSTANT,
        "currency": "[A-Z]{3}",
        **dict.fromkeys(("total_charge", *PARTS), MONEY),
    },
    "settlement.voided": {**SETTLEMENT, "reason": ".+"},
    "coverage.recorded": {
        **COVERAGE,
        "programme": "self_pay_assistance|village_mutual_aid",
        "category": "[a-z_]+",
        "valid_from": DATE,
    },
    "coverage.voided": {**COVERAGE, "reason": ".+"},
    "membership.recorded": {
        **MEMBERSHIP,
        "household_id": r"HH-([0-9a-f]{8}(-2)?|collective-[a-z]+)",
        "unit": "household|single|collective",
        "valid_from": DATE,
    },
    "membership.voided": {**MEMBERSHIP, "reason": ".+"},
    "person.died": {"died_on": DATE},
    "incident.recorded": {
        **INCIDENT,
        "kind": "|".join(KINDS),
        "occurred_on": DATE,
        "recorded_by": CLERK,
        "verified_by": CLERK,
    },
    "incident.voided": {**INCIDENT, "reason": ".+"},
    "aid.decided": {
        **AID,
        "level": "city|district|town",
        "amount": MONEY,
        "emergency": "True|False",
        "decided_on": DATE,
        "decided_by": CLERK,
        "countersigned_by": CLERK,
        "reason": ".+",
    },
    "aid.voided": {**AID, "reason": ".+"},
    "pool.recorded": {**POOL, "title": ".+", "opened_on": DATE},
    "contribution.received": {
        **POOL,
        **CONTRIBUTION,
        "kind": "villager|collective|government|donation|lottery",
        "amount": MONEY,
        "received_on": DATE,
        "reference": ".+",
    },
    "contribution.voided": {**POOL, **CONTRIBUTION, "reason": ".+"},
}
OPTIONAL = {
    "coverage.recorded": {
        "household_id": r"HH-[0-9a-f]{8}",
        "pool_id": r"village-[a-z]+-\d{3}",
        "valid_to": DATE,
        "ended_reason": "income|assets|employment|moved|death|fraud|request",
    },
    "membership.recorded": {"role": "head|spouse|child|parent", "valid_to": DATE},
    "pool.recorded": {"area": "[a-z]+", "on_shortage": "queue|owe|pro_rata"},
    "contribution.received": {"heads": r"\d+", "payer": ".+", "restricted_to": r"\['village_mutual_aid'\]"},
    "settlement.posted": {"invoice_no": r"\d{20}"},
    "incident.recorded": {"degree": r"\w+", "verified_loss": MONEY, "days": r"\d+", "event_code": r"[A-Z]\d\d\.\d"},
}
ID_OF = {
    "encounter": "encounter_id",
    "settlement": "settlement_id",
    "coverage": "coverage_id",
    "membership": "membership_id",
    "person": "person_id",
    "incident": "incident_id",
    "aid": "aid_id",
    "pool": "pool_id",
    "contribution": "contribution_id",
}
DATES = ("valid_from", "valid_to", "admitted_on", "discharged_on", "died_on", "occurred_on", "decided_on")
OF_POOLS = ("pool", "contribution")


class Gate:
    """The acceptance rules of claims.md, section 3, written again for the tests; keeps what it accepted."""

    def __init__(self) -> None:
        self.verdicts: list[tuple[str, Json]] = []
        self.contents: dict[tuple[str, str], dict[int, Json]] = defaultdict(dict)

    def judge(self, line: bytes) -> str:
        """The refusal code of a line, or `good` or `duplicate`; a stale version is good too."""
        try:
            event: Json = json.loads(line, parse_float=Decimal)
        except ValueError:
            event, verdict = {}, "MALFORMED_JSON"
        else:
            verdict = self._alone(event) or self._among_others(event)
        self.verdicts.append((verdict, event))
        return verdict

    def good(self, event_type: str) -> list[Json]:
        """The accepted events of a type, late ones included."""
        return [event for event in self.all_good() if event["event_type"] == event_type]

    def all_good(self) -> list[Json]:
        """Every accepted event in order of arrival, late ones included."""
        return [event for verdict, event in self.verdicts if verdict == "good"]

    def _alone(self, event: Json) -> str | None:
        kind = event["event_type"]
        if kind not in FIELDS:
            return "UNKNOWN_EVENT_TYPE"
        if not well_formed(event):
            return "SCHEMA_INVALID"
        sent = in_shanghai(event["occurred_at"])
        dated = event.get("discharged_on") or event.get("died_on")
        day = date.fromisoformat(dated) if dated else None
        if kind == "settlement.posted":
            if event["currency"] != "CNY":
                return "UNSUPPORTED_CURRENCY"
            parts = [Decimal(event[name]) for name in PARTS]
            total = Decimal(event["total_charge"])
            if min(*parts, total) < 0:
                return "NEGATIVE_AMOUNT"
            if total != sum(parts):
                return "AMOUNTS_DO_NOT_BALANCE"
            day = in_shanghai(event["settled_at"])
        if kind in ("contribution.received", "aid.decided") and Decimal(event["amount"]) <= 0:
            return "NEGATIVE_AMOUNT"
        if Decimal(event.get("verified_loss", 0)) < 0:
            return "NEGATIVE_AMOUNT"
        if kind == "encounter.discharged" and event["discharged_on"] < event["admitted_on"]:
            return "DATES_OUT_OF_ORDER"
        if "valid_to" in event and event["valid_to"] <= event["valid_from"]:
            return "DATES_OUT_OF_ORDER"
        return "FUTURE_DATED" if day is not None and day > sent + timedelta(days=1) else None

    def _among_others(self, event: Json) -> str:
        known = self.contents[line_of(event)]
        content = {name: value for name, value in event.items() if name not in ("event_id", "occurred_at")}
        owners = ("pool_id",) if line_of(event)[0] in OF_POOLS else ("person_id", "encounter_id")
        for other in known.values():
            if any(other.get(name) != content.get(name) for name in owners):
                return "PERSON_MISMATCH"
        if event["version"] in known:
            return "duplicate" if known[event["version"]] == content else "VERSION_CONFLICT"
        known[event["version"]] = content
        return "good"


def line_of(event: Json) -> tuple[str, str]:
    """The name and value of the id whose versions form one line."""
    name = ID_OF[event["event_type"].split(".")[0]]
    return event["event_type"].split(".")[0], event[name]


def owner_of(event: Json) -> str:
    """Whose the event is: a person's, or a pool's."""
    return str(event["pool_id"] if line_of(event)[0] in OF_POOLS else event["person_id"])


def in_shanghai(instant: str) -> date:
    """The business date of an instant."""
    return datetime.fromisoformat(instant).astimezone(ZoneInfo("Asia/Shanghai")).date()


def well_formed(event: Json) -> bool:
    """Whether every field that the contract asks for is there, with a value of the right form."""
    kind = event["event_type"]
    patterns = {**COMMON, **FIELDS[kind]}
    if kind.split(".")[0] in OF_POOLS:  # they belong to no person
        del patterns["person_id"]
    if any(name not in event for name in patterns):
        return False
    patterns |= {name: form for name, form in OPTIONAL.get(kind, {}).items() if name in event}
    if not all(re.fullmatch(form, f"{event[name]}") for name, form in patterns.items()):
        return False
    try:
        for name in DATES:
            date.fromisoformat(event.get(name, "2023-01-01"))
        datetime.fromisoformat(event["occurred_at"])
    except ValueError:
        return False
    codes = event.get("diagnoses", [])
    return (
        type(event["version"]) is int
        and event["version"] >= 1
        and type(event.get("final", False)) is bool
        and ("final" in event) == (kind == "settlement.posted")
        and ("diagnoses" in event) == (kind == "encounter.discharged")
        and all(re.fullmatch(r"[A-Z]\d{2}\.\d", code) for code in codes)
    )


def judged(lines: Iterable[bytes]) -> Gate:
    """A gate through which all the lines went."""
    gate = Gate()
    for line in lines:
        gate.judge(line)
    return gate


@pytest.fixture(scope="module")
def town() -> list[bytes]:
    """The lines of 500 persons."""
    return list(generate(7, 500))


@pytest.fixture(scope="module")
def city() -> Gate:
    """3,000 persons, judged."""
    return judged(generate(11, 3_000))


@pytest.fixture(scope="module")
def town_without_twice() -> list[bytes]:
    """The lines of the same 500 persons, had nothing been made twice and were invoices as short as they were."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(claims_twice, "INVOICE_TWICE", 0)
        patch.setattr(claims_twice, "STAYS_OVERLAP", 0)
        lines = list(generate(7, 500, occasions=False))
    return [re.sub(rb'("invoice_no":"\d{10})\d{10}"', rb'\1"', line) for line in lines]


def digest(lines: Iterable[bytes]) -> str:
    """One hash over all lines."""
    return sha256(b"\n".join(lines)).hexdigest()


def test_same_seed_gives_the_same_bytes(town: list[bytes]) -> None:
    """The same arguments give the same bytes, also in another process with another hash seed."""
    program = (
        "from hashlib import sha256; from infra.population import generate;"
        "print(sha256(b'\\n'.join(generate(7, 500))).hexdigest())"
    )
    environment = {"PYTHONHASHSEED": "4711", "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-c", program]
    other = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True)
    assert digest(generate(7, 500)) == digest(town)
    assert other.stdout.strip() == digest(town)


def test_another_seed_gives_other_people(town: list[bytes]) -> None:
    """Populations of different seeds share no line."""
    assert not set(town) & set(generate(8, 500))


def test_lines_are_single_lines(town: list[bytes]) -> None:
    """No line holds a newline or is empty, so a file of them can be read back."""
    assert all(line and b"\n" not in line and b"\r" not in line for line in town)


@pytest.mark.parametrize("seed", range(5))
def test_every_refusal_kind_is_there(seed: int) -> None:
    """500 persons are enough for every refusal code, whatever the seed."""
    verdicts = Counter(verdict for verdict, _ in judged(generate(seed, 500)).verdicts)
    assert verdicts.keys() & CODES == CODES
    assert verdicts.keys() - CODES == {"good", "duplicate"}


def test_bad_share_is_kept(city: Gate) -> None:
    """About one line in two hundred is refused, of every kind, and none when none is asked for."""
    refused = [verdict for verdict, _ in city.verdicts if verdict in CODES]
    assert 0.004 < len(refused) / len(city.verdicts) < 0.006
    assert not {verdict for verdict, _ in judged(generate(11, 3_000, bad_share=0)).verdicts} & CODES


def test_too_large_only_when_asked(town: list[bytes]) -> None:
    """Lines of more than 1 MiB come exactly as often as asked for."""
    assert max(map(len, town)) < 4_096
    assert [len(line) for line in generate(7, 10, too_large=2) if len(line) > 4_096] == [1024 * 1024 + 1] * 2


def test_good_settlements_balance(city: Gate) -> None:
    """Every accepted bill balances to the fen, has no negative part, and is not empty."""
    bills = city.good("settlement.posted")
    assert len(bills) > 2_000
    for bill in bills:
        parts = [Decimal(bill[name]) for name in PARTS]
        assert Decimal(bill["total_charge"]) == sum(parts) > 0
        assert min(parts) >= 0


def test_event_ids_are_unique_but_for_redelivery(town: list[bytes]) -> None:
    """An event id stands for one content; only a redelivered message has it twice."""
    contents = defaultdict(set)
    for line in town:
        match = re.search(rb'"event_id":"([^"]+)"', line)
        if match:
            contents[match.group(1)].add(line)
    assert {len(lines) for lines in contents.values()} == {1}


def test_money_is_written_in_every_allowed_way(city: Gate) -> None:
    """Some hospitals write two decimals, some fewer, some JSON numbers with at most two decimals."""
    totals = [bill["total_charge"] for bill in city.good("settlement.posted")]
    assert any(isinstance(total, Decimal) for total in totals)
    assert any(isinstance(total, str) and not re.fullmatch(r"\d+\.\d\d", total) for total in totals)
    assert any(isinstance(total, str) and re.fullmatch(r"\d+\.\d\d", total) for total in totals)


def test_copays_over_the_threshold_are_common_but_not_the_rule(city: Gate) -> None:
    """A quarter to three fifths of inpatient stays have a copay over 2,000 yuan; a few lie on the edge."""
    copay: defaultdict[str, Decimal] = defaultdict(Decimal)
    for bill in city.good("settlement.posted"):
        if bill["version"] == 1:
            copay[bill["encounter_id"]] += Decimal(bill["copay"])
    discharges = city.good("encounter.discharged")
    stays = {event["encounter_id"] for event in discharges if event["care_type"] == "inpatient"}
    over = sum(copay[stay] > 2_000 for stay in stays) / len(stays)
    assert 0.25 < over < 0.60
    assert {Decimal("2000.00"), Decimal("2000.01")} <= {copay[stay] for stay in stays}


def test_stays_have_a_heavy_tail(city: Gate) -> None:
    """Most people have no stay or one, and the busiest twentieth cause more than half of all."""
    people = {event["person_id"] for event in city.good("coverage.recorded")}
    stays = Counter(dict.fromkeys(people, 0))
    stays.update(event["person_id"] for event in city.good("encounter.discharged") if event["version"] == 1)
    counts = sorted(stays.values(), reverse=True)
    assert sum(count <= 1 for count in counts) / len(counts) > 0.75
    assert sum(counts[: len(counts) // 20]) > sum(counts) / 2


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("persons", "asked"), [(500, 1_000), (1_000, 400), (2_000, 15_000), (500, 0)])
def test_asked_settlements_are_reached(seed: int, persons: int, asked: int) -> None:
    """The number of settlement events asked for is reached within five per cent."""
    lines = generate(seed, persons, settlements=asked)
    got = sum(re.match(rb'\{"event_type":"settlement\.(posted|voided)"', line) is not None for line in lines)
    assert abs(got - asked) <= asked * 0.05


def test_version_lines_are_consistent(city: Gate) -> None:
    """The versions of an id are 1, 2, ... without a gap, of one person and one encounter."""
    lines = {line: versions for line, versions in city.contents.items() if versions}
    assert {len(versions) for versions in lines.values()} >= {1, 2, 3}
    for versions in lines.values():
        assert sorted(versions) == list(range(1, len(versions) + 1))
        owners = {(owner_of(content), content.get("encounter_id")) for content in versions.values()}
        assert len(owners) == 1


def test_the_interesting_cases_are_there(city: Gate) -> None:
    """Interim bills, refunds, some of them first, stale versions, stays over New Year, deaths: all occur."""
    discharges = city.good("encounter.discharged")
    bills = city.good("settlement.posted")
    voids = {event["settlement_id"] for event in city.good("settlement.voided")}
    died = {event["person_id"]: event["died_on"] for event in city.good("person.died")}
    order = defaultdict(list)
    for event in city.all_good():
        order[line_of(event)].append(event["version"])
    settled = {bill["settlement_id"] for bill in bills}
    of_the_dead = [event for event in discharges if event["person_id"] in died]

    assert any(not bill["final"] for bill in bills)
    assert any(f"{void}R" in settled for void in voids)
    assert any(order["settlement", void][:2] == [2, 1] for void in voids)
    assert any(after < before for versions in order.values() for before, after in pairwise(versions))
    assert any(event["admitted_on"][:4] < event["discharged_on"][:4] for event in discharges)
    assert any(event["admitted_on"] > died[event["person_id"]] for event in of_the_dead)
    assert any(event["discharged_on"] == died[event["person_id"]] for event in of_the_dead)
    assert any(event["discharged_on"] < died[event["person_id"]] for event in of_the_dead)
    assert {event["encounter_id"] for event in bills} ^ {event["encounter_id"] for event in discharges}
    assert any(event["version"] > 1 for event in discharges)
    assert city.good("coverage.voided")
    assert any(event["version"] > 1 for event in city.good("coverage.recorded"))
    assert any(event["occurred_at"][:10] > event["valid_from"] for event in city.good("coverage.recorded"))


def test_households_form_split_move_and_are_corrected_late(city: Gate) -> None:
    """All of it occurs among village households, also overlaps, persons alone, and memberships of the wrong person."""
    versions: defaultdict[str, dict[int, Json]] = defaultdict(dict)
    for event in [*city.good("membership.recorded"), *city.good("membership.voided")]:
        versions[event["membership_id"]][event["version"]] = event
    newest = [line[max(line)] for line in versions.values()]
    held = [event for event in newest if event["event_type"] == "membership.recorded"]
    of_person: defaultdict[str, list[Json]] = defaultdict(list)
    for event in held:
        of_person[event["person_id"]].append(event)
    members: defaultdict[str, set[str]] = defaultdict(set)
    for event in held:
        members[event["household_id"]].add(event["person_id"])

    assert Counter(event["unit"] for event in held).keys() == {"household", "single", "collective"}
    assert {event.get("role") for event in held} == {"head", "spouse", "child", "parent", None}
    assert any(event["valid_from"] > "2022-06-01" for event in held)  # formed
    assert any(re.fullmatch(r"HH-\w{8}-2", event["household_id"]) for event in held)  # split
    moved = [{event["household_id"] for event in events} for events in of_person.values()]
    assert any(len(households) > 1 and not any(name.endswith("-2") for name in households) for households in moved)
    assert any(len(persons) > 2 for persons in members.values())
    assert any("valid_to" not in event for events in of_person.values() for event in events[:-1])  # two hold at once
    assert city.good("membership.voided")
    assert any(len({each.get("valid_from") for each in line.values()}) > 1 for line in versions.values())  # corrected
    late = [each for each in held if each["occurred_at"][:10] > f"{int(each['valid_from'][:4]) + 1}-12-31"]
    assert any(each["valid_from"] >= "2022-01-01" for each in late)
    verdicts = {verdict for verdict, event in city.verdicts if event.get("event_type", "").startswith("membership.")}
    assert verdicts >= {"good", "duplicate", "SCHEMA_INVALID", "DATES_OUT_OF_ORDER", "VERSION_CONFLICT"}


def test_memberships_change_nothing_else(town_without_twice: list[bytes]) -> None:
    """They are drawn from random numbers of their own: the other lines are the same bytes as before there were any."""
    others = [
        line for line in without_pools(town_without_twice) if b"household-registry" not in line and b'"M-' not in line
    ]
    assert "3786a8f46f7022f06af79d01736ce0fe80f55af23384f1aa03e5edd3753bf5fd" == digest(without_reasons(others))


def without_pools(lines: Iterable[bytes]) -> list[bytes]:
    return [line for line in lines if not any(mark in line for mark in (b"fund-office", b"contribution.", b"pool.rec"))]


def without_reasons(lines: Iterable[bytes]) -> list[bytes]:
    """Why coverages end follows from numbers that were drawn before: without it, lines are what they were."""
    return [re.sub(rb',"ended_reason":"[a-z]+"', b"", line) for line in lines]


def test_coverages_that_end_say_why(city: Gate) -> None:
    """Every reason is met, and so is none; what has no end has no reason."""
    recorded = city.good("coverage.recorded")
    ended = {event.get("ended_reason") for event in recorded if "valid_to" in event}
    assert {None, *OPTIONAL["coverage.recorded"]["ended_reason"].split("|")} == ended
    assert {None} == {event.get("ended_reason") for event in recorded if "valid_to" not in event}


def test_pools_change_nothing_else(town_without_twice: list[bytes]) -> None:
    """They are drawn from random numbers of their own, too."""
    assert "5e48a453e4fba517af80da10af0f889f04af462128973b71280f3e8e34891e2d" == digest(
        without_reasons(without_pools(town_without_twice))
    )


def test_few_claims_are_there_twice_and_none_by_chance(city: Gate, town_without_twice: list[bytes]) -> None:
    """An invoice in two encounters, of one person and of two; stays that share a night; some of each corrected."""
    invoices, persons, stays = defaultdict(set), defaultdict(set), defaultdict(list)
    for bill in city.good("settlement.posted"):
        if "invoice_no" in bill:
            invoices[bill["invoice_no"]].add(bill["encounter_id"])
            persons[bill["invoice_no"]].add(bill["person_id"])
    for stay in city.good("encounter.discharged"):
        if stay["version"] == 1 and stay["care_type"] == "inpatient":
            stays[stay["person_id"]].append((stay["admitted_on"], stay["discharged_on"]))
    twice_used = [number for number, encounters in invoices.items() if len(encounters) > 1]
    assert {1, 2} == {len(persons[number]) for number in twice_used}
    assert 0.002 < len(twice_used) / len(invoices) < 0.01
    nights = [after[0] < before[1] for each in stays.values() for before, after in pairwise(sorted(each))]
    assert 0 < sum(nights) < 0.05 * len(nights)

    by_chance = defaultdict(set)
    for line in town_without_twice:
        if found := re.search(rb'"encounter_id":"([^"]+)".*"invoice_no":"(\d+)"', line):
            by_chance[found[2]].add(found[1])
    assert {1} == {len(encounters) for encounters in by_chance.values()}


def test_pools_receive_money_that_is_corrected_restricted_and_voided_late(city: Gate) -> None:
    """Each pool that a coverage names is recorded once, with one of the rules; money comes from all sides."""
    named = {event["pool_id"] for event in city.good("coverage.recorded") if "pool_id" in event}
    pools, received, voided = map(city.good, ("pool.recorded", "contribution.received", "contribution.voided"))
    dates = {(event["contribution_id"], event["version"]): event["received_on"] for event in received}
    late = [event for event in voided if event["occurred_at"][:10] > dates[event["contribution_id"], 1][:8] + "31"]
    assert named == {event["pool_id"] for event in pools} >= {event["pool_id"] for event in received}
    assert {"queue", "owe", "pro_rata", None} == {event.get("on_shortage") for event in pools}
    assert {"villager", "collective", "government", "donation", "lottery"} == {event["kind"] for event in received}
    assert any("restricted_to" in event for event in received)
    assert any("restricted_to" not in event for event in received if event["kind"] == "donation")
    assert all(event["heads"] > 0 for event in received if event["kind"] == "villager")
    assert any(version > 1 for _, version in dates)
    assert late
    verdicts = {verdict for verdict, event in city.verdicts if line_kind(event) in OF_POOLS}
    assert verdicts >= {"good", "duplicate", "SCHEMA_INVALID", "NEGATIVE_AMOUNT", "VERSION_CONFLICT", "PERSON_MISMATCH"}


def line_kind(event: Json) -> str:
    return str(event.get("event_type", "")).split(".")[0]


OF_OCCASIONS = ("incident", "aid")


def test_few_have_incidents_of_every_kind_that_products_insure(city: Gate) -> None:
    """But for a few none after death; a degree or a loss where some sample pays by it; two people verify each."""
    recorded = city.good("incident.recorded")
    died = {event["person_id"]: event["died_on"] for event in city.good("person.died")}
    insured = {
        kind
        for file in (REPOSITORY / "infra" / "samples" / "products").glob("*.toml")
        for scheme in tomllib.loads(file.read_text("utf-8"))["scheme"]
        for kind in scheme.get("incident_kinds", ())
    }
    told: defaultdict[str, set[str]] = defaultdict(set)
    for event in recorded:
        told[event["kind"]] |= event.keys()
    assert {*KINDS} == insured == told.keys()
    assert {"accident", "fire", "natural_disaster"} == {kind for kind in told if "verified_loss" in told[kind]}
    assert {"disability", "fracture", "natural_disaster"} == {kind for kind in told if "degree" in told[kind]}
    assert any("days" in event for event in recorded)
    assert any("evidence" in event for event in recorded)
    assert all(event["recorded_by"] != event["verified_by"] for event in recorded)
    after = [died.get(event["person_id"], "9999") < event["occurred_on"] for event in recorded]
    assert 0 < sum(after) < 0.05 * len(recorded)
    assert 0.01 < len({event["person_id"] for event in recorded}) / 3_000 < 0.04


def test_few_are_granted_aid_by_two_people(city: Gate) -> None:
    """At every level of the sample, some for emergencies, some for more than a level allows."""
    decided = city.good("aid.decided")
    sample = REPOSITORY / "infra" / "samples" / "products" / "temporary-aid-sample.toml"
    levels = tomllib.loads(sample.read_text("utf-8"))["scheme"][0]["levels"]
    granted = {event["level"] for event in decided}
    above = [event for event in decided if Decimal(event["amount"]) > Decimal(levels.get(event["level"], "0.00"))]
    assert levels.keys() <= granted
    assert {True, False} == {event["emergency"] for event in decided}
    assert 0 < len(above) < len(decided) / 2
    assert all(event["decided_by"] != event["countersigned_by"] for event in decided)
    assert 0.005 < len({event["person_id"] for event in decided}) / 3_000 < 0.02


@pytest.mark.parametrize(("kind", "told"), [("incident", "recorded"), ("aid", "decided")])
def test_incidents_and_aids_are_corrected_and_voided(city: Gate, kind: str, told: str) -> None:
    """Few of each, under their next version."""
    firsts = [event for event in city.good(f"{kind}.{told}") if event["version"] == 1]
    seconds = [event for event in city.good(f"{kind}.{told}") if event["version"] == 2]
    voided = city.good(f"{kind}.voided")
    assert {event[f"{kind}_id"] for event in firsts} >= {event[f"{kind}_id"] for event in (*seconds, *voided)}
    assert 0 < len(seconds) < 0.2 * len(firsts)
    assert 0 < len(voided) < 0.1 * len(firsts)


def test_incidents_and_aids_are_read_without_refusal() -> None:
    """By the product, without a key and with their person's."""
    events = [json.loads(line) for line in generate(11, 3_000, bad_share=0)]
    occasions = [event for event in events if line_kind(event) in OF_OCCASIONS]
    values = [json.dumps(event).encode() for event in occasions]
    assert len(values) > 50
    assert all(isinstance(read(value), Reading) for value in values)
    assert all(
        isinstance(read(value, key=event["person_id"].encode()), Reading)
        for event, value in zip(occasions, values, strict=True)
    )


def test_incidents_and_aids_are_spoiled_too() -> None:
    """In the ways that fit them, each refused by the product as it is by the gate of the tests."""
    lines = [line for line in generate(3, 4_000, bad_share=0.3) if b"incident-office" in line or b"aid-office" in line]
    gate, book = Gate(), Book()
    verdicts = Counter[str]()
    for line in lines:
        verdict, outcome = gate.judge(line), book.take(line)
        assert (verdict if verdict in CODES else None) == (outcome.code if isinstance(outcome, Refusal) else None)
        verdicts[verdict] += 1
    assert verdicts.keys() >= {"NEGATIVE_AMOUNT", "VERSION_CONFLICT", "PERSON_MISMATCH", "MALFORMED_JSON"}


def test_without_occasions_every_other_line_is_the_same(town: list[bytes]) -> None:
    """In the same order: they are drawn from random numbers of their own, and so is what is spoiled of them."""
    others = list(generate(7, 500, occasions=False))
    occasions = (b"incident-office", b"aid-office", b'"incident_id"', b'"aid_id"')
    left = [line for line in town if not any(mark in line for mark in occasions)]
    assert others == left
    assert len(others) < len(town)


def test_dates_stay_in_the_business_years(city: Gate) -> None:
    """Stays end, and messages are sent, in the business years; only registration may come before them."""
    days = [event["discharged_on"] for event in city.good("encounter.discharged") if event["version"] == 1]
    assert {day[:4] for day in days} == {"2022", "2023", "2024", "2025"}
    sent = {in_shanghai(event["occurred_at"]).year for event in city.all_good()}
    assert sent == {2021, 2022, 2023, 2024, 2025}
    narrow = judged(generate(1, 300, first_year=2025, last_year=2025)).good("encounter.discharged")
    assert {event["discharged_on"][:4] for event in narrow if event["version"] == 1} == {"2025"}


def test_arrival_is_by_time_within_a_block(city: Gate) -> None:
    """Most messages arrive in the order in which they were sent; some are late."""
    sent = [datetime.fromisoformat(event["occurred_at"]) for event in city.all_good()]
    backwards = sum(after < before for before, after in pairwise(sent)) / len(sent)
    assert 0.01 < backwards < 0.40


def test_objects_alive_are_those_of_one_block() -> None:
    """While 20,000 persons pass in blocks of 5,000 lines, no more objects live than a block needs."""
    before = sys.getallocatedblocks()
    lines = peak = 0
    for lines, _ in enumerate(generate(5, 20_000, block_lines=5_000), start=1):
        if lines % 500 == 0:
            peak = max(peak, sys.getallocatedblocks() - before)
    assert lines > 60_000
    assert peak < 6 * 5_000  # a line is a tuple, two integers and its bytes


def test_memory_is_that_of_one_block() -> None:
    """2,000 persons, 4 MB of lines, pass through blocks of 500 lines in less than 1.5 MiB."""
    warm = list(generate(5, 2_000))
    assert sum(map(len, warm)) > 2_500_000
    del warm
    tracemalloc.start()
    for _ in generate(5, 2_000, block_lines=500):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.5 * 1024 * 1024


@pytest.mark.parametrize(
    "arguments",
    [{"persons": -1}, {"bad_share": 0.9}, {"settlements": -5}, {"first_year": 2026}, {"block_lines": 0}],
)
def test_nonsense_is_refused_at_once(arguments: Json) -> None:
    """Impossible arguments are refused by the call itself, before the first line."""
    with pytest.raises(ValueError, match="must"):
        generate(1, **{"persons": 10, **arguments})


@pytest.mark.parametrize("persons", [0, 1, 2, 5])
def test_a_tiny_population_works(persons: int) -> None:
    """No people, one and a few: no error, and no more people than asked for."""
    events = judged(generate(1, persons)).all_good()
    assert len({event["person_id"] for event in events if "person_id" in event}) <= persons


def test_the_first_lines_come_before_the_last_person() -> None:
    """A large population is generated as it is read."""
    assert len(list(islice(generate(1, 10_000_000, block_lines=100), 10))) == 10


def test_the_description_says_what_is_assumed() -> None:
    """The text for the terminal fits it, and says that the numbers are assumptions."""
    text = describe()
    assert "assumption" in text
    assert max(map(len, text.splitlines())) <= 110
    assert all(code in text for code in CODES)
