"""What insurers report, folded: any order, twice, contradicting each other; and how much may be ordered again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.claims.payout_reports import NotReissuable, PayoutReport, Verdict, amount_to_reissue, state_of, verdicts
from handlers.claims.world import World
from schemas.facts import PayoutStatus
from schemas.ids import ClaimId, PayoutId, PersonId
from schemas.outbound import AlertCode
from schemas.records import InstructionRow, Outcome, PayoutStateRow
from tests.support.builders import (
    POLICY,
    RECORDED_AT,
    Json,
    bill,
    coverage,
    delivery,
    discharge,
    empty_world,
    policies,
    report,
    take,
    unhurried,
    values,
)

FIRST, PERSON = PayoutId("PO-1"), PersonId("P1")
PAID, FAILED, RETURNED = PayoutStatus.PAID, PayoutStatus.FAILED, PayoutStatus.RETURNED


def told(status: PayoutStatus, day: int, reference: str = "bank-1", mark: str = "a") -> PayoutReport:
    return PayoutReport(status, RECORDED_AT + timedelta(days=day), reference, mark * 64)


@pytest.mark.parametrize(
    ("reports", "state", "verdict"),
    [
        ([PAID], PAID, "applied"),
        ([FAILED], FAILED, "applied"),
        ([RETURNED], RETURNED, "applied"),
        ([PAID, RETURNED], RETURNED, "applied"),
        ([PAID, FAILED], PAID, "contradicts"),
        ([FAILED, PAID], FAILED, "contradicts"),
        ([FAILED, RETURNED], FAILED, "contradicts"),
        ([RETURNED, PAID], RETURNED, "contradicts"),
        ([RETURNED, FAILED], RETURNED, "contradicts"),
        ([PAID, PAID], PAID, "repeated"),
        ([FAILED, FAILED], FAILED, "repeated"),
        ([PAID, RETURNED, RETURNED], RETURNED, "repeated"),
        ([PAID, FAILED, RETURNED], RETURNED, "applied"),
    ],
)
def test_which_state_may_follow_which(reports: list[PayoutStatus], state: PayoutStatus, verdict: str) -> None:
    """Instructed may become anything, paid may be returned, and a failed or returned payout stays what it is."""
    found = [told(status, day) for day, status in enumerate(reports)]
    assert state == state_of(FIRST, PERSON, found).state
    assert verdict == verdicts(found)[-1][1]


def test_paid_under_a_second_reference_contradicts() -> None:
    """The same money sent twice shows as two references, so it is no mere repetition."""
    again = [told(PAID, 0), told(PAID, 1, "bank-2", "b")]
    assert Verdict.CONTRADICTS == verdicts(again)[-1][1]
    assert 1 == state_of(FIRST, PERSON, again).contradictions


reports_of_any_kind = st.lists(
    st.builds(
        told,
        st.sampled_from(PayoutStatus),
        st.integers(0, 2),
        st.sampled_from(["bank-1", "bank-2"]),
        st.sampled_from("abcdef"),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda each: each.content_sha256,
)


@unhurried
@given(reports_of_any_kind, st.randoms(use_true_random=False))
def test_the_order_of_arrival_makes_no_difference(reports: list[PayoutReport], random: object) -> None:
    """Law 1: whatever comes first, also within one instant, the state and what each report did are the same."""
    shuffled = list(reports)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert state_of(FIRST, PERSON, reports) == state_of(FIRST, PERSON, shuffled)
    assert verdicts(reports) == verdicts(shuffled)


@unhurried
@given(reports_of_any_kind)
def test_no_report_is_dropped(reports: list[PayoutReport]) -> None:
    """Each report counts once, and those that contradict are counted as such."""
    row = state_of(FIRST, PERSON, reports)
    assert len(reports) == row.reports == len(verdicts(reports))
    assert row.contradictions == sum(verdict is Verdict.CONTRADICTS for _, verdict in verdicts(reports))


# Through the one door -------------------------------------------------------------------------------------

STAY: list[Json] = [coverage(), discharge(), bill()]


def paid_out(*more: Json) -> tuple[World, Outcome]:
    world = empty_world(policies(POLICY))
    return world, take(world, [delivery(each, offset) for offset, each in enumerate([*STAY, *more])])


def reported(payout_id: str, status: str, day: int = 1, **fields: object) -> Json:
    return report(payout_id, status=status, reported_at=f"2025-04-{day:02d}T10:00:00+08:00", **fields)


def codes(outcome: Outcome) -> list[tuple[str, str | None]]:
    return [(each["code"], each["claim_id"]) for each in values(r for r in outcome.outbox if r.topic == "alerts")]


def audited(outcome: Outcome) -> list[Json]:
    entries = values(each for each in outcome.audit if each.kind == "event.accepted")
    return [each["subject"] for each in entries if "verdict" in each["subject"]]


def first_payout() -> PayoutId:
    return paid_out()[1].instructions[0].payout_id


def test_a_report_is_audited_with_what_it_did() -> None:
    """One entry a report: the state before and after, and whether it was taken, repeated or in contradiction."""
    name = first_payout()
    _, outcome = paid_out(
        reported(name, "paid"), reported(name, "returned", 3), reported(name, "failed", 4), reported(name, "paid", 2)
    )
    found = [(each["verdict"], each["state_before"], each["state"], each["matched"]) for each in audited(outcome)]
    assert found == [
        ("applied", "instructed", "paid", "yes"),
        ("applied", "paid", "returned", "yes"),
        ("contradicts", "returned", "returned", "yes"),
        ("repeated", "returned", "returned", "yes"),
    ]
    assert [(AlertCode.REPORT_CONTRADICTS, "E1")] == codes(outcome)


def test_a_late_report_that_sets_others_at_odds_raises_the_alert() -> None:
    """Failed on the 5th, and then a report comes that it was paid on the 4th: the two contradict each other."""
    name = first_payout()
    _, outcome = paid_out(reported(name, "failed", 5), reported(name, "paid", 4))
    assert [(AlertCode.REPORT_CONTRADICTS, "E1")] == codes(outcome)
    row = outcome.payout_states[name, PERSON]
    assert ("paid", "failed", 1) == (row.state, row.last_status, row.contradictions)


def test_a_report_of_no_payout_is_kept_and_raises_an_alert() -> None:
    """An unknown payout, and a payout of somebody else, are unmatched; the payout's own state stays as it is."""
    name = first_payout()
    stranger = {**reported(name, "failed"), "person_id": "P2"}
    _, outcome = paid_out(reported("PO-unknown", "paid"), stranger)
    assert [(AlertCode.REPORT_UNMATCHED, None)] * 2 == codes(outcome)
    assert ["no", "no"] == [each["matched"] for each in audited(outcome)]
    assert {("PO-unknown", "P1"): "paid", (name, "P2"): "failed"} == {
        place: row.state for place, row in outcome.payout_states.items()
    }


