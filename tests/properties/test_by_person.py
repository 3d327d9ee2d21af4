"""Working on a file of facts person by person gives what one book gives that takes the whole file, line by line."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.offline.worker_processes import Workers, workers
from handlers.claims.adjudicate import Adjudication
from handlers.offline.book import Book
from handlers.offline.columns.packing import pack, unpack
from handlers.offline.what_if import LARGEST, Tally, all_pairs, in_place_of
from infra.population import generate
from schemas.dates import parse_instant
from schemas.money import format_yuan
from schemas.policy.model import Policies
from schemas.policy.policy_file import read_policies
from tests.oracle.cases import any_case, random_person_years
from tests.properties.one_by_one import Claims, Deciding, book_of, in_one_book, person_by_person
from tests.properties.strategies import (
    History,
    bill_of,
    busy_years,
    coverage_from,
    deliveries,
    discharge_of,
    histories,
    policy,
    scheme,
    tried,
    with_advances,
)
from tests.support.builders import (
    VILLAGE,
    YEARLY,
    Json,
    answer,
    bill,
    coverage,
    discharge,
    encode,
    policies,
    policy_text,
)
from tests.support.length import times
from tests.support.paths import WUXI
from tests.support.repeated_invoices import minding, with_repeated_invoices

CASES = times(30, 150, "HUZHU_TEST_EXAMPLES") * 2


@pytest.mark.parametrize("part", range(4))
def test_person_by_person_is_as_one_book(part: int, tmp_path: Path) -> None:
    """Random cases, dense in repeated, stale, conflicting, foreign and broken events: every claim, every refusal."""
    twice = 0
    for seed in range(part, CASES, 4):
        case = any_case(seed)
        lines = with_repeated_invoices(case.lines, seed)
        published = policies(*minding(case.policy_texts, seed))
        expected = in_one_book(lines, published)
        assert expected == person_by_person(lines, published, tmp_path, Workers(None)), f"seed {seed}"
        twice += "DUPLICATE_INVOICE" in str(expected[0])
    assert twice, "or no invoice was"


def test_an_invoice_of_one_persons_two_encounters_is_found(tmp_path: Path) -> None:
    """Though nobody else names it; and not one of two bills of one encounter."""
    days = ("2024-03-01", "2024-04-01", "2024-05-01")
    events: list[Json] = [discharge(f"E{n}", day, admitted_on=day) for n, day in enumerate(days)]
    events += [bill(f"S{number}", f"E{number // 2}", invoice_no="I") for number in range(3)]
    events += [bill(f"T{number}", "E2", invoice_no="J") for number in range(2)]
    lines = [encode(event) for event in events]
    found = person_by_person(lines, Policies(), tmp_path, Workers(None))
    assert in_one_book(lines, Policies()) == found
    assert [["DUPLICATE_INVOICE"], ["DUPLICATE_INVOICE"], None] == [claim.get("alerts") for claim in found[0]]


def test_the_population_comes_out_the_same_in_other_processes(tmp_path: Path) -> None:
    """A made-up city, shuffled, through two processes."""
    lines = list(generate(11, 300))
    Random(5).shuffle(lines)
    published = read_policies([WUXI])
    expected = in_one_book(lines, published)
    assert expected[1], "some are refused"
    with workers(2) as hands:
        assert expected == person_by_person(lines, published, tmp_path, hands, 20_000, 5)


@pytest.mark.parametrize("as_of", ["2024-06-30T09:30:00+08:00", "2023-12-31T23:59:59.5Z", "1980-01-01T00:00:00Z"])
def test_what_lies_in_the_future_is_refused_alike(as_of: str, tmp_path: Path) -> None:
    """As of a moment amid a city's facts the same lines are refused, in the same words, in usual form or not."""
    lines, moment = list(generate(12, 150)), parse_instant(as_of)
    for name, instant in (("E-on", moment + timedelta(days=1)), ("E-over", moment + timedelta(days=1, microseconds=1))):
        lines.append(encode(discharge(name, "1979-05-01", admitted_on="1979-05-01", occurred_at=instant.isoformat())))
    published = read_policies([WUXI])
    expected = in_one_book(lines, published, moment)
    assert expected == person_by_person(lines, published, tmp_path, Workers(None), 20_000, 5, moment)
    ahead = [number for number, refusal in expected[1] if refusal.pointers == ("/occurred_at",)]
    assert len(lines) in ahead
    assert len(lines) - 1 not in ahead
    assert len(ahead) > 10


