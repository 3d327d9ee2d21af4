"""The examples of docs/policies.md: every policy file is usable, and every table holds what the program computes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from handlers.offline.book import Book
from schemas.decisions import ClaimDecision
from schemas.policy.doubts import warnings
from schemas.policy.model import Bracket, Policies, Policy, Scheme, Tier
from schemas.policy.policy_file import parse_policy, read_policies
from tests.support.paths import DOCS

PAGE = (DOCS / "policies.md").read_text("utf-8")
NO_HOUSEHOLD = "none"
NO_POOL = "none"
NO_REASON = "none"
ENDS = ("valid_to", "ended_reason")
FIELDS = (*ENDS, "person", "household", "category", "discharged_on", "copay", "out_of_catalogue")


class Example(NamedTuple):
    """One section of the page: its files and its table, one row a stay."""

    title: str
    files: list[Path]
    rows: list[dict[str, str]]


def table(section: str) -> list[dict[str, str]]:
    """The rows of the first markdown table of a section, by column."""
    lines = [line.strip().strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    cells = [[cell.strip(" `") for cell in line] for line in lines]
    return [dict(zip(cells[0], row, strict=True)) for row in cells[2:]]


def examples() -> Iterator[Example]:
    """The sections that link to policy files."""
    for section in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]:
        section = section.partition("\n## ")[0]
        files = list(dict.fromkeys(DOCS / name for name in re.findall(r"\((policies/[^)]+\.toml)\)", section)))
        if files:
            yield Example(section.splitlines()[0], files, table(section))


EXAMPLES = list(examples())


def facts(row: dict[str, str], number: int, policies: Policies) -> Iterator[dict[str, object]]:
    """A row as events: the person belongs to every programme in the row's category, and stays once."""
    day, person = row["discharged_on"], row["person"]
    said = {"occurred_at": "2025-06-01T08:00:00+08:00", "source": "docs", "person_id": person, "version": 1}
    programmes = {s.programme for policy in policies.releases for s in policy.schemes if s.programme}
    said |= {name: row[name] for name in ENDS if row.get(name, NO_REASON) != NO_REASON}
    for programme in sorted(programmes):
        coverage = {"coverage_id": f"{person}-{programme}", "programme": programme, "category": row["category"]}
        event = f"{number}-{programme}"
        yield {**said, **coverage, "event_type": "coverage.recorded", "event_id": event, "valid_from": "2020-01-01"}
    stay = {"encounter_id": f"E{number:02}", "facility_id": "H1", "admitted_on": day, "discharged_on": day}
    kind = {"facility_level": "county", "care_type": "inpatient", "diagnoses": []}
    yield {**said, **stay, **kind, "event_type": "encounter.discharged", "event_id": f"{number}-stay"}
    zero = dict.fromkeys(("basic_insurance_paid", "serious_illness_paid", "medical_assistance_paid"), "0.00")
    total = f"{(cents(row['copay']) + cents(row['out_of_catalogue'])) / 100:.2f}"
    bill = {"settlement_id": f"S{number}", "encounter_id": f"E{number:02}", "facility_id": "H1", "final": True}
    amounts = {"copay": row["copay"], "out_of_catalogue": row["out_of_catalogue"], "total_charge": total}
    when = {"settled_at": f"{day}T10:00:00+08:00", "currency": "CNY", "other_fund_paid": "0.00"}
    posted = {"event_type": "settlement.posted", "event_id": f"{number}-bill"}
    yield {**said, **bill, **amounts, **zero, **when, **posted}


def memberships(rows: list[dict[str, str]]) -> Iterator[dict[str, object]]:
    """The household of each person, from the first row that names it until the row that names another one."""
    for person in dict.fromkeys(row["person"] for row in rows if "household" in row):
        own = [row for row in rows if row["person"] == person]
        begins = [
            row for before, row in zip([{}, *own], own, strict=False) if before.get("household") != row["household"]
        ]
        ends = [{"valid_to": row["discharged_on"]} for row in begins[1:]]
        for row, end in zip(begins, [*ends, {}], strict=True):
            if row["household"] != NO_HOUSEHOLD:
                name = f"{person}-{row['household']}"
                event = {"event_type": "membership.recorded", "event_id": name, "membership_id": name, "version": 1}
                said = {"occurred_at": "2025-06-01T08:00:00+08:00", "source": "docs", "person_id": person}
                place = {"household_id": row["household"], "unit": "household", "valid_from": row["discharged_on"]}
                yield {**event, **said, **place, **end}