def test_a_report_that_comes_before_its_instruction_counts_once_that_is_there() -> None:
    """The row is the same, whether the report or the instruction came first."""
    name = first_payout()
    late, early = paid_out(reported(name, "paid"))[1], empty_world(policies(POLICY))
    events = [delivery(each, offset) for offset, each in enumerate([reported(name, "paid"), *STAY])]
    assert late.payout_states == take(early, events).payout_states


# How much is ordered again --------------------------------------------------------------------------------


def line(*signed: int, off: dict[int, int] | None = None) -> list[InstructionRow]:
    """Instructions of one claim and scheme: PO-1, PO-2...; ``off`` names those that take another one off the books."""
    rows, balance = [], 0
    for revision, amount in enumerate(signed, start=1):
        kind, reversed_no = "payment" if amount > 0 else "recovery", (off or {}).get(revision)
        row = InstructionRow(
            payout_id=PayoutId(f"PO-{revision}"),
            claim_id=ClaimId("E1"),
            scheme_id="s",
            revision=revision,
            kind=kind,
            amount=abs(amount),
            balance_before=balance,
            balance_after=balance + amount,
            person_id=PERSON,
            number=0,
            value=b"{}",
        )
        rows.append(row._replace(reversal_of=f"PO-{reversed_no}" if reversed_no else None))
        balance += amount
    return rows


def states(**told_of: str) -> dict[tuple[PayoutId, PersonId], PayoutStateRow]:
    """The states of PO-1, PO-2..., given as ``PO1="failed"``."""
    named = {PayoutId(name.replace("PO", "PO-")): PayoutStatus(status) for name, status in told_of.items()}
    return {(name, PERSON): state_of(name, PERSON, [told(status, 0)]) for name, status in named.items()}


