"""Answers to statements, read by the calculator and by the program: what becomes of each is the same."""

from __future__ import annotations

from itertools import permutations

import pytest

from handlers.claims.admit import Registry, admit
from handlers.claims.read import Reading, read
from tests.oracle.calculator import Ledger, RefusalError, adjudicate, read_event
from tests.oracle.payees import owed_to
from tests.support.builders import POLICY, Json, answer, bill, coverage, discharge, encode

ANSWERS = [
    answer(),
    answer(reasons=["paid twice"]),
    answer(version=2, lines=[1], reasons=["paid twice"]),
    answer(insurer="insurer-b", version=3),
    answer("ST-2", "insurer-b", lines=[3, 1], reasons=["a", "b"]),
]
ODD: list[Json] = [
    {"verdict": "confirmed", "reasons": ["why"]},
    {"verdict": "disputed"},
    {"verdict": "disputed", "reasons": []},
    {"verdict": "disputed", "reasons": [" "]},
    {"verdict": "disputed", "lines": [1, 2], "reasons": ["a"]},
    {"verdict": "disputed", "lines": [1, 1], "reasons": ["a", "b"]},
    {"verdict": "disputed", "lines": [0], "reasons": ["a"]},
    {"verdict": "disputed", "lines": None, "reasons": ["a", "b"]},
    {"verdict": "maybe", "reasons": ["a"]},
    {"statement_id": ""},
]


def by_the_calculator(events: list[Json]) -> list[str]:
    ledger, found = Ledger(), []
    for event in events:
        try:
            found.append(ledger.consider(read_event(encode(event))))
        except RefusalError as refusal:
            found.append(refusal.code)
    return found


def by_the_program(events: list[Json]) -> list[str]:
    registry: Registry = {}
    found = []
    for event in events:
        reading = read(encode(event))
        outcome = admit(reading, registry) if isinstance(reading, Reading) else reading
        found.append(str(getattr(outcome, "code", outcome)))
    return found


def test_in_whatever_order_they_come() -> None:
    """Versions, other contents, other insurers."""
    for order in permutations(ANSWERS):
        assert by_the_calculator(list(order)) == by_the_program(list(order))


@pytest.mark.parametrize("said", ODD, ids=str)
def test_what_does_not_fit_is_refused(said: Json) -> None:
    odd = [{**answer(), **said}]
    assert by_the_calculator(odd) == by_the_program(odd)


def test_an_answer_is_no_persons() -> None:
    """It changes no claim and nothing that is owed, also where a person is called as the insurer is."""
    own: Json = {"person_id": "insurer-a"}
    events = [coverage(**own), discharge(**own), bill(**own)]
    with_answers = [answer(), *events, answer(version=2, reasons=["why"])]
    claims, refused = adjudicate([POLICY], [encode(event) for event in with_answers])
    assert (claims, refused) == adjudicate([POLICY], [encode(event) for event in events])
    assert {("E1", "village_mutual_aid", ""): 30_000} == owed_to(with_answers, claims)
