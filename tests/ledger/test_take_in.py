"""Batches into a real ledger: offsets, fences, shards that meet, policies that come later, and replay byte for byte."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from functools import partial
from itertools import chain as chained
from itertools import count
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, func, select

from acts.take_in import GapInOffsets, take_in
from handlers.claims.read import read
from infra.ledger import reads, tables
from infra.ledger.reads import Fenced
from infra.sharding import shard_of
from schemas.policy.model import Policies
from schemas.records import Range
from schemas.topics import EXPENSES
from tests.support.acts import publish
from tests.support.acts import replay as send_again
from tests.support.builders import (
    POLICY,
    RECORDED_AT,
    SHARDS,
    VILLAGE,
    Json,
    bill,
    coverage,
    death,
    delivery,
    discharge,
    empty_world,
    encode,
    policy_text,
    report,
    void,
)
from tests.support.ledgers import (
    Clock,
    at_once,
    contents,
    dispositions,
    for_person,
    give,
    held,
    in_order,
    offsets,
    patiently,
    person_of_shard,
    ranges,
    ticking,
    waiting_for_locks,
)
from tests.support.loads import posted, random_batches, sample
from tests.support.outbox import waiting_messages
from tests.support.replayed import Journal, assert_replays, recorded
from tests.support.servers import await_true

# Law 7: replay --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2])
def test_replaying_the_ledger_gives_the_same_bytes(ledger: Engine, seed: int) -> None:
    """Law 7, and 3 and 5: a mixed load in random batches, with policies published before, in the middle and after."""
    rng, now = Random(seed), ticking()
    messages = list(posted(seed))
    batches = list(random_batches(messages, rng))
    releases = {0: ("2023-01-01", "2024-07-01"), len(batches) // 2: ("2025-01-01", None)}
    held(ledger)
    for number, batch in enumerate(batches):
        if number in releases:
            publish(ledger, sample(f"release-{number}", *releases[number]), "li.na", SHARDS, now)
        give(ledger, batch, now)
    done = publish(ledger, sample("the gap", "2024-07-01", "2025-01-01"), "wang.wei", SHARDS, now)
    with ledger.connect() as connection:
        refused = list(connection.scalars(select(tables.refusals.c.event_no).order_by(tables.refusals.c.event_no)))
        codes = set(connection.scalars(select(tables.refusals.c.code)))
    assert 2 == send_again(ledger, refused[:2], "wang.wei", "looked at by hand", SHARDS, now)

    journal = assert_replays(ledger)

    counted = Counter(journal.dispositions)
    assert len(messages) == sum(counted[name] for name in ("accepted", "duplicate", "stale", "refused"))
    assert {"accepted", "duplicate", "stale", "refused", "policy", "replay"} == counted.keys()
    assert {"KEY_MISMATCH", "VERSION_CONFLICT", "PERSON_MISMATCH", "MALFORMED_JSON"} <= codes
    assert done.claims_decided > 5
    assert done.instructions > 0
    assert len(journal.instructions) > 80
    balances: Counter[tuple[str, str]] = Counter()
    for value in map(json.loads, journal.instructions.values()):
        fen = int(value["amount"].replace(".", ""))
        balances[value["claim_id"], value["scheme_id"]] += fen if value["kind"] == "payment" else -fen
    assert {place: due for place, due in journal.benefits.items() if due} == {p: b for p, b in balances.items() if b}


def test_how_the_load_is_cut_makes_no_difference_to_the_ledger(ledger: Engine) -> None:
    """The same messages in the same order, one batch or many that are read back from the database in between."""
    messages = in_order(
        [coverage(), discharge(), bill(), bill(version=2, copay=9000), void(version=3), death(), bill()]
    )
    for each in messages:
        give(ledger, [each])
    outcome_of_one_batch = Journal()
    processor = empty_world(Policies()).batch()
    for each in messages:
        processor.take(each, read(each.value, each.key, each.topic))
    outcome_of_one_batch.add(processor.outcome)
    assert outcome_of_one_batch == recorded(ledger)


# Offsets --------------------------------------------------------------------------------------------------


def test_the_offsets_move_with_the_events(ledger: Engine) -> None:
    """The ledger's offset is the first that is not taken in, for each partition; the call returns it."""
    epochs = held(ledger)
    messages = in_order([bill("S1"), bill("S2"), discharge()])
    partition = messages[0].partition
    moved = take_in(ledger, ranges(messages), epochs, SHARDS, lambda: RECORDED_AT).offsets
    expected = {("hospital.expenses", partition): 2, ("hospital.discharges", partition): 1}
    assert expected == moved == offsets(ledger)


