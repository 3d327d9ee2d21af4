"""One person: coverages, the year at a glance, and how much of each yearly cap is used and left."""

from __future__ import annotations

from starlette.responses import Response

from acts.published_policies import published_policies
from acts.record_operator_acts import record_operator_acts
from handlers.claims.recall import account_of
from handlers.words.coverage_sentences import ENDED_REASONS
from handlers.words.household_sentences import UNIT_KINDS
from handlers.words.masking import mask_text
from infra.ledger import aid_proposals, alert_lists, claim_search, counted_rows, people_directory, reads
from infra.ledger.alert_lists import AlertFilter
from infra.ledger.people_directory import PersonDetails
from schemas.access.console_rights import ConsoleAct, Right
from schemas.dates import shanghai_date
from schemas.facts import UnitKind
from schemas.ids import PersonId
from schemas.outbound import AuditKind
from web.console import charts
from web.console.alerts_page import OF_ONE_MAX, shown
from web.console.scheme_years import person_years
from web.console.visit import Visit, not_found


def show(visit: Visit) -> Response:
    visit.require(Right.CLAIMS)
    return _page(visit, None)


def unmask(visit: Visit) -> Response:
    """The same page with the person's data unmasked, once. The audit log records who looked, at whom, and why."""
    visit.require(Right.UNMASK)
    return _page(visit, visit.reason())


def _page(visit: Visit, reason: str | None) -> Response:
    token = visit.path_values["token"]
    person_id = PersonId(visit.person(token))
    with visit.engine.begin() as connection:
        facts = reads.newest_facts(connection, [person_id])
        if not facts:
            raise not_found()
        if reason is None:
            visit.note_view(connection, "person", person=visit.token(person_id))
        else:
            subject = {"page": "person", "person": visit.token(person_id), "reason": mask_text(reason)}
            act = ConsoleAct(AuditKind.PERSONAL_UNMASKED.value, visit.user, subject)
            record_operator_acts(connection, visit.now, [act])
        person = people_directory.find(connection, visit.keys, person_id)
        claims = claim_search.claims_of(connection, person_id)
        counted = counted_rows.counted_for_person(connection, person_id)
        policies = published_policies(connection)
        aids = aid_proposals.of_person(connection, person_id)
        _, alerts = alert_lists.page(connection, AlertFilter(person_id=person_id, gone=True), OF_ONE_MAX)
    account = account_of(person_id, facts)
    burden = sum(claim.personal_burden for claim in claims)
    benefit = sum(claim.total_benefit for claim in claims)
    left = sum(claim.patient_pays for claim in claims)
    years = person_years(counted, policies, shanghai_date(visit.now()))
    capped = [(f"{year.start.year} {year.title}", year.benefit, year.cap) for year in years if year.cap is not None]
    return visit.page(
        "person.html",
        token=token,
        person=person or PersonDetails(person_id, "", "", ""),
        unmasked=reason is not None,
        account=account,
        coverages=sorted(account.recorded_coverages(), key=lambda coverage: coverage.valid_from, reverse=True),
        memberships=[
            (each, visit.household_token(each.household_id) if each.unit is UnitKind.HOUSEHOLD else None)
            for each in sorted(account.recorded_memberships(), key=lambda each: each.valid_from, reverse=True)
        ],
        ended_reasons=ENDED_REASONS,
        unit_kinds=UNIT_KINDS,
        claims=claims,
        alerts=shown(alerts, shanghai_date(visit.now())),
        aids=aids,
        burden=burden,
        benefit=benefit,
        left=left,
        beside=benefit - (burden - left),
        years=years,
        chart=charts.caps(visit.text, capped) if capped else None,
    )
