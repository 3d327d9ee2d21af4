"""Bugs in alerts as state: what is withdrawn, what opens again, who has it, and what the audit log says."""

from __future__ import annotations

from tests.planted.bug import Bug

PROPERTY = "tests/properties/test_alerts.py"
LEDGER = "tests/ledger/test_alerts.py"
PAGES = "tests/web/test_console_alerts.py"

BUGS = [
    Bug(
        "alerts",
        "a-dead-persons-alert-is-never-withdrawn",
        "handlers/claims/process.py",
        "        if dead != (before is not None and before.status is Status.AFTER_DEATH):\n",
        "        if dead and (before is None or before.status is not Status.AFTER_DEATH):\n",
        (f"{LEDGER}::test_an_alert_goes_and_comes_in_one_batch_as_in_three",),
    ),
    Bug(
        "alerts",
        "an-alert-is-named-after-its-decision",
        "handlers/claims/claim_alerts.py",
        'person_id,\n        alert_id=derived_id("AT", AlertCode.AFTER_DEATH, claim.claim_id)',
        'person_id,\n        alert_id=derived_id("AT", AlertCode.AFTER_DEATH, claim.claim_id, claim.revision)',
        (f"{PROPERTY}::test_the_live_alerts_depend_on_the_facts_alone",),
    ),
    Bug(
        "alerts",
        "a-report-stays-a-mystery",
        "handlers/claims/process.py",
        "            self._tell(report_alerts.matched(instruction, self.recorded_at), number)\n",
        "",
        (f"{PROPERTY}::test_alerts_about_reports_do_not_depend_on_which_came_first",),
    ),
    Bug(
        "alerts",
        "what-contradicted-before-is-overlooked",
        "handlers/claims/process.py",
        "            if told.contradictions or not instruction.moves_money:\n",
        "            if not instruction.moves_money:\n",
        (
            f"{PROPERTY}::test_alerts_about_reports_do_not_depend_on_which_came_first",
            f"{LEDGER}::test_a_report_that_came_before_its_payout_is_no_mystery_any_more",
        ),
    ),
    Bug(
        "alerts",
        "what-was-closed-stays-closed",
        "schemas/alert_records.py",
        "        if before is not None and before.state in LIVE:\n",
        "        if before is not None and before.state is not AlertState.WITHDRAWN:\n",
        (f"{LEDGER}::test_an_alert_that_is_told_again_stays_whose_it_is",),
    ),
    Bug(
        "alerts",
        "whoever-had-it-still-has-it",
        "schemas/alert_records.py",
        "raised_at=change.at, taken_by=None)",
        "raised_at=change.at)",
        (f"{LEDGER}::test_an_alert_goes_and_comes_in_one_batch_as_in_three",),
    ),
    Bug(
        "alerts",
        "telling-it-again-takes-it-away",
        "schemas/alert_records.py",
        "            return row\n        return row._replace(state=change.to, raised_no",
        "            return row._replace(state=change.to)\n        return row._replace(state=change.to, raised_no",
        (f"{LEDGER}::test_an_alert_that_is_told_again_stays_whose_it_is",),
    ),
    Bug(
        "alerts",
        "a-closed-alert-is-closed-again",
        "acts/deal_with_alert.py",
        "        if row.state not in LIVE:\n",
        "        if row.state == 'withdrawn':\n",
        (f"{LEDGER}::test_only_a_live_alert_can_be_taken_or_closed",),
    ),
    Bug(
        "alerts",
        "an-alert-is-not-audited",
        "handlers/audit/journal.py",
        "        self.audit(shard, number, kind, ACTOR, about, value)\n",
        "",
        (f"{LEDGER}::test_an_alert_is_open_until_somebody_takes_and_closes_it",),
    ),
    Bug(
        "alerts",
        "nobody-compares-alerts-with-the-log",
        "acts/verify_contents.py",
        "        return findings + self._told_otherwise()\n",
        "        return findings\n",
        (f"{LEDGER}::test_the_audit_log_notices_an_alert_that_was_changed",),
    ),
    Bug(
        "alerts",
        "alerts-of-earlier-releases-have-other-ids",
        "infra/ledger/migrations/versions/0019_alerts.py",
        "alert_id_of('AFTER_DEATH', claim_id)",
        "alert_id_of('AFTER_DEATH', claim_id, '1')",
        (f"{LEDGER}::test_alerts_of_earlier_releases_are_found_again",),
    ),
    Bug(
        "alerts",
        "the-work-list-shows-all-areas",
        "infra/ledger/alert_lists.py",
        "        (chosen.area, _AREA),\n",
        '        ("", _AREA),\n',
        (f"{PAGES}::test_the_work_list_is_narrowed_by_code_area_age_and_who_took_it",),
    ),
    Bug(
        "alerts",
        "an-auditor-takes-alerts",
        "web/console/alerts_page.py",
        '    """The user takes the alert."""\n    visit.require(Right.ALERTS)\n',
        '    """The user takes the alert."""\n    visit.require(Right.CLAIMS)\n',
        (f"{PAGES}::test_who_only_looks_can_neither_take_nor_close",),
    ),
]
