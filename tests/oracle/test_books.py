"""Worked examples of the books, computed by hand from payers.md, section 4, that pin their oracle; and its laws."""

from datetime import UTC, date, datetime
from typing import Any, Literal

import pytest

from .books import (
    Contributed,
    Instructed,
    Leg,
    Movement,
    Reported,
    Row,
    SetOff,
    Stated,
    Waived,
    balances,
    contributed_by,
    instructed_by,
    journal,
    reported_by,
    stated_by,
    trial_balance,
)

MARCH, APRIL, MAY = date(2024, 3, 1), date(2024, 4, 1), date(2024, 5, 1)


def at(day: str) -> datetime:
    """Noon in Shanghai on a day of 2024."""
    return datetime.fromisoformat(f"2024-{day}T12:00+08:00")


def ordered(
    name: str, amount: int, day: str = "03-05", payer: str = "fund", payee: str = "", **more: Any
) -> Instructed:
    """A payment of the scheme `s` to P1; below zero a recovery."""
    kind: Literal["payment", "recovery"] = "payment" if amount > 0 else "recovery"
    return Instructed(name, "P1", more.pop("scheme", "s"), kind, abs(amount), payer, payee, at(day), **more)


def told(name: str, status: str, day: str = "03-06", reported: str = "", person: str = "P1") -> Movement:
    return Reported(name, person, status, at(reported or day), at(day))


def books(*movements: Movement) -> dict[str, int]:
    legs = journal(movements)
    assert all(one.amount + other.amount == 0 for one, other in zip(legs[::2], legs[1::2], strict=True))
    return balances(legs)


# One payment, one recovery --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reports", "expected"),
    [
        ([], {"expense:s": 100, "payable:fund:person": -100}),
        (["paid"], {"expense:s": 100, "cash:fund": -100}),
        (["paid", "paid"], {"expense:s": 100, "cash:fund": -100}),
        (["failed"], {"expense:s": 100, "payable:fund:person": -100}),  # it never moved, and is still owed
        (["returned"], {"expense:s": 100, "payable:fund:person": -100}),
        (["paid", "returned"], {"expense:s": 100, "payable:fund:person": -100}),
        (["paid", "failed"], {"expense:s": 100, "cash:fund": -100}),  # contradicts
        (["failed", "paid"], {"expense:s": 100, "payable:fund:person": -100}),  # contradicts
    ],
)
def test_a_payment(reports: list[str], expected: dict[str, int]) -> None:
    """It is owed from the order on; only what is paid moves cash, and what comes back is owed again."""
    listed = [told("A", status, f"03-{day:02d}") for day, status in enumerate(reports, start=6)]
    assert expected == books(ordered("A", 100), *listed)


def test_a_late_report_turns_the_state_both_ways() -> None:
    """Failed on the 8th; then one comes that it was paid on the 7th, and then that it had failed on the 6th."""
    steps = [told("A", "failed", "03-10", "03-08"), told("A", "paid", "03-11", "03-07")]
    steps += [told("A", "failed", "03-12", "03-06")]
    owed, paid = {"expense:s": 100, "payable:fund:person": -100}, {"expense:s": 100, "cash:fund": -100}
    assert [owed, owed, paid, owed] == [books(ordered("A", 100), *steps[:count]) for count in range(4)]
    moved = [(leg.account, leg.amount, leg.booked_on.day) for leg in journal([ordered("A", 100), *steps])]
    assert [
        ("expense:s", 100, 5),
        ("payable:fund:person", -100, 5),
        ("payable:fund:person", 100, 11),
        ("cash:fund", -100, 11),
        ("cash:fund", 100, 12),
        ("payable:fund:person", -100, 12),
    ] == moved


def test_a_report_of_another_person_or_payout_moves_nothing() -> None:
    """It is kept, and matches nothing."""
    strangers = [told("A", "paid", person="P2"), told("B", "paid")]
    assert {"expense:s": 100, "payable:fund:person": -100} == books(ordered("A", 100), *strangers)