@pytest.mark.parametrize(
    ("signed", "known", "name", "amount"),
    [
        ([300], states(PO1="failed"), 1, 300),
        ([300], states(PO1="returned"), 1, 300),
        ([300, 50], states(PO1="failed"), 1, 300),
        ([300, 50], states(PO1="failed", PO2="failed"), 1, 300),
        ([300, 50], states(PO1="failed", PO2="failed"), 2, 50),
        ([300, -100], states(PO1="failed"), 1, 300),  # the recovery may still be collected
        ([300, -100], states(PO1="failed", PO2="failed"), 1, 200),  # neither happened: what is due today
        ([300, -100], states(PO1="paid", PO2="failed"), 2, 100),
    ],
)
def test_what_is_missing_is_ordered_again(
    signed: list[int], known: dict[tuple[PayoutId, PersonId], PayoutStateRow], name: int, amount: int
) -> None:
    """As much as did not arrive, and never more than is due today."""
    rows = line(*signed)
    assert amount == amount_to_reissue(rows[name - 1], rows, known)


@pytest.mark.parametrize(
    ("signed", "known", "name", "why"),
    [
        ([300], {}, 1, "is instructed"),
        ([300], states(PO1="paid"), 1, "is paid"),
        ([300, -300], states(PO1="failed", PO2="failed"), 1, "nothing is missing"),
        ([300, -100], states(PO1="failed", PO2="failed"), 2, "nothing is missing"),
    ],
)
def test_what_may_not_be_ordered_again(
    signed: list[int], known: dict[tuple[PayoutId, PersonId], PayoutStateRow], name: int, why: str
) -> None:
    """What may still arrive or has arrived, and what is no longer due."""
    rows = line(*signed)
    with pytest.raises(NotReissuable, match=why):
        amount_to_reissue(rows[name - 1], rows, known)


def test_a_payout_that_was_perhaps_paid_is_not_ordered_again() -> None:
    """Failed, but the newest report says paid: first the insurer must say that it was not."""
    rows, place = line(300), (FIRST, PERSON)
    doubtful = [told(FAILED, 0), told(PAID, 1)]
    with pytest.raises(NotReissuable, match="contradict"):
        amount_to_reissue(rows[0], rows, {place: state_of(*place, doubtful)})
    assert 300 == amount_to_reissue(rows[0], rows, {place: state_of(*place, [*doubtful, told(RETURNED, 2)])})


def by_insurer(rows: list[InstructionRow], *revisions: int) -> list[InstructionRow]:
    """The rows, some of them an insurer's."""
    return [row._replace(payer="insurer-a", treaty_id="t1") if row.revision in revisions else row for row in rows]


@pytest.mark.parametrize(
    ("signed", "insurers", "known", "amounts"),
    [
        # The fund's payment failed, the insurer's could not be taken back: each orders its own again.
        ([100, 50, -50], (2, 3), states(PO1="failed", PO2="paid", PO3="failed"), {1: 100, 3: 50}),
        ([100, 50, -50], (2, 3), states(PO1="failed", PO2="failed", PO3="failed"), {1: 100}),
        ([100, 50, -50, -100], (2, 3), states(PO1="paid", PO2="failed", PO4="failed"), {2: 50, 4: 100}),
    ],
)
def test_each_payer_orders_its_own_again(
    signed: list[int],
    insurers: tuple[int, ...],
    known: dict[tuple[PayoutId, PersonId], PayoutStateRow],
    amounts: dict[int, int],
) -> None:
    """What is missing of one payer's money is not made up for by another's, and not taken from it."""
    rows = by_insurer(line(*signed), *insurers)
    failed = [row.revision for row in rows if (row.payout_id, PERSON) in known and states_fail(known, row)]
    for revision in failed:
        if revision in amounts:
            assert amounts[revision] == amount_to_reissue(rows[revision - 1], rows, known)
        else:
            with pytest.raises(NotReissuable, match="nothing is missing"):
                amount_to_reissue(rows[revision - 1], rows, known)


def states_fail(known: dict[tuple[PayoutId, PersonId], PayoutStateRow], row: InstructionRow) -> bool:
    return known[row.payout_id, PERSON].state == "failed"


def test_a_book_reversal_is_not_ordered_again() -> None:
    """No money moves by it, whatever is reported."""
    rows = line(300, -300, 300, off={2: 1})
    with pytest.raises(NotReissuable, match="reversal"):
        amount_to_reissue(rows[1], rows, states(PO1="failed", PO2="failed"))
