"""Bugs in how households are counted (groups.md, section 2), over the pure core."""

from __future__ import annotations

from tests.planted.bug import Bug

LAWS = "tests/properties/test_households.py"
UNITS = "tests/properties/test_household_units.py"
ORACLE = "tests/properties/test_oracle_agrees.py::test_the_oracle_agrees_on_many_person_years"

HOUSEHOLDS = "handlers/claims/households.py"
ADJUDICATE = "handlers/claims/adjudicate.py"
PROCESS = "handlers/claims/process.py"
EXPLAIN = "handlers/claims/explain.py"

BUGS = (
    Bug(
        "units",
        "the-first-membership-counts",
        HOUSEHOLDS,
        "newest = max(held,",
        "newest = min(held,",
        (f"{UNITS}::test_of_three_memberships_the_latest_counts", f"{LAWS}::test_the_unit_of_a_claim_is_the_oracles"),
    ),
    Bug(
        "units",
        "the-name-of-a-household-decides",
        HOUSEHOLDS,
        "(each.valid_from, each.membership_id)",
        "(each.valid_from, each.household_id)",
        (f"{UNITS}::test_of_three_memberships_the_latest_counts",),
    ),
    Bug(
        "units",
        "a-membership-holds-on-its-last-day",
        HOUSEHOLDS,
        "day < membership.valid_to)",
        "day <= membership.valid_to)",
        (f"{UNITS}::test_a_membership_is_half_open", ORACLE),
    ),
    Bug(
        "units",
        "a-membership-begins-a-day-late",
        HOUSEHOLDS,
        "membership.valid_from <= day",
        "membership.valid_from < day",
        (f"{UNITS}::test_a_membership_is_half_open", ORACLE),
    ),
    Bug(
        "units",
        "who-is-alone-counts-with-the-household",
        HOUSEHOLDS,
        " if newest.unit == UnitKind.HOUSEHOLD else Unit(None, person_id)",
        "",
        (
            f"{UNITS}::test_with_every_person_alone_households_are_persons",
            f"{UNITS}::test_of_three_memberships_the_latest_counts",
        ),
    ),
    Bug(
        "units",
        "an-overlap-is-not-noticed",
        EXPLAIN,
        '        shown.append("overlapping")\n',
        "        pass\n",
        (f"{UNITS}::test_of_three_memberships_the_latest_counts",),
    ),
    Bug(
        "units",
        "five-hundred-and-twelve-are-too-many",
        HOUSEHOLDS,
        "GROUP_MAX = 512\n",
        "GROUP_MAX = 511\n",
        (f"{UNITS}::test_a_group_that_is_too_large_is_told_of_and_decided_all_the_same",),
    ),
    Bug(
        "units",
        "another-household-is-not-kept",
        PROCESS,
        " or adjudication.household_id != before.household_id:",
        ":",
        (f"{LAWS}::test_the_unit_of_a_claim_is_the_oracles",),
    ),
    Bug(
        1,
        "only-neighbours-are-decided-together",
        HOUSEHOLDS,
        "        for each in component:  # grows meanwhile\n",
        "        for each in [person_id]:\n",
        (f"{UNITS}::test_a_bill_reaches_over_somebody_who_moved_to_strangers",),
    ),
    Bug(
        1,
        "who-is-left-behind-is-forgotten",
        PROCESS,
        "shard, sorted(links), moved,",
        "shard, sorted(account.households()), moved,",
        (
            f"{UNITS}::test_those_who_stay_are_decided_again_when_somebody_leaves",
            f"{LAWS}::test_the_cap_of_a_unit_holds_after_every_instruction",
        ),
    ),
    Bug(
        1,
        "a-bill-of-a-member-is-decided-alone",
        PROCESS,
        "elif moved or account.memberships:",
        "elif moved:",
        (
            f"{LAWS}::test_order_repetition_and_delay_change_nothing",
            f"{LAWS}::test_the_cap_of_a_unit_holds_after_every_instruction",
        ),
    ),
    Bug(
        1,
        "a-voided-membership-lives-on",
        "handlers/claims/account.py",
        "elif type(fact) is MembershipRecorded or type(fact) is MembershipVoided:",
        "elif type(fact) is MembershipRecorded:",
        (f"{LAWS}::test_moving_out_and_back_leaves_no_trace", ORACLE),
    ),
    Bug(
        1,
        "a-policy-decides-members-alone",
        "acts/rebuild_books.py",
        "groups_in(world, world.by_household)",
        "groups_in(world, False)",
        (f"{UNITS}::test_a_policy_decides_members_together",),
    ),
    Bug(
        1,
        "sums-of-units-outlive-a-decision",
        ADJUDICATE,
        "    units: dict[tuple[date, Unit], ByScheme] = {}\n",
        "    units: dict[tuple[date, Unit], ByScheme] = adjudicate_together.__dict__\n",
        (
            f"{LAWS}::test_a_fact_outside_the_component_changes_nothing_in_it",
            f"{LAWS}::test_moving_out_and_back_leaves_no_trace",
        ),
    ),
    Bug(
        2,
        "members-do-not-see-each-other",
        ADJUDICATE,
        "Years(units=units)",
        "Years()",
        (f"{LAWS}::test_the_cap_of_a_unit_holds_after_every_instruction", ORACLE),
    ),
    Bug(
        2,
        "claims-person-by-person",
        ADJUDICATE,
        "    claims.sort(key=lambda each: canonical_order(each[0]))\n",
        "    claims.sort(key=lambda each: (each[0].person_id, canonical_order(each[0])))\n",
        (f"{LAWS}::test_names_and_order_of_members_change_nothing", ORACLE),
    ),
    Bug(
        2,
        "claims-in-order-of-admission",
        ADJUDICATE,
        "    return (claim.policy_date or date.max, claim.claim_id)",
        "    return (claim.began_on or date.max, claim.claim_id)",
        (f"{UNITS}::test_a_decision_depends_on_sums_alone", ORACLE),
    ),
    Bug(
        2,
        "person-year-runs-over-the-household",
        ADJUDICATE,
        'running = seen.own if scheme.accumulates == "person_year" else seen.of_unit',
        "running = seen.of_unit",
        (
            f"{UNITS}::test_a_running_sum_holds_only_claims_that_count_that_way",
            f"{LAWS}::test_the_explanation_alone_gives_the_benefit",
        ),
    ),
    Bug(
        2,
        "household-year-runs-over-the-person",
        ADJUDICATE,
        'running = seen.own if scheme.accumulates == "person_year" else seen.of_unit',
        "running = seen.own",
        (f"{UNITS}::test_the_year_of_a_household_starts_where_the_policy_says", ORACLE),
    ),
    Bug(
        2,
        "a-household-has-one-year-for-ever",
        "handlers/claims/year_sums.py",
        "self.units.setdefault((year, unit), {})",
        "self.units.setdefault((date.min, unit), {})",
        (f"{UNITS}::test_the_year_of_a_household_starts_where_the_policy_says", ORACLE),
    ),
    Bug(
        2,
        "the-cap-of-a-household-counts-one-person",
        ADJUDICATE,
        "_left_of(scheme.cap_per_household_year, household_paid_before)",
        "_left_of(scheme.cap_per_household_year, paid_before)",
        (
            f"{LAWS}::test_the_cap_of_a_unit_holds_after_every_instruction",
            f"{UNITS}::test_caps_count_all_payments",
        ),
    ),
    Bug(
        2,
        "the-cap-of-a-person-counts-the-household",
        ADJUDICATE,
        "_left_of(scheme.cap_per_year, paid_before)",
        "_left_of(scheme.cap_per_year, household_paid_before)",
        (f"{LAWS}::test_the_explanation_alone_gives_the_benefit", ORACLE),
    ),
    Bug(
        2,
        "a-cap-forgets-what-was-paid-otherwise",
        ADJUDICATE,
        "if unit is not None and scheme.id in policies.household_schemes:",
        "if unit is not None and scheme.by_household:",
        (f"{UNITS}::test_caps_count_all_payments",),
    ),
    Bug(
        2,
        "payments-of-one-before-recoveries-of-another",
        PROCESS,
        "        self._decide(adjudicate_together(accounts, self.world.policies), number)\n",
        "        for each in adjudicate_together(accounts, self.world.policies):\n"
        "            self._decide([each], number)\n",
        (f"{LAWS}::test_the_cap_of_a_unit_holds_after_every_instruction",),
    ),
    Bug(
        3,
        "what-a-group-recovers-stays-on-the-books",
        "handlers/claims/settle.py",
        "return before._replace(measured=0, benefit=0, reason=None, released=0, told=0, held=False)",
        "return before._replace(measured=0, reason=None, told=0)",
        (f"{LAWS}::test_instructions_of_a_group_lead_to_what_is_due_and_never_beyond_the_burden",),
    ),
    Bug(
        6,
        "the-sum-of-the-household-is-not-said",
        EXPLAIN,
        '    if benefit.scheme.accumulates != "stay":\n        inputs |=',
        '    if benefit.scheme.accumulates == "person_year":\n        inputs |=',
        (f"{LAWS}::test_the_explanation_alone_gives_the_benefit",),
    ),
    Bug(
        6,
        "what-the-person-was-paid-for-what-the-household-was",
        EXPLAIN,
        "scheme.cap_per_household_year or 0, benefit.household_paid_before",
        "scheme.cap_per_household_year or 0, benefit.paid_before",
        (f"{LAWS}::test_the_explanation_alone_gives_the_benefit",),
    ),
    Bug(
        "privacy",
        "the-audit-names-a-household",
        "handlers/claims/group_step.py",
        '{"persons": str(len(step.persons))}',
        '{"persons": " ".join(step.persons)}',
        (f"{UNITS}::test_nobody_hears_of_another_members_stay",),
    ),
)
