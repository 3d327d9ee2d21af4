"""What is written directly is, byte for byte, what the models and the canonical writer would have made of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from handlers.claims import outbound_messages
from handlers.claims.adjudicate import Adjudication, Benefit, adjudicate
from handlers.claims.payers import BY_FUND, Payer
from handlers.claims.read import read
from handlers.claims.recoveries import settle_recovery
from handlers.claims.reissue import reissue
from handlers.claims.restrictions import FREE
from handlers.claims.settle import Due
from handlers.fast import direct_messages
from handlers.pools.pool_money import PoolMoney
from handlers.pools.pool_step import Pool, plan, take_step
from infra.population import generate
from schemas.canonical import canonical_json
from schemas.dates import format_instant
from schemas.decisions import (
    AdvanceLine,
    BenefitLine,
    ClaimDecided,
    ExplanationLine,
    PayeeLine,
    Status,
    WaitingLine,
    to_json,
)
from schemas.facts import OnShortage
from schemas.ids import ClaimId, FacilityId, PayoutId, PersonId, PolicyId
from schemas.money import FEN_MAX
from schemas.outbound import AuditKind, AuditRecorded, InstructionKind, PayoutInstructed
from schemas.policy.policy_file import read_policies
from schemas.pool_records import WaitingBenefit
from schemas.records import (
    BenefitRow,
    ClaimRow,
    Delivery,
    Manner,
    Reissue,
    SettleRecovery,
)
from schemas.topics import ALERTS, DEADLETTER
from schemas.treaty.treaty_file import parse_treaty
from schemas.treaty.treaty_model import Treaties
from tests.bench.messages import POLICY as SAMPLE
from tests.properties.occasion_strategies import occasional_histories
from tests.properties.strategies import History, Ledger, busy_years, deliveries, histories, tried
from tests.support import model_messages
from tests.support.builders import (
    POLICY,
    SHARDS,
    Json,
    bill,
    coverage,
    delivery,
    discharge,
    empty_world,
    policies,
    report,
    take,
)
from tests.support.compiled_core import patches_the_core
from tests.support.model_messages import both_ways
from tests.support.pools import POOL_POLICY, villager
from tests.support.treaties import treaty_text

NASTY = [
    '"',
    "\\",
    '\\"',
    "\x00\x1f",
    "\x7f\x80",
    "\n\r\t\b\f",
    "</script>",
    "\u2028\u2029",
    "浙江",
    "\U0001f600",
    "e\u0301",
    ',"kind":"',
    ",",
]
TEXT = st.sampled_from(NASTY) | st.text(max_size=12)
HEX = st.text("0123456789abcdef", min_size=64, max_size=64)
INSTANTS = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.just(UTC)).map(format_instant)
COUNTS = st.integers(1, 2**53 - 1)
FEN = st.integers(0, 10**9) | st.integers(0, FEN_MAX)
HOLDS = '[checks]\nduplicate_invoice = "hold"\noverlapping_stays = "hold"\n'
LATER_THAN_ALL = datetime(2040, 1, 1, tzinfo=UTC)


def claim_rows() -> st.SearchStrategy[ClaimRow]:
    return st.builds(
        ClaimRow,
        claim_id=TEXT.map(ClaimId),
        person_id=TEXT.map(PersonId),
        shard=st.integers(0, 255),
        revision=COUNTS,
        status=st.sampled_from(Status),
        fingerprint=HEX,
        policy_sha256=st.none() | HEX,
        discharged_on=st.none(),
        personal_burden=FEN,
        total_benefit=FEN,
    )


def benefit_rows() -> st.SearchStrategy[BenefitRow]:
    return st.builds(
        BenefitRow,
        claim_id=TEXT.map(ClaimId),
        scheme_id=TEXT,
        tier=st.none() | TEXT,
        basis=st.just("copay"),
        measured=FEN,
        benefit=FEN,
        reason=st.none(),
        instruction_revision=COUNTS,
        policy_id=st.none() | TEXT.map(PolicyId),
        policy_sha256=st.none() | HEX,
    )


DUES = st.builds(
    Due,
    payout_id=TEXT.map(PayoutId),
    kind=st.sampled_from(InstructionKind),
    amount=st.integers(1, FEN_MAX),
    balance_before=FEN,
    row=benefit_rows(),
    revision=COUNTS,
    facility_id=st.none() | TEXT.map(FacilityId),
    payer=st.builds(Payer, TEXT, st.none() | TEXT, st.none() | TEXT),
    reissue_of=st.none() | TEXT,
    reversal_of=st.none() | TEXT,
    set_off_of=st.none() | TEXT.map(PayoutId),
)


@patches_the_core
@tried
@given(histories() | busy_years(), st.data())
def test_what_random_events_send_is_canonical(history: History, data: st.DataObject) -> None:
    """Whatever facts come, in whatever order, corrected and repeated."""
    ledger = Ledger(*history.policies)
    with both_ways() as written:
        ledger.take(*data.draw(deliveries(history.facts)))
    assert [row.value for row in ledger.sent if row.topic != ALERTS.name] == written


@patches_the_core
def test_what_a_city_sends_is_canonical() -> None:
    """A made-up city's events with all its corrections, deaths, repetitions and refusals, under the sample policy."""
    processor = empty_world(read_policies([SAMPLE])).batch(LATER_THAN_ALL)
    with both_ways() as written:
        for number, line in enumerate(generate(5, 120)):
            processor.take(Delivery("test", number % SHARDS, number, None, line), read(line))
    sent = [row.value for row in processor.outcome.outbox if row.topic not in (ALERTS.name, DEADLETTER.name)]
    assert sent == written
    assert {*InstructionKind} == {row.kind for row in processor.outcome.instructions}


