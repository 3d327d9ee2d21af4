"""A policy file, and the mistakes that people make in one: (what stands there, what they write, what they are told)."""

from __future__ import annotations

SAMPLE = """\
[policy]
id = "sample-2024"
status = "sample"
effective_from = 2024-01-01

[[scheme]]
id = "village"
programme = "village"
basis = "copay"
measured_on = "billed"
accumulates = "stay"
care_types = ["inpatient"]
threshold = "2000.00"
[[scheme.tier]]
name = "member"
categories = ["member"]
brackets = [{ over = "2000.00", rate = "0.30" }]

[[scheme]]
id = "aid"
programme = "aid"
basis = "out_of_catalogue"
measured_on = "remaining"
accumulates = "person_year"
waiting_days = 90
cap_per_year = "100000.00"
[[scheme.tier]]
name = "specific"
categories = ["dibao", "tekun"]
brackets = [
    { over = "0.00", rate = "0.80" },
    { over = "5000.00", rate = "0.85" },
]
[[scheme.tier]]
name = "ordinary"
categories = ["ordinary"]
brackets = [{ over = "0.00", rate = "0.60" }]
"""
RATE = 'write a rate from "0" to "1", such as "0.80" for 80 %'
DAY = "is not a day: write it as 2024-07-01, without quotes and without a time"
DAYS = "is not a number of days: write a whole number from 0 to 100000 without quotes, such as 365"
MONTHS = "is not a number of months: write a whole number from 0 to 1200 without quotes, such as 6"
BASES = 'write one of "copay", "out_of_catalogue", "personal_burden", "verified_loss"'
TWICE = "this table appears twice: write [policy] and [checks] once, [[scheme]] and [[scheme.tier]] with two brackets"
CHECKS = '%s not allowed: write one of "off", "alert", "hold"'
YUAN = 'write yuan in quotes, such as "2000.00"'
DECIMALS = "an amount is a decimal number of yuan with at most two decimals"

