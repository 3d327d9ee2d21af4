"""The difference between what is due and what was instructed."""

from __future__ import annotations

from handlers.claims.account import Account
from handlers.claims.adjudicate import Adjudication, adjudicate
from handlers.claims.payers import BY_FUND
from handlers.claims.settle import Due, differences, in_order
from schemas.canonical import derived_id
from schemas.ids import ClaimId, PayoutId, PersonId
from schemas.outbound import InstructionKind
from schemas.policy.model import Policies
from schemas.records import BenefitRow
from schemas.treaty.treaty_model import Treaties
from tests.support.builders import (
    POLICY,
    VILLAGE,
    YEARLY,
    Json,
    bill,
    coverage,
    discharge,
    policies,
    policy_text,
    reading,
    void,
)

BOTH = policies(POLICY)
COVERED = [coverage(), coverage("C2", "dibao"), discharge()]


def only_claim(events: list[Json], published: Policies = BOTH) -> Adjudication:
    account = Account(PersonId("P1"))
    for event in events:
        account.apply(reading(event).fact)
    (adjudication,) = adjudicate(account, published)
    return adjudication


def settle(adjudication: Adjudication, held: dict[str, BenefitRow]) -> list[Due]:
    """The differences; ``held`` is brought up to date as the ledger would."""
    found = differences(adjudication, held, {}, Treaties())
    held.update({row.scheme_id: row for row in found.benefits})
    return found.dues


def short(dues: list[Due]) -> list[tuple[str, str, int, int]]:
    return [(due.row.scheme_id, due.kind, due.amount, due.revision) for due in dues]


def test_the_first_decision_is_instructed_in_full() -> None:
    """One payment a scheme that pays, revision 1, from nothing to the benefit."""
    held: dict[str, BenefitRow] = {}
    dues = settle(only_claim([*COVERED, bill()]), held)
    # 30 % of 1,000 over the threshold; then 33.3 % of the 2,200 over 500 of the 2,700 that remain
    expected = [("village_mutual_aid", "payment", 30_000, 1), ("self_pay_assistance", "payment", 73_260, 1)]
    assert expected == short(dues)
    assert [0, 0] == [due.balance_before for due in dues]
    assert {"village_mutual_aid": 30_000, "self_pay_assistance": 73_260} == {n: row.benefit for n, row in held.items()}


def test_nothing_new_is_nothing_to_instruct() -> None:
    """The same decision again has no difference and keeps the revision."""
    held: dict[str, BenefitRow] = {}
    settle(only_claim([*COVERED, bill()]), held)
    before = dict(held)
    assert [] == settle(only_claim([*COVERED, bill()]), held)
    assert before == held


def test_only_the_difference_is_paid_or_recovered() -> None:
    """More due is a payment of the rest, less due a recovery; revisions go up by one."""
    held: dict[str, BenefitRow] = {}
    settle(only_claim([*COVERED, bill()]), held)
    more = settle(only_claim([*COVERED, bill(version=2, copay=4000)]), held)
    assert ("village_mutual_aid", "payment", 30_000, 2) == short(more)[0]
    less = settle(only_claim([*COVERED, bill(version=3, copay=2001)]), held)
    assert ("village_mutual_aid", "recovery", 59_970, 3) == short(less)[0]
    assert 30 == held["village_mutual_aid"].benefit


def test_a_voided_claim_gives_back_all_and_remembers_its_policy() -> None:
    """Every scheme that had paid is recovered under the policy it was paid under; later bills start from there."""
    held: dict[str, BenefitRow] = {}
    settle(only_claim([*COVERED, bill()]), held)
    back = settle(only_claim([*COVERED, void()]), held)
    expected = [("self_pay_assistance", "recovery", 73_260, 2), ("village_mutual_aid", "recovery", 30_000, 2)]
    assert expected == short(back)
    assert {"both-layers"} == {due.row.policy_id for due in back}
    assert [] == settle(only_claim([*COVERED, void()]), held)
    again = settle(only_claim([*COVERED, bill(version=3)]), held)
    assert [("payment", 3), ("payment", 3)] == [(due.kind, due.revision) for due in again]


def test_a_claim_that_moves_to_another_policy_is_settled_scheme_by_scheme() -> None:
    """A scheme that the new policy does not have is recovered; one that both have pays the difference."""
    releases = policies(
        policy_text("old", "2020-01-01", "2024-03-12", VILLAGE, YEARLY),
        policy_text("new", "2024-03-12", None, VILLAGE.replace('rate = "0.30"', 'rate = "0.50"')),
    )
    held: dict[str, BenefitRow] = {}
    settle(only_claim([*COVERED, bill()], releases), held)
    moved = discharge(version=2, discharged_on="2024-03-12")
    dues = settle(only_claim([*COVERED, moved, bill()], releases), held)
    expected = [("village_mutual_aid", "payment", 20_000, 2), ("self_pay_assistance", "recovery", 73_260, 2)]
    assert expected == short(dues)
    assert ["new", "old"] == [due.row.policy_id for due in dues]


def test_a_scheme_that_never_paid_has_a_row_and_no_instruction() -> None:
    """Why nothing is paid is kept beside what is paid."""
    held: dict[str, BenefitRow] = {}
    dues = settle(only_claim([discharge(), coverage(), bill(copay=2000)]), held)
    assert [] == dues
    found = {name: (row.benefit, row.reason, row.instruction_revision) for name, row in held.items()}
    expected = {"village_mutual_aid": (0, "UNDER_THRESHOLD", 0), "self_pay_assistance": (0, "NO_COVERAGE", 0)}
    assert expected == found


def test_a_payout_id_follows_from_claim_scheme_and_revision_alone() -> None:
    """Not from the amount, the person, the policy or the time."""
    dues = settle(only_claim([*COVERED, bill()]), {}) + settle(only_claim([*COVERED, bill(copay=9000)]), {})
    ids = [due.payout_id for due in dues]
    assert ids[:2] == ids[2:]
    assert derived_id("PO", "E1", "village_mutual_aid", 1) == ids[0]
    assert len(set(ids)) == 2


def test_recoveries_come_before_payments() -> None:
    """Otherwise their order stays, so that no cap is passed between two instructions of one change."""
    row = BenefitRow(ClaimId("E1"), "s", None, "copay", 0, 0, None, 1, None, None)
    kinds = [InstructionKind.PAYMENT, InstructionKind.RECOVERY, InstructionKind.PAYMENT, InstructionKind.RECOVERY]
    dues = [Due(PayoutId(str(number)), kind, 1, 0, row, 1, None, BY_FUND) for number, kind in enumerate(kinds)]
    assert ["1", "3", "0", "2"] == [due.payout_id for due in in_order(dues)]