def pool_coverages(rows: list[dict[str, str]], policies: Policies) -> Iterator[dict[str, object]]:
    """One more coverage of each person from the day of the first row that names a pool; the earlier ones stay open."""
    programmes = {s.programme for policy in policies.releases for s in policy.schemes if s.programme}
    named = {(row["person"], row["pool"]): row for row in reversed(rows) if row.get("pool", NO_POOL) != NO_POOL}
    for (person, pool), row in named.items():
        for programme in sorted(programmes):
            name = f"{person}-{programme}-{pool}"
            event = {"event_type": "coverage.recorded", "event_id": name, "coverage_id": name, "version": 1}
            said = {"occurred_at": "2025-06-01T08:00:00+08:00", "source": "docs", "person_id": person}
            place = {"programme": programme, "category": row["category"], "pool_id": pool}
            yield {**event, **said, **place, "valid_from": row["discharged_on"]}


def cents(amount: str) -> int:
    return round(float(amount) * 100)


def decided(example: Example) -> list[ClaimDecision]:
    """The program's decisions for the rows of a table, in their order."""
    policies = read_policies(example.files)
    book = Book()
    for number, row in enumerate(example.rows):
        for fact in facts(row, number, policies):
            assert str(book.take(json.dumps(fact).encode())) in ("accepted", "duplicate")
    for fact in [*memberships(example.rows), *pool_coverages(example.rows, policies)]:
        assert "accepted" == str(book.take(json.dumps(fact).encode()))
    return book.decide(policies)


def computed(row: dict[str, str], decision: ClaimDecision) -> dict[str, str]:
    """What the program says in the columns of a row."""
    wire = decision.model_dump(mode="json")
    shown = {benefit["scheme_id"]: benefit["benefit"] for benefit in wire["benefits"]}
    shown["patient_pays"] = wire["patient_pays"]
    shown["pool"] = ", ".join(benefit["pool_id"] or NO_POOL for benefit in wire["benefits"])
    return {name: row[name] if name in FIELDS else shown[name] for name in row}


def test_the_page_has_the_examples_that_it_promises() -> None:
    """Every file of docs/policies stands in a section, and no section is without rows."""
    linked = {file for example in EXAMPLES for file in example.files}
    assert set((DOCS / "policies").glob("*.toml")) == linked
    assert [] == [example.title for example in EXAMPLES if not example.rows]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.title)
def test_an_example_is_what_the_program_computes(example: Example) -> None:
    """Each row of the table holds the benefits, and what is left to pay, as the program decides them."""
    decisions = decided(example)
    assert example.rows == [computed(*pair) for pair in zip(example.rows, decisions, strict=True)]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.title)
def test_an_example_never_pays_more_than_the_burden(example: Example) -> None:
    """All schemes together pay at most the personal burden, and the file raises no warning."""
    for decision in decided(example):
        assert 0 <= decision.total_benefit <= decision.personal_burden
    for file in example.files:
        text = file.read_text("utf-8")
        assert [] == warnings(parse_policy(text), text)


def test_the_page_tells_what_a_member_is_told() -> None:
    """The sentences about the household's cap are those of the program."""
    (example,) = (each for each in EXAMPLES if any("household" in row for row in each.rows))
    lines = [line for decision in decided(example) for line in decision.explanation]
    (told,) = (line for line in lines if line.step == "cap_per_household_year")
    assert f"> {told.zh}\n" in PAGE
    assert f"> {told.en}\n" in PAGE


@pytest.mark.parametrize("model", [Policy, Scheme, Tier, Bracket], ids=lambda model: model.__name__)
def test_every_field_is_documented(model: type[Policy | Scheme | Tier | Bracket]) -> None:
    """Each field of a policy file stands in the page as code."""
    names = [info.alias or name for name, info in model.model_fields.items()]
    assert [] == [name for name in names if not re.search(rf"`(?:\w+\.)?{name}`", PAGE)]