def test_what_was_taken_in_is_passed_over(ledger: Engine) -> None:
    """A repetition of old messages changes no row; with new ones behind them, those alone are taken in."""
    messages = in_order([bill(f"S{number}") for number in range(6)])
    give(ledger, messages[:4])
    before = contents(ledger)
    give(ledger, messages[:4])
    give(ledger, messages[1:3])
    assert before == contents(ledger)
    give(ledger, messages[2:])
    assert ["accepted"] * 6 == dispositions(ledger)


def test_a_gap_is_refused(ledger: Engine) -> None:
    """A range that begins above the ledger's offset is named with that offset, and nothing of the batch is written."""
    held(ledger)
    messages = in_order([bill(f"S{number}") for number in range(6)])
    give(ledger, messages[:2])
    before = contents(ledger)
    with pytest.raises(GapInOffsets) as gap:
        give(ledger, [*in_order([discharge()]), *messages[3:]])
    assert (EXPENSES.name, messages[0].partition, 2) == (gap.value.topic, gap.value.partition, gap.value.next_offset)
    assert before == contents(ledger)


def test_a_gap_between_two_ranges_of_one_batch_is_refused(ledger: Engine) -> None:
    """Ranges of one partition must follow one another within a batch too."""
    epochs = held(ledger)
    messages = in_order([bill(f"S{number}") for number in range(6)])
    parts = [*ranges(messages[:2]), *ranges(messages[3:])]
    with pytest.raises(GapInOffsets):
        take_in(ledger, parts, epochs, SHARDS, lambda: RECORDED_AT)
    assert {} == offsets(ledger)
    take_in(ledger, [*ranges(messages[:3]), *ranges(messages[3:])], epochs, SHARDS, lambda: RECORDED_AT)
    assert 6 == len(dispositions(ledger))


def test_offsets_that_hold_no_message_are_passed(ledger: Engine) -> None:
    """Transaction markers leave holes: a range is complete when its end was passed, even if it is empty."""
    epochs = held(ledger)
    (message,) = in_order([bill()], first=2)
    partition = message.partition
    parts = [Range(EXPENSES.name, partition, 0, 5, (message,)), Range(EXPENSES.name, partition, 5, 9, ())]
    moved = take_in(ledger, parts, epochs, SHARDS, lambda: RECORDED_AT).offsets
    assert {(EXPENSES.name, partition): 9} == moved == offsets(ledger)
    assert ["accepted"] == dispositions(ledger)


# Fences ---------------------------------------------------------------------------------------------------


def test_the_clock_is_read_when_the_shard_is_locked(ledger: Engine) -> None:
    """Not before, while another one still writes: times never run backwards within a shard."""
    asked: list[str] = []

    def now() -> datetime:
        asked.append("now")
        return RECORDED_AT

    epochs = held(ledger)
    with ThreadPoolExecutor(1) as threads:
        with ledger.begin() as connection:
            reads.lock_shards(connection, range(SHARDS), {})
            taking = threads.submit(take_in, ledger, ranges(in_order([discharge()])), epochs, SHARDS, now)
            assert await_true(lambda: waiting_for_locks(ledger) == 1)
            assert [] == asked
        taking.result()
    assert ["now"] == asked


