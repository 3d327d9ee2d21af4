"""`huzhu holds list | propose | approve | reject`: claims that may be there twice, and paying them after all."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from acts import release_hold
from cli.payouts.payouts_command import reading
from cli.terminal.connect import ledger, read_settings
from cli.terminal.language import LanguageOption, OutputLanguage, translator
from cli.terminal.listing import JsonOption, print_json, print_table
from cli.terminal.operators import Operator, Proposals, Reason, acting, signed_in
from cli.terminal.output import out
from handlers.claims.twice import as_written
from handlers.words import twice_sentences
from handlers.words.claim_sentences import yuan
from infra.clock import utc_now
from infra.ledger import clearing_proposals, hold_rows
from infra.ledger.hold_rows import HeldClaim
from schemas.access.console_rights import Right
from schemas.bilingual import Saying
from schemas.clearing_acts import ClearingAct
from schemas.money import format_yuan

app = typer.Typer(no_args_is_help=True, help="Claims that are held (暂缓支付): list them, release them by two people.")


@app.command("list", epilog="Example: huzhu holds list --language en")
def list_holds(language: LanguageOption = OutputLanguage.ZH, as_json: JsonOption = False) -> None:
    """List the claims that are held, why, what is not paid meanwhile, and which release waits for approval."""
    with reading(ledger(read_settings())) as connection:
        found = hold_rows.all_held(connection)
        proposed = {each.subject: each for each in clearing_proposals.waiting(connection, ClearingAct.HOLD)}
    if as_json:
        numbers = {claim_id: each.proposal_no for claim_id, each in proposed.items()}
        print_json({"holds": [_plain(each, numbers.get(each.claim_id)) for each in found]})
        return
    say = translator(language, " ")
    heads = (
        Saying("理赔", "claim"),
        Saying("出院日", "discharged"),
        Saying("暂缓(元)", "kept back (yuan)"),
        Saying("原因", "why"),
        Saying("待批准的提议", "proposal"),
    )
    print_table(
        [say(head) for head in heads],
        [
            (
                each.claim_id,
                str(each.discharged_on or ""),
                yuan(each.kept),
                " ".join(say(twice_sentences.briefly(*finding)) for finding in as_written(each.twice)),
                str(proposed[each.claim_id].proposal_no) if each.claim_id in proposed else "",
            )
            for each in found
        ],
        right=(2,),
    )
    total = yuan(sum(each.kept for each in found))
    out.print(say(Saying(f"共 {len(found)} 笔,暂缓 {total} 元", f"{len(found)} in all, {total} yuan kept back")))


@app.command(epilog='Example: huzhu holds propose enc-7 --operator li.na --reason "the other bill was a copy"')
def propose(
    claims: Annotated[list[str], typer.Argument(help="Ids of claims that are held.")],
    operator: Operator,
    reason: Reason,
) -> None:
    """Propose to release claims: they are paid when a second operator approves.

    Exit status 2 if one of them is not held, or is proposed already; then none is.
    """
    operator = signed_in(operator, Right.CLEAR, reason=reason)
    with acting() as (connection, shards):
        made = [release_hold.propose(connection, each, reason, operator, shards, utc_now) for each in claims]
    numbers = " ".join(map(str, made))
    out.print(f"已提议,等待另一位经办人员批准: {numbers}", soft_wrap=True)
    out.print(
        f"proposed; a second operator approves with: huzhu holds approve {numbers} --operator NAME", soft_wrap=True
    )


@app.command(epilog="Example: huzhu holds approve 12 --operator wang.wei")
def approve(numbers: Proposals, operator: Operator) -> None:
    """Release the claims of proposals from what holds them now, in the name of a second operator, and pay them.

    Exit status 2, with the reason, if one cannot be approved; then none is.
    """
    operator = signed_in(operator, Right.CLEAR)
    with acting() as (connection, shards):
        done = [release_hold.approve(connection, number, operator, shards, utc_now) for number in numbers]
    for each in done:
        out.print(f"{each.claim_id}: 已解除暂缓 / released")


@app.command(epilog='Example: huzhu holds reject 12 --operator wang.wei --reason "the hospital voids one of them"')
def reject(numbers: Proposals, operator: Operator, reason: Reason) -> None:
    """Reject proposals: the claims stay held, and can be proposed again."""
    operator = signed_in(operator, Right.CLEAR, reason=reason)
    with acting() as (connection, _):
        done = [release_hold.reject(connection, number, reason, operator, utc_now) for number in numbers]
    for each in done:
        out.print(f"{each.subject}: 未批准,仍暂缓支付 / rejected, still held")


def _plain(each: HeldClaim, proposal_no: int | None) -> dict[str, Any]:
    return {
        "claim_id": each.claim_id,
        "discharged_on": None if each.discharged_on is None else each.discharged_on.isoformat(),
        "due": format_yuan(each.due),
        "paid": format_yuan(each.paid),
        "kept_back": format_yuan(each.kept),
        "found": [
            {"code": code, "invoice_no": about or None, "other_claims": list(others)}
            for code, about, others in as_written(each.twice)
        ],
        "proposal": proposal_no,
    }
