"""What insurers said of their statements, as it stands: the newest version of each answer counts."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection

from handlers.claims.read import recall
from infra.ledger import statement_answers
from infra.ledger.statement_answers import KeptAnswer
from schemas.facts import StatementAnswered
from schemas.ids import StatementId


class GivenAnswer(NamedTuple):
    """A version of an answer: as the ledger keeps it, as it was read, and whether a later one has taken its place."""

    kept: KeptAnswer
    fact: StatementAnswered
    replaced: bool

    @property
    def matched(self) -> bool:
        """Whether there is such a statement of this insurer."""
        return self.kept.treaty_id is not None


def given_answers(connection: Connection, statement_id: str | None = None) -> list[GivenAnswer]:
    """All versions of the answers, to one statement or to any, in the order in which they were taken in."""
    kept = statement_answers.answers(connection, statement_id)
    newest = {each.statement_id: each.version for each in sorted(kept, key=lambda each: each.version)}
    return [GivenAnswer(each, _fact(each.value), each.version < newest[each.statement_id]) for each in kept]


def standing_answers(connection: Connection) -> dict[StatementId, StatementAnswered]:
    """The newest answer to each statement that was issued and answered."""
    given = given_answers(connection)
    return {each.kept.statement_id: each.fact for each in given if each.matched and not each.replaced}


def _fact(value: bytes) -> StatementAnswered:
    fact = recall(value)
    assert isinstance(fact, StatementAnswered), "an answer is kept under the kind of a statement"
    return fact
