"""A file of watches, and the mistakes that people make in one: (what stands there, what they write, what is said)."""

from __future__ import annotations

SAMPLE = """\
[watches]
id = "watches-2024"
title = "主动发现"
status = "sample"
effective_from = 2024-01-01
effective_to = 2025-01-01

[[watch]]
id = "person-burden"
title = "个人负担较高"
measure = "personal_burden"
unit = "person"
window_months = 12
steps = ["10000.00", "30000.00"]
categories = ["dibao", "tekun"]

[[watch]]
id = "household-pays"
measure = "patient_pays"
unit = "household"
window_months = 6
steps = ["20000.00"]
"""
TEXT = "is not text: write 1 to 200 printable characters in quotes"
DAY = "is not a day: write it as 2024-07-01, without quotes and without a time"
YUAN = 'write yuan in quotes, such as "2000.00"'
MONTHS = "is not a number of months: write a whole number from 1 to 1200 without quotes, such as 12"
NONE = "watch: is missing: write at least one [[watch]], with two brackets, as there may be several"

BOTH = SAMPLE[SAMPLE.index("[[watch]]") :]

WRONG = [
    ('id = "watches-2024"\n', "", '1: id: is missing: add id = "watches-2024"'),
    ('id = "watches-2024"', "id = 1", f"2: id: {TEXT}"),
    ('"主动发现"', "[]", f"3: title: {TEXT}"),
    (
        '"sample"',
        '"smple"',
        '4: status: "smple" is not allowed: write one of "sample", "enacted"; did you mean sample?',
    ),
    ("2024-01-01", '"soon"', f"5: effective_from: {DAY}"),
    (
        "2025-01-01",
        "2024-01-01",
        "6: effective_to: is not after effective_from = 2024-01-01: write the first day on which the watches no longer "
        "hold",
    ),
    (
        'status = "sample"',
        'unit = "person"',
        "4: unit: is a field of [[watch]], not of [watches]: move it there",
    ),
    ('"person-burden"', '""', f"9: watch.1.id: {TEXT}"),
    (
        '"household-pays"',
        '"person-burden"',
        "18: watch.2.id: is the id of a watch above: give each watch its own id",
    ),
    (
        '"personal_burden"',
        '"burden"',
        '11: watch.1.measure: "burden" is not allowed: write one of "copay", "out_of_catalogue", "personal_burden", '
        '"patient_pays"',
    ),
    ('unit = "person"\n', "", '8: watch.1.unit: is missing: add unit = "person"'),
    (
        'unit = "person"',
        'unit = "family"',
        '12: watch.1.unit: "family" is not allowed: write one of "person", "household"',
    ),
    ("window_months = 12", "window_months = 0", f"13: watch.1.window_months: {MONTHS}"),
    ("window_months = 12", "window_months = 1201", f"13: watch.1.window_months: {MONTHS}"),
    ("window_months = 12", 'window_months = "12"', f"13: watch.1.window_months: {MONTHS}"),
    ("window_months = 12", "window_months = true", f"13: watch.1.window_months: {MONTHS}"),
    (
        "window_months = 12",
        "window = 12",
        "13: watch.1.window: is not a field of [[watch]]: did you mean window_months? Correct it or delete it",
    ),
    (
        "window_months = 12",
        "window_months = 12\nxyz = 1",
        "14: watch.1.xyz: is not a field of [[watch]]: delete it, or correct its spelling; docs/discovery.md lists the "
        "fields",
    ),
    (
        '["10000.00", "30000.00"]',
        '"10000.00"',
        '14: watch.1.steps: is not a list: write it in square brackets, such as steps = ["10000.00"]',
    ),
    (
        '["10000.00", "30000.00"]',
        "[]",
        '14: watch.1.steps: is empty: list at least one, such as steps = ["10000.00"]',
    ),
    ('"30000.00"', '"10000"', "14: watch.1.steps.2: is listed before: delete it"),
    (
        '"30000.00"',
        '"-0.01"',
        '14: watch.1.steps.2: is below 0: write an amount of "0.00" yuan or more',
    ),
    (
        '"30000.00"',
        '"30,000"',
        "14: watch.1.steps.2: is not an amount (an amount is a decimal number of yuan with at most two decimals): "
        + YUAN,
    ),
    ('["dibao", "tekun"]', "[]", "15: watch.1.categories: is empty: list at least one, or delete it"),
    (
        '["dibao", "tekun"]',
        '"dibao"',
        '15: watch.1.categories: is not a list: write it in square brackets, such as categories = ["..."]',
    ),
    ('"tekun"', '"dibao"', "15: watch.1.categories.2: is listed before: delete it"),
    ('"tekun"', "7", f"15: watch.1.categories.2: {TEXT}"),
    (BOTH, "", f"1: {NONE}"),
    (BOTH, '[watch]\nid = "x"\n', f"8: {NONE}"),
    (BOTH, '[[watches.watch]]\nid = "x"\n', "8: watch: is inside [watches]: write it as [[watch]]"),
    (
        "[watches]",
        "x = 1\n[watches]",
        "1: x: is outside the tables: move it below [watches] or a [[watch]], or delete it",
    ),
    (
        '[[watch]]\nid = "household-pays"',
        '[watches]\nid = "household-pays"',
        "17: heading: this table appears twice: write [watches] once, [[watch]] with two brackets",
    ),
    (
        '[[watch]]\nid = "household-pays"',
        '[[watch\nid = "household-pays"',
        "17: heading: the heading of a table is not closed: write [watches] or [[watch]]",
    ),
]
