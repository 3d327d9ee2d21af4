"""`huzhu explain`: explains one claim to the person it is about, from files or from the ledger."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.exc import DBAPIError

from acts.published_policies import policies_of, published_policy
from cli.explain import claim_json
from cli.explain.claim_text import ClaimPage, Payout, show
from cli.terminal.connect import ledger, read_settings
from cli.terminal.given_files import AsOfOption, instant_of, lines_of, load_policies
from cli.terminal.language import OutputLanguage, translator
from cli.terminal.listing import JsonOption, print_json
from cli.terminal.output import fail, out
from handlers.claims.explain import decision_of
from handlers.claims.read import recall
from handlers.claims.recall import account_of
from handlers.offline.book import Book
from handlers.words.household_sentences import WAITS
from handlers.words.payout_sentences import Clearing
from infra.ledger.claim_record import Undecided, claim_record
from schemas.bilingual import Saying
from schemas.decisions import ClaimDecided
from schemas.facts import PayoutReported
from schemas.ids import ClaimId
from schemas.outbound import PayoutInstructed
from schemas.policy.model import Policies
from schemas.refusals import Refusal
from stream.deadline import INFRASTRUCTURE_GONE

EXAMPLE = "Example: huzhu explain E1 --facts facts.jsonl --policy wuxi-sample.toml --language en"


def explain(
    claim: Annotated[str, typer.Argument(help="The claim's id, which is the id of its encounter.")],
    facts: Annotated[
        Path | None, typer.Option(help="Facts, one JSON object per line. Default: read the ledger.")
    ] = None,
    policy: Annotated[
        list[Path] | None, typer.Option(help="A policy file, with --facts; repeat it for more releases.")
    ] = None,
    as_of: AsOfOption = None,
    language: Annotated[OutputLanguage, typer.Option(help="zh, en, or both (Chinese first).")] = OutputLanguage.ZH,
    as_json: JsonOption = False,
) -> None:
    """Explain one claim in plain words: the bill, each scheme step by step, what is left to pay, the payouts.

    Reads files with --facts and --policy, or else the ledger at HUZHU_DATABASE_URL. Exit status 2 if there is no such
    claim, or if it waits to be decided with its household for the first time.
    """
    if facts is None and policy:
        fail("--policy needs --facts: the ledger has its own published policies")
    if facts is not None and not policy:
        fail("--facts needs --policy: give the policy files that apply to the claim")
    if facts is None and as_of is not None:
        fail("--as-of needs --facts: the ledger took its facts in when they came")
    moment = instant_of(as_of)
    if facts is None:
        page = _from_ledger(claim, language)
    else:
        page = _from_files(ClaimId(claim), facts, load_policies(policy or [], language), moment)
    if page is None:
        source = Saying("账本里", "in the ledger") if facts is None else Saying(f"文件 {facts} 里", f"in {facts}")
        unknown = Saying(
            f"没有理赔 {claim}:{source.zh}还没有它的出院记录或结算单,请核对编号,或等医院的数据送到后再查。",
            f"No claim {claim}: there is no discharge or bill for it {source.en} yet. Check the id, or try again when "
            "the hospital's data has arrived.",
        )
        fail(translator(language)(unknown))
    if as_json:
        print_json(claim_json.document(page))
    else:
        show(page, language, out)


def _from_files(claim_id: ClaimId, facts: Path, policies: Policies, as_of: datetime | None) -> ClaimPage | None:
    book = Book()
    refused = sum(isinstance(book.take(line, as_of), Refusal) for _, line in lines_of(facts))
    if refused:
        sys.stderr.write(
            f"{refused} facts were refused and do not count; run `huzhu adjudicate` to see which and why\n"
        )
    adjudication = book.decide_one(claim_id, policies)
    if adjudication is None:
        return None
    account = book.accounts[adjudication.claim.person_id]
    return ClaimPage(
        claim=account.claim(claim_id),
        deceased=account.death is not None,
        decision=decision_of(adjudication),
        policy=adjudication.policy,
        term=None if adjudication.policy is None else policies.term(adjudication.policy),
        payouts=None,
    )


def _from_ledger(claim_id: str, language: OutputLanguage) -> ClaimPage | None:
    engine = ledger(read_settings())
    try:
        record = claim_record(engine, claim_id)
    except DBAPIError as error:
        fail(f"the ledger cannot be read: {str(error.orig).splitlines()[0]}", INFRASTRUCTURE_GONE)
    finally:
        engine.dispose()
    if record is None:
        return None
    if isinstance(record, Undecided):
        fail(translator(language)(WAITS))
    decision = ClaimDecided.model_validate_json(record.decision)
    account = account_of(decision.person_id, record.facts)
    payouts = [
        Payout(
            instruction=PayoutInstructed.model_validate_json(instruction.value),
            report=_report(instruction.report),
            doubtful=instruction.contradictions > 0,
            reissued_as=instruction.reissued_as,
            clearing=Clearing(instruction.manner, instruction.left, instruction.kept_for),
        )
        for instruction in record.instructions
    ]
    policy = None if record.policy_text is None else published_policy(record.policy_text)
    return ClaimPage(
        claim=account.claim(decision.claim_id),
        deceased=account.death is not None,
        decision=decision,
        policy=policy,
        term=None if policy is None else policies_of(record.policy_texts).term(policy),
        payouts=payouts,
        group_waits=record.group_waits,
        waiting=record.waiting,
    )


def _report(value: bytes | None) -> PayoutReported | None:
    fact = None if value is None else recall(value)
    return fact if isinstance(fact, PayoutReported) else None
