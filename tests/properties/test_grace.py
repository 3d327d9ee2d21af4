"""Grace (time.md, section 6): a coverage that ended counts some months more, as if it had ended later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cli.offline.worker_processes import Workers
from handlers.offline.columns.arrays import months_later as columns_months_later
from handlers.offline.columns.arrays import number_of
from handlers.offline.columns.packing import pack, unpack
from schemas.dates import months_later
from tests.properties.explained import assert_explained
from tests.properties.grace_strategies import GraceDrawn, graces, with_each_grace, with_grace, with_reasons
from tests.properties.one_by_one import Deciding, book_of, in_one_book, person_by_person
from tests.properties.strategies import (
    Body,
    Decision,
    History,
    Ledger,
    busy_years,
    coverage_from,
    decide,
    deliveries,
    due_of,
    histories,
    newest,
    policy,
    scheme,
    stay_of,
    tried,
)
from tests.support.builders import encode, policies

SENTENCES = ("zh", "en")


def same_day_of(day: date, months: int) -> date:
    """Some months later by the words of the contract, one month after the other by the name of the month."""
    first = day.replace(day=1)
    for _ in range(months):
        first = (first + timedelta(days=31)).replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return first.replace(day=min(day.day, last.day))


def ending_later(body: Body, grace: GraceDrawn) -> Body:
    """The coverage as it would be recorded if it had ended with its grace."""
    listed = grace.reasons is None or body.get("ended_reason") in grace.reasons
    if body["event_type"] != "coverage.recorded" or "valid_to" not in body or not listed:
        return body
    return {**body, "valid_to": str(same_day_of(date.fromisoformat(body["valid_to"]), grace.months))}


def without_sentences(decisions: Mapping[str, Decision]) -> dict[str, Decision]:
    """Decisions as programs read them."""
    return {
        claim_id: {
            **decision,
            "explanation": [
                {name: value for name, value in line.items() if name not in SENTENCES}
                for line in decision["explanation"]
            ],
        }
        for claim_id, decision in decisions.items()
    }


@tried
@given(st.dates(date(1900, 1, 1), date(9000, 1, 1)), st.integers(0, 1200))
def test_months_later_is_the_same_day_or_the_last_of_a_shorter_month(day: date, months: int) -> None:
    """Every day of every month, as a walk from month to month finds it."""
    assert same_day_of(day, months) == months_later(day, months)


def test_columns_know_the_same_months() -> None:
    """Every day of five years, over one end of February and the next, by every number of months up to thirty."""
    days = [date(2019, 12, 28) + timedelta(days=number) for number in range(5 * 365)]
    numbers = np.array(list(map(number_of, days)), np.int64)
    for months in range(31):
        expected = [number_of(later) for day in days if (later := months_later(day, months))]
        assert expected == columns_months_later(numbers, months).tolist()


@tried
@given(with_reasons(histories() | busy_years()), graces())
def test_a_grace_decides_as_if_coverages_had_ended_later(history: History, grace: GraceDrawn) -> None:
    """Where all schemes have one grace, each status, tier, amount and step is that of coverages with its end."""
    texts = [with_each_grace(text, [grace]) for text in history.policies]
    facts = newest(history.facts)
    expected = decide(history.policies, *(ending_later(body, grace) for body in facts))
    assert without_sentences(expected) == without_sentences(decide(texts, *facts))


@tried
@given(with_grace(histories()), st.data())
def test_order_and_repetition_change_nothing_in_a_grace(history: History, data: st.DataObject) -> None:
    """The ledger ends with the decisions of the newest facts, their sentences included, and with what is due."""
    ledger = Ledger(*history.policies, one_batch=data.draw(st.booleans()))
    ledger.take(*data.draw(deliveries(history.facts)))
    expected = decide(history.policies, *newest(history.facts))
    assert expected == ledger.decisions()
    assert due_of(expected) == ledger.net


@tried
@given(with_grace(histories() | busy_years()), st.data())
def test_every_way_through_a_file_knows_the_same_grace(history: History, data: st.DataObject) -> None:
    """Lines in tiny chunks and buckets, and packed accounts: each claim with its sentences, and each refusal."""
    lines, published = [encode(body) for body in data.draw(deliveries(history.facts))], policies(*history.policies)
    expected = in_one_book(lines, published)
    with TemporaryDirectory() as folder:
        assert expected == person_by_person(lines, published, Path(folder), Workers(None))
    unpacked = Deciding(published)(unpack(pack(book_of(lines).accounts.values()).table))
    assert expected[0] == sorted(unpacked, key=lambda claim: str(claim["claim_id"]))


def test_why_a_coverage_ended_comes_through_every_way(tmp_path: Path) -> None:
    """One that ended for a reason of the list is paid, one that ended for another is not, from lines and packed."""
    published = policies(policy(scheme(grace_months=1, grace_reasons=["income"])))
    facts: list[Body] = []
    for person, reason in (("P1", "income"), ("P2", "moved")):
        ended = coverage_from(valid_to="2020-05-10", ended_reason=reason, coverage_id=f"C-{person}")
        facts += [{**body, "person_id": person} for body in (ended, *stay_of(f"E-{person}", "2020-05-20", "10.00"))]
    lines = list(map(encode, facts))
    claims, _ = person_by_person(lines, published, tmp_path, Workers(None))
    assert ["10.00", "0.00"] == [claim["total_benefit"] for claim in claims]
    unpacked = Deciding(published)(unpack(pack(book_of(lines).accounts.values()).table))
    assert claims == sorted(unpacked, key=lambda claim: str(claim["claim_id"]))


@tried
@given(with_grace(histories()))
def test_a_benefit_of_a_grace_follows_from_its_explanation(history: History) -> None:
    """To the fen, and each step has its amount in both languages."""
    for decision in decide(history.policies, *newest(history.facts)).values():
        assert_explained(decision)
