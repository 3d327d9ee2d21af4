"""What all acts share that one operator proposes and another one approves."""

from __future__ import annotations

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


def require_second(proposed_by: str, operator: str) -> None:
    """Raises OwnProposal unless the two are different people, however their names are spelt."""
    if _same(proposed_by) == _same(operator):
        raise OwnProposal(
            Saying(
                "自己提出的不能自己批准或驳回,请由另一位经办人员决定(双人复核)。",
                "You cannot decide about your own proposal; a second operator has to.",
            )
        )


def require_open(decision: str | None) -> None:
    """Raises TooLate if a proposal was decided before."""
    if decision is not None:
        raise TooLate(Saying("已经有人决定过了。", "This has already been decided."))


def no_proposal(proposal_no: int) -> NoProposal:
    return NoProposal(Saying(f"没有编号为 {proposal_no} 的提议。", f"There is no proposal {proposal_no}."))


def _same(name: str) -> str:
    return " ".join(name.split()).casefold()
