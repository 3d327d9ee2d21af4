"""Bugs in how two people grant temporary aid: who may, how much, what they see, and what becomes of it."""

from __future__ import annotations

from tests.planted.bug import Bug

UNIT = "tests/unit/test_granting_aid.py"
LEDGER = "tests/ledger/test_aid_proposals.py"
PAGES = "tests/web/test_console_aid.py"
LOOKS = "tests/web/test_console_alert_looks.py"

BUGS = [
    Bug(
        "aid",
        "one-person-grants-aid-alone",
        "acts/propose_aid.py",
        "proposal_no, operator)\n    wanted = proposal.wanted\n",
        'proposal_no, operator + "?")\n    wanted = proposal.wanted\n',
        (
            f"{LEDGER}::test_who_proposed_does_not_countersign_however_the_name_is_spelt",
            f"{PAGES}::test_nobody_countersigns_what_they_proposed_or_what_changed",
        ),
    ),
    Bug(
        "aid",
        "an-aid-is-over-its-level",
        "handlers/claims/granting_aid.py",
        "    if wanted.amount > levels[wanted.level]:\n",
        "    if wanted.amount > sum(levels.values()):\n",
        (
            f"{UNIT}::test_what_cannot_be_granted_says_why",
            f"{PAGES}::test_what_cannot_be_proposed_comes_back_as_it_was_typed",
        ),
    ),
    Bug(
        "aid",
        "an-aid-of-nothing-is-granted",
        "handlers/claims/granting_aid.py",
        "    return Outlook(benefit, None if benefit else USED_UP)\n",
        "    return Outlook(benefit)\n",
        (f"{UNIT}::test_what_cannot_be_granted_says_why",),
    ),
    Bug(
        "aid",
        "the-lower-level-of-two-counts",
        "handlers/claims/granting_aid.py",
        "            found[level] = max(most, found.get(level, 0))\n",
        "            found.setdefault(level, most)\n",
        (f"{UNIT}::test_of_two_schemes_with_one_level_the_higher_counts",),
    ),
    Bug(
        "aid",
        "aid-is-decided-on-the-day-in-greenwich",
        "handlers/claims/granting_aid.py",
        '        "decided_on": shanghai_date(moment).isoformat(),\n',
        '        "decided_on": moment.date().isoformat(),\n',
        (f"{UNIT}::test_the_event_says_who_decided_and_who_agreed_on_the_day_in_shanghai",),
    ),
    Bug(
        "aid",
        "who-proposed-countersigned-too",
        "acts/propose_aid.py",
        "proposal.proposed_by, operator, moment)",
        "operator, operator, moment)",
        (
            f"{LEDGER}::test_an_aid_that_was_countersigned_comes_in_and_is_paid",
            f"{PAGES}::test_from_a_person_to_the_payment",
        ),
    ),
    Bug(
        "aid",
        "what-changed-meanwhile-is-paid",
        "acts/propose_aid.py",
        "        if seen is not None and seen != benefit:\n",
        "        if seen is not None and seen > benefit + 10**9:\n",
        (
            f"{LEDGER}::test_what_changed_meanwhile_is_looked_at_again",
            f"{PAGES}::test_nobody_countersigns_what_they_proposed_or_what_changed",
        ),
    ),
    Bug(
        "aid",
        "the-household-is-not-asked",
        "acts/propose_aid.py",
        "    group = sorted(group_rows.linked_to(connection, [wanted.person_id]))\n",
        "    group = [wanted.person_id]\n",
        (f"{LEDGER}::test_what_the_household_got_counts",),
    ),
    Bug(
        "aid",
        "what-is-on-the-way-is-forgotten",
        "acts/propose_aid.py",
        "    facts += [_sent(each) for each in aid_proposals.on_the_way(connection, group)]\n",
        "",
        (f"{LEDGER}::test_what_the_household_got_counts",),
    ),
    Bug(
        "aid",
        "somebody-elses-alert-leads-to-an-aid",
        "acts/propose_aid.py",
        "        if alert is None or alert.person_id != wanted.person_id:\n",
        "        if alert is None:\n",
        (f"{LEDGER}::test_nothing_is_proposed_for_who_is_not_known_or_with_an_alert_about_somebody_else",),
    ),
    Bug(
        "aid",
        "the-reason-keeps-an-identity-number",
        "acts/propose_aid.py",
        "    wanted, moment = wanted._replace(reason=mask_text(wanted.reason)), now()\n",
        "    moment = now()\n",
        (f"{LEDGER}::test_the_audit_log_names_both_and_never_the_person",),
    ),
    Bug(
        "aid",
        "a-countersigned-aid-is-never-sent",
        "handlers/audit/operator_acts.py",
        '    journal.send(shard, AIDS.name, told["person_id"].encode(), value)\n',
        "",
        (
            f"{LEDGER}::test_an_aid_that_was_countersigned_comes_in_and_is_paid",
            f"{PAGES}::test_from_a_person_to_the_payment",
        ),
    ),
    Bug(
        "aid",
        "what-is-instructed-has-arrived",
        "infra/ledger/aid_proposals.py",
        "    paid = payout_states.c.state == PayoutState.PAID\n",
        "    paid = instructions.c.amount > 0\n",
        (
            f"{LEDGER}::test_an_aid_that_was_countersigned_comes_in_and_is_paid",
            f"{PAGES}::test_from_a_person_to_the_payment",
        ),
    ),
    Bug(
        "aid",
        "an-auditor-countersigns",
        "web/console/aid_pages.py",
        'and its event sent."""\n    visit.require(Right.AID)\n',
        'and its event sent."""\n    visit.require(Right.CLAIMS)\n',
        (f"{PAGES}::test_who_only_looks_proposes_and_countersigns_nothing",),
    ),
    Bug(
        "aid",
        "the-form-forgets-its-alert",
        "web/console/aid_pages.py",
        "typed.emergency, alert_id, reason)\n",
        "typed.emergency, None, reason)\n",
        (f"{PAGES}::test_from_an_alert_to_the_proposal_and_back",),
    ),
    Bug(
        "aid",
        "who-looks-at-an-aid-is-not-noted",
        "web/console/aid_pages.py",
        '        visit.note_view(connection, "aid", person=visit.token(wanted.person_id))\n',
        "",
        (f"{PAGES}::test_who_looks_at_an_aid_is_noted_and_nobody_is_named",),
    ),
    Bug(
        "aid",
        "aid-pays-for-the-bill",
        "web/console/person_page.py",
        "    left = sum(claim.patient_pays for claim in claims)\n",
        "    left = sum(claim.personal_burden - claim.total_benefit for claim in claims)\n",
        (f"{PAGES}::test_from_a_person_to_the_payment",),
    ),
    Bug(
        "aid",
        "aid-uses-up-no-yearly-cap-on-the-page",
        "infra/ledger/counted_rows.py",
        "or_(benefits.c.tier.is_not(None), benefits.c.benefit > 0)",
        "or_(benefits.c.tier.is_not(None), benefits.c.benefit < 0)",
        (f"{PAGES}::test_from_a_person_to_the_payment",),
    ),
    Bug(
        "aid",
        "a-proposal-is-wider-than-the-screen",
        "web/console/static/console.css",
        "form.row + form.row { margin-top: .8rem; }",
        "form.row + form.row { margin-top: .8rem; min-width: 500px; }",
        (f"{LOOKS}::test_their_pages_fit_and_are_in_one_language",),
    ),
    Bug(
        "aid",
        "an-aid-takes-from-another-one",
        "handlers/claims/granting_aid.py",
        "each.total_benefit < before.get(each.claim.claim_id, 0)",
        "each.total_benefit < 0",
        (f"{UNIT}::test_no_aid_takes_from_another_one_of_the_day",),
    ),
    Bug(
        "aid",
        "aids-of-a-day-are-in-any-order",
        "handlers/claims/granting_aid.py",
        'derived_id(f"AID-{when}",',
        'derived_id("AID",',
        (f"{UNIT}::test_who_was_granted_aid_first_keeps_it",),
    ),
]
