"""A treaty file, and the mistakes that people make in one: (what stands there, what they write, what they are told)."""

from __future__ import annotations

SAMPLE = """\
[treaty]
id = "self-pay-2024"
title = "责任保险"
status = "sample"
effective_from = 2024-01-01
effective_to = 2025-01-01
schemes = ["self_pay_assistance", "village_mutual_aid"]
lead = "insurer-a"

[[treaty.share]]
insurer = "insurer-a"
share = "0.60"

[[treaty.share]]
insurer = "insurer-b"
share = "0.40"

[treaty.stop_loss]
attachment = "1000000.00"
limit = "500000.00"
share = "0.90"
insurer = "reinsurer-x"
"""
TEXT = "is not text: write 1 to 200 printable characters in quotes"
DAY = "is not a day: write it as 2024-07-01, without quotes and without a time"
SHARE = 'write a decimal over 0 and up to 1, such as "0.60" for 60 %'
YUAN = 'write yuan in quotes, such as "2000.00"'
INSURER = (
    "cannot be the id of an insurer, which also names a topic: write 1 to 64 lower-case letters, "
    'digits and hyphens, a letter or digit first, such as "insurer-a"'
)
FUND = 'cannot be "fund": that is the public fund, which pays for schemes without a treaty; write the id of an insurer'
SHARES = "is not a list of tables: write [[treaty.share]] with two brackets, as there may be several"
FIRST = '[[treaty.share]]\ninsurer = "insurer-a"\nshare = "0.60"\n'
SECOND = '[[treaty.share]]\ninsurer = "insurer-b"\nshare = "0.40"\n'

