"""One household: who belongs to it when, what each scheme counted and paid to it against its cap, and the claims."""

from __future__ import annotations

from typing import NamedTuple

from starlette.responses import Response

from acts.published_policies import published_policies
from acts.record_operator_acts import record_operator_acts
from handlers.claims.recall import accounts_of
from handlers.words.household_sentences import UNIT_KINDS, WAITS_AGAIN
from handlers.words.masking import mask_text
from infra.ledger import counted_rows, group_rows, household_rows, people_directory, reads
from infra.ledger.household_rows import HouseholdClaim
from infra.ledger.people_directory import PersonDetails
from schemas.access.console_rights import ConsoleAct, Right
from schemas.dates import shanghai_date
from schemas.facts import MembershipRecorded
from schemas.ids import PersonId
from schemas.outbound import AuditKind
from web.console import charts
from web.console.scheme_years import household_years
from web.console.visit import HOUSEHOLD, Visit, not_found


class MemberShown(NamedTuple):
    """Somebody who belongs to the household, on the days of their memberships; ``benefit`` (fen) is of its claims."""

    person: PersonDetails
    token: str
    memberships: list[MembershipRecorded]
    claims: int
    benefit: int


class ClaimShown(NamedTuple):
    """A claim that was decided with the household's sums, and whose it is."""

    claim: HouseholdClaim
    person: PersonDetails


def show(visit: Visit) -> Response:
    visit.require(Right.CLAIMS)
    return _page(visit, None)


def unmask(visit: Visit) -> Response:
    """The same page with its members' data unmasked, once. The audit log records who looked, at whom, and why."""
    visit.require(Right.UNMASK)
    return _page(visit, visit.reason())


def _page(visit: Visit, reason: str | None) -> Response:
    token = visit.path_values["token"]
    household_id = visit.untoken(token, HOUSEHOLD)
    with visit.engine.begin() as connection:
        persons = household_rows.members_of(connection, household_id)
        if not persons:
            raise not_found()
        subjects = [{"page": "household", "household": token, "person": visit.token(name)} for name in persons]
        if reason is None:
            for subject in subjects:
                visit.note_view(connection, **subject)
        else:
            why, kind = {"reason": mask_text(reason)}, AuditKind.PERSONAL_UNMASKED.value
            acts = [ConsoleAct(kind, visit.user, subject | why) for subject in subjects]
            record_operator_acts(connection, visit.now, acts)
        people = {name: people_directory.find(connection, visit.keys, name) or _unknown(name) for name in persons}
        accounts = accounts_of(reads.newest_facts(connection, persons))
        claims = household_rows.claims_of_household(connection, household_id)
        counted = counted_rows.counted_for_household(connection, household_id)
        policies = published_policies(connection)
        waits = group_rows.group_waits(connection, persons[0])
    years = household_years(counted, policies, shanghai_date(visit.now()))
    capped = [(f"{year.start.year} {year.title}", year.benefit, year.cap) for year in years if year.cap is not None]
    return visit.page(
        "household.html",
        token=token,
        household_id=household_id,
        unmasked=reason is not None,
        waits=WAITS_AGAIN if waits else None,
        members=[
            MemberShown(
                people[name],
                visit.token(name),
                _memberships(accounts[name].recorded_memberships(), household_id),
                sum(claim.person_id == name for claim in claims),
                sum(claim.total_benefit for claim in claims if claim.person_id == name),
            )
            for name in persons
        ],
        unit_kinds=UNIT_KINDS,
        claims=[ClaimShown(claim, people[claim.person_id]) for claim in claims],
        years=years,
        chart=charts.caps(visit.text, capped) if capped else None,
    )


def _unknown(person_id: PersonId) -> PersonDetails:
    return PersonDetails(person_id, "", "", "")


def _memberships(recorded: list[MembershipRecorded], household_id: str) -> list[MembershipRecorded]:
    """Those that name the household, oldest first."""
    own = [each for each in recorded if each.household_id == household_id]
    return sorted(own, key=lambda each: (each.valid_from, each.membership_id))
