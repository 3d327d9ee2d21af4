"""The laws hold of incidents, aid and sums assured as of stays, and every way of deciding them gives the same."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from cli.offline.worker_processes import Workers
from handlers.offline.columns.column_tally import tally_of
from handlers.offline.columns.packing import pack, unpack
from handlers.offline.what_if import Tally, all_pairs
from tests.properties.explained import assert_explained
from tests.properties.occasion_strategies import assuring_releases, days_in_hospital, occasional_histories
from tests.properties.one_by_one import Deciding, book_of, in_one_book, person_by_person
from tests.properties.strategies import (
    Body,
    Decision,
    History,
    Ledger,
    decide,
    deliveries,
    due_of,
    fen,
    histories,
    newest,
    tried,
)
from tests.support.builders import encode, policies


@tried
@given(occasional_histories(), st.data())
def test_order_and_corrections_end_where_a_fresh_adjudication_ends(history: History, data: st.DataObject) -> None:
    """Law 1 and law 3: whatever came before what, the last decisions and the money are those of the newest versions."""
    ledger = Ledger(*history.policies)
    ledger.take(*data.draw(deliveries(history.facts)))
    fresh = decide(history.policies, *newest(history.facts))
    assert fresh == ledger.decisions()
    assert due_of(fresh) == ledger.net


@tried
@given(occasional_histories(), st.data())
def test_person_by_person_is_as_one_book(history: History, data: st.DataObject) -> None:
    """A long file, in columns and back, gives what one book gives, refusals too."""
    lines, published = [encode(body) for body in data.draw(deliveries(history.facts))], policies(*history.policies)
    with TemporaryDirectory() as folder:
        found = person_by_person(lines, published, Path(folder), Workers(None))
    assert in_one_book(lines, published) == found
    accounts = pack(book_of(lines).accounts.values())
    unpacked = Deciding(published)(unpack(accounts.table))
    assert sorted(unpacked, key=lambda claim: str(claim["claim_id"])) == found[0]


@tried
@given(occasional_histories())
def test_every_benefit_follows_from_its_explanation(history: History) -> None:
    """Law 6, with the steps of sums assured; and patient_pays is the burden less what brackets pay."""
    for decision in decide(history.policies, *newest(history.facts)).values():
        assert_explained(decision)
        of_brackets = {line["scheme_id"] for line in decision["explanation"] if line["step"] == "bracket"}
        paid = sum(fen(each["benefit"]) for each in decision["benefits"] if each["scheme_id"] in of_brackets)
        assert fen(decision["patient_pays"]) == fen(decision["personal_burden"]) - paid >= 0


@tried
@given(occasional_histories())
def test_what_is_paid_once_is_paid_once_and_every_cap_holds(history: History) -> None:
    """Of a scheme that pays once a year or a life, at most one claim of the person is paid; caps count all payments."""
    published = policies(*history.policies)
    paid: Counter[tuple[str, int | None]] = Counter()
    for claim_id, decision in _in_canonical_order(decide(history.policies, *newest(history.facts)), history):
        release = published.named(decision["policy_id"] or "")
        for benefit, scheme in zip(decision["benefits"], release.schemes if release else (), strict=True):
            amount = fen(benefit["benefit"])
            year = _day_of(claim_id, history).year
            assert not (amount and scheme.once_per == "year" and paid[scheme.id, year]), benefit
            assert not (amount and scheme.once_per == "life" and paid[scheme.id, None]), benefit
            for place in ((scheme.id, year), (scheme.id, None)):
                paid[place] += amount
            for cap in (scheme.cap_per_year, scheme.cap_per_household_year):
                assert cap is None or not amount or paid[scheme.id, year] <= cap
            assert scheme.cap_per_stay is None or amount <= scheme.cap_per_stay


@tried
@given(days_in_hospital() | occasional_histories())
def test_a_day_counts_once(history: History) -> None:
    """The days that a scheme pays, found one by one from the facts, with none of them twice."""
    published = policies(*history.policies)
    counted: dict[str, set[date]] = {}
    for claim_id, decision in _in_canonical_order(decide(history.policies, *newest(history.facts)), history):
        release = published.named(decision["policy_id"] or "")
        for benefit, scheme in zip(decision["benefits"], release.schemes if release else (), strict=True):
            tier = next((each for each in scheme.tiers if each.name == benefit["tier"]), None)
            if tier is None or tier.per_day is None or benefit.get("reason") in ("FILED_LATE", "ALREADY_PAID"):
                continue
            first, days = _days_of(claim_id, history)
            numbered = [(number, first + timedelta(number - 1)) for number in range(1, days + 1)]
            seen = counted.setdefault(scheme.id, set())
            dated = scheme.trigger == "stay"  # an incident says only how many days there were
            free = [day for number, day in numbered if number >= tier.from_day and not (dated and day in seen)]
            fresh = free[: tier.days_max]
            seen.update(fresh)
            lines = [each for each in decision["explanation"] if each["scheme_id"] == scheme.id]
            told = [line["inputs"]["days_paid"] for line in lines if line["step"] == "per_day"]
            assert ([str(len(fresh))] if fresh and tier.per_day else []) == told


@tried
@given(st.lists(occasional_histories() | histories(), min_size=1, max_size=3), assuring_releases(), assuring_releases())
def test_columns_leave_such_persons_to_the_core(
    people: list[History], old: tuple[str, ...], new: tuple[str, ...]
) -> None:
    """A what-if over columns has the sums of the core, whoever has incidents or aid, under whatever schemes."""
    facts = [_of_person(number, body) for number, person in enumerate(people) for body in person.facts]
    accounts = list(book_of([encode(body) for body in facts]).accounts.values())
    before, after, by_core = policies(*old), policies(*new), Tally()
    for pairs in all_pairs(accounts, before, after):
        by_core.take(pairs)
    by_core.merge(Tally())
    assert by_core == tally_of(pack(accounts), before, after)


def _of_person(number: int, body: Body) -> Body:
    """The same fact of another person, with ids of their own."""
    ids = ("encounter_id", "settlement_id", "coverage_id", "aid_id", "incident_id")
    return {**body, "person_id": f"P{number}", **{name: f"{body[name]}-{number}" for name in ids if name in body}}


def _in_canonical_order(decisions: dict[str, Decision], history: History) -> list[tuple[str, Decision]]:
    """The claims whose benefits were decided."""
    decided = [(name, each) for name, each in decisions.items() if each["benefits"]]
    return sorted(decided, key=lambda each: (_day_of(each[0], history), each[0]))


def _newest_of(claim_id: str, history: History) -> Body:
    for body in newest(history.facts):
        told = (("", "encounter_id"), ("aid:", "aid_id"), ("incident:", "incident_id"))
        names = [f"{prefix}{body[name]}" for prefix, name in told if name in body]
        if claim_id in names and body["event_type"] in ("encounter.discharged", "aid.decided", "incident.recorded"):
            return body
    raise AssertionError(f"{claim_id} is of no fact")


def _day_of(claim_id: str, history: History) -> date:
    body = _newest_of(claim_id, history)
    return date.fromisoformat(str(body.get("discharged_on") or body.get("occurred_on") or body["decided_on"]))


def _days_of(claim_id: str, history: History) -> tuple[date, int]:
    body = _newest_of(claim_id, history)
    if "occurred_on" in body:
        return date.fromisoformat(body["occurred_on"]), int(body.get("days", 0))
    first, last = (date.fromisoformat(str(body[name])) for name in ("admitted_on", "discharged_on"))
    return first, max(1, (last - first).days)