@patches_the_core
def test_a_reissue_is_canonical() -> None:
    """Both of its instructions: the one that takes back, and the one that orders again."""
    orders = [message for message in _reissued() if message["event_type"] == "payout.instructed"]
    assert [[], ["reversal_of"], ["reissue_of"]] == [[name for name in each if name.endswith("_of")] for each in orders]


def _advanced() -> list[Json]:
    """All that is written about a claim of which the hospital advanced a part, and which an insurer pays."""
    with both_ways() as written:
        taken_off = [{"scheme_id": "village_mutual_aid", "amount": "1.00"}]
        world = empty_world(policies(POLICY))
        world.treaties = Treaties([parse_treaty(treaty_text())])
        take(world, map(delivery, (coverage(), discharge(), bill(advances=taken_off))))
    return [json.loads(value) for value in written]


def _reissued() -> list[Json]:
    """All that is written about a claim that is paid, whose payout fails and is reissued."""
    world = empty_world(policies(POLICY))
    with both_ways() as written:
        (paid,) = take(world, map(delivery, (coverage(), discharge(), bill()))).instructions
        take(world, [delivery(report(paid.payout_id, status="failed"))])
        reissue(world.batch(), Reissue(paid.payout_id, paid.person_id, "li.na", "wrong account"))
    return [json.loads(value) for value in written]


def _set_off() -> list[Json]:
    """All that is written about a claim that is recovered and set off against the payment of the next one."""
    world = empty_world(policies(POLICY))
    with both_ways() as written:
        outcome = take(world, map(delivery, (coverage(), discharge(), bill(), bill(version=2, copay=2500))))
        recovered = outcome.instructions[-1]
        act = SettleRecovery(recovered.payout_id, recovered.person_id, Manner.SET_OFF, "li.na", "agreed")
        settle_recovery(world.batch(), act)
        take(world, map(delivery, (discharge("E2"), bill("S2", "E2"))))
    return [json.loads(value) for value in written]


def _held() -> list[Json]:
    """All that is written about two stays that share nights and an invoice, under a policy that holds such claims."""
    with both_ways() as written:
        world = empty_world(policies(POLICY + HOLDS))
        bills = [bill(invoice_no="INV-1"), bill("S2", "E2", invoice_no="INV-1")]
        take(world, map(delivery, (coverage(), discharge("E2"), *bills, discharge())))
    return [json.loads(value) for value in written]