WRONG = [
    (
        'rate = "0.85"',
        'rate = "85"',
        '32: scheme.2.tier.1.brackets.2.rate: is above 1: 80 % is written "0.80", and all of it "1"',
    ),
    (
        'rate = "0.80"',
        'rate = "-0.80"',
        f"31: scheme.2.tier.1.brackets.1.rate: is below 0: {RATE}",
    ),
    (
        'rate = "0.30"',
        'rate = "30%"',
        (
            '17: scheme.1.tier.1.brackets.1.rate: is not a rate: write a decimal from "0" to "1", such as "0.80" for '
            "80 %"
        ),
    ),
    (
        '"5000.00"',
        '"0.00"',
        (
            '32: scheme.2.tier.1.brackets.2.over: is "0.00", not higher than the "0.00" of the bracket before it: '
            "write the brackets in ascending order, each `over` once"
        ),
    ),
    (
        'over = "2000.00"',
        'over = "-1"',
        '17: scheme.1.tier.1.brackets.1.over: is below 0: write an amount of "0.00" yuan or more',
    ),
    (
        '"100000.00"',
        '"1.005"',
        f"26: scheme.2.cap_per_year: is not an amount ({DECIMALS}): {YUAN}",
    ),
    (
        "waiting_days",
        "waitin_days",
        "25: scheme.2.waitin_days: is not a field of [[scheme]]: did you mean waiting_days? Correct it or delete it",
    ),
    (
        "basis = ",
        "bassis = ",
        "9: scheme.1.bassis: is not a field of [[scheme]]: did you mean basis? Correct it or delete it",
    ),
    (
        'status = "sample"',
        'status = "sample"\ncap_per_year = "1"',
        "4: cap_per_year: is a field of [[scheme]], not of [policy]: move it there",
    ),
    (
        'name = "ordinary"',
        'name = "ordinary"\nzzz = 1',
        (
            "36: scheme.2.tier.2.zzz: is not a field of [[scheme.tier]]: delete it, or correct its spelling; "
            "docs/policies.md lists the fields"
        ),
    ),
    (
        'accumulates = "person_year"\nwaiting_days = 90',
        'accumulates = "household_year"\nthreshold = "500.00"',
        (
            '25: scheme.2.threshold: goes only with accumulates = "stay": for a yearly deductible delete it and let '
            'the first bracket start at it; to test every stay separately write accumulates = "stay"'
        ),
    ),
    (
        'accumulates = "person_year"',
        'accumulates = "household_years"',
        (
            '24: scheme.2.accumulates: "household_years" is not allowed: write one of "stay", "person_year", '
            '"household_year"; did you mean household_year?'
        ),
    ),
    (
        "waiting_days = 90",
        'funded_by = "village"',
        '25: scheme.2.funded_by: "village" is not allowed: write "pool", or delete the field',
    ),
    (
        "waiting_days = 90",
        "funded_by = 1",
        '25: scheme.2.funded_by: this is not allowed: write "pool", or delete the field',
    ),
    (
        "waiting_days = 90",
        'funded_bye = "pool"',
        "25: scheme.2.funded_bye: is not a field of [[scheme]]: did you mean funded_by? Correct it or delete it",
    ),
    (
        "waiting_days = 90",
        'grace_months = "6"',
        f"25: scheme.2.grace_months: {MONTHS}",
    ),
    (
        "waiting_days = 90",
        "grace_months = 1201",
        f"25: scheme.2.grace_months: {MONTHS}",
    ),
    (
        "waiting_days = 90",
        'grace_reasons = ["income"]',
        (
            "25: scheme.2.grace_reasons: goes only with grace_months: say how many months the grace lasts, such as "
            "grace_months = 6, or delete it"
        ),
    ),
    (
        "waiting_days = 90",
        'grace_months = 6\ngrace_reasons = ["incme", "moved"]',
        (
            '26: scheme.2.grace_reasons.1: "incme" is not allowed: write one of "income", "assets", "employment", '
            '"moved", "death", "fraud", "request"; did you mean income?'
        ),
    ),
    (
        "waiting_days = 90",
        'grace_months = 6\ngrace_reasons = "income"',
        '26: scheme.2.grace_reasons: is not a list: write it in square brackets, such as grace_reasons = ["income"]',
    ),
    (
        "waiting_days = 90",
        "grace_months = 6\ngrace_reasons = []",
        '26: scheme.2.grace_reasons: is empty: list at least one, such as grace_reasons = ["income"]',
    ),
    (
        "waiting_days = 90",
        "grace_month = 6",
        "25: scheme.2.grace_month: is not a field of [[scheme]]: did you mean grace_months? Correct it or delete it",
    ),
    (
        "waiting_days = 90",
        'threshold = "500.00"',
        (
            '25: scheme.2.threshold: goes only with accumulates = "stay": for a yearly deductible delete it and let '
            'the first bracket start at it; to test every stay separately write accumulates = "stay"'
        ),
    ),
    (
        'basis = "copay"\n',
        "",
        '6: scheme.1.basis: is missing: add basis = "copay"',
    ),
    (
        'categories = ["ordinary"]\n',
        "",
        '34: scheme.2.tier.2.categories: is missing: add categories = ["member"]',
    ),
    (
        'over = "2000.00", ',
        "",
        '17: scheme.1.tier.1.brackets.1.over: is missing: add over = "2000.00"',
    ),
    (
        '"copay"',
        '"copy"',
        f'9: scheme.1.basis: "copy" is not allowed: {BASES}; did you mean copay?',
    ),
    (
        '"copay"',
        "5",
        f"9: scheme.1.basis: this is not allowed: {BASES}",
    ),
    (
        '["inpatient"]',
        '["inpatient", "surgery"]',
        '12: scheme.1.care_types.2: "surgery" is not allowed: write one of "inpatient", "outpatient_special"',
    ),
    (
        '["inpatient"]',
        "[]",
        '12: scheme.1.care_types: is empty: list at least one, such as care_types = ["inpatient"]',
    ),
    (
        '["inpatient"]',
        '"inpatient"',
        '12: scheme.1.care_types: is not a list: write it in square brackets, such as care_types = ["inpatient"]',
    ),
    (
        "2024-01-01",
        "2024-02-30",
        f"4: effective_from: {DAY}",
    ),
    (
        "2024-01-01",
        "2024-1-1",
        f"4: effective_from: {DAY}",
    ),
    (
        "2024-01-01",
        '"next year"',
        f"4: effective_from: {DAY}",
    ),
    (
        "2024-01-01",
        "2024-01-01T00:00:00",
        f"4: effective_from: {DAY}",
    ),
    (
        "2024-01-01",
        "2024-01-01\neffective_to = 2024-01-01",
        (
            "5: effective_to: is not after effective_from = 2024-01-01: write the first day on which the policy is "
            "no longer in force"
        ),
    ),
    (
        "2024-01-01",
        '2024-01-01\nyear_starts = "02-29"',
        '5: year_starts: is not a day of every year: write "MM-DD", such as "01-01" or "07-01"',
    ),
    (
        "waiting_days = 90",
        'waiting_days = "90"',
        f"25: scheme.2.waiting_days: {DAYS}",
    ),
    (
        "waiting_days = 90",
        "waiting_days = -1",
        f"25: scheme.2.waiting_days: {DAYS}",
    ),
    (
        'id = "aid"',
        'id = "village"',
        '20: scheme.2.id: "village" is also the id of an earlier scheme: give each scheme its own id',
    ),
    (
        'status = "sample"',
        'status = "enacted"',
        '1: source: is missing: an enacted policy names its published regulation; add it, or status = "sample"',
    ),
    (
        'status = "sample"',
        'status = "enacted"\nsource = " "',
        '4: source: is missing: an enacted policy names its published regulation; add it, or status = "sample"',
    ),
    (
        'id = "sample-2024"',
        'id = ""',
        "2: id: is not text: write 1 to 200 printable characters in quotes",
    ),
    (
        "[policy]",
        "[polcy]",
        "1: policy: is missing: a policy file starts with one [policy] table, with single brackets",
    ),
    (
        "[policy]",
        "x = 1\n[policy]",
        "1: x: is outside the tables: move it below [policy], or delete it",
    ),
    (
        '[[scheme.tier]]\nname = "member"',
        '[scheme.tier]\nname = "member"',
        (
            "14: scheme.1.tier: is not a list of tables: write [[scheme.tier]] with two brackets, as there may be "
            "several"
        ),
    ),
    (
        '[[scheme]]\nid = "aid"',
        '[scheme]\nid = "aid"',
        f"19: heading: {TWICE}",
    ),
    (
        '["member"]',
        '["member"',
        "17: brackets: a list is not closed here or above: add the missing ]",
    ),
    (
        'id = "aid"',
        "id = “aid”",
        '20: id: this is not a value: write strings, amounts and rates in straight quotes, such as "0.80"',
    ),
    (
        '"copay"',
        '"copay',
        "9: basis: a string is not closed on its line: add the missing quotation mark",
    ),
    (
        '"copay"',
        '"copay"\nbasis = "copay"',
        "10: basis: this field appears twice in its table: keep one of the two",
    ),
    (
        "effective_from = 2024-01-01",
        "effective_from = 2024-01-01\neffective_from = 2024-01-01",
        "5: effective_from: this field appears twice in its table: keep one of the two",
    ),
    (
        'status = "sample"',
        'status = "sample"\nsucceeds = "sample-2024"',
        "4: succeeds: names this policy itself: write the id of the policy before it",
    ),
    (
        "basis = ",
        "basis ",
        "9: TOML: a field is written as `name = value`: add what is missing, or put # before a comment",
    ),
    (
        'rate = "0.60" }]',
        'rate = "0.60" }]\n[checks]\nduplicate_invoic = "hold"',
        (
            "39: checks.duplicate_invoic: is not a field of [checks]: did you mean duplicate_invoice? "
            "Correct it or delete it"
        ),
    ),
    (
        'rate = "0.60" }]',
        'rate = "0.60" }]\n[checks]\nthreshold = "1"',
        "39: checks.threshold: is a field of [[scheme]], not of [checks]: move it there",
    ),
    (
        'rate = "0.60" }]',
        'rate = "0.60" }]\n[checks]\noverlapping_stays = "holds"',
        CHECKS % '39: checks.overlapping_stays: "holds" is' + "; did you mean hold?",
    ),
    (
        'rate = "0.60" }]',
        'rate = "0.60" }]\n[checks]\noverlapping_stays = true',
        CHECKS % "39: checks.overlapping_stays: this is",
    ),
    (
        'rate = "0.60" }]',
        'rate = "0.60" }]\n[[checks]]\noverlapping_stays = "off"',
        "38: checks: is a list of tables: there is only one, write [checks] with single brackets",
    ),
    (
        'rate = "0.60" }]',
        'rate = "0.60" }]\n[checks]\n[checks]',
        f"39: heading: {TWICE}",
    ),
    (
        'rate = "0.60" }]',
        'rate = "0.60" }]\n[checks',
        "38: heading: the heading of a table is not closed: write [policy], [checks], [[scheme]] or [[scheme.tier]]",
    ),
    (
        'rate = "0.60" }]',
        'rate = "0.60" }]\n[check]\noverlapping_stays = "off"',
        "38: check: is not a table of a policy file: did you mean [checks]? Correct it or delete it",
    ),
    (
        'status = "sample"',
        'status = "sample"\nduplicate_invoice = "hold"',
        "4: duplicate_invoice: is a field of [checks], not of [policy]: move it there",
    ),
    (
        'status = "sample"',
        'status = "sample"\nchecks = { duplicate_invoice = "hold" }',
        "4: checks: is inside [policy]: write it as [checks]",
    ),
    (
        "[policy]",
        'checks = "hold"\n[policy]',
        "1: checks: is not a table: write [checks]",
    ),
]