def test_what_was_reported_before_it_was_ordered_is_paid_at_once() -> None:
    """As after a restore, when reports are read again before what they are about."""
    early = [told("A", "paid", "03-04"), ordered("A", 100)]
    assert {"expense:s": 100, "cash:fund": -100} == books(*early)
    assert {"expense:s": 100, "payable:fund:person": -100} == books(*early, told("A", "returned"))


def test_a_recovery_before_the_payment_was_made() -> None:
    """100 are owed and 40 of them due back; then both move, and nothing is left but what it cost: 60."""
    orders = [ordered("A", 100), ordered("B", -40)]
    assert {"expense:s": 60, "payable:fund:person": -100, "receivable:fund:person": 40} == books(*orders)
    one = [*orders, told("A", "paid")]
    assert {"expense:s": 60, "cash:fund": -100, "receivable:fund:person": 40} == books(*one)
    other = [*orders, told("B", "paid")]
    assert {"expense:s": 60, "payable:fund:person": -100, "cash:fund": 40} == books(*other)
    assert {"expense:s": 60, "cash:fund": -60} == books(*one, told("B", "paid"))


def test_a_recovery_after_the_payment_was_made_and_bounced() -> None:
    """What was collected and came back is receivable again; of a whole payment taken back nothing is left."""
    whole = [ordered("A", 100), told("A", "paid"), ordered("B", -100, "03-07")]
    assert {"cash:fund": -100, "receivable:fund:person": 100} == books(*whole)
    assert {} == books(*whole, told("B", "paid", "03-08"))
    bounced = [told("B", "paid", "03-08"), told("B", "returned", "03-09")]
    assert {"cash:fund": -100, "receivable:fund:person": 100} == books(*whole, *bounced)


# Ordered again --------------------------------------------------------------------------------------------


def test_a_failed_payment_is_ordered_again() -> None:
    """The reversal takes it off payable, the new order puts it on again: 100 are owed, not 200, until it is paid."""
    steps = [ordered("A", 100), told("A", "failed"), ordered("R", -100, "03-07", reversal_of="A")]
    assert {} == books(*steps)
    steps.append(ordered("B", 100, "03-07"))
    assert {"expense:s": 100, "payable:fund:person": -100} == books(*steps)
    assert {"expense:s": 100, "cash:fund": -100} == books(*steps, told("B", "paid", "03-08"))


def test_a_failed_recovery_is_ordered_again() -> None:
    """The reversal, which is a payment, takes it off receivable and owes nobody anything."""
    paid = [ordered("A", 100), told("A", "paid"), ordered("B", -100, "03-07"), told("B", "failed", "03-08")]
    steps = [*paid, ordered("R", 100, "03-09", reversal_of="B")]
    assert {"expense:s": 100, "cash:fund": -100} == books(*steps)
    steps.append(ordered("C", -100, "03-09"))
    assert {"cash:fund": -100, "receivable:fund:person": 100} == books(*steps)
    assert {} == books(*steps, told("C", "paid", "03-10"))


def test_what_is_said_of_a_reversal_moves_nothing() -> None:
    """It is an entry in the books: no money was to move."""
    steps = [ordered("A", 100), told("A", "failed"), ordered("R", -100, "03-07", reversal_of="A")]
    assert {} == books(*steps, told("R", "paid", "03-08"))
    of_a_recovery = [ordered("B", -40), told("B", "failed"), ordered("Q", 40, "03-07", reversal_of="B")]
    assert {} == books(*of_a_recovery, told("Q", "paid", "03-08"))


def test_a_payment_that_failed_and_was_reversed_and_had_been_paid_after_all() -> None:
    """Paid twice, payable shows it: a debit of 100 that the payee owes back, and cash is 200 short."""
    steps = [ordered("A", 100), told("A", "failed", "03-06"), ordered("R", -100, "03-07", reversal_of="A")]
    steps += [ordered("B", 100, "03-07"), told("B", "paid", "03-08"), told("A", "paid", "03-09", "03-05")]
    assert {"expense:s": 100, "payable:fund:person": 100, "cash:fund": -200} == books(*steps)


