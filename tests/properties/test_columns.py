"""A what-if over columns gives what the core gives, claim by claim, and leaves to the core whoever is not usual."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.claims.adjudicate import Adjudication, adjudicate_together
from handlers.claims.decidable import Decidable
from handlers.claims.twice import found_twice
from handlers.offline.book import Book
from handlers.offline.columns.arrays import claim_ids, columns_of
from handlers.offline.columns.column_tally import tally_of
from handlers.offline.columns.packing import pack, unpack
from handlers.offline.columns.usual import STATUSES, decide
from handlers.offline.columns.vector_rules import NO_TIER
from handlers.offline.what_if import Tally, all_pairs
from infra.population import generate
from schemas.ids import ClaimId, PersonId
from schemas.policy.model import Policies
from schemas.policy.policy_file import read_policies
from tests.oracle.cases import any_case
from tests.properties.grace_strategies import with_grace
from tests.properties.strategies import (
    Body,
    History,
    bill_of,
    busy_years,
    coverage_from,
    deliveries,
    discharge_of,
    histories,
    policy,
    releases,
    scheme,
    stay_of,
    successions,
    tried,
)
from tests.support.builders import encode, policies
from tests.support.length import times
from tests.support.paths import WUXI
from tests.support.repeated_invoices import with_repeated_invoices

CASES = times(30, 150, "HUZHU_TEST_EXAMPLES") * 2
Outcome = tuple[str, str, int, int, tuple[tuple[str, str | None, int, int], ...]]


def book_of(lines: Iterable[bytes]) -> Book:
    book = Book()
    for line in lines:
        book.take(line)
    return book


def told(decided: Adjudication) -> Outcome:
    """Person, status, burden and total, and what each scheme says, of one claim."""
    benefits = [
        (each.scheme.id, None if each.tier is None else each.tier.name, each.measured, each.amount)
        for each in decided.benefits
    ]
    return (
        decided.claim.person_id,
        str(decided.status),
        decided.personal_burden,
        decided.total_benefit,
        tuple(benefits),
    )


def by_the_core(accounts: Iterable[Decidable], published: Policies) -> dict[str, Outcome]:
    return {each.claim.claim_id: told(each) for each in adjudicate_together(accounts, published)}


def by_columns(table: pa.Table, published: Policies) -> dict[str, Outcome]:
    """The claims of the usual persons."""
    columns = columns_of(table)
    decided = decide(columns, published)
    names, persons = claim_ids(table).to_pylist(), table.column("person_id").to_pylist()
    benefits: dict[int, tuple[tuple[str, str | None, int, int], ...]] = {}
    for ruled in decided.ruled:
        for at, row in enumerate(ruled.rows.tolist()):
            benefits[row] = tuple(
                (
                    paid.scheme.id,
                    None if paid.tier[at] == NO_TIER else paid.scheme.tiers[paid.tier[at]].name,
                    int(paid.measured[at]),
                    int(paid.amount[at]),
                )
                for paid in ruled.paid
            )
    found: dict[str, Outcome] = {}
    for row, person in enumerate(columns.claim_person.tolist()):
        if decided.usual[person]:
            status, total = str(STATUSES[decided.status[row]]), int(decided.benefit[row])
            burden = int(columns.copay[row] + columns.out_of_catalogue[row])
            found[names[row]] = (persons[person], status, burden, total, benefits.get(row, ()))
    return found


def agree(accounts: Iterable[Decidable], published: Policies) -> tuple[int, int]:
    """Holds both ways together over some accounts, and says how many claims there are and how many were usual."""
    known = list(accounts)
    table, _ = pack(known)
    expected = by_the_core(known, published)
    assert expected == by_the_core(unpack(table), published), "the columns hold all that is decided from"
    assert found_twice(known) == found_twice([*unpack(table)]), "and all that may be there twice"
    found = by_columns(table, published)
    assert {name: expected[name] for name in found} == found
    return len(expected), len(found)


def sums(accounts: Iterable[Decidable], before: Policies, after: Policies) -> Tally:
    tally = Tally()
    for person in all_pairs(accounts, before, after):
        tally.take(person)
    tally.merge(Tally())
    return tally


@pytest.mark.parametrize("part", range(4))
def test_columns_decide_random_cities_as_the_core_does(part: int) -> None:
    """Cities of many persons with random policies: corrected, voided, late, dead, of every kind of scheme."""
    claims = usual = 0
    for seed in range(part, CASES, 4):
        case = any_case(seed)
        lines = with_repeated_invoices(case.lines, seed)
        counted = agree(book_of(lines).accounts.values(), policies(*case.policy_texts))
        claims, usual = claims + counted[0], usual + counted[1]
    assert usual > claims / 5, "or nothing was tried"


@tried
@given(st.data(), st.one_of(histories(), histories(successions()), busy_years(), with_grace(histories())))
def test_columns_decide_a_history_as_the_core_does(data: st.DataObject, history: History) -> None:
    """One person's history in any order, under policies that may succeed each other."""
    lines = [encode(body) for body in data.draw(deliveries(history.facts))]
    agree(book_of(lines).accounts.values(), policies(*history.policies))


