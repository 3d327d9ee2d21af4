"""A group that waits between its two transactions: nothing is paid, lost or taken for decided meanwhile."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text

from acts.publish_policy import preview_policy
from acts.rebuild_books import rebuild_books
from acts.recompute_groups import recompute_groups
from acts.remembered_persons import RememberedPersons
from acts.take_in import Taken, take_in
from acts.verify_audit_log import Trust, verify_ledger
from handlers.audit.log_check import Fault
from infra.ledger import figures, group_rows, group_tables, tables
from infra.ledger.ledger_health import ledger_reading
from infra.ledger.reads import Fenced
from schemas.health import Tables
from schemas.records import Manner
from tests.support.acts import publish, reissue, settle
from tests.support.builders import (
    SHARDS,
    Json,
    bill,
    coverage,
    death,
    discharge,
    membership,
    membership_void,
    policies,
    policy_text,
    report,
    void,
)
from tests.support.household_town import POLICY, SHARED, assert_decided_as_offline, guard_the_cap
from tests.support.ledgers import dispositions, held, in_order, offsets, person_of_shard, ranges, ticking
from tests.support.outbox import waiting_messages
from tests.support.replayed import assert_replays

ANN, BO, CY = (person_of_shard(shard) for shard in (0, 1, 2))


class House:
    """A ledger that guards the cap, and all that was posted to it; one worker of many, who remembers what it met."""

    def __init__(self, ledger: Engine, policy: str | None = POLICY) -> None:
        self.ledger, self.clock, self.worker = ledger, ticking(), RememberedPersons()
        self.posted: list[Json] = []
        guard_the_cap(ledger)
        if policy is not None:
            publish(ledger, policy, "li.na", SHARDS, self.clock)
        self.epochs = held(ledger)

    def take(self, *events: Json, worker: RememberedPersons | None = None) -> Taken:
        """One batch. The groups that its transaction cannot decide wait."""
        reached, batch = offsets(self.ledger), []
        self.posted += events
        for each in in_order(list(events)):
            batch.append(each._replace(offset=each.offset + reached.get(each[:2], 0)))
        return take_in(self.ledger, ranges(batch), self.epochs, SHARDS, self.clock, worker or self.worker)

    def step(self, shards: Sequence[int] = range(SHARDS), worker: RememberedPersons | None = None) -> int:
        return recompute_groups(self.ledger, shards, SHARDS, self.clock, worker or self.worker)

    def settled(self, *events: Json) -> None:
        """Takes events in and decides whoever waits."""
        self.take(*events)
        self.step()

    def paid(self) -> dict[str, int]:
        """The benefit of the shared scheme for each decided claim, fen."""
        found = tables.benefits
        with self.ledger.connect() as connection:
            rows = connection.execute(
                select(found.c.claim_id, found.c.benefit).where(found.c.scheme_id == "village_mutual_aid")
            )
            return {row.claim_id: row.benefit for row in rows}

    def homes(self) -> dict[str, str | None]:
        with self.ledger.connect() as connection:
            return {row.claim_id: row.household_id for row in connection.execute(select(tables.claims))}

    def waiting(self) -> int:
        with self.ledger.connect() as connection:
            return group_rows.count_waiting(connection)

    def alerts(self) -> list[dict[str, Any]]:
        return [json.loads(row.value) for row in waiting_messages(self.ledger) if row.topic == "alerts"]

    def findings(self) -> list[Fault]:
        """What `huzhu audit verify` finds."""
        return [each.fault for each in verify_ledger(self.ledger, Trust([], use=False), lambda _: None).findings]

    def agrees(self, *published: str) -> None:
        """Offline adjudication says the same of all claims; the ledger replays, books and all, and verifies."""
        assert 0 == self.waiting()
        assert [] == self.findings()
        assert rebuild_books(self.ledger, SHARDS).good
        assert_decided_as_offline(self.ledger, self.posted, policies(*(published or (POLICY,))))
        assert_replays(self.ledger)


def stay(person: str, number: int = 0, copay: int = 7000, day: str = "2024-03-10") -> list[Json]:
    name = f"{person}-{number}"
    stayed = discharge(f"E-{name}", day, admitted_on=day, person_id=person)
    return [stayed, bill(f"S-{name}", f"E-{name}", copay, person_id=person)]


def life(person: str, home: str = "HH1", copay: int = 7000, day: str = "2024-03-10") -> list[Json]:
    return [
        coverage(f"C-{person}", person_id=person),
        membership(f"M-{person}", home, person_id=person),
        *stay(person, 0, copay, day),
    ]


def test_claims_wait_and_nothing_is_paid_if_a_worker_ends_between_the_two_transactions(ledger: Engine) -> None:
    """Another worker decides them; that the first comes back and does so too changes nothing."""
    house, other = House(ledger), RememberedPersons()
    house.settled(*life(BO))
    paid = house.paid()
    taken = house.take(*life(ANN))
    assert (frozenset({0}), 1, paid) == (taken.groups_wait, house.waiting(), house.paid())
    assert 1 == house.step([0], other)
    assert 0 == house.step(sorted(taken.groups_wait))
    assert {f"E-{ANN}-0": 150_000, f"E-{BO}-0": 0} == house.paid()
    house.agrees()


def test_the_ledger_says_how_many_wait_and_since_when(ledger: Engine) -> None:
    """Two persons wait, one of them because of two events: since the older one's."""
    house = House(ledger)
    assert (0, None) == _waiting_since(ledger)
    house.take(*life(ANN))
    with ledger.connect() as connection:
        first = connection.scalar(select(func.max(tables.events.c.recorded_at)))
    house.take(*life(BO))
    house.take(*stay(ANN, 1))
    assert (2, first) == _waiting_since(ledger)
    with ledger.connect() as connection:
        assert 2 == figures.queues(connection).households
    house.step()
    assert (0, None) == _waiting_since(ledger)