# Payees, payers, schemes ----------------------------------------------------------------------------------


def test_a_facility_is_a_payee_of_its_own() -> None:
    """Of 300 the hospital H1 gets 180 and has 20 to give back; H2 40, the person 80: persons are one payee."""
    steps = [ordered("A", 180, payee="H1"), ordered("B", 40, payee="H2"), ordered("C", 80)]
    steps += [ordered("D", -20, "03-07", payee="H1")]
    assert {
        "expense:s": 280,
        "payable:fund:facility:H1": -180,
        "payable:fund:facility:H2": -40,
        "payable:fund:person": -80,
        "receivable:fund:facility:H1": 20,
    } == books(*steps)
    paid = [told("A", "paid"), told("C", "paid"), told("D", "paid", "03-08")]
    assert {"expense:s": 280, "cash:fund": -240, "payable:fund:facility:H2": -40} == books(*steps, *paid)


def test_two_payers_have_cash_and_payables_of_their_own() -> None:
    """100 by the fund, 50 by a, then 120 are taken back: a's 50 and 70 of the fund's; each scheme has its own cost."""
    steps = [ordered("A", 100), ordered("B", 50, payer="a", scheme="t"), told("A", "paid"), told("B", "paid")]
    steps += [ordered("C", -50, "03-08", "a", scheme="t"), ordered("D", -70, "03-08"), told("D", "paid", "03-09")]
    assert {"expense:s": 30, "cash:fund": -30, "cash:a": -50, "receivable:a:person": 50} == books(*steps)


# Statements, and what is not collected --------------------------------------------------------------------


def test_a_statement_is_what_the_others_owe_the_lead() -> None:
    """a leads and bears 618 of 1300 itself; b bears 412 and x 270. Next month 78, 52 and 270 go back."""
    march = [Stated(f"S-{who}", "t1", "a", who, amount, at("04-01")) for who, amount in (("a", 618), ("b", 412))]
    steps: list[Movement] = [ordered("A", 1300, payer="a"), *march, Stated("S-x", "t1", "a", "x", 270, at("04-01"))]
    owed = {"insurer:a:b": 412, "borne:b:t1": -412, "insurer:a:x": 270, "borne:x:t1": -270}
    assert {"expense:s": 1300, "payable:a:person": -1300, **owed} == books(*steps)
    steps += [Stated("T-b", "t1", "a", "b", -52, at("05-01")), Stated("T-x", "t1", "a", "x", -270, at("05-01"))]
    assert {
        "expense:s": 1300,
        "payable:a:person": -1300,
        "insurer:a:b": 360,
        "borne:b:t1": -360,
    } == books(*steps, Stated("U-b", "t1", "a", "b", 0, at("06-01")))
    assert not journal([Stated("U-b", "t1", "a", "b", 0, at("06-01"))])


def test_two_treaties_of_one_lead() -> None:
    """What b owes a is one sum, what it bears stands under each."""
    steps = [Stated("S", "t1", "a", "b", 30, at("04-01")), Stated("T", "t2", "a", "b", 12, at("04-01"))]
    assert {"insurer:a:b": 42, "borne:b:t1": -30, "borne:b:t2": -12} == books(*steps)


def test_a_waived_recovery_is_a_loss() -> None:
    """100 were paid and are not due; 60 of them were collected, and the 40 left will not be."""
    steps: list[Movement] = [ordered("A", 100), told("A", "paid"), ordered("B", -60), ordered("C", -40)]
    steps += [told("B", "paid", "03-08"), Waived("C", 40, at("03-09"))]
    assert {"cash:fund": -40, "waived:s": 40} == books(*steps)
    of_hospital: list[Movement] = [ordered("A", -40, payer="a", payee="H1", scheme="t"), Waived("A", 40, at("03-09"))]
    assert {"expense:t": -40, "waived:t": 40} == books(*of_hospital)