@patches_the_core
def test_a_held_claim_is_canonical() -> None:
    """It says why somebody should look at it and that it is held, and nothing is ordered for it."""
    messages = _held()
    decisions = [message for message in messages if message["event_type"] == "claim.decided"]
    said = [(each["claim_id"], each.get("alerts"), each.get("held")) for each in decisions]
    assert [(name, ["DUPLICATE_INVOICE", "OVERLAPPING_STAYS"], True) for name in ("E1", "E2")] == said[-2:]
    assert not [message for message in messages if message["event_type"] == "payout.instructed"]


@patches_the_core
def test_a_set_off_is_canonical() -> None:
    """What is kept back names the recovery twice, so that whoever knows no set-offs moves no money for it."""
    orders = [message for message in _set_off() if message["event_type"] == "payout.instructed"]
    recovered = orders[1]["payout_id"]
    assert [("payment", "300.00"), ("recovery", "150.00"), ("payment", "150.00"), ("payment", "150.00")] == [
        (each["kind"], each["amount"]) for each in orders
    ]
    assert [None, None, recovered, None] == [each.get("set_off_of") for each in orders]
    assert [None, None, recovered, None] == [each.get("reversal_of") for each in orders]


def _short_of_money(on_shortage: OnShortage) -> list[Json]:
    """All that is written about two stays of 200 and 500 yuan, for which a pool has 300 yuan in a queue."""
    with both_ways() as written:
        world = empty_world(policies(POOL_POLICY))
        events = [*villager("P1", "2024-03-01", 200), *villager("P2", "2024-03-02", 500)]
        dues = take(world, map(delivery, events)).benefits.values()
        queue = [
            WaitingBenefit(row.claim_id, row.scheme_id, PersonId(""), row.discharged_on, row.waiting, row.waiting, 0)
            for row in dues
            if row.discharged_on is not None
        ]
        places = list(zip(queue, (1, 2), strict=True))
        pool = Pool("V1", on_shortage, PoolMoney({FREE: 30_000}), queue, places, 70_000, frozenset())
        step = world.batch()
        take_step(step, plan(pool, lambda _: True, len(queue) + 1)[0], on_shortage)
    return [json.loads(value) for value in [*written, *(row.value for row in step.outcome.decisions)]]


@patches_the_core
@pytest.mark.parametrize("on_shortage", OnShortage)
def test_what_a_pool_pays_and_who_waits_is_canonical(on_shortage: OnShortage) -> None:
    """A revised decision is written from the bytes of the one before, and is what the models would have made of it."""
    messages = _short_of_money(on_shortage)
    decisions = [message for message in messages if message["event_type"] == "claim.decided"]
    waiting = [line for decision in decisions for line in decision.get("waiting", ())]
    paid = [(each["claim_id"], each["pool_id"]) for each in messages if each["event_type"] == "payout.instructed"]
    places = {OnShortage.OWE: [], OnShortage.QUEUE: [1], OnShortage.PRO_RATA: [None, None]}
    released = {OnShortage.OWE: 2, OnShortage.QUEUE: 1, OnShortage.PRO_RATA: 0}
    assert places[on_shortage] == [line.get("position") for line in waiting]
    assert [("E-P1", "V1"), ("E-P2", "V1")][: released[on_shortage]] == paid
    for decision in decisions:
        by_model = to_json(ClaimDecided.model_validate_json(json.dumps(decision)))
        assert canonical_json(by_model) == canonical_json(decision)


@tried
@given(
    histories() | busy_years() | occasional_histories(), claim_rows(), st.lists(TEXT, min_size=9, max_size=9), INSTANTS
)
def test_a_decision_of_any_names_is_canonical(history: History, row: ClaimRow, names: list[str], at: str) -> None:
    """Ids of claim, person, policy, schemes and tiers may hold whatever a text can."""
    for adjudication in _adjudications(history):
        renamed = _renamed(adjudication, row, names)
        decided = row._replace(
            status=renamed.status,
            personal_burden=renamed.personal_burden,
            total_benefit=renamed.total_benefit,
            patient_pays=renamed.patient_pays,
        )
        assert model_messages.decided(renamed, decided, at) == outbound_messages.decided(renamed, decided, at)


def _adjudications(history: History) -> list[Adjudication]:
    ledger = Ledger(*history.policies)
    ledger.take(*history.facts)
    return [each for account in ledger.world.accounts.values() for each in adjudicate(account, ledger.world.policies)]