def test_a_worker_that_lost_its_shard_is_fenced(ledger: Engine) -> None:
    """After another has taken the shard nothing is written, and the error names the shard; the other goes on."""
    messages = in_order([bill()])
    shard = messages[0].partition
    old, new = held(ledger), held(ledger, [shard])
    before = contents(ledger)
    with pytest.raises(Fenced) as fenced:
        take_in(ledger, ranges(messages), old, SHARDS, lambda: RECORDED_AT)
    assert shard == fenced.value.shard
    assert before == contents(ledger)
    take_in(ledger, ranges(messages), new, SHARDS, lambda: RECORDED_AT)
    assert ["accepted"] == dispositions(ledger)


def test_a_worker_that_never_held_the_shard_is_fenced(ledger: Engine) -> None:
    """Also on a new ledger, where no epoch was ever raised, and for a range without messages."""
    with pytest.raises(Fenced):
        take_in(ledger, ranges(in_order([bill()])), {}, SHARDS, lambda: RECORDED_AT)
    with pytest.raises(Fenced):
        take_in(ledger, [Range(EXPENSES.name, 1, 0, 3, ())], {0: 0, 2: 0, 3: 0}, SHARDS, lambda: RECORDED_AT)
    assert {} == offsets(ledger)


def test_a_fence_on_another_shard_does_not_matter(ledger: Engine) -> None:
    """Who lost one shard still writes for those it has."""
    messages = in_order([bill()])
    shard = messages[0].partition
    epochs = held(ledger)
    held(ledger, [each for each in range(SHARDS) if each != shard])
    take_in(ledger, ranges(messages), epochs, SHARDS, lambda: RECORDED_AT)
    assert ["accepted"] == dispositions(ledger)


# Shards that meet -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("away", [1, 2, 3])
def test_a_message_on_an_odd_partition_is_taken_in_for_its_person(ledger: Engine, away: int) -> None:
    """Offset and refusals belong to the partition where it stood; facts, decisions and audit to the person's shard."""
    publish(ledger, POLICY, "li.na", SHARDS, lambda: RECORDED_AT)
    home = shard_of("P1", SHARDS)
    odd = (home + away) % SHARDS
    epochs = held(ledger, [odd])  # its worker does not hold the person's shard
    messages = [
        delivery(each, number, odd)
        for number, each in enumerate([bill(), bill(version=2, copay=9000), bill(version=2)])
    ]
    give(ledger, in_order([coverage(), discharge()]))
    take_in(ledger, ranges(messages), epochs, SHARDS, lambda: RECORDED_AT)
    assert 3 == offsets(ledger)[EXPENSES.name, odd]
    with ledger.connect() as connection:
        rows = connection.execute(select(tables.events).where(tables.events.c.topic == EXPENSES.name)).all()
    assert [("accepted", home), ("accepted", home), ("refused", odd)] == [(row.disposition, row.shard) for row in rows]
    assert {home} == {row.shard for row in waiting_messages(ledger, "payouts.instructions")}
    assert_replays(ledger)


def met_at_the_same_moment() -> Callable[[], Clock]:
    """Clocks of two threads that wait for each other when first asked: when both have read and neither has written."""
    barrier = threading.Barrier(2)

    def make() -> Clock:
        asked = count()

        def now() -> datetime:
            if next(asked) == 0:
                barrier.wait(timeout=30)
            return RECORDED_AT

        return now

    return make


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (bill("S-x", "E-x"), bill("S-y", "E-x")),
        (bill("S-x", "E-x"), bill("S-x", "E-y")),
        (coverage("C-x"), coverage("C-x")),
        (discharge("E-x"), bill("S-x", "E-x")),
    ],
    ids=["two bills of one encounter", "one bill", "one coverage", "discharge and bill"],
)
def test_of_two_shards_that_claim_one_id_at_once_one_wins(ledger: Engine, first: Json, second: Json) -> None:
    """The other is refused with PERSON_MISMATCH, whoever it is; everything else of both batches is taken in."""
    publish(ledger, POLICY, "li.na", SHARDS, lambda: RECORDED_AT)
    clock = met_at_the_same_moment()
    batches, epochs = [], held(ledger)
    for shard, contested in ((0, first), (2, second)):
        person = person_of_shard(shard)
        own = [coverage(f"C-{shard}"), discharge(f"E-{shard}"), contested, bill(f"S-{shard}", f"E-{shard}")]
        batches.append(ranges(in_order(for_person(person, *own))))

    def run(batch: list[Range]) -> None:
        now = clock()
        patiently(lambda: take_in(ledger, batch, epochs, SHARDS, now))

    at_once(*(partial(run, batch) for batch in batches))

    with ledger.connect() as connection:
        codes = list(connection.scalars(select(tables.refusals.c.code)))
        owners = connection.execute(select(tables.subjects)).all()
        paid = list(connection.scalars(select(tables.instructions.c.claim_id)))
    assert ["PERSON_MISMATCH"] == codes
    assert Counter({"accepted": 7, "refused": 1, "policy": 1}) == Counter(dispositions(ledger))
    assert 1 == len({row.person_id for row in owners if row.subject_id.endswith("-x")})
    assert ["E-0", "E-2"] == sorted(paid)
    assert_replays(ledger)