@tried
@given(st.lists(histories(), min_size=2, max_size=5), releases(), releases())
def test_the_sums_over_columns_are_those_of_the_core(
    people: list[History], old: tuple[str, ...], new: tuple[str, ...]
) -> None:
    """Of several persons under two sets of policies: every count and sum, by class, tier, area, month and status."""
    facts = [of_person(number, body) for number, person in enumerate(people) for body in person.facts]
    accounts = list(book_of(map(encode, facts)).accounts.values())
    before, after = policies(*old), policies(*new)
    assert sums(accounts, before, after) == tally_of(pack(accounts), before, after)
    assert sums(accounts, Policies(), after) == tally_of(pack(accounts), Policies(), after)


def of_person(number: int, body: Body) -> Body:
    """The same fact of another person, whose ids are their own."""
    ids = ("encounter_id", "settlement_id", "coverage_id")
    own = {name: f"{number}-{body[name]}" for name in ids if name in body}
    area = {"area": f"A{number % 2}"} if body["event_type"] == "coverage.recorded" else {}
    return {**body, **own, **area, "person_id": f"P{number}"}


def test_sums_that_follow_a_scheme_across_policies_are_left_to_the_core() -> None:
    """Whose year lies under two policies is not usual, also where a third with another first day lies in between."""
    capped = scheme("mutual", accumulates="person_year", cap_per_year="90.00")
    days = ["2020-02-28", "2020-03-02", "2020-07-02"]
    stays = [event for day in days for event in stay_of(f"E-{day}", day, "50.00")]
    alike = [("2000-01-01", "01-01"), ("2020-03-01", "01-01"), ("2020-07-01", "01-01")]
    for terms in (alike, [alike[0], ("2020-03-01", "03-01"), alike[2]]):
        ends = [start for start, _ in terms[1:]] + [""]
        texts = [
            policy(capped, start=start, end=end, year_starts=first, name=f"p{start}")
            for (start, first), end in zip(terms, ends, strict=True)
        ]
        book = book_of(encode(body) for body in (coverage_from(), *stays))
        assert (3, 0) == agree(book.accounts.values(), policies(*texts))
    apart = [event for year in (2020, 2021, 2022) for event in stay_of(f"E{year}", f"{year}-03-01", "50.00")]
    book = book_of(encode(body) for body in (coverage_from(), *apart))
    texts = [policy(capped, end="2021-01-01", name="a"), policy(capped, start="2021-01-01", name="b")]
    assert (3, 3) == agree(book.accounts.values(), policies(*texts)), "a new year begins at zero"


