"""What is to be looked at about the reports of a payout: contradictions, and payouts that are not there.

A contradiction never goes by a further report, so only somebody who asked the insurer can close its alert.
"""

from __future__ import annotations

from datetime import datetime

from handlers.words.alert_sentences import REPORT_MATCHED, REPORTS
from schemas.canonical import derived_id
from schemas.facts import PayoutReported
from schemas.ids import ClaimId
from schemas.outbound import AlertCode, AlertRaised, AlertWithdrawn
from schemas.records import InstructionRow

_CONTRADICTS, _UNMATCHED = AlertCode.REPORT_CONTRADICTS, AlertCode.REPORT_UNMATCHED


def about_report(
    code: AlertCode, report: PayoutReported, claim_id: ClaimId | None, mark: str, recorded_at: datetime
) -> AlertRaised:
    """The alert that a report of content ``mark`` raises."""
    return AlertRaised(
        event_id=derived_id("AL", report.payout_id, mark),
        occurred_at=recorded_at,
        code=code,
        claim_id=claim_id,
        person_id=report.person_id,
        payout_id=report.payout_id,
        alert_id=_alert_id(code, report.payout_id, report.person_id),
        zh=REPORTS[code].zh,
        en=REPORTS[code].en,
    )


def matched(row: InstructionRow, recorded_at: datetime) -> AlertWithdrawn:
    """The payout of a report that had come too early is ordered now."""
    return AlertWithdrawn(
        event_id=derived_id("AW", _UNMATCHED, row.payout_id, row.person_id),
        occurred_at=recorded_at,
        alert_id=_alert_id(_UNMATCHED, row.payout_id, row.person_id),
        code=_UNMATCHED,
        claim_id=row.claim_id,
        person_id=row.person_id,
        payout_id=row.payout_id,
        zh=REPORT_MATCHED.zh,
        en=REPORT_MATCHED.en,
    )


def contradicted_before(row: InstructionRow, recorded_at: datetime) -> AlertRaised:
    """The reports that came before their payout contradict each other, or what is ordered now."""
    return AlertRaised(
        event_id=derived_id("AL", _CONTRADICTS, row.payout_id, row.person_id),
        occurred_at=recorded_at,
        code=_CONTRADICTS,
        claim_id=row.claim_id,
        person_id=row.person_id,
        payout_id=row.payout_id,
        alert_id=_alert_id(_CONTRADICTS, row.payout_id, row.person_id),
        zh=REPORTS[_CONTRADICTS].zh,
        en=REPORTS[_CONTRADICTS].en,
    )


def _alert_id(code: AlertCode, payout_id: str, person_id: str) -> str:
    return derived_id("AT", code, payout_id, person_id)
