"""Bugs of the page of what waits for one: who sees what, for how long, and how much of it."""

from __future__ import annotations

from tests.planted.bug import Bug

WORK = "tests/web/test_console_work.py"
DECIDED = f"{WORK}::test_a_proposal_waits_for_somebody_else_and_is_gone_once_decided"
TAKEN = f"{WORK}::test_an_alert_is_for_whom_took_it"
ROLES = f"{WORK}::test_everybody_sees_what_they_may_act_on"
FINANCE = f"{WORK}::test_finance_decides_about_what_others_in_finance_propose"
LONG = f"{WORK}::test_a_long_group_leads_to_the_whole_list"
REJECTED = f"{WORK}::test_a_refused_event_whose_proposal_was_rejected_is_to_be_corrected_again"
FAILED = f"{WORK}::test_a_failed_payout_waits_until_two_people_order_it_again"
REISSUES = "tests/web/test_console_reissues.py"
ALONE = f"{REISSUES}::test_nobody_orders_alone_or_what_they_did_not_see"
LISTED = "tests/ledger/test_failed_payouts.py"
RANDOM = f"{LISTED}::test_what_is_listed_can_be_ordered_again_and_nothing_else"
PROVIDER = f"{WORK}::test_whom_a_proposal_is_offered_can_decide_about_it"

BUGS = (
    Bug(
        "work",
        "an-own-proposal-is-work",
        "infra/ledger/deciding.py",
        "and_(table.c.decision.is_(None), ~_made_by(table, user), alike)",
        "and_(table.c.decision.is_(None), alike)",
        (DECIDED, FINANCE),
    ),
    Bug(
        "work",
        "what-was-decided-still-waits",
        "infra/ledger/deciding.py",
        "and_(table.c.decision.is_(None), ~_made_by(table, user), alike)",
        "and_(~_made_by(table, user), alike)",
        (DECIDED, FINANCE),
    ),
    Bug(
        "work",
        "a-password-decides-about-the-provider",
        "infra/ledger/deciding.py",
        ", ~_made_by(table, user), alike)",
        ", ~_made_by(table, user))",
        (PROVIDER,),
    ),
    Bug(
        "work",
        "own-proposals-are-forgotten",
        "web/console/work_page.py",
        "kinds = [kind for kind, right in DECIDES.items() if visit.may(right)]",
        "kinds = list[ProposalKind]()",
        (DECIDED, FINANCE),
    ),
    Bug(
        "work",
        "operators-see-what-finance-decides",
        "web/console/work_page.py",
        "        if visit.may(DECIDES[kind]):\n",
        "        if visit.may(Right.WORK):\n",
        (FINANCE,),
    ),
    Bug(
        "work",
        "finance-corrects-events",
        "web/console/work_page.py",
        "    if visit.may(Right.REPLAY):\n        yield _refused",
        "    if visit.may(Right.ALERTS):\n        yield _refused",
        (ROLES,),
    ),
    Bug(
        "work",
        "what-somebody-took-stays-with-all",
        "infra/ledger/alert_lists.py",
        "and_(_is_live(), or_(alerts.c.taken_by.is_(None), alerts.c.taken_by == user))",
        "_is_live()",
        (TAKEN,),
    ),
    Bug(
        "work",
        "an-alert-is-gone-once-it-is-taken",
        "infra/ledger/alert_lists.py",
        "or_(alerts.c.taken_by.is_(None), alerts.c.taken_by == user)",
        "alerts.c.taken_by.is_(None)",
        (TAKEN,),
    ),
    Bug(
        "work",
        "a-rejected-correction-is-the-last-one",
        "infra/ledger/refused_list.py",
        'proposal.c.decision.is_distinct_from(literal("rejected"))',
        "proposal.c.proposal_no.is_not(None)",
        (REJECTED,),
    ),
    Bug(
        "work",
        "a-confirmed-statement-stays-disputed",
        "web/console/work_page.py",
        "if each.matched and not each.replaced and",
        "if each.matched and",
        (f"{WORK}::test_a_disputed_statement_waits_until_its_insurer_confirms",),
    ),
    Bug(
        "work",
        "a-group-hides-the-rest",
        "web/console/templates/work.html",
        "{% if group.total > group.lines | length %}",
        "{% if group.total < group.lines | length %}",
        (LONG,),
    ),
    Bug(
        "work",
        "a-payout-that-is-proposed-waits-for-a-proposal",
        "web/console/work_page.py",
        "failed_payouts.page(connection, ROWS, proposed=False)",
        "failed_payouts.page(connection, ROWS)",
        (FAILED,),
    ),
    Bug(
        "work",
        "another-amount-is-ordered-than-was-seen",
        "web/console/reissue_pages.py",
        'if visit.form.get("expected") != _expected(done.amount, failed, _strays(connection, failed)):',
        'if visit.form.get("expected") is None:',
        (ALONE,),
    ),
    Bug(
        "work",
        "a-report-more-changes-nothing",
        "web/console/reissue_pages.py",
        'return f"{amount}.{payout.reports}.{strays}"',
        'return f"{amount}.1.{strays}"',
        (f"{REISSUES}::test_what_was_reported_meanwhile_has_to_be_seen_first",),
    ),
    Bug(
        "work",
        "an-insurers-reason-is-shown-in-clear",
        "web/console/reissue_pages.py",
        "told_reason(told, clear=False)",
        "told_reason(told, clear=True)",
        (f"{REISSUES}::test_a_failed_payout_is_found_with_the_reason",),
    ),
    Bug(
        "work",
        "what-is-not-due-any-more-is-listed",
        "infra/ledger/failed_payouts.py",
        "or_(other.c.reversal_of.is_not(None), unmoved),",
        "unmoved,",
        (RANDOM,),
    ),
    Bug(
        "work",
        "what-the-last-report-calls-paid-is-listed",
        "infra/ledger/failed_payouts.py",
        "            told.c.last_status.in_(NOT_THERE),\n",
        "",
        (RANDOM,),
    ),
    Bug(
        "work",
        "what-is-held-is-listed",
        "infra/ledger/failed_payouts.py",
        "or_(order.c.kind == InstructionKind.RECOVERY, ~claims.c.held),",
        "claims.c.claim_id.is_not(None),",
        (f"{LISTED}::test_a_payment_of_a_claim_that_is_held_is_not_listed",),
    ),
)