EDGES: list[Body] = [
    {"threshold": "50.00"},
    {"floor_per_stay": "50.00"},
    {"cap_per_stay": "50.00"},
    {"cap_per_year": "50.00"},
    {"cap_per_year": "100.00", "accumulates": "person_year"},
    {"waiting_days": 60},
    {"grace_months": 1},
    {"file_within_days": 0},
    {"basis": "copay", "threshold": "49.99"},
]


@pytest.mark.parametrize("rule", EDGES, ids=json.dumps)
def test_columns_meet_every_edge_as_the_core_does(rule: Body) -> None:
    """One fen and one day beside each number of a scheme, and on it, with a second scheme that gets what is left."""
    second = scheme("two", {"0.01": "0.5"}, measured_on="remaining")
    published = policies(policy(scheme("one", {"0.00": "1"}, **rule), second))
    facts: list[Body] = []
    for amount in ("49.98", "49.99", "50.00", "50.01", "0.00", "0.01"):
        for day in ("2019-12-31", "2020-01-01", "2020-01-02", "2020-02-28", "2020-02-29", "2020-03-01"):
            person, other = f"P-{amount}-{day}", f"F-{amount}-{day}"
            covers = coverage_from("2020-01-01", valid_to="2020-03-01", coverage_id=f"C-{person}", person_id=person)
            own = [*stay_of(person, day, amount, "0.01"), *stay_of(other, day, "50.00")]
            facts += [covers, *({**body, "person_id": person} for body in own)]
    claims, usual = agree(book_of(map(encode, facts)).accounts.values(), published)
    assert (72, "cap_per_year" in rule) == (claims, usual < claims)


def test_who_is_in_a_grace_is_usual() -> None:
    """The last day of each grace and the next, of coverages that ended for a reason, for another, and for none."""
    listed = scheme("listed", {"0.00": "0.5"}, grace_months=12, grace_reasons=["income", "moved"])
    open_to_all = scheme("all", {"0.00": "0.5"}, measured_on="remaining", grace_months=6, waiting_days=30)
    facts: list[Body] = []
    for reason in ("income", "moved", "fraud", None):
        for day in ("2020-02-28", "2020-02-29", "2020-08-28", "2020-08-29", "2021-02-27", "2021-02-28"):
            person = f"{reason}-{day}"
            held: Body = {"coverage_id": f"C-{person}", "valid_to": "2020-02-29", "ended_reason": reason}
            for body in (coverage_from("2020-01-30", **held), *stay_of(person, day, "50.00")):
                facts.append({**body, "person_id": person})
    accounts, published = book_of(map(encode, facts)).accounts.values(), policies(policy(listed, open_to_all))
    assert (24, 24) == agree(accounts, published)
    totals = Counter(total for _, _, _, total, _ in by_the_core(accounts, published).values())
    assert {0: 8, 2500: 12, 3750: 4} == totals


def test_what_might_not_fit_in_64_bits_is_left_to_the_core() -> None:
    """Up to the highest burden and the finest rate of the usual it is decided here, and beyond it by the core."""
    finest = {"0.00": "0.99999975"}  # of 4,000,000
    for rates, amounts, usual in (
        (finest, ["4999999999.99", "5000000000.01"], 2),
        (finest, ["4999999999.99", "5000000000.02"], 0),
        (finest, ["999999999999.99", "0.01"], 0),
        ({"0.00": "0.9999999"}, ["0.01", "0.05"], 0),
    ):
        text = policy(scheme("mutual", rates, accumulates="person_year"))
        stays = [event for n, amount in enumerate(amounts) for event in stay_of(f"E{n}", "2020-03-01", amount)]
        book = book_of(encode(body) for body in (coverage_from(), *stays))
        assert (2, usual) == agree(book.accounts.values(), policies(text)), amounts
    bills = [bill_of("E1", "999999999999.99", settlement_id=f"S{n}") for n in range(9)]
    book = book_of(encode(body) for body in (coverage_from(), discharge_of("E1", "2020-03-01"), *bills))
    assert (1, 0) == agree(book.accounts.values(), policies(policy(scheme("mutual"))))
    two = [event for name in ("E1", "E2") for event in stay_of(name, "2020-03-01", "999999999999.99")]
    book = book_of(encode(body) for body in (coverage_from(), *two))
    account = book.accounts[PersonId("P1")]
    for name, posted in account.settlements.items():  # so that the sum of both passes 64 bits
        account.settlements[name] = dict.fromkeys(map(str, range(46_117)), *posted.values())
    assert (2, 0) == agree([account], policies(policy(scheme("mutual"))))