def test_an_id_that_is_bound_between_two_questions_to_the_ledger_is_no_surprise(ledger: Engine) -> None:
    """Another shard may commit while a batch is being gathered: owners and versions are asked one after the other."""
    epochs = held(ledger)
    mine, theirs = (ranges(in_order(for_person(person_of_shard(shard), coverage("C-x"), death()))) for shard in (0, 2))
    other = create_engine(ledger.url)
    asked: list[str] = []

    def intrude(*arguments: Any) -> None:
        question = {"subjects.person_id": "owners", "facts.content_sha256": "versions"}
        asked.extend(name for column, name in question.items() if column in arguments[2].partition("FROM")[0])
        if 2 == len(asked) and {"owners", "versions"} == set(asked):  # the first of the two has been answered
            asked.append("intruded")
            take_in(other, theirs, epochs, SHARDS, lambda: RECORDED_AT)

    event.listen(ledger, "before_cursor_execute", intrude)
    patiently(lambda: take_in(ledger, mine, epochs, SHARDS, lambda: RECORDED_AT))
    event.remove(ledger, "before_cursor_execute", intrude)
    other.dispose()
    assert "intruded" in asked
    assert Counter({"accepted": 3, "refused": 1}) == Counter(dispositions(ledger))
    assert_replays(ledger)


def quarrel(shard: int, rng: Random) -> list[Json]:
    """A shard's persons, with ids that the persons of all shards use."""
    persons = [name for number in range(40) if shard_of(name := f"Q{number}", SHARDS) == shard][:3]
    events: list[Json] = []
    for number in range(80):
        contested = rng.choice(["", "", f"-{shard}"])
        encounter, version = f"E{rng.randrange(12)}{contested}", rng.randint(1, 3)
        made = rng.choice(
            [
                discharge(encounter, version=version, facility_id=f"H{rng.randrange(2)}"),
                bill(f"S-{encounter}", encounter, rng.choice([1000, 3000, 9000]), version=version),
                void(f"S-{encounter}", encounter, version),
                coverage(f"C{rng.randrange(6)}{contested}", rng.choice(["member", "dibao"]), version=version),
                death(version=version) if number % 20 == 0 else bill(f"S{number}-{shard}", encounter, 100),
            ]
        )
        events += for_person(rng.choice(persons), made)
    return events


def test_four_workers_that_quarrel_about_ids_leave_one_history(ledger: Engine) -> None:
    """All shards at once, with many common ids and a policy in between: it replays byte for byte, nothing is lost."""
    now_lock, ticks = threading.Lock(), ticking()
    epochs = held(ledger)

    def now() -> datetime:
        with now_lock:
            return ticks()

    def work(shard: int) -> None:
        rng = Random(shard)
        for batch in random_batches(in_order(quarrel(shard, rng)), rng):
            patiently(partial(take_in, ledger, ranges(batch), epochs, SHARDS, now))

    def govern() -> None:
        publish(ledger, policy_text("first", "2020-01-01", "2024-03-10", VILLAGE), "li.na", SHARDS, now)
        publish(ledger, policy_text("second", "2024-03-10", None, VILLAGE), "li.na", SHARDS, now)

    at_once(*(partial(work, shard) for shard in range(SHARDS)), govern)
    journal = assert_replays(ledger, at_once=True)
    counted = Counter(journal.dispositions)
    assert SHARDS * 80 + 2 == counted.total()
    assert counted["refused"] > 20
    assert counted["accepted"] > 80
    assert journal.instructions