def test_a_payment_that_is_set_off_moves_no_cash() -> None:
    """100 are to come back; of the next 150 these 100 are kept and 50 are paid out: 150 cost what 100 + 50 did."""
    steps: list[Movement] = [ordered("A", 100), told("A", "paid"), ordered("B", -100, "03-07")]
    steps += [
        ordered("C", 100, "03-08", set_off_of="B", reversal_of="B"),
        ordered("D", 50, "03-08"),
        told("C", "paid", "03-09"),
    ]
    assert {"expense:s": 150, "cash:fund": -100, "payable:fund:person": -50} == books(*steps)
    assert {"expense:s": 150, "cash:fund": -150} == books(*steps, told("D", "paid", "03-09"))


def test_what_is_reported_of_a_settled_recovery_moves_nothing() -> None:
    """Nobody was to collect it any more: somebody has to look, and until then the books stay as they are."""
    owed: list[Movement] = [ordered("A", 100), told("A", "paid"), ordered("B", -100, "03-07"), told("B", "failed")]
    waived, kept_back = [*owed, Waived("B", 100, at("03-08"))], [*owed, SetOff("B", at("03-08"))]
    assert {"cash:fund": -100, "waived:s": 100} == books(*waived, told("B", "paid", "03-09", "03-05"))
    receivable = {"cash:fund": -100, "receivable:fund:person": 100}
    assert receivable == books(*kept_back) == books(*kept_back, told("B", "paid", "03-09", "03-05"))


# Pools ----------------------------------------------------------------------------------------------------


def given(name: str, amount: int, day: str = "03-04") -> Contributed:
    return Contributed(name, "V", amount, at(day))


def test_a_pool_has_what_it_received_less_what_it_paid() -> None:
    """Of 300 it pays 100, of which 40 are to come back: it has 240, whenever the money really moves."""
    steps: list[Movement] = [given("G", 300), ordered("A", 100, pool_id="V"), ordered("B", -40, "03-07", pool_id="V")]
    owed = {"expense:s": 60, "payable:fund:person": -100, "receivable:fund:person": 40}
    has = {"pool:V": -240, "funded:s": -60}
    assert {"cash:fund": 300, **owed, **has} == books(*steps)
    moved = [told("A", "paid", "03-08"), told("B", "paid", "03-08")]
    assert {"cash:fund": 240, "expense:s": 60, **has} == books(*steps, *moved)


def test_a_failed_payment_of_a_pool_is_ordered_again_and_costs_it_once() -> None:
    """What is taken off the books goes back to it, and the new order takes it again."""
    steps: list[Movement] = [given("G", 300), ordered("A", 100, pool_id="V"), told("A", "failed")]
    steps.append(ordered("R", -100, "03-07", reversal_of="A", pool_id="V"))
    assert {"cash:fund": 300, "pool:V": -300} == books(*steps)
    steps.append(ordered("B", 100, "03-07", pool_id="V"))
    again = {"cash:fund": 300, "expense:s": 100, "payable:fund:person": -100, "pool:V": -200, "funded:s": -100}
    assert again == books(*steps)


def test_a_contribution_is_what_its_newest_version_says() -> None:
    """A lower one takes the difference back, a voided one all; two are two. A pool that spent more owes."""
    assert {"cash:fund": 180, "pool:V": -180} == books(given("G", 300), given("G", 80, "03-05"), given("H", 100))
    assert {} == books(given("G", 300), given("G", 0, "03-05"))
    spent = books(given("G", 300), ordered("A", 100, pool_id="V"), given("G", 0, "03-06"))
    assert {"expense:s": 100, "payable:fund:person": -100, "pool:V": 100, "funded:s": -100} == spent