def _waiting_since(ledger: Engine) -> tuple[int, Any]:
    told = ledger_reading(ledger, timedelta(minutes=10)).tables
    assert isinstance(told, Tables)
    return told.households, told.households_oldest


def test_a_worker_that_was_fenced_may_finish_the_group_and_nothing_else(ledger: Engine) -> None:
    """The step moves no offsets; the next batch of the fenced worker is refused, and the new holder goes on."""
    house = House(ledger)
    house.settled(*life(BO))
    house.take(*life(ANN))
    mine, house.epochs = house.epochs, held(ledger)
    assert 1 == house.step([0])
    with pytest.raises(Fenced):
        take_in(ledger, ranges(in_order(stay(ANN, 1), first=1)), mine, SHARDS, house.clock)
    house.take(*stay(ANN, 1), worker=RememberedPersons())
    assert 1 == house.step([0], RememberedPersons())
    house.agrees()


def test_a_step_that_was_changed_or_added_afterwards_is_noticed(ledger: Engine) -> None:
    """Its bytes say who was decided together, and its audit entry has hashed them."""
    house = House(ledger)
    house.settled(*life(ANN), *life(BO))
    assert [] == house.findings()
    with ledger.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("UPDATE events SET value = '{}' WHERE disposition = 'group'"))
    assert [Fault.CONTENT_CHANGED] == house.findings()


def test_who_is_left_behind_is_decided_again_whoever_is_looked_at_first(ledger: Engine) -> None:
    """Bo has left Ann for Cy and waits. Cy's bill is decided with Bo, and with Ann, who may have more now."""
    house = House(ledger)
    house.settled(*life(ANN, copay=9000))
    house.settled(*life(BO, copay=9000, day="2024-01-05"))
    house.settled(*life(CY, "HH2"))
    before = house.paid()[f"E-{ANN}-0"]
    house.take(membership(f"M-{BO}", "HH2", version=2, person_id=BO))
    house.take(*stay(CY, 1))
    house.step([2])
    assert house.paid()[f"E-{ANN}-0"] > before
    house.agrees()


def test_who_stays_does_not_get_what_somebody_still_has_who_has_left(ledger: Engine) -> None:
    """Ann's household is at its cap by Bo's claim. He has left and waits; Ann's bill is decided with him."""
    house = House(ledger)
    house.settled(*life(BO, copay=9000, day="2024-01-05"))
    house.settled(*life(ANN, copay=9000))
    house.take(membership_void(f"M-{BO}", person_id=BO))
    house.take(*stay(ANN, 1))  # the guard of the cap looks at this commit
    house.step([0])
    house.agrees()