def test_the_first_of_two_rivals_decides(tmp_path: Path) -> None:
    """An id under two persons: whoever's fact stands first in the file keeps it, wherever the buckets put them."""
    for first in range(12):
        mine = {**discharge("E1"), "person_id": f"P{first}"}
        others: list[Json] = [{**discharge("E1"), "person_id": f"P{n}"} for n in range(12) if n != first]
        bills: list[Json] = [{**bill(f"S{n}", "E1"), "person_id": f"P{n}"} for n in range(12)]
        lines = [encode(event) for event in [mine, *others, *bills]]
        claims, refused = person_by_person(lines, Policies(), tmp_path, Workers(None), buckets=7)
        assert (claims, refused) == in_one_book(lines, Policies())
        assert [f"P{first}"] == [claim["person_id"] for claim in claims]
        assert 22 == len(refused)


def test_what_insurers_answer_is_no_persons(tmp_path: Path) -> None:
    """Not even of a person who is called as the insurer is, nor of two insurers who answer one statement."""
    own: Json = {"person_id": "insurer-a"}
    answers = [answer(), answer(reasons=["why"]), answer(insurer="insurer-b"), answer(version=2)]
    facts = [coverage("C", **own), discharge("E", **own), bill("S", "E", **own)]
    lines = [encode(each) for pair in zip(answers, [*facts, discharge("E2")], strict=True) for each in pair]
    published = policies(policy_text("p", "2020-01-01", None, VILLAGE))
    claims, refused = in_one_book(lines, published)
    assert ["300.00", "0.00"] == [claim["total_benefit"] for claim in claims]
    assert [] == refused
    assert (claims, refused) == person_by_person(lines, published, tmp_path, Workers(None))


def test_a_bill_that_names_another_encounter_is_refused(tmp_path: Path) -> None:
    """Whichever of its versions stands first in the file decides which encounter is billed."""
    one, other = bill("S1", "E1"), {**bill("S1", "E2"), "version": 2}
    for bills in ([one, other], [other, one]):
        lines = [encode(event) for event in (discharge("E1"), discharge("E2"), *bills)]
        found = person_by_person(lines, Policies(), tmp_path, Workers(None))
        assert in_one_book(lines, Policies()) == found
        assert [4] == [number for number, _ in found[1]]


@tried
@given(with_advances(histories() | busy_years()), st.data())
def test_what_hospitals_took_off_comes_out_the_same(history: History, data: st.DataObject) -> None:
    """Whoever is paid what of each benefit, and the order in which hospitals are paid back, of corrected bills too."""
    lines, published = [encode(body) for body in data.draw(deliveries(history.facts))], policies(*history.policies)
    with TemporaryDirectory() as folder:
        found = person_by_person(lines, published, Path(folder), Workers(None))
    assert in_one_book(lines, published) == found
    accounts = pack(book_of(lines).accounts.values())
    unpacked = Deciding(published)(unpack(accounts.table))
    assert sorted(unpacked, key=lambda claim: str(claim["claim_id"])) == found[0]


def test_hospitals_are_paid_back_in_the_order_in_which_they_settled(tmp_path: Path) -> None:
    """By the instant, whatever the offset and the ids say: of 10.00 due, H2 has its 8.00 and H1 the rest."""
    taken = [{"scheme_id": "mutual", "amount": "8.00"}]
    first = {"settlement_id": "S2", "settled_at": "2020-02-02T09:00:00+08:00", "facility_id": "H2"}
    second = {"settlement_id": "S1", "settled_at": "2020-02-02T02:00:00Z", "facility_id": "H1"}
    bills = [bill_of("E1", "10.00", advances=taken, **each) for each in (second, first)]
    lines = [encode(body) for body in (coverage_from(), discharge_of("E1", "2020-03-01"), *bills)]
    published = policies(policy(scheme("mutual", {"0.00": "0.5"})))
    found = person_by_person(lines, published, tmp_path, Workers(None))
    assert in_one_book(lines, published) == found
    (claim,) = found[0]
    assert claim["payees"] == [
        {"scheme_id": "mutual", "payee": "facility", "payee_id": "H2", "amount": "8.00"},
        {"scheme_id": "mutual", "payee": "facility", "payee_id": "H1", "amount": "2.00"},
    ]