# Policies -------------------------------------------------------------------------------------------------


def last_decisions(ledger: Engine) -> dict[str, Json]:
    with ledger.connect() as connection:
        rows = connection.execute(select(tables.decisions).order_by(tables.decisions.c.revision)).all()
    return {row.claim_id: json.loads(row.value) for row in rows}


def test_a_policy_that_is_published_later_decides_the_claims_that_waited(ledger: Engine) -> None:
    """Claims on its days are decided and paid as of the publication; others go on waiting; again, nothing happens."""
    held(ledger)
    stays = [coverage(), discharge(), bill(), discharge("E2", "2024-12-31"), bill("S2", "E2")]
    give(ledger, in_order(stays))
    assert {"E1": "no_policy", "E2": "no_policy"} == {n: d["status"] for n, d in last_decisions(ledger).items()}
    until = policy_text("until-july", "2020-01-01", "2024-07-01", VILLAGE)
    later = RECORDED_AT + timedelta(days=30)
    done = publish(ledger, until, "li.na", SHARDS, lambda: later)
    assert (True, 1, 1) == (done.new, done.claims_decided, done.instructions)
    decisions = last_decisions(ledger)
    assert {"E1": "adjudicated", "E2": "no_policy"} == {name: each["status"] for name, each in decisions.items()}
    assert ("300.00", "2025-03-31T12:00:00.250000+08:00") == tuple(
        decisions["E1"][n] for n in ("total_benefit", "occurred_at")
    )
    before = contents(ledger)
    assert not publish(ledger, until, "li.na", SHARDS, lambda: later).new
    assert before == contents(ledger)
    publish(ledger, policy_text("from-july", "2024-07-01", None, VILLAGE), "li.na", SHARDS, lambda: later)
    assert {"adjudicated"} == {each["status"] for each in last_decisions(ledger).values()}
    assert_replays(ledger)


def test_a_policy_decides_what_waited_from_its_first_day_to_its_last(ledger: Engine) -> None:
    """A stay that ended a day before, or on the day on which the policy no longer holds, waits on."""
    held(ledger)
    days = ["2024-02-29", "2024-03-01", "2024-06-30", "2024-07-01"]
    stays = [
        event
        for number, day in enumerate(days)
        for event in for_person(
            f"P{number}",
            coverage(f"C{number}"),
            discharge(f"E{number}", day, admitted_on="2024-02-01"),
            bill(f"S{number}", f"E{number}"),
        )
    ]
    give(ledger, in_order(stays))
    done = publish(
        ledger, policy_text("spring", "2024-03-01", "2024-07-01", VILLAGE), "li.na", SHARDS, lambda: RECORDED_AT
    )
    assert (2, 2) == (done.claims_decided, done.instructions)
    with ledger.connect() as connection:
        statuses = connection.scalars(select(tables.claims.c.status).order_by(tables.claims.c.claim_id))
        assert ["no_policy", "adjudicated", "adjudicated", "no_policy"] == list(statuses)


def test_a_policy_that_overlaps_a_published_one_is_refused_whole(ledger: Engine) -> None:
    """No event, audit entry or decision of it remains."""
    publish(ledger, POLICY, "li.na", SHARDS, lambda: RECORDED_AT)
    before = contents(ledger)
    with pytest.raises(ValueError, match="both in force on 2024-01-01"):
        publish(ledger, policy_text("other", "2024-01-01", None, VILLAGE), "li.na", SHARDS, lambda: RECORDED_AT)
    assert before == contents(ledger)


