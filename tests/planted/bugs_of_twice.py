"""Bugs in what is found about a claim that may be there twice, and in what follows from it."""

from __future__ import annotations

from tests.planted.bug import Bug

_TESTS = "tests/properties/test_twice.py"
_BY_PAIRS = f"{_TESTS}::test_what_is_found_is_what_every_two_claims_share"
_BOTH = f"{_TESTS}::test_a_finding_is_about_both_claims"
_FOLLOWS = f"{_TESTS}::test_the_policy_of_its_own_day_says_what_follows_for_each_claim"
_LONG = f"{_TESTS}::test_a_long_year_finds_what_is_there_twice"
_MANY = f"{_TESTS}::test_a_year_of_many_stays_finds_what_is_there_twice"
_SHARED = f"{_TESTS}::test_a_night_and_an_invoice_are_shared_or_not"
_REACH = "tests/unit/test_account.py::test_an_event_reaches_what_may_be_the_same_claim"

BUGS = (
    Bug(
        "checks",
        "a-transfer-on-one-day-overlaps",
        "handlers/claims/twice.py",
        "if each[0] > admitted_on]",
        "if each[0] >= admitted_on]",
        (_BY_PAIRS, _SHARED),
    ),
    Bug(
        "checks",
        "an-outpatient-course-has-nights",
        "handlers/claims/decidable.py",
        "stay.care_type != CareType.INPATIENT or stay.admitted_on",
        "stay.admitted_on",
        (_BY_PAIRS, _SHARED),
    ),
    Bug(
        "checks",
        "a-voided-claim-keeps-its-nights",
        "handlers/claims/account.py",
        "None if stay is None or voided else nights_of(stay)",
        "None if stay is None else nights_of(stay)",
        (_BY_PAIRS, _SHARED),
    ),
    Bug(
        "checks",
        "only-the-later-stay-is-told",
        "handlers/claims/twice.py",
        "            found.setdefault(other, set()).add(name)\n",
        "",
        (_BY_PAIRS, _BOTH, _SHARED),
    ),
    Bug(
        "checks",
        "an-invoice-is-shared-with-itself",
        "handlers/claims/twice.py",
        "tuple(sorted(names - {name}))",
        "tuple(sorted(names))",
        (_BY_PAIRS, _BOTH),
    ),
    Bug(
        "checks",
        "invoices-of-two-persons-are-not-compared",
        "handlers/offline/book.py",
        "policies, invoices=True)",
        "policies)",
        ("tests/contracts/test_explain_command.py::test_explain_says_that_a_claim_is_held_and_names_nobody_else",),
    ),
    Bug(
        "checks",
        "what-is-off-is-told",
        "handlers/claims/twice.py",
        "if checks.of(each.code) is not Check.OFF)",
        "if each.others)",
        (_FOLLOWS,),
    ),
    Bug(
        "checks",
        "an-alert-holds",
        "handlers/claims/twice.py",
        "checks.of(each.code) is Check.HOLD\n",
        "checks.of(each.code) is not Check.OFF\n",
        (_FOLLOWS, _SHARED),
    ),
    Bug(
        "checks",
        "the-first-policy-says-what-follows",
        "handlers/claims/twice.py",
        "_ALERT_ONLY if policy is None else policy.checks",
        "policies.releases[0].checks",
        (_FOLLOWS,),
    ),
    Bug(
        "checks",
        "a-check-means-the-other-one",
        "schemas/policy/model.py",
        'if code == "DUPLICATE_INVOICE" else',
        'if code != "DUPLICATE_INVOICE" else',
        (_FOLLOWS,),
    ),
    Bug(
        "checks",
        "the-other-claim-is-not-decided-again",
        "handlers/claims/account.py",
        "for finding in self.twice().get(claim_id, ()):",
        "for finding in ():",
        (_LONG, _REACH),
    ),
    Bug(
        "checks",
        "what-a-discharge-shares-is-remembered-too-long",
        "handlers/claims/account.py",
        "            self._twice = None\n            _keep_newest(self.discharges",
        "            _keep_newest(self.discharges",
        (_LONG, _REACH),
    ),
    Bug(
        "checks",
        "a-long-year-keeps-what-was-found",
        "handlers/claims/traces.py",
        "if claim_id in self.twice:",
        "if claim_id in ():",
        (_LONG, _MANY),
    ),
    Bug(
        "checks",
        "a-long-year-does-not-know-new-claims",
        "handlers/claims/long_years.py",
        "        known.traces.put_in(claim_id, account.trace(claim_id))\n",
        "",
        (_LONG,),
    ),
    Bug(
        "checks",
        "a-long-year-overlooks-a-stay-inside-another",
        "handlers/claims/traces.py",
        "admitted_on < until and since < discharged_on",
        "admitted_on <= since and since < discharged_on",
        (_LONG,),
    ),
    Bug(
        "checks",
        "a-long-year-overlooks-invoices",
        "handlers/claims/traces.py",
        'self.invoices.get(fact.invoice_no or "", set()) - {claim_id}:',
        "set[ClaimId]():",
        (_LONG, _MANY),
    ),
    Bug(
        "checks",
        "the-family-is-told-nothing-of-a-hold",
        "handlers/words/checked_sentences.py",
        "if decision.held and code in _MAY_HOLD",
        "if code in ()",
        ("tests/contracts/test_explain_command.py::test_explain_says_that_a_claim_is_held_and_names_nobody_else",),
    ),
    Bug(
        "checks",
        "what-is-held-may-be-taken-off",
        "handlers/claims/payees.py",
        "    if adjudication.held:\n        return {}\n",
        "",
        ("tests/web/test_quotes.py::test_nothing_may_be_taken_off_a_claim_that_would_be_held",),
    ),
    Bug(
        "checks",
        "a-quote-forgets-who-names-the-invoice",
        "web/api/quotes.py",
        "    links |= {link_of(invoice) for invoice in invoices if invoice is not None}\n",
        "",
        ("tests/web/test_quotes.py::test_nothing_may_be_taken_off_a_claim_that_would_be_held",),
    ),
    Bug(
        "checks",
        "a-quote-forgets-the-release",
        "web/api/quotes.py",
        "checks, released_of(known.hold_released))",
        "checks)",
        ("tests/web/test_quotes.py::test_nothing_may_be_taken_off_a_claim_that_would_be_held",),
    ),
    Bug(
        "checks",
        "a-forgotten-hold-is-no-doubt",
        "schemas/policy/before_publishing.py",
        "if check is Check.HOLD and name not in",
        "if check is Check.OFF and name not in",
        ("tests/unit/test_policy_file.py::test_a_hold_that_a_successor_forgets_is_a_warning_before_publishing",),
    ),
    Bug(
        "checks",
        "a-difference-leaves-the-checks-out",
        "handlers/words/policy_changes.py",
        "    differing += _fields((), before.checks, after.checks, ())\n",
        "",
        ("tests/contracts/test_policy_commands.py::test_diff_says_that_claims_are_now_held",),
    ),
)
