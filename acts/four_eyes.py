"""What all acts share that one operator proposes and another one approves."""

from __future__ import annotations

from typing import Protocol, TypeVar

from sqlalchemy import Connection

from infra.ledger import identity_provider_rows
from schemas.bilingual import Saying


class NotDone(Exception):
    """A proposal that was not made, approved or rejected; ``why`` is for people, in both languages."""

    def __init__(self, why: Saying) -> None:
        super().__init__(f"{why.zh}\n{why.en}")
        self.why = why


class Unusable(NotDone):
    """What is proposed cannot be done."""


class NoProposal(NotDone):
    """There is no such proposal, or nothing that it could be about."""


class TooLate(NotDone):
    """A proposal about the same thing waits already, or this one was decided before."""


class OwnProposal(NotDone):
    """Whoever proposed cannot decide."""


class Proposed(Protocol):
    """What every proposal has: who made it, and None until somebody has decided."""

    @property
    def proposed_by(self) -> str: ...

    @property
    def decision(self) -> str | None: ...


Proposal = TypeVar("Proposal", bound=Proposed)


def to_decide(connection: Connection, proposal: Proposal | None, proposal_no: int, operator: str) -> Proposal:
    """The proposal that was found under a number, if this operator may decide about it.

    The two must be different people, however their names are spelt. One who signs in with the identity provider and
    one with a password of the console could be the same person under two names, so they never decide about each
    other's proposals. Raises NoProposal, TooLate and OwnProposal.
    """
    if proposal is None:
        raise NoProposal(Saying(f"没有编号为 {proposal_no} 的提议。", f"There is no proposal {proposal_no}."))
    if proposal.decision is not None:
        raise TooLate(Saying("已经有人决定过了。", "This has already been decided."))
    if _same(proposal.proposed_by) == _same(operator):
        raise OwnProposal(
            Saying(
                "自己提出的不能自己批准或驳回,请由另一位经办人员决定(双人复核)。",
                "You cannot decide about your own proposal; a second operator has to.",
            )
        )
    if 1 == len(identity_provider_rows.of_provider(connection, [proposal.proposed_by, operator])):
        raise OwnProposal(
            Saying(
                "提出的人和您一个用统一身份认证登录,一个用本系统的密码登录,无法确认是两个人;请由登录方式相同的另一位经办人员决定。",
                "One of you signs in with the identity provider and the other with a password of the console, so you "
                "could be one person. Somebody who signs in as the proposer does has to decide.",
            )
        )
    return proposal


def _same(name: str) -> str:
    return " ".join(name.split()).casefold()
