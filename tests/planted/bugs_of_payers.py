"""Bugs of who pays an instruction, and to whom it is told (payers.md, section 2)."""

from __future__ import annotations

from tests.planted.bug import Bug

ORACLE = "tests/properties/test_payers.py::test_who_pays_is_what_the_oracle_says"
NOBODY = "tests/properties/test_payers.py::test_nobody_takes_back_more_than_it_had_paid"
LEDGER = "tests/ledger/test_treaties.py"
GUARDS = f"{LEDGER}::test_the_database_refuses_a_wrong_payer"
MIGRATION = "infra/ledger/migrations/versions/0014_treaties.py"

BUGS = (
    Bug(
        "payers",
        "whoever-pays-now-takes-back",
        "handlers/claims/payers.py",
        "        found.append(Order(InstructionKind.RECOVERY, taken, last))\n",
        "        found.append(Order(InstructionKind.RECOVERY, taken, payer))\n",
        (ORACLE, NOBODY),
    ),
    Bug(
        "payers",
        "whoever-paid-first-takes-back-first",
        "handlers/claims/payers.py",
        "        last, held = parts.pop()\n",
        "        last, held = parts.pop(0)\n",
        (ORACLE,),
    ),
    Bug(
        "payers",
        "what-the-fund-had-paid-before-is-forgotten",
        "handlers/claims/payers.py",
        "        return [(BY_FUND, balance)] if balance else []\n",
        "        return []\n",
        (ORACLE, NOBODY),
    ),
    Bug(
        "payers",
        "two-treaties-of-one-lead-are-one-payer",
        "handlers/claims/payers.py",
        "    if parts and parts[-1][0] == payer:\n",
        "    if parts and parts[-1][0].id == payer.id:\n",
        (ORACLE,),
    ),
    Bug(
        "payers",
        "a-treaty-holds-by-the-day-of-posting",
        "handlers/claims/settle.py",
        "    discharged_on = claim.policy_date\n",
        "    discharged_on = None if claim.discharge is None else claim.discharge.occurred_at.date()\n",
        (f"{LEDGER}::test_the_day_of_discharge_says_whose_a_payment_is",),
    ),
    Bug(
        "payers",
        "who-has-paid-is-not-kept",
        "handlers/claims/settle.py",
        "    return row._replace(instruction_revision=revision, paid_by=paid_by)\n",
        "    return row._replace(instruction_revision=revision)\n",
        (f"{LEDGER}::test_what_is_taken_back_is_taken_back_by_whom_had_paid_it",),
    ),
    Bug(
        "payers",
        "who-has-paid-a-hospital-is-not-kept",
        "handlers/claims/settle.py",
        "found.facilities.append(new._replace(instruction_revision=revision, paid_by=paid_by))",
        "found.facilities.append(new._replace(instruction_revision=revision))",
        (f"{LEDGER}::test_a_hospital_that_advanced_is_paid_by_the_insurer",),
    ),
    Bug(
        "payers",
        "a-reissue-is-paid-by-the-fund",
        "handlers/claims/settle.py",
        "    payer = Payer(failed.payer, failed.treaty_id, failed.pool_id)\n",
        '    payer = Payer("fund", None)\n',
        (f"{LEDGER}::test_an_insurers_failed_payout_is_ordered_again_from_the_insurer",),
    ),
    Bug(
        "payers",
        "a-reissue-counts-what-others-paid",
        "handlers/claims/payout_reports.py",
        "    own = [other for other in line if (other.payer, other.treaty_id) == (row.payer, row.treaty_id)]\n",
        "    own = line\n",
        ("tests/unit/test_payouts.py::test_each_payer_orders_its_own_again",),
    ),
    Bug(
        "payers",
        "a-treaty-that-nobody-published-is-good",
        "acts/verify_contents.py",
        "            for sha256 in sorted(kept.keys() - self._published):\n",
        "            for sha256 in ():\n",
        ("tests/ledger/test_audit.py::test_a_treaty_that_nobody_published_is_found",),
    ),
    Bug(
        "payers",
        "the-database-lets-anybody-take-back",
        "infra/ledger/migrations/versions/0018_pools.py",
        "    IF net < 0 THEN\n",
        "    IF net < -1000000000 THEN\n",
        (GUARDS,),
    ),
    Bug(
        "payers",
        "the-database-lets-treaties-overlap",
        MIGRATION,
        "    IF FOUND THEN\n        RAISE EXCEPTION 'treaties",
        "    IF FALSE THEN\n        RAISE EXCEPTION 'treaties",
        (GUARDS,),
    ),
    Bug(
        "payers",
        "a-lead-reads-what-other-insurers-pay",
        "infra/ledger/instruction_pages.py",
        "        own = and_(instructions.c.payer == named, instructions.c.payer != FUND)\n",
        "        own = instructions.c.payer != FUND\n",
        ("tests/web/test_leads.py::test_a_lead_reads_its_own_instructions_alone",),
    ),
    Bug(
        "payers",
        "the-funds-office-reads-what-insurers-pay",
        "infra/ledger/instruction_pages.py",
        "        own = and_(instructions.c.scheme_id == named, instructions.c.payer == FUND)\n",
        "        own = instructions.c.scheme_id == named\n",
        ("tests/web/test_leads.py::test_a_lead_reads_its_own_instructions_alone",),
    ),
    Bug(
        "payers",
        "a-lead-reports-on-any-payout",
        "web/api/admission.py",
        "                owner = row.scheme_id if row.treaty_id is None else row.payer\n",
        "                owner = next(iter(caller.scope))\n",
        ("tests/web/test_leads.py::test_a_lead_reports_on_its_own_payouts_alone",),
    ),
    Bug(
        "payers",
        "insurers-get-no-copy",
        "schemas/topics.py",
        '    return None if payer == FUND else f"{own_prefix(INSTRUCTIONS)}{payer}"\n',
        "    return None\n",
        ("tests/ledger/test_insurer_topics.py::test_an_insurers_instruction_is_in_both_topics",),
    ),
    Bug(
        "payers",
        "the-fund-gets-a-copy",
        "schemas/topics.py",
        '    return None if payer == FUND else f"{own_prefix(INSTRUCTIONS)}{payer}"\n',
        '    return f"{own_prefix(INSTRUCTIONS)}{payer}"\n',
        ("tests/ledger/test_insurer_topics.py::test_an_insurers_instruction_is_in_both_topics",),
    ),
)