def test_a_policy_that_is_published_meanwhile_finds_nobody_waiting(ledger: Engine) -> None:
    """Who waits is decided before, under what held until then; then the policy decides, with everybody's sums."""
    before = policy_text("before", "2020-01-01", "2024-01-01", SHARED)
    house = House(ledger, before)
    house.settled(*life(BO, copay=9000, day="2024-01-05"))
    house.settled(*life(ANN, copay=9000, day="2023-05-05"))
    house.take(*stay(ANN, 1), membership_void(f"M-{BO}", person_id=BO))
    assert 2 == house.waiting()
    heir = policy_text("heir", "2024-01-01", None, SHARED)
    publish(ledger, heir, "li.na", SHARDS, house.clock)
    assert ["group", "policy"] == dispositions(ledger)[-2:]
    house.agrees(before, heir)


def test_a_preview_counts_what_the_policy_changes_and_not_what_waits_anyway(ledger: Engine) -> None:
    """Publishing then does what the preview said."""
    house = House(ledger)
    house.settled(*life(ANN, copay=2500))
    house.settled(*life(BO, copay=2600, day="2024-10-02"))
    house.take(bill(f"S-{ANN}-0", f"E-{ANN}-0", 3000, version=2, person_id=ANN))
    heir = policy_text("heir", "2024-07-01", None, SHARED.replace("0.333", "0.4"))
    heir = heir.replace('status = "sample"', 'status = "sample"\nsucceeds = "households"')
    with ledger.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        seen = preview_policy(connection, heir, SHARDS, house.clock)
    done = publish(ledger, heir, "li.na", SHARDS, house.clock)
    assert (1, 1) == (seen.instructions, seen.claims_decided)
    assert (seen.instructions, seen.claims_decided, seen.money) == (done.instructions, done.claims_decided, done.money)
    assert_replays(ledger)


def test_a_row_that_another_worker_corrected_without_a_decision_is_not_taken_for_the_old_one(ledger: Engine) -> None:
    """Bo moves, and back: amounts stay, so no decision tells of it. Who remembers the claim writes its household."""
    house, other = House(ledger), RememberedPersons()
    house.settled(*life(ANN))
    house.settled(*life(BO, copay=2500, day="2024-02-02"))
    house.take(membership(f"M-{BO}", "HH2", version=2, person_id=BO))
    house.step(worker=other)
    assert "HH2" == house.homes()[f"E-{BO}-0"]
    house.take(membership(f"M-{BO}", "HH1", version=3, person_id=BO))
    house.step()
    assert "HH1" == house.homes()[f"E-{BO}-0"]
    house.agrees()


def test_a_member_without_any_claim_or_coverage_counts_and_costs_nothing(ledger: Engine) -> None:
    """A membership is all that is known of Bo; then Bo leaves."""
    house = House(ledger)
    house.settled(membership("M-B", person_id=BO))
    house.settled(*life(ANN))
    house.settled(membership_void("M-B", person_id=BO))
    house.settled(membership_void("M-never", 1, person_id=CY))
    house.agrees()


def test_a_member_dies_after_others_were_paid(ledger: Engine) -> None:
    """Bo's stay began after the day of death: it is recovered, and what it took of the cap goes to Ann."""
    house = House(ledger)
    house.settled(*life(BO, copay=9000, day="2024-03-05"), *life(ANN, copay=9000))
    house.settled(death("2024-02-01", person_id=BO))
    paid = house.paid()
    assert (0, 150_000) == (paid[f"E-{BO}-0"], paid[f"E-{ANN}-0"])
    house.agrees()


