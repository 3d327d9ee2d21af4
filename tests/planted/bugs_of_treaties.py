"""Bugs of treaties: their files, which one covers a day, and who bears what (payers.md, sections 2 and 3)."""

from __future__ import annotations

from tests.planted.bug import Bug

SHARES = "tests/properties/test_treaties.py"
SHARED = f"{SHARES}::test_a_sum_is_shared_without_losing_or_making_a_fen"
LEFT_OVER = f"{SHARES}::test_fen_left_over_go_to_the_largest_remainders_in_the_order_of_the_file"
NEGATIVE = f"{SHARES}::test_a_negative_sum_is_shared_like_a_positive_one"
CEDED = f"{SHARES}::test_the_cession_is_the_share_of_what_lies_between_attachment_and_limit"
MONTH = f"{SHARES}::test_parts_and_cession_add_up_to_the_month"
DRIFT = f"{SHARES}::test_months_add_up_to_what_they_are_together"
ORACLE = f"{SHARES}::test_months_are_those_of_the_oracle"
COVERS = f"{SHARES}::test_who_covers_a_day_is_whom_the_oracle_finds"
COVERING = "tests/unit/test_treaties.py"
FILE = "tests/unit/test_treaty_file.py"
MISTAKE = f"{FILE}::test_one_mistake_gives_one_message"
IDENTITY = f"{FILE}::test_everything_that_changes_a_payment_is_another_treaty"

BUGS = (
    Bug(
        "treaties",
        "fen-left-over-are-lost",
        "handlers/treaties/shares.py",
        "        parts[place] += 1\n",
        "        parts[place] += 0\n",
        (SHARED, MONTH),
    ),
    Bug(
        "treaties",
        "fen-left-over-go-from-the-top",
        "handlers/treaties/shares.py",
        "key=lambda place: -(scaled[place] % scale))",
        "key=lambda place: 0)",
        (LEFT_OVER,),
    ),
    Bug(
        "treaties",
        "ties-go-to-the-last",
        "handlers/treaties/shares.py",
        "sorted(range(len(shares)), key",
        "sorted(reversed(range(len(shares))), key",
        (LEFT_OVER, f"{SHARES}::test_thirds_are_shared_by_remainder_then_in_order"),
    ),
    Bug(
        "treaties",
        "a-negative-sum-is-rounded-down",
        "handlers/treaties/shares.py",
        "    if total < 0:\n",
        "    if total is None:\n",
        (NEGATIVE,),
    ),
    Bug(
        "treaties",
        "a-cession-is-rounded-down",
        "handlers/treaties/shares.py",
        "    return round_half_up(numerator * ",
        "    return (lambda above, below: above // below)(numerator * ",
        (CEDED, f"{SHARES}::test_a_stop_loss_worked_out_by_hand"),
    ),
    Bug(
        "treaties",
        "a-cession-knows-no-limit",
        "handlers/treaties/shares.py",
        "min(stop_loss.limit, max(0, total - stop_loss.attachment))",
        "max(0, total - stop_loss.attachment)",
        (CEDED,),
    ),
    Bug(
        "treaties",
        "below-the-attachment-the-cession-is-negative",
        "handlers/treaties/shares.py",
        "max(0, total - stop_loss.attachment)",
        "(total - stop_loss.attachment)",
        (CEDED,),
    ),
    Bug(
        "treaties",
        "what-is-ceded-stays-with-the-insurers-too",
        "handlers/treaties/shares.py",
        "        part - taken\n",
        "        part\n",
        (MONTH,),
    ),
    Bug(
        "treaties",
        "a-month-is-shared-by-itself",
        "handlers/treaties/shares.py",
        "    parts = [new - old for new, old in zip(_kept(after, treaty), _kept(before, treaty), strict=True)]\n"
        "    return parts, ceded(after, treaty.stop_loss) - ceded(before, treaty.stop_loss)\n",
        "    cession = ceded(after, treaty.stop_loss) - ceded(before, treaty.stop_loss)\n"
        "    return allocated(after - before - cession, treaty.shares), cession\n",
        (DRIFT, ORACLE),
    ),
    Bug(
        "treaties",
        "the-first-day-is-not-covered",
        "schemas/treaty/treaty_model.py",
        "bisect_right(starts, day)",
        "bisect_right(starts, day - timedelta(days=1))",
        (
            f"{COVERING}::test_a_treaty_covers_its_schemes_from_its_first_day_to_its_last",
            f"{COVERING}::test_every_day_is_covered_as_a_search_through_all_treaties_finds",
        ),
    ),
    Bug(
        "treaties",
        "the-end-is-covered-too",
        "schemas/treaty/treaty_model.py",
        "self.effective_to is None or day < self.effective_to",
        "self.effective_to is None or day <= self.effective_to",
        (f"{COVERING}::test_a_treaty_covers_its_schemes_from_its_first_day_to_its_last", COVERS),
    ),
    Bug(
        "treaties",
        "one-day-of-two-treaties-is-no-overlap",
        "schemas/treaty/treaty_conflicts.py",
        "second.effective_from < first.effective_to):",
        "second.effective_from + timedelta(days=1) < first.effective_to):",
        (f"{COVERING}::test_one_day_is_an_overlap_and_the_end_is_none", COVERS),
    ),
    Bug(
        "treaties",
        "only-the-first-scheme-overlaps",
        "schemas/treaty/treaty_conflicts.py",
        "for scheme_id in first.schemes if",
        "for scheme_id in first.schemes[:1] if",
        (f"{COVERING}::test_one_day_is_an_overlap_and_the_end_is_none", COVERS),
    ),
    Bug(
        "treaties",
        "an-id-is-published-again",
        "schemas/treaty/treaty_conflicts.py",
        "        if first.id == second.id:\n",
        "        if first.id == second.id and first.id not in published:\n",
        (f"{COVERING}::test_an_id_is_published_once",),
    ),
    Bug(
        "treaties",
        "shares-add-up-to-almost-1",
        "schemas/treaty/treaty_file.py",
        "        if total != 1:\n",
        "        if round(total, 2) != 1:\n",
        (MISTAKE,),
    ),
    Bug(
        "treaties",
        "the-lead-may-have-no-share",
        "schemas/treaty/treaty_file.py",
        "not known or lead in known",
        "known or lead in known",
        (MISTAKE,),
    ),
    Bug(
        "treaties",
        "an-insurer-has-two-shares",
        "schemas/treaty/treaty_file.py",
        "share.insurer in [other.insurer for other in found]",
        "share.insurer in [other.insurer for other in found[:0]]",
        (MISTAKE,),
    ),
    Bug(
        "treaties",
        "the-fund-is-an-insurer",
        "schemas/treaty/treaty_values.py",
        "    if value == FUND:\n",
        "    if value is FUND.upper():\n",
        (MISTAKE,),
    ),
    Bug(
        "treaties",
        "the-stop-loss-is-not-part-of-the-treaty",
        "schemas/treaty/treaty_model.py",
        "        if self.stop_loss is not None:\n",
        "        if self.stop_loss is not None and not self.schemes:\n",
        (IDENTITY,),
    ),
    Bug(
        "treaties",
        "the-order-of-shares-is-not-part-of-the-treaty",
        "schemas/treaty/treaty_model.py",
        "for each in self.shares],\n",
        "for each in sorted(self.shares, key=str)],\n",
        (IDENTITY,),
    ),
)