def test_a_claim_that_no_column_holds_is_not_packed() -> None:
    """Its bills add up to more than 64 bits: nothing is cut off, and the core decides it."""
    account = book_of(encode(body) for body in stay_of("E1", "2020-03-01", "999999999999.99")).accounts[PersonId("P1")]
    (posted,) = account.settlements[ClaimId("E1")].values()
    account.settlements[ClaimId("E1")] = dict.fromkeys(map(str, range(92_234)), posted)
    table, beyond = pack([account])
    assert (0, [account]) == (len(table), beyond)
    published = policies(policy(scheme("mutual")))
    assert sums([account], published, published) == tally_of(pack([account]), published, published)


def test_the_first_area_in_order_of_ids_is_that_of_the_claim() -> None:
    """Of several coverages on the day, the first that names an area, as in a simulation of lines."""
    areas = {"C1": None, "C2": "B", "C3": "A", "C4": "C"}
    covers = [coverage_from(coverage_id=name, **({"area": area} if area else {})) for name, area in areas.items()]
    late = coverage_from("2021-01-01", coverage_id="C0", area="D")
    book = book_of(encode(body) for body in (*reversed(covers), late, *stay_of("E1", "2020-03-01", "50.00")))
    published = policies(policy(scheme("mutual")))
    found = tally_of(pack(book.accounts.values()), Policies(), published)
    assert [("B",)] == list(found.by_area)
    assert ["B"] == [each.area for each in found.largest]


def test_changes_on_the_edge_of_a_class_belong_to_it() -> None:
    """One fen beside each edge and on it, gained and lost, as the core counts them."""
    amounts = [f"{edge}.00" for edge in (1, 10, 100, 1_000)] + ["0.99", "1.01", "9.99", "10.01"]
    stays = [event for n, amount in enumerate(amounts) for event in stay_of(f"E{n}", "2020-03-01", amount)]
    accounts = list(book_of(encode(body) for body in (coverage_from(), *stays)).accounts.values())
    published = policies(policy(scheme("mutual")))
    for before, after in ((Policies(), published), (published, Policies())):
        assert sums(accounts, before, after) == tally_of(pack(accounts), before, after)


def test_claims_of_one_day_are_packed_in_order_of_their_ids() -> None:
    """By code point, as sums of a year are laid end to end."""
    names = ["e10", "E2", "E10", "é", "E1", "a", "B", "Z", "住", "1", "02", "~"]
    stays = [event for name in names for event in stay_of(name, "2020-03-01", "50.00")]
    book = book_of(encode(body) for body in (coverage_from(), *stays))
    assert sorted(names) == claim_ids(pack(book.accounts.values()).table).to_pylist()


def test_most_of_a_city_is_usual() -> None:
    """Or columns would gain nothing: nine claims in ten of the made-up city, and its sums are those of the core."""
    accounts = list(book_of(generate(21, 1500)).accounts.values())
    before = read_policies([WUXI])
    after = policies(WUXI.read_text("utf-8").replace('"0.60"', '"0.45"').replace('rate = "0.30"', 'rate = "0.55"'))
    claims, usual = agree(accounts, before)
    assert usual > 0.9 * claims
    found = tally_of(pack(accounts), before, after)
    assert found.largest
    assert sums(accounts, before, after) == found
