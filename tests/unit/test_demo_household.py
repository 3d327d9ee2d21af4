"""The household that the demo adds: two members, one cap, and the words for whoever comes second."""

from __future__ import annotations

from cli.demo.demo_command import HOUSEHOLD_POLICY, SAMPLE_POLICY
from cli.demo.household import FIRST, SECOND, home, second_stay
from handlers.claims.admit import Disposition
from handlers.offline.book import Book
from schemas.decisions import StepKind
from schemas.policy.policy_file import read_policies
from tests.support.paths import REPOSITORY


def test_the_second_member_gets_what_the_first_one_left() -> None:
    """Under the two samples: 3,500.00 of the cap of 4,000.00 for one, the rest for the other; README says so."""
    book, policies = Book(), read_policies([SAMPLE_POLICY, HOUSEHOLD_POLICY])
    assert {Disposition.ACCEPTED} == {book.take(event) for event in home() + second_stay()}
    decided = {str(decision.person_id): decision for decision in book.decide(policies)}
    assert (3500_00, 500_00) == tuple(decided[name].total_benefit for name in (FIRST, SECOND))
    (capped,) = [line for line in decided[SECOND].explanation if line.step is StepKind.CAP_PER_HOUSEHOLD_YEAR]
    readme = (REPOSITORY / "README.md").read_text("utf-8")
    assert f"  {capped.zh}\n  {capped.en}\n" in readme
