"""Bugs of who is paid what when hospitals advance benefits (payers.md, section 1)."""

from __future__ import annotations

from tests.planted.bug import Bug

PAYEES = "tests/properties/test_payees.py"
ORACLE = f"{PAYEES}::test_payees_are_those_of_the_oracle"
INSTRUCTED = f"{PAYEES}::test_every_payee_has_been_instructed_its_part"
ALERTS = f"{PAYEES}::test_alerts_about_advances_are_those_of_the_oracle"
REISSUED = f"{PAYEES}::test_a_reissue_goes_to_the_payee_who_did_not_get_it"
REFUSED = f"{PAYEES}::test_advances_are_refused_as_the_contract_says"
OFFLINE = "tests/properties/test_by_person.py::test_what_hospitals_took_off_comes_out_the_same"
LEDGER = "tests/ledger/test_advances.py"

BUGS = (
    Bug(
        "payees",
        "hospitals-are-paid-in-the-order-of-their-ids",
        "handlers/claims/payees.py",
        "key=lambda bill: (bill.settled_at, bill.settlement_id)",
        "key=lambda bill: bill.settlement_id",
        (ORACLE,),
    ),
    Bug(
        "payees",
        "a-hospital-is-paid-more-than-is-due",
        "handlers/claims/payees.py",
        "            part = min(advance.amount, left)\n",
        "            part = advance.amount\n",
        (ORACLE, INSTRUCTED),
    ),
    Bug(
        "payees",
        "the-person-is-paid-what-the-hospital-advanced",
        "handlers/claims/settle.py",
        "own, of_before = row.released - sum(new.amount for new in shares), of_before - sum(balances.values())\n",
        "own = row.released\n",
        (INSTRUCTED,),
    ),
    Bug(
        "payees",
        "a-hospital-that-advances-no-more-keeps-its-part",
        "handlers/claims/payees.py",
        "row._replace(advanced=0, amount=0) for row in held",
        "row._replace(advanced=0) for row in held",
        (INSTRUCTED,),
    ),
    Bug(
        "payees",
        "two-hospitals-share-a-payout-id",
        "handlers/claims/settle.py",
        "    payee = () if facility_id is None else (facility_id,)\n",
        '    payee = () if facility_id is None else ("facility",)\n',
        (f"{LEDGER}::test_whoever_was_paid_is_settled_with",),
    ),
    Bug(
        "payees",
        "an-alert-is-never-withdrawn",
        "handlers/claims/process.py",
        "            if old is not None and (new is None or new.code != old.code):\n",
        "            if old is not None and new is not None and new.code != old.code:\n",
        (ALERTS,),
    ),
    Bug(
        "payees",
        "an-alert-keeps-its-first-amount",
        "handlers/claims/process.py",
        "            if new is not None and new != old:\n",
        "            if new is not None and old is None:\n",
        (ALERTS,),
    ),
    Bug(
        "payees",
        "a-scheme-that-is-not-there-is-only-too-much",
        "handlers/claims/payees.py",
        "        if not row.known:\n",
        "        if row.known is None:\n",
        (ALERTS,),
    ),
    Bug(
        "payees",
        "a-claim-that-is-not-decided-raises-alerts",
        "handlers/claims/payees.py",
        "    for row in rows if status in (Status.ADJUDICATED, Status.NOT_COVERED) else ():\n",
        "    for row in rows:\n",
        (ALERTS,),
    ),
    Bug(
        "payees",
        "a-hospitals-payout-is-reissued-to-the-person",
        "handlers/claims/settle.py",
        "    facility_id = FacilityId(failed.payee_id) if failed.payee_id else None\n",
        "    facility_id = None\n",
        (REISSUED,),
    ),
    Bug(
        "payees",
        "a-reissue-counts-all-payees",
        "handlers/claims/reissue.py",
        "if (row.claim_id, row.scheme_id, row.payee_id) == place]",
        "if (row.claim_id, row.scheme_id) == place[:2]]",
        (f"{PAYEES}::test_what_the_person_did_not_give_back_is_not_the_hospitals",),
    ),
    Bug(
        "payees",
        "a-scheme-may-be-advanced-twice-on-a-bill",
        "handlers/claims/read.py",
        "        if advance.scheme_id in seen:\n",
        "        if advance.scheme_id in seen and index > 9:\n",
        (REFUSED,),
    ),
    Bug(
        "payees",
        "what-was-accepted-before-there-were-advances-counts-as-one",
        "handlers/claims/read.py",
        "    if fact is None or (type(fact) is SettlementPosted and _advances(fact)):\n",
        "    if fact is None:\n",
        (REFUSED,),
    ),
    Bug(
        "payees",
        "an-advance-is-another-content-with-another-spelling",
        "handlers/claims/read.py",
        '{**each, "amount": format_yuan(advance.amount)} for each, advance in told]',
        "each for each, advance in told]",
        (f"{PAYEES}::test_two_spellings_of_an_advance_are_one_content",),
    ),
    Bug(
        "payees",
        "a-claims-shares-are-forgotten-with-its-person",
        "acts/remembered_persons.py",
        "                world.facilities |= person.facilities\n",
        "",
        (f"{LEDGER}::test_whoever_was_paid_is_settled_with",),
    ),
    Bug(
        "payees",
        "shares-are-not-loaded",
        "acts/load_world.py",
        "reads.facility_shares(connection, advanced) if advanced else ():",
        "():",
        (f"{LEDGER}::test_whoever_was_paid_is_settled_with",),
    ),
    Bug(
        "payees",
        "shares-are-not-written",
        "infra/ledger/write.py",
        "    merge_rows(connection, tables.facility_shares, FacilityRow._fields, "
        "list(outcome.facilities.values()), update=True)\n",
        "",
        (f"{LEDGER}::test_whoever_was_paid_is_settled_with",),
    ),
    Bug(
        "payees",
        "a-quote-offers-what-another-bill-took-off",
        "handlers/claims/payees.py",
        "            elsewhere.update({advance.scheme_id: advance.amount for advance in other.advances})\n",
        "            pass\n",
        ("tests/web/test_quotes.py::test_a_quote_says_what_may_be_taken_off",),
    ),
    Bug(
        "payees",
        "columns-keep-advances-in-the-order-of-ids",
        "handlers/offline/columns/gathering.py",
        'key=lambda each: (each["settled_at"], each["settlement_id"])',
        'key=lambda each: each["settlement_id"]',
        ("tests/properties/test_by_person.py::test_hospitals_are_paid_back_in_the_order_in_which_they_settled",),
    ),
    Bug(
        "payees",
        "a-packed-advance-loses-its-hospital",
        "handlers/offline/columns/packing.py",
        '_place(index), row["facility_id"], (advance,))',
        '_place(index), FacilityId(""), (advance,))',
        (OFFLINE,),
    ),
)