WRONG = [
    ('id = "self-pay-2024"', 'id = ""', f"2: id: {TEXT}"),
    ('id = "self-pay-2024"', "id = 7.5", f"2: id: {TEXT}"),
    ('id = "self-pay-2024"\n', "", '1: id: is missing: add id = "self-pay-2024"'),
    ('"责任保险"', "[]", f"3: title: {TEXT}"),
    (
        '"sample"',
        '"enactd"',
        '4: status: "enactd" is not allowed: write one of "sample", "enacted"; did you mean enacted?',
    ),
    ("2024-01-01", '"soon"', f"5: effective_from: {DAY}"),
    ("2024-01-01", "2024-01-01T00:00:00", f"5: effective_from: {DAY}"),
    ("2024-01-01", "2024-02-30", f"5: effective_from: {DAY}"),
    ("effective_from = 2024-01-01\n", "", "1: effective_from: is missing: add effective_from = 2024-01-01"),
    (
        "2025-01-01",
        "2024-01-01",
        "6: effective_to: is not after effective_from = 2024-01-01: write the first day on which the treaty is no "
        "longer in force",
    ),
    (
        '["self_pay_assistance", "village_mutual_aid"]',
        "[]",
        '7: schemes: is empty: list at least one, such as schemes = ["self_pay_assistance"]',
    ),
    (
        '["self_pay_assistance", "village_mutual_aid"]',
        '"self_pay_assistance"',
        '7: schemes: is not a list: write it in square brackets, such as schemes = ["self_pay_assistance"]',
    ),
    ('"village_mutual_aid"', '"self_pay_assistance"', "7: schemes.2: is listed before: delete it"),
    ('"village_mutual_aid"', "2", f"7: schemes.2: {TEXT}"),
    (
        'lead = "insurer-a"',
        'lead = "insurer-c"',
        '8: lead: "insurer-c" is an unknown insurer, and the lead has a share itself: write one of "insurer-a", '
        '"insurer-b"; did you mean insurer-b?',
    ),
    ('lead = "insurer-a"', 'lead = "fund"', f"8: lead: {FUND}"),
    ('lead = "insurer-a"\n', "", '1: lead: is missing: add lead = "insurer-a"'),
    (
        'lead = "insurer-a"',
        'leader = "insurer-a"',
        "8: leader: is not a field of [treaty]: did you mean lead? Correct it or delete it",
    ),
    (
        'lead = "insurer-a"',
        'lead = "insurer-a"\nattachment = "1.00"',
        "9: attachment: is a field of [treaty.stop_loss], not of [treaty]: move it there",
    ),
    (
        'lead = "insurer-a"',
        'lead = "insurer-a"\nxyz = 1',
        "9: xyz: is not a field of [treaty]: delete it, or correct its spelling; docs/treaties.md lists the fields",
    ),
    (f"{FIRST}\n{SECOND}", "", "1: share: is missing: add [[treaty.share]]"),
    (f"{FIRST}\n{SECOND}", '[treaty.share]\ninsurer = "insurer-a"\nshare = "1"\n', f"10: share: {SHARES}"),
    ('insurer = "insurer-b"', 'insurer = "Insurer B"', f"15: share.2.insurer: {INSURER}"),
    ('insurer = "insurer-b"', 'insurer = "平安"', f"15: share.2.insurer: {INSURER}"),
    ('insurer = "insurer-b"', f'insurer = "{"b" * 65}"', f"15: share.2.insurer: {INSURER}"),
    ('insurer = "insurer-b"', 'insurer = "-b"', f"15: share.2.insurer: {INSURER}"),
    ('insurer = "insurer-b"', "insurer = 2.5", f"15: share.2.insurer: {INSURER}"),
    ('insurer = "insurer-b"', 'insurer = "fund"', f"15: share.2.insurer: {FUND}"),
    (
        'insurer = "insurer-b"',
        'insurer = "insurer-a"',
        "15: share.2.insurer: has a share above already: give each insurer one share",
    ),
    ('insurer = "insurer-b"\n', "", '14: share.2.insurer: is missing: add insurer = "insurer-a"'),
    (
        'share = "0.40"',
        'share = "0.39"',
        "10: share: the shares add up to 0.99, 0.01 too little: correct them to exactly 1 in all",
    ),
    (
        'share = "0.40"',
        'share = "0.400001"',
        "10: share: the shares add up to 1.000001, 0.000001 too much: correct them to exactly 1 in all",
    ),
    ('share = "0.40"', 'share = "40%"', f"16: share.2.share: is not a share: {SHARE}"),
    ('share = "0.40"', "share = true", f"16: share.2.share: is not a share: {SHARE}"),
    ('share = "0.40"', "share = 4e-1", f"16: share.2.share: is not a share: {SHARE}"),
    ('share = "0.40"', 'share = "0"', f"16: share.2.share: is not over 0: {SHARE}"),
    ('share = "0.40"', 'share = "-0.40"', f"16: share.2.share: is not over 0: {SHARE}"),
    ('share = "0.40"', 'share = "40"', f"16: share.2.share: is above 1: {SHARE}"),
    (
        'share = "0.40"',
        'share = "0.4000001"',
        '16: share.2.share: has more than six decimals: write "0.333333" at most',
    ),
    ('share = "0.40"\n', "", '14: share.2.share: is missing: add share = "0.60"'),
    (
        'share = "0.40"',
        'share = "0.40"\nstatus = "sample"',
        "17: share.2.status: is a field of [treaty], not of [[treaty.share]]: move it there",
    ),
    (
        '"1000000.00"',
        '"-0.01"',
        '19: stop_loss.attachment: is below 0: write an amount of "0.00" yuan or more',
    ),
    (
        '"1000000.00"',
        '"1000000.001"',
        "19: stop_loss.attachment: is not an amount (an amount is a decimal number of yuan with at most two decimals): "
        + YUAN,
    ),
    (
        '"1000000.00"',
        "1e6",
        "19: stop_loss.attachment: is not an amount (an amount is a decimal number of yuan with at most two decimals): "
        + YUAN,
    ),
    (
        '"500000.00"',
        '"0.00"',
        '20: stop_loss.limit: is not over 0, so the stop-loss would bear nothing: write an amount over "0.00" yuan, '
        "or delete [treaty.stop_loss]",
    ),
    (
        '"500000.00"',
        '"1000000000000.00"',
        "20: stop_loss.limit: is not an amount (an amount is at most 999999999999.99 yuan): " + YUAN,
    ),
    ('"0.90"', '"1.01"', f"21: stop_loss.share: is above 1: {SHARE}"),
    ('"reinsurer-x"', '"fund"', f"22: stop_loss.insurer: {FUND}"),
    ('insurer = "reinsurer-x"\n', "", '18: stop_loss.insurer: is missing: add insurer = "reinsurer-x"'),
    ('limit = "500000.00"\n', "", '18: stop_loss.limit: is missing: add limit = "500000.00"'),
    (
        "[treaty.stop_loss]",
        "[[treaty.stop_loss]]",
        "18: stop_loss: is not a table: write [treaty.stop_loss], with single brackets",
    ),
    ("[treaty.stop_loss]", "[stop_loss]", "18: stop_loss: is outside [treaty]: write it as [treaty.stop_loss]"),
    ("[treaty]", "x = 1\n[treaty]", "1: x: is outside the tables: move it below [treaty], or delete it"),
    (
        'status = "sample"',
        "status = sample",
        '4: status: this is not a value: write strings, amounts and rates in straight quotes, such as "0.80"',
    ),
    (
        'share = "0.40"',
        'share = "0.40"\nshare = "0.40"',
        "17: share: this field appears twice in its table: keep one of the two",
    ),
    (
        "[treaty.stop_loss]",
        "[treaty]",
        "18: heading: this table appears twice: write [treaty] and [treaty.stop_loss] once, [[treaty.share]] with two "
        "brackets",
    ),
    (
        "[treaty.stop_loss]",
        "[treaty.stop_loss",
        "18: heading: the heading of a table is not closed: write [treaty], [[treaty.share]] or [treaty.stop_loss]",
    ),
    (
        f"{FIRST}\n{SECOND}",
        'share = [{ insurer = "insurer-a", share = "1"\n]\n',
        "10: share: braces are not closed here or above: add the missing }",
    ),
]