def _renamed(adjudication: Adjudication, row: ClaimRow, names: Iterable[str]) -> Adjudication:
    """The same decision, about a claim, person, policy, schemes and tiers of other names."""
    given = iter(names)

    def benefit(each: Benefit) -> Benefit:
        tier = each.tier and each.tier.model_copy(update={"name": next(given)})
        return each._replace(tier=tier, scheme=each.scheme.model_copy(update={"id": next(given)}))

    policy = adjudication.policy and adjudication.policy.model_copy(update={"id": next(given)})
    claim = replace(adjudication.claim, claim_id=row.claim_id, person_id=row.person_id)
    benefits = tuple(benefit(each) for each in adjudication.benefits)
    return adjudication._replace(claim=claim, policy=policy, benefits=benefits)


@tried
@given(DUES, claim_rows(), st.booleans(), INSTANTS)
def test_an_instruction_of_any_names_is_canonical(due: Due, claim: ClaimRow, deceased: bool, at: str) -> None:
    """With and without each field that may be absent or null."""
    assert model_messages.instructed(due, claim, deceased, at) == outbound_messages.instructed(due, claim, deceased, at)


@tried
@given(
    st.integers(0, 255),
    COUNTS,
    st.sampled_from(AuditKind),
    TEXT,
    st.dictionaries(TEXT, TEXT, max_size=6),
    st.tuples(HEX, HEX),
    INSTANTS,
)
def test_an_audit_entry_of_any_names_is_canonical(
    shard: int, seq: int, kind: AuditKind, actor: str, subject: dict[str, str], hashes: tuple[str, str], at: str
) -> None:
    """And so is what its hash is taken of."""
    given = (shard, seq, kind, actor, subject, *hashes, at)
    assert model_messages.audit_entry(*given) == direct_messages.audit_entry(*given)


LONE = ["\ud800", "before \udfff after", "\udc80" * 3]


@pytest.mark.parametrize("name", LONE, ids=ascii)
def test_half_a_character_is_written_by_neither(name: str) -> None:
    """A lone surrogate is no text, and no message leaves with it."""
    hashes, at = ("0" * 64, "0" * 64), format_instant(LATER_THAN_ALL)
    row = ClaimRow(ClaimId(name), PersonId("P1"), 0, 1, Status.INCOMPLETE, "", None, None, 0, 0)
    owed = BenefitRow(ClaimId("E1"), name, None, "copay", 1, 1, None, 1, None, None)
    due = Due(PayoutId("PO-1"), InstructionKind.PAYMENT, 1, 0, owed, 1, None, BY_FUND)
    for actor, subject in ((name, {"id": "1"}), ("huzhu", {"id": name})):
        for audit_entry in (model_messages.audit_entry, direct_messages.audit_entry):
            with pytest.raises((UnicodeEncodeError, ValidationError)):
                audit_entry(0, 1, AuditKind.EVENT_ACCEPTED, actor, subject, *hashes, at)
    for instructed in (model_messages.instructed, outbound_messages.instructed):
        with pytest.raises((UnicodeEncodeError, ValidationError)):
            instructed(due, row, False, at)


@patches_the_core
def test_no_field_of_a_message_is_forgotten() -> None:
    """Each field of a model is written in some message, and nothing else is."""
    messages = _reissued() + _advanced() + _set_off() + _held() + _short_of_money(OnShortage.QUEUE)
    decisions = [message for message in messages if message["event_type"] == "claim.decided"]
    parts: dict[type[BaseModel], list[Json]] = {
        ClaimDecided: decisions,
        BenefitLine: [line for decision in decisions for line in decision["benefits"]],
        ExplanationLine: [line for decision in decisions for line in decision["explanation"]],
        AdvanceLine: [line for decision in decisions for line in decision.get("advances", ())],
        PayeeLine: [line for decision in decisions for line in decision.get("payees", ())],
        WaitingLine: [line for decision in decisions for line in decision.get("waiting", ())],
        PayoutInstructed: [message for message in messages if message["event_type"] == "payout.instructed"],
        AuditRecorded: [message for message in messages if message["event_type"] == "audit.recorded"],
    }
    for model, made in parts.items():
        assert set(model.model_fields) == set().union(*made), model.__name__
