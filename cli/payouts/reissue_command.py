"""`huzhu payouts reissue | proposals | approve | reject`: one operator proposes a reissue, another one approves it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from sqlalchemy import Connection

from acts.propose_reissue import approve_reissue, propose_reissue, reject_reissue
from acts.reissue_payout import NoSuchPayout
from cli.terminal.connect import ledger, read_settings
from cli.terminal.listing import JsonOption, moment, print_json, print_table
from cli.terminal.operators import Operator, Reason, acting, signed_in
from cli.terminal.output import fail, out
from handlers.claims.payout_reports import NotReissuable
from handlers.words.claim_sentences import yuan
from infra.clock import utc_now
from infra.ledger import reissue_proposals
from schemas.access.console_rights import Right
from schemas.dates import format_instant

Proposal = Annotated[int, typer.Argument(help="The proposal's number.")]


@contextmanager
def _reissuing() -> Iterator[tuple[Connection, int]]:
    with acting() as (connection, shards):
        try:
            yield connection, shards
        except NoSuchPayout as error:
            fail(f"没有支付 {error}\nthere is no payout {error}: `huzhu payouts list` lists them all")
        except NotReissuable as error:
            fail(str(error))


def reissue(
    payout: Annotated[str, typer.Argument(help="The payout that failed or was returned.")],
    operator: Operator,
    reason: Reason,
) -> None:
    """Propose to reissue a failed or returned payout under a new id. A second operator approves or rejects.

    Exit status 2 if it is not allowed, or was done before: then the message names the payout that replaced it.
    """
    operator = signed_in(operator, Right.REISSUE, reason=reason)
    with _reissuing() as (connection, shards):
        number, amount = propose_reissue(connection, payout, reason, operator, shards, utc_now)
    then = f"huzhu payouts approve {number} --operator NAME"
    out.print(f"提议 {number}:重新下达 {yuan(amount)} 元,等待另一位经办人员批准:{then}", soft_wrap=True)
    out.print(
        f"proposal {number}: reissue {yuan(amount)} yuan; it waits for another operator, who approves with: {then}",
        soft_wrap=True,
    )


def list_proposals(as_json: JsonOption = False) -> None:
    """List what waits for a second operator, oldest first."""
    with ledger(read_settings()).connect() as connection:
        waiting = reissue_proposals.waiting(connection)
    if as_json:
        listed = [
            {
                "proposal": each.proposal_no,
                "payout_id": each.payout_id,
                "reason": each.reason,
                "proposed_by": each.proposed_by,
                "proposed_at": format_instant(each.proposed_at),
            }
            for each in waiting
        ]
        print_json({"proposals": listed})
        return
    print_table(
        ("proposal", "payout", "reason", "by", "proposed"),
        [
            (str(each.proposal_no), each.payout_id, each.reason, each.proposed_by, moment(each.proposed_at))
            for each in waiting
        ],
        right=(0,),
    )


def approve(proposal: Proposal, operator: Operator) -> None:
    """Approve the proposal of another operator: the payout is ordered again, as far as it is still due."""
    operator = signed_in(operator, Right.REISSUE)
    with _reissuing() as (connection, shards):
        done = approve_reissue(connection, proposal, operator, shards, utc_now)
    out.print(f"已重新下达 {yuan(done.amount)} 元,新的支付编号 {done.payout_id}", soft_wrap=True)
    out.print(f"reissued {yuan(done.amount)} yuan as payout {done.payout_id}", soft_wrap=True)


def reject(proposal: Proposal, operator: Operator, reason: Reason) -> None:
    """Reject the proposal of another operator; nothing is ordered."""
    operator = signed_in(operator, Right.REISSUE, reason=reason)
    with _reissuing() as (connection, _):
        reject_reissue(connection, proposal, reason, operator, utc_now)
    out.print(f"已驳回提议 {proposal}", soft_wrap=True)
    out.print(f"rejected proposal {proposal}", soft_wrap=True)