# Two policies ------------------------------------------------------------------------------------------------------


def benefits(claims: Claims) -> dict[tuple[str, str], str]:
    """Yuan by claim and scheme."""
    found: dict[tuple[str, str], str] = {}
    for claim in claims:
        listed = claim["benefits"]
        assert isinstance(listed, list)
        found |= {(str(claim["claim_id"]), str(each["scheme_id"])): str(each["benefit"]) for each in listed}
    return found


def paid(adjudications: list[Adjudication]) -> dict[tuple[str, str], str]:
    """Yuan by claim and scheme."""
    return {
        (each.claim.claim_id, benefit.scheme.id): format_yuan(benefit.amount)
        for each in adjudications
        for benefit in each.benefits
    }


@pytest.mark.parametrize("part", range(2))
def test_both_sides_are_what_each_policy_gives_alone(part: int) -> None:
    """Claim by claim and scheme by scheme, to the fen, for two policies that have nothing to do with each other."""
    differing = 0
    for seed in range(part, CASES, 2):
        case, other = random_person_years(seed), random_person_years(seed + 1)
        before, after = policies(*case.policy_texts), policies(*other.policy_texts)
        book = Book()
        for line in case.lines:
            book.take(line)
        found = [pair for person in all_pairs(book.accounts.values(), before, after) for pair in person]
        sides = [benefits(in_one_book(case.lines, each)[0]) for each in (before, after)]
        assert sides == [paid([pair.before for pair in found]), paid([pair.after for pair in found])], f"seed {seed}"
        differing += sides[0] != sides[1]
    assert differing


def test_new_policies_stand_in_for_the_others_on_their_own_days_only() -> None:
    """On each day of forty years the policy is the new one where there is one, else the old one; ids may repeat."""
    rng = Random(4)
    year_starts = [f"{year}-0{rng.randint(1, 9)}-1{rng.randint(0, 9)}" for year in range(2000, 2040)]
    for _ in range(40):
        days = sorted(rng.sample(year_starts, 7))
        old = [policy_text(f"old{n}", days[n], days[n + 1], VILLAGE) for n in range(0, 6, rng.choice((1, 2)))]
        days = sorted(rng.sample(year_starts, 5))
        new = [
            policy_text(f"old{n}", days[n], rng.choice((days[n + 1], None if n else days[n + 1])), YEARLY)
            for n in (0, 2)
        ]
        before, over = policies(*old), policies(*new)
        together = in_place_of(before, over)
        for number in range(0, 366 * 40, 5):
            day = date(2000, 1, 1) + timedelta(days=number)
            expected, actual = over.on(day) or before.on(day), together.on(day)
            assert (expected is None) == (actual is None)
            assert expected is None or actual is None or expected.schemes is actual.schemes


def test_tallies_of_parts_add_up_to_the_tally_of_the_whole() -> None:
    """However persons are split between processes, the report is the same; and its sums agree with each other."""
    book = Book()
    for line in generate(8, 400):
        book.take(line)
    before = read_policies([WUXI])
    after = policies(WUXI.read_text("utf-8").replace('"0.60"', '"0.45"').replace('rate = "0.30"', 'rate = "0.55"'))
    decided = list(all_pairs(book.accounts.values(), before, after))
    whole, parts = Tally(), [Tally() for _ in range(3)]
    for number, person in enumerate(decided):
        whole.take(person)
        parts[number % 3].take(person)
    added = Tally()
    for part in reversed(parts):
        added.merge(part)
    added.merge(Tally())
    whole.merge(Tally())
    assert whole == added
    change = whole.total.after - whole.total.before
    assert change
    for sums in (whole.by_tier, whole.by_area, whole.by_month):
        assert change == sum(cost.after - cost.before for cost in sums.values())
    for counted in (whole.claims_by_change, whole.persons_by_change):
        assert change == sum(each.sum for each in counted.values())
    changes = sorted((abs(pair.change) for person in decided for pair in person if pair.change), reverse=True)
    assert changes[:LARGEST] == [abs(each.change) for each in whole.largest]
    assert whole.claims == sum(each.count for each in whole.claims_by_change.values())
    assert whole.persons == sum(each.count for each in whole.persons_by_change.values())
