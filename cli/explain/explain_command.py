"""`huzhu explain`: one claim as the person it belongs to would want it told, from files or from the ledger."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.exc import DBAPIError

from acts.published_policies import published_policy
from cli.explain.claim_text import ClaimPage, Payout, show
from cli.offline.adjudicate_command import lines_of
from cli.policy.policy_command import read as read_files
from cli.servers.operate import ledger, settings
from cli.terminal.language import Language, said_in
from cli.terminal.output import fail, out
from handlers.claims.adjudicate import adjudicate
from handlers.claims.explain import decision_of
from handlers.claims.read import Reading, read
from handlers.claims.recall import account_of
from handlers.offline.book import Book
from infra.ledger.claim_record import claim_record
from schemas.bilingual import Saying
from schemas.decisions import ClaimDecided
from schemas.facts import PayoutReported
from schemas.ids import ClaimId
from schemas.outbound import PayoutInstructed
from schemas.refusals import Refusal
from stream.deadline import INFRASTRUCTURE_GONE

EXAMPLE = "Example: huzhu explain E1 --facts facts.jsonl --policy wuxi-sample.toml --language en"


def explain(
    claim: Annotated[str, typer.Argument(help="The claim, which has the id of its encounter.")],
    facts: Annotated[
        Path | None, typer.Option(help="Facts, one JSON object a line; without it the ledger is read.")
    ] = None,
    policy: Annotated[
        list[Path] | None, typer.Option(help="A policy file, with --facts; give it again for more releases.")
    ] = None,
    language: Annotated[Language, typer.Option(help="zh, en, or both, Chinese first.")] = Language.ZH,
) -> None:
    """Explain one claim in plain words: the bill, each scheme step by step, what is left to pay, the payouts.

    With --facts and --policy from files; without, from the ledger at HUZHU_DATABASE_URL. Exit status 2 when there is
    no such claim.
    """
    if facts is None and policy:
        fail("--policy goes with --facts: the ledger has its own published policies")
    if facts is not None and not policy:
        fail("--facts needs --policy: give the policy files under which the claim is to be explained")
    page = _from_ledger(claim) if facts is None else _from_files(ClaimId(claim), facts, policy or [])
    if page is None:
        place = Saying("账本里", "in the ledger") if facts is None else Saying(f"文件 {facts} 里", f"in {facts}")
        unknown = Saying(
            f"没有理赔 {claim}:{place.zh}还没有它的出院记录或结算单,请核对编号,或等医院的数据送到后再查。",
            f"There is no claim {claim}: no discharge or bill of it is {place.en} yet; check the id, or ask again once "
            "the hospital's data has arrived.",
        )
        fail(said_in(language)(unknown))
    show(page, language, out)


def _from_files(claim_id: ClaimId, facts: Path, files: list[Path]) -> ClaimPage | None:
    policies = read_files(files)
    book = Book()
    refused = sum(isinstance(book.take(line), Refusal) for _, line in lines_of(facts))
    if refused:
        sys.stderr.write(f"{refused} facts were refused and do not count; `huzhu adjudicate` says which and why\n")
    for account in book.accounts.values():
        if claim_id in account.claim_ids():
            decided = {each.claim.claim_id: each for each in adjudicate(account, policies)}[claim_id]
            return ClaimPage(
                account.claim(claim_id), account.death is not None, decision_of(decided), decided.policy, None
            )
    return None


def _from_ledger(claim_id: str) -> ClaimPage | None:
    engine = ledger(settings())
    try:
        record = claim_record(engine, claim_id)
    except DBAPIError as error:
        fail(f"the ledger cannot be read: {str(error.orig).splitlines()[0]}", INFRASTRUCTURE_GONE)
    finally:
        engine.dispose()
    if record is None:
        return None
    decision = ClaimDecided.model_validate_json(record.decision)
    account = account_of(decision.person_id, record.facts)
    payouts = [
        Payout(
            PayoutInstructed.model_validate_json(each.value),
            _report(each.report),
            each.contradictions > 0,
            each.reissued_as,
        )
        for each in record.instructions
    ]
    policy = None if record.policy_text is None else published_policy(record.policy_text)
    return ClaimPage(account.claim(decision.claim_id), account.death is not None, decision, policy, payouts)


def _report(value: bytes | None) -> PayoutReported | None:
    known = None if value is None else read(value)
    return known.fact if isinstance(known, Reading) and isinstance(known.fact, PayoutReported) else None