def test_operators_and_insurers_may_act_on_claims_that_wait(ledger: Engine) -> None:
    """A report, a reissue and a recovery that is set off, while facts of the group are not decided yet."""
    house = House(ledger)
    house.settled(*life(BO, copay=9000, day="2024-01-05"))
    (first,) = _orders(ledger)
    house.take(*life(ANN, copay=9000))
    house.take(report(first.payout_id, person_id=BO, status="failed"))
    reissue(ledger, first.payout_id, "li.na", "wrong account", SHARDS, house.clock)
    house.step()
    house.settled(void(f"S-{BO}-0", f"E-{BO}-0", person_id=BO))
    back = next(each for each in _orders(ledger) if each.kind == "recovery" and each.reversal_of is None)
    house.take(*stay(BO, 1, 9000, "2024-01-06"))
    settle(ledger, back.payout_id, Manner.SET_OFF, "li.na", "agreed", SHARDS, house.clock)
    house.step()
    assert any(each.set_off_of == back.payout_id for each in _orders(ledger))
    house.agrees()


def _orders(ledger: Engine) -> list[Any]:
    with ledger.connect() as connection:
        return list(connection.execute(select(tables.instructions).order_by(tables.instructions.c.event_no)))


def test_a_message_on_another_persons_partition_lets_the_right_group_wait(ledger: Engine) -> None:
    """Whoever reads the partition decides the group, whose shards it does not hold."""
    house = House(ledger)
    house.settled(*life(BO))
    house.take(*life(ANN)[:3])
    misrouted = in_order([bill(f"S-{ANN}-0", f"E-{ANN}-0", 9000, person_id=ANN)])[0]._replace(partition=3)
    house.posted.append(bill(f"S-{ANN}-0", f"E-{ANN}-0", 9000, person_id=ANN))
    taken = take_in(ledger, ranges([misrouted]), {3: house.epochs[3]}, SHARDS, house.clock)
    assert frozenset({0}) == taken.groups_wait
    house.step(sorted(taken.groups_wait))
    house.agrees()


def test_overlapping_memberships_are_told_withdrawn_and_told_again(ledger: Engine) -> None:
    """Each change of the fact is one message, under one alert; the claim is decided all the time."""
    house = House(ledger)
    house.settled(*life(ANN))
    house.settled(membership("M-2", "HH2", valid_from="2023-01-01", person_id=ANN))
    assert "HH2" == house.homes()[f"E-{ANN}-0"]
    house.settled(membership_void("M-2", person_id=ANN))
    house.settled(membership("M-2", "HH2", version=3, valid_from="2023-01-01", person_id=ANN))
    told = house.alerts()
    assert ["alert.raised", "alert.withdrawn", "alert.raised"] == [each["event_type"] for each in told]
    assert {"MEMBERSHIPS_OVERLAP"} == {each["code"] for each in told}
    assert (1, 3) == (len({each["alert_id"] for each in told}), len({each["event_id"] for each in told}))
    house.agrees()


def test_a_group_of_six_hundred_is_told_of_and_decided(ledger: Engine) -> None:
    """So many share one cap; whoever joins when they are too many is in the alert, and who leaves is not."""
    house, names = House(ledger), [f"N{number}" for number in range(600)]
    house.settled(*(membership(f"M-{name}", person_id=name) for name in names[:512]))
    assert [] == house.alerts()
    house.settled(membership(f"M-{names[512]}", person_id=names[512]))
    assert [names[512]] == [each["person_id"] for each in house.alerts()]
    house.settled(membership_void(f"M-{names[0]}", person_id=names[0]))
    assert 1 == len(house.alerts())
    house.settled(*(membership(f"M-{name}", person_id=name) for name in names[513:]))
    told = house.alerts()
    assert ({"GROUP_TOO_LARGE"}, set(names[512:])) == ({a["code"] for a in told}, {a["person_id"] for a in told})
    for name in names[100:104]:
        house.take(coverage(f"C-{name}", person_id=name), *stay(name, 0, 4000))
    house.step()
    assert 150_000 == sum(house.paid().values())
    house.agrees()


def test_a_queue_longer_than_one_transaction_is_done_to_its_end(
    ledger: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With two rows a transaction, ten persons of five households are decided, each household once."""
    house = House(ledger)
    monkeypatch.setattr("acts.recompute_groups.AT_ONCE", 2)
    names = [person_of_shard(shard) for shard in range(SHARDS)]
    for shard, name in enumerate(names):
        house.take(*life(name, f"HH{shard % 2}"))
    assert 2 == house.step()
    with ledger.connect() as connection:
        assert 0 == connection.scalar(select(func.count()).select_from(group_tables.group_work))
    house.agrees()
