"""What each scheme would pay for a bill: the same arithmetic as for a posted one, but nothing is written."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from pydantic import BaseModel, JsonValue
from sqlalchemy import Connection, Engine

from acts.published_policies import published_policies
from handlers.claims.account import Account
from handlers.claims.adjudicate import adjudicate_together
from handlers.claims.admit import claims_of_identity
from handlers.claims.explain import decision_of
from handlers.claims.payees import may_take_off, persons_part
from handlers.claims.read import Reading, read, recall
from handlers.claims.recall import accounts_of
from handlers.claims.twice import checks_on, holding, link_of, released_of
from handlers.offline.book import Book
from handlers.words.checked_sentences import NOTHING_TAKEN_OFF
from handlers.words.field_hints import json_hint
from infra.ledger import group_rows, hold_rows, inbox, reads
from schemas.access.callers import ApiRole, Caller
from schemas.bilingual import Saying
from schemas.facts import CoverageRecorded, EncounterDischarged, Fact, SettlementPosted, Subject
from schemas.ids import ClaimId, PersonId, claim_of
from schemas.money import Fen
from schemas.outbound import AlertCode
from schemas.policy.model import Policies
from schemas.refusals import Refusal, RefusalCode, refuse
from web.accept_language import Language, text_in
from web.api.admission import accepted_lines
from web.api.claim_view import SchemeExplained, decision_document, explained, summary
from web.api.json_slices import array_items, object_members
from web.api.permissions import Owners, cannot, refusal_of
from web.api.problems import of_refusal, problem

COVERAGES_MAX = 50
_ONE_PERSON = Saying("一次测算只涉及一个人的一次就诊", "a quote is about one person and one encounter")


class MayTakeOff(BaseModel):
    """What the hospital may take off this bill for one scheme; it is paid back if it says so in the bill's advances."""

    scheme_id: str
    amount: Fen


class QuoteView(BaseModel):
    """What would be decided if the settlement were posted now. ``decision`` has the format of `huzhu adjudicate`.

    ``may_take_off`` is what is due and neither advanced on the claim's other bills nor already ordered for the person;
    nothing where the claim would be ``held``. ``alerts`` are the codes of what somebody would have to look at.
    """

    claim_id: str
    state: str
    language: str
    summary: str
    alerts: list[AlertCode]
    held: bool
    explanation: list[SchemeExplained]
    may_take_off: list[MayTakeOff]
    decision: dict[str, JsonValue]


def readings_of(body: bytes, moment: datetime) -> list[Reading]:
    """The events of a quote, as posted at ``moment``: its settlement first, then its discharge and coverages.

    Raises Problem.
    """
    try:
        members = object_members(body.decode("utf-8"))
        coverages = array_items(members.get("coverages", "[]"))
    except ValueError as error:
        raise of_refusal(refuse(RefusalCode.MALFORMED_JSON, json_hint(error))) from None
    if "settlement" not in members:
        hint = Saying("测算需要一张结算单", "a quote needs a settlement")
        raise problem("REQUEST_INVALID", hint, pointers=("/settlement",))
    if len(coverages) > COVERAGES_MAX:
        hint = Saying(f"参保记录最多 {COVERAGES_MAX} 条", f"at most {COVERAGES_MAX} coverages")
        raise problem("REQUEST_INVALID", hint, pointers=("/coverages",))
    readings = [_read(members["settlement"], "/settlement", SettlementPosted, moment)]
    if members.get("discharge", "null") != "null":
        readings.append(_read(members["discharge"], "/discharge", EncounterDischarged, moment))
    for index, text in enumerate(coverages):
        readings.append(_read(text, f"/coverages/{index}", CoverageRecorded, moment))
    person_id, encounter_id = readings[0].fact.person_id, getattr(readings[0].fact, "encounter_id", None)
    for reading in readings[1:]:
        fact = reading.fact
        other_encounter = isinstance(fact, EncounterDischarged) and fact.encounter_id != encounter_id
        if fact.person_id != person_id or other_encounter:
            raise of_refusal(refuse(RefusalCode.PERSON_MISMATCH, _ONE_PERSON))
    return readings