def test_the_order_in_which_waiting_persons_are_decided_is_not_the_database_s(ledger: Engine) -> None:
    """By code point, whatever the collation: else a ledger on another server would have other audit hashes."""
    held(ledger)
    names = ["b", "a", "C", "ä", "B", "ab"]
    stays = [for_person(n, coverage(f"C-{n}"), discharge(f"E-{n}"), bill(f"S-{n}", f"E-{n}")) for n in names]
    give(ledger, in_order([*chained(*stays)]))
    questions: list[str] = []
    event.listen(ledger, "before_cursor_execute", lambda *arguments: questions.append(arguments[2]))
    with ledger.connect() as connection:
        waiting = reads.persons_to_decide(connection, date(2024, 1, 1), None, None)
    assert ["B", "C", "a", "ab", "b", "ä"] == waiting
    assert "ORDER BY" not in questions[-1], "sorted here: this server may sort by code point and the next one not"
    assert len(names) == publish(ledger, POLICY, "li.na", SHARDS, lambda: RECORDED_AT).instructions
    assert_replays(ledger)


# Events from the future ------------------------------------------------------------------------------------


def test_a_stay_in_the_future_is_neither_taken_in_nor_paid_before_its_time(ledger: Engine) -> None:
    """A sender's clock is years ahead: refused against the ledger's moment; the same bytes are news when it has come.

    Replaying the ledger gives the same bytes, as the moment is the one that the ledger wrote down.
    """
    held(ledger)
    publish(ledger, POLICY, "li.na", SHARDS, lambda: RECORDED_AT)
    stay = discharge("E1", "2030-05-20", admitted_on="2030-05-10", occurred_at="2030-05-20T12:00:00+08:00")
    paid = bill("S1", "E1", settled_at="2030-05-20T11:00:00+08:00", occurred_at="2030-05-20T12:00:00+08:00")
    told = "2030-05-20T12:00:00+08:00"
    ahead = [stay, paid, report(occurred_at=told), void(version=7, occurred_at=told)]
    messages = in_order([coverage(), *ahead, stay, stay, paid])
    give(ledger, messages[:5])
    day_before = datetime.fromisoformat("2030-05-19T12:00:00+08:00")
    give(ledger, messages[5:6], lambda: day_before - timedelta(microseconds=1))
    with ledger.connect() as connection:
        refused = connection.execute(select(tables.refusals.c.code, tables.refusals.c.pointers)).all()
        assert 0 == connection.scalar(select(func.count()).select_from(tables.decisions))
    assert [("FUTURE_DATED", ["/occurred_at"])] * 5 == [tuple(row) for row in refused]
    give(ledger, messages[6:], lambda: day_before)
    assert {"E1": "adjudicated"} == {name: each["status"] for name, each in last_decisions(ledger).items()}
    assert_replays(ledger)


# What an accepted event may hold --------------------------------------------------------------------------


def test_an_accepted_event_can_always_be_read_back(ledger: Engine) -> None:
    """Unknown fields with numbers of thousands of digits or 60 levels of nesting stop nothing that comes later."""
    held(ledger)
    strange = encode(coverage())[:-1] + b', "x": ' + b"9" * 5000 + b', "y": ' + b"[" * 60 + b"]" * 60 + b"}"
    message = delivery(coverage())._replace(value=strange)
    give(ledger, [message])
    give(ledger, in_order([discharge(), bill()]))
    assert ["accepted"] * 3 == dispositions(ledger)
    assert_replays(ledger)


def test_reports_are_recorded_and_decide_nothing(ledger: Engine) -> None:
    """Each new report of a payout is one fact more; the same again is a duplicate, in this batch or a later one."""
    held(ledger)
    reports = [report(status="failed"), report(status="paid"), report(status="failed")]
    messages = in_order([*reports, report(status="returned"), report(status="paid")])
    give(ledger, messages[:2])
    give(ledger, messages[2:])
    assert ["accepted", "accepted", "duplicate", "accepted", "duplicate"] == dispositions(ledger)
    with ledger.connect() as connection:
        assert [1, 2, 3] == sorted(connection.scalars(select(tables.facts.c.version)))
        assert 0 == connection.scalar(select(func.count()).select_from(tables.decisions))
    assert_replays(ledger)