def test_pools_and_schemes_have_accounts_of_their_own() -> None:
    """What one pool pays for two schemes, and two pools for one; what no pool pays is in none."""
    steps = [ordered("A", 10, pool_id="V"), ordered("B", 20, scheme="t", pool_id="V"), ordered("C", 40, pool_id="W")]
    found = books(*steps, ordered("D", 80))
    assert {"pool:V": 30, "pool:W": 40, "funded:s": -50, "funded:t": -20} == {
        name: amount for name, amount in found.items() if name.startswith(("pool:", "funded:"))
    }


# Months ---------------------------------------------------------------------------------------------------


def test_a_trial_balance_of_three_months() -> None:
    """Booked by the Shanghai day of recording, whenever it was said to have happened."""
    last_second = datetime(2024, 3, 31, 15, 59, 59, tzinfo=UTC)
    first_second = datetime(2024, 3, 31, 16, tzinfo=UTC)
    legs = journal(
        [
            ordered("A", 100)._replace(recorded_at=last_second),
            ordered("B", 30)._replace(recorded_at=first_second),
            Reported("A", "P1", "paid", at("03-31"), first_second),
            ordered("C", -100, "04-20"),
            told("C", "paid", "05-02", "04-21"),
        ]
    )
    assert trial_balance(legs, MARCH) == {
        "expense:s": Row(0, 100, 0, 100),
        "payable:fund:person": Row(0, 0, 100, -100),
    }
    assert trial_balance(legs, APRIL) == {
        "cash:fund": Row(0, 0, 100, -100),
        "expense:s": Row(100, 30, 100, 30),
        "payable:fund:person": Row(-100, 100, 30, -30),
        "receivable:fund:person": Row(0, 100, 0, 100),
    }
    assert trial_balance(legs, MAY) == {
        "cash:fund": Row(-100, 100, 0, 0),
        "expense:s": Row(30, 0, 0, 30),
        "payable:fund:person": Row(-30, 0, 0, -30),
        "receivable:fund:person": Row(100, 0, 100, 0),
    }
    assert set(trial_balance(legs, date(2024, 6, 1))) == {"expense:s", "payable:fund:person"}
    assert {} == trial_balance(legs, date(2024, 2, 1))


def test_messages_are_read_as_they_are_published() -> None:
    """What does not apply is left out of a message; the fund pays where no payer is named."""
    message = {"payout_id": "A", "person_id": "P1", "scheme_id": "s", "kind": "payment", "amount": "12.30"}
    message |= {"occurred_at": "2024-03-05T12:00:00.000000+08:00"}
    assert ordered("A", 1230) == instructed_by(message)
    more = {"kind": "recovery", "payer": "a", "payee_id": "H1", "reversal_of": "X"}
    assert ordered("A", -1230, payer="a", payee="H1", reversal_of="X") == instructed_by({**message, **more})
    assert ordered("A", 1230, set_off_of="X") == instructed_by({**message, "set_off_of": "X"})
    assert ordered("A", 1230, pool_id="V") == instructed_by({**message, "pool_id": "V"})
    received = {"event_type": "contribution.received", "contribution_id": "G", "pool_id": "V", "amount": "12.30"}
    assert given("G", 1230) == contributed_by(received, at("03-04"))
    assert given("G", 0) == contributed_by({**received, "event_type": "contribution.voided"}, at("03-04"))
    report = {"payout_id": "A", "person_id": "P1", "status": "paid", "reported_at": "2024-03-04T04:00:00Z"}
    assert told("A", "paid", "03-06", "03-04") == reported_by(report, at("03-06"))
    issued = {"statement_id": "S", "treaty_id": "t1", "lead": "a", "insurer": "b", "part": "-0.52"}
    issued |= {"part_of_cession": "2.70", "occurred_at": "2024-04-01T04:00:00Z"}
    assert Stated("S", "t1", "a", "b", 218, at("04-01")) == stated_by(issued)
    assert journal([ordered("A", 5)])[0] == Leg("expense:s", 5, date(2024, 3, 5), "A")