def quote(engine: Engine, readings: Sequence[Reading], caller: Caller, language: Language) -> QuoteView:
    """The decision that posting the events would lead to, given everything known about the person.

    That is the facts in the ledger and the acknowledged events that still wait for Kafka. Raises Problem.
    """
    if caller.role is not ApiRole.HOSPITAL:
        raise problem("FORBIDDEN", cannot(caller, Saying("请求测算", "ask for quotes")))
    facts = [reading.fact for reading in readings]
    bill = facts[0]
    assert isinstance(bill, SettlementPosted), "readings_of puts the settlement first"
    claim_id = claim_of(bill.encounter_id)
    subjects = list(dict.fromkeys(subject for fact in facts for subject in claims_of_identity(fact)))
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        policies = published_policies(connection)
        accounts = _accounts(connection, bill, policies)
        waiting = [row for _, row in inbox.rows_about(connection, subjects)]
        registry = accepted_lines(connection, subjects, waiting)
        owners = _owners(connection, subjects, [recall(row.value) for row in waiting])
        ordered = _ordered(connection, claim_id)
        known = hold_rows.held_claim(connection, claim_id)
    book = Book(registry, accounts)
    for reading in readings:
        needs_permission = not isinstance(reading.fact, CoverageRecorded)
        forbidden = refusal_of(reading.fact, caller, owners) if needs_permission else None
        if forbidden is not None:
            raise problem("FORBIDDEN", forbidden)
        disposition = book.admit(reading)
        if isinstance(disposition, Refusal):
            raise of_refusal(disposition)
    adjudication = next(
        each for each in adjudicate_together(accounts.values(), policies) if each.claim.claim_id == claim_id
    )
    if known is not None and adjudication.held:
        checks = checks_on(adjudication.claim, policies)
        held = holding(adjudication.twice, checks, released_of(known.hold_released))
        adjudication = adjudication._replace(held=held)
    decision = decision_of(adjudication)
    said = [summary(adjudication.claim, decision, language)]
    said += [text_in(NOTHING_TAKEN_OFF, language)] if adjudication.held else []
    return QuoteView(
        claim_id=claim_id,
        state=decision.status.value,
        language=language,
        summary=("" if language == "zh" else " ").join(said),
        alerts=list(decision.alerts or ()),
        held=adjudication.held,
        explanation=explained(decision, adjudication.policy, language),
        may_take_off=[
            MayTakeOff(scheme_id=scheme_id, amount=amount)
            for scheme_id, amount in may_take_off(adjudication, bill, ordered).items()
        ],
        decision=decision_document(decision),
    )


def _ordered(connection: Connection, claim_id: ClaimId) -> dict[str, int]:
    """What was instructed for the person or the estate so far, net, by scheme (fen)."""
    shares = reads.facility_shares(connection, [claim_id])
    return {row.scheme_id: persons_part(row, shares) for row in reads.held_benefits(connection, [claim_id])}


def _accounts(connection: Connection, bill: SettlementPosted, policies: Policies) -> dict[PersonId, Account]:
    """The person of a bill and all whom invoices, or households where some scheme counts by them, link to them."""
    person_id = bill.person_id
    accounts = {person_id: Account(person_id)} | _known(connection, [person_id])
    account = accounts[person_id]
    links = account.households() if policies.household_schemes else set[str]()
    invoices = {*account.trace(claim_of(bill.encounter_id)).invoices, bill.invoice_no}
    links |= {link_of(invoice) for invoice in invoices if invoice is not None}
    if links:
        others = group_rows.to_be_linked_by(connection, person_id, links) - {person_id}
        accounts |= _known(connection, others)
    return accounts


def _known(connection: Connection, persons: Collection[PersonId]) -> dict[PersonId, Account]:
    """Some persons by their facts in the ledger and by what was acknowledged and waits for Kafka."""
    waiting = [row.value for _, row in inbox.rows_of_persons(connection, persons)]
    return accounts_of([*reads.newest_facts(connection, persons), *waiting])


def _owners(connection: Connection, subjects: Sequence[Subject], waiting: Sequence[Fact]) -> Owners:
    owners = Owners()
    owners.note_all(recall(value) for value in inbox.values_about(connection, subjects))
    owners.note_all(waiting)
    return owners


def _read(text: str, pointer: str, expected_type: type[Fact], moment: datetime) -> Reading:
    reading = read(text.encode("utf-8"), as_of=moment)
    if isinstance(reading, Reading) and not isinstance(reading.fact, expected_type):
        reading = refuse(RefusalCode.UNKNOWN_EVENT_TYPE, pointers=("/event_type",))
    if isinstance(reading, Refusal):
        error = of_refusal(reading)
        error.pointers = tuple(pointer + inner for inner in error.pointers) or (pointer,)
        raise error
    return reading
