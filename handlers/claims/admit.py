"""Whether a readable event is news: accepted, a duplicate, stale, or in conflict with what came before.

Looks at what was accepted under the same ids (claims.md, section 3: VERSION_CONFLICT and PERSON_MISMATCH).
Only accepted events count as "before": a stale event leaves no trace here, so which of two versions of one id came
first makes no difference.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from handlers.claims.read import Reading
from schemas.bilingual import Saying
from schemas.facts import Fact, Kind, OccasionFact, SettlementPosted, SettlementVoided, Subject
from schemas.ids import EncounterId, PersonId
from schemas.refusals import Refusal, RefusalCode, refuse


class Disposition(StrEnum):
    """What became of an event that could be read and conflicts with no other."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    STALE = "stale"


@dataclass(slots=True)
class VersionLine:
    """What is known under one id: whose it is (a person, insurer or pool), and the content (SHA-256) of each version.

    Events without versions (payout reports) are numbered as they come. ``bound``: the ledger knows the id.
    """

    person_id: PersonId
    encounter_id: EncounterId | None = None
    contents: dict[int, str] = field(default_factory=dict)
    bound: bool = False

    @property
    def newest(self) -> int:
        return max(self.contents, default=0)


Registry = dict[Subject, VersionLine]
"""The lines that a batch can touch; the caller fills it before, and `admit` adds what it accepts."""


def claims_of_identity(fact: Fact) -> tuple[Subject, ...]:
    """The ids that a fact binds to its person: its own, and for a settlement its encounter's."""
    if type(fact) is SettlementPosted or type(fact) is SettlementVoided:
        return (fact.subject, Subject(Kind.ENCOUNTER, fact.encounter_id))
    return (fact.subject,)


def looked_up(fact: Fact) -> tuple[Subject, ...]:
    """The ids that decide whether a fact is accepted: those that it binds, and the stay that may have its claim's id.

    Encounters called as claims of incidents and aid are: only a release that did not know these accepted such.
    """
    bound = claims_of_identity(fact)
    return (*bound, Subject(Kind.ENCOUNTER, fact.claim_id)) if isinstance(fact, OccasionFact) else bound


_STAY_HAS_ID = Saying(
    "这个编号对应的理赔号已被以前的一次住院或门诊使用,请换一个编号",
    "an earlier stay has the claim id that this id leads to: use another id",
)
_OTHER_OWNER = {
    Kind.STATEMENT: Saying("另一家保险公司已答复过这份对账单", "another insurer has answered this statement"),
    Kind.CONTRIBUTION: Saying("这笔资金已登记在另一个资金池名下", "another pool has received this contribution"),
}
"""Whose the id was before, where it was no person's."""


def admit(reading: Reading, registry: Registry) -> Disposition | Refusal:
    """Adds the event to the registry if it is accepted; otherwise the registry stays as it was."""
    fact = reading.fact
    for subject in claims_of_identity(fact):
        owner = registry.get(subject)
        if owner is None:
            continue
        if owner.person_id != fact.person_id and subject.kind is not Kind.PAYOUT:
            hint = _OTHER_OWNER.get(subject.kind)
            return refuse(RefusalCode.PERSON_MISMATCH, hint, (f"/{fact.owner_field}", f"/{subject.kind}_id"))
        if subject.kind is Kind.SETTLEMENT and owner.encounter_id != getattr(fact, "encounter_id", None):
            return refuse(RefusalCode.PERSON_MISMATCH, pointers=("/encounter_id", "/settlement_id"))
    if isinstance(fact, OccasionFact) and Subject(Kind.ENCOUNTER, fact.claim_id) in registry:
        return refuse(RefusalCode.PERSON_MISMATCH, _STAY_HAS_ID, (f"/{fact.subject.kind}_id",))
    line = registry.get(fact.subject)
    version = fact.line_version
    if line is not None:
        if version is None:
            if reading.content_sha256 in line.contents.values():
                return Disposition.DUPLICATE
        elif version in line.contents:
            if line.contents[version] == reading.content_sha256:
                return Disposition.DUPLICATE
            return refuse(RefusalCode.VERSION_CONFLICT, pointers=("/version",))
        elif version < line.newest:
            return Disposition.STALE
    _accept(reading, registry)
    return Disposition.ACCEPTED


def _accept(reading: Reading, registry: Registry) -> None:
    fact = reading.fact
    for subject in claims_of_identity(fact):
        if subject not in registry:
            encounter_id = getattr(fact, "encounter_id", None) if subject.kind is Kind.SETTLEMENT else None
            registry[subject] = VersionLine(fact.person_id, encounter_id)
    line = registry[fact.subject]
    line.contents[fact.line_version or len(line.contents) + 1] = reading.content_sha256
