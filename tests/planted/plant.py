"""Plants one bug after the other in a copy of the repository and sees whether the tests named for it fail.

    python tests/planted/plant.py [NAME ...]

Exits 1 when a bug is missed, or when its text no longer stands in the code, so that the list cannot go stale.
docs/planted-bugs.md is the list for people.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parents[2]
NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "mutants", "*.egg-info", "huzhu-demo")
ENVIRONMENT = {
    "HUZHU_TEST_LONG": "1",
    "HUZHU_TEST_PERSON_YEARS": "1000",
    "HUZHU_TEST_EXAMPLES": "100",
    "HUZHU_TEST_SHRINK": "0",
}

AT_ONCE = os.cpu_count() or 1
"""So many bugs are tried at a time, each in a copy of its own."""

BOUNDARIES = "tests/unit/test_boundaries.py"
LAWS = "tests/properties/test_laws.py"
ORACLE = "tests/properties/test_oracle_agrees.py::test_the_oracle_agrees_on_many_person_years"
STORIES = f"{BOUNDARIES}::test_corrections_end_in_the_right_payments"


class Bug(NamedTuple):
    """In ``file`` the text ``old``, which stands there once, becomes ``new``; each of the tests must fail."""

    law: int
    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


BUGS = (
    Bug(
        1,
        "a-stale-version-is-news",
        "handlers/claims/admit.py",
        "elif version < line.newest:",
        "elif version < 0:",
        (f"{LAWS}::test_every_message_becomes_exactly_one_event", ORACLE),
    ),
    Bug(
        1,
        "a-repetition-is-a-conflict",
        "handlers/claims/read.py",
        'ASIDE = ("event_id", "occurred_at")',
        'ASIDE = ("occurred_at",)',
        (f"{LAWS}::test_order_repetition_and_delay_change_nothing", STORIES, ORACLE),
    ),
    Bug(
        1,
        "the-last-to-come-wins",
        "handlers/claims/account.py",
        "    if before is None or before.version < fact.version:\n        held[name] = fact",
        "    if before is None or fact.version > 1:\n        held[name] = held.get(name, fact)",
        (f"{LAWS}::test_corrections_end_where_a_fresh_adjudication_ends", STORIES),
    ),
    Bug(
        1,
        "a-bill-reaches-only-its-own-claim",
        "handlers/claims/account.py",
        "        if year is not None:\n",
        "        if year is None:\n",
        (
            f"{LAWS}::test_corrections_end_where_a_fresh_adjudication_ends",
            f"{LAWS}::test_order_repetition_and_delay_change_nothing",
            STORIES,
        ),
    ),
    Bug(
        1,
        "a-moved-discharge-forgets-its-old-year",
        "handlers/claims/process.py",
        "        account.apply(fact)\n        affected |= ",
        "        account.apply(fact)\n        affected = ",
        (f"{LAWS}::test_a_claim_that_moves_to_another_year_makes_room", STORIES),
    ),
    Bug(
        1,
        "a-corrected-day-is-not-kept",
        "handlers/claims/process.py",
        "                self._redated(adjudication.claim, before)\n",
        "                pass\n",
        (STORIES,),
    ),
    Bug(
        1,
        "a-death-reaches-no-claim",
        "handlers/claims/account.py",
        "isinstance(fact, CoverageRecorded | CoverageVoided | PersonDied)\n            return",
        "isinstance(fact, CoverageRecorded | CoverageVoided)\n            return",
        (f"{LAWS}::test_order_repetition_and_delay_change_nothing", STORIES),
    ),
    Bug(
        1,
        "claims-of-one-day-in-reverse",
        "handlers/claims/adjudicate.py",
        "    claims.sort(key=_canonical_order)",
        "    claims.sort(key=lambda claim: (_canonical_order(claim)[0], [-ord(letter) for letter in claim.claim_id]))",
        (f"{BOUNDARIES}::test_what_a_year_has_left_goes_to_its_claims_in_canonical_order", ORACLE),
    ),
    Bug(
        1,
        "the-last-final-bill-files",
        "handlers/claims/account.py",
        "        return min([settlement.settled_at",
        "        return max([settlement.settled_at",
        (f"{BOUNDARIES}::test_the_first_live_final_bill_files_a_claim", ORACLE),
    ),
    Bug(
        1,
        "an-interim-bill-completes",
        "handlers/claims/account.py",
        " for settlement in self.live if settlement.final], default=None)",
        " for settlement in self.live], default=None)",
        (STORIES, ORACLE),
    ),
    Bug(
        2,
        "payments-before-recoveries",
        "handlers/claims/settle.py",
        "key=lambda due: due.kind is InstructionKind.PAYMENT)",
        "key=lambda due: due.kind is InstructionKind.RECOVERY)",
        (f"{LAWS}::test_every_cap_holds_at_every_moment", STORIES),
    ),
    Bug(
        2,
        "layers-do-not-see-each-other",
        "handlers/claims/adjudicate.py",
        "    left.pay(scheme.basis, amount)\n",
        "",
        (
            f"{LAWS}::test_a_claim_never_gets_more_than_its_burden",
            f"{LAWS}::test_every_cap_holds_at_every_moment",
            f"{BOUNDARIES}::test_layers_share_what_there_is",
        ),
    ),
    Bug(
        2,
        "the-burden-uses-up-the-wrong-part",
        "handlers/claims/adjudicate.py",
        " else min(amount, self.copay)",
        " else max(0, amount - self.out_of_catalogue)",
        (f"{BOUNDARIES}::test_layers_share_what_there_is", ORACLE),
    ),
    Bug(
        2,
        "a-year-forgets-what-it-paid",
        "handlers/claims/adjudicate.py",
        "    year.paid += amount\n",
        "    year.paid = amount\n",
        (f"{LAWS}::test_every_cap_holds_at_every_moment", ORACLE),
    ),
    Bug(
        2,
        "a-year-counts-what-was-cut",
        "handlers/claims/adjudicate.py",
        "    year.paid += amount\n",
        "    year.paid += due\n",
        (ORACLE,),
    ),
    Bug(
        2,
        "the-cap-of-a-stay-comes-before-the-brackets",
        "handlers/claims/adjudicate.py",
        "        (StepKind.CAP_PER_STAY, scheme.cap_per_stay, Reason.CAP_REACHED),\n",
        "        (StepKind.CAP_PER_STAY, scheme.cap_per_stay and 2 * scheme.cap_per_stay, Reason.CAP_REACHED),\n",
        (f"{LAWS}::test_every_cap_holds_at_every_moment", f"{BOUNDARIES}::test_caps_and_floors"),
    ),
    Bug(
        2,
        "the-year-starts-a-day-late",
        "schemas/policy/model.py",
        "if (day.month, day.day) >= (month, first):",
        "if (day.month, day.day) > (month, first):",
        (f"{BOUNDARIES}::test_the_policy_year_starts_on_its_day", ORACLE),
    ),
    Bug(
        2,
        "a-year-drifts",
        "handlers/claims/adjudicate.py",
        "    due = round_half_up(exact_benefit(tier, end), tier.scale) - "
        "round_half_up(exact_benefit(tier, start), tier.scale)\n",
        "    due = round_half_up(exact_benefit(tier, end) - exact_benefit(tier, start), tier.scale)\n",
        (
            f"{LAWS}::test_a_year_of_one_fen_bills_does_not_drift",
            f"{BOUNDARIES}::test_a_year_rounds_its_sum_and_not_each_bill",
        ),
    ),
    Bug(
        2,
        "half-a-fen-is-lost",
        "schemas/money.py",
        "return (2 * numerator + denominator) // (2 * denominator)",
        "return numerator // denominator",
        (f"{BOUNDARIES}::test_half_a_fen_rounds_up", f"{LAWS}::test_the_explanation_alone_gives_the_benefit", ORACLE),
    ),
    Bug(
        2,
        "rounding-through-a-float",
        "schemas/money.py",
        "return (2 * numerator + denominator) // (2 * denominator)",
        "return int(numerator / denominator + 0.5)",
        (f"{BOUNDARIES}::test_half_a_fen_rounds_up",),
    ),
    Bug(
        2,
        "coverage-holds-on-its-last-day",
        "handlers/claims/eligibility.py",
        "day < coverage.valid_to)",
        "day <= coverage.valid_to)",
        (f"{BOUNDARIES}::test_coverage_counts_on_the_day_of_discharge", STORIES, ORACLE),
    ),
    Bug(
        2,
        "waiting-until-discharge",
        "handlers/claims/eligibility.py",
        "(discharge.admitted_on - c.valid_from)",
        "(discharge.discharged_on - c.valid_from)",
        (f"{BOUNDARIES}::test_waiting_days_count_from_valid_from_to_admission", ORACLE),
    ),
    Bug(
        2,
        "midnight-in-greenwich",
        "schemas/dates.py",
        "    return instant.astimezone(SHANGHAI).date()",
        "    return instant.astimezone(UTC).date()",
        (f"{BOUNDARIES}::test_a_bill_is_filed_on_its_day_in_shanghai", ORACLE),
    ),
    Bug(
        3,
        "nothing-is-ever-recovered",
        "handlers/claims/settle.py",
        "        if amount != balance:\n",
        "        if amount > balance:\n",
        (f"{LAWS}::test_corrections_end_where_a_fresh_adjudication_ends", STORIES),
    ),
    Bug(
        3,
        "a-vanished-scheme-keeps-its-money",
        "handlers/claims/settle.py",
        "for scheme_id in sorted(held) if scheme_id not in applying]",
        "for scheme_id in sorted(held) if scheme_id in ()]",
        (f"{LAWS}::test_corrections_end_where_a_fresh_adjudication_ends", STORIES),
    ),
    Bug(
        3,
        "recovered-again-and-again",
        "handlers/claims/settle.py",
        "return before._replace(measured=0, benefit=0, reason=None)",
        "return before._replace(measured=0, reason=None)",
        (f"{LAWS}::test_instructions_lead_from_one_balance_to_the_next", STORIES),
    ),
    Bug(
        3,
        "a-revision-is-used-twice",
        "handlers/claims/settle.py",
        "    revision = before.instruction_revision if before else 0\n    if benefit is None",
        "    revision = 0\n    if benefit is None",
        (f"{LAWS}::test_instructions_lead_from_one_balance_to_the_next", STORIES),
    ),
    Bug(
        4,
        "two-thousand-triggers-two-thousand",
        "handlers/claims/adjudicate.py",
        "measured <= scheme.threshold:",
        "measured < scheme.threshold:",
        (
            f"{BOUNDARIES}::test_two_thousand_in_both_readings",
            f"{LAWS}::test_a_franchise_is_all_or_nothing",
            ORACLE,
        ),
    ),
    Bug(
        5,
        "a-refused-event-is-dropped",
        "handlers/claims/process.py",
        "if isinstance(reading, Refusal):\n            self._refused(delivery, reading)\n",
        "if isinstance(reading, Refusal):\n",
        (f"{LAWS}::test_every_message_becomes_exactly_one_event",),
    ),
    Bug(
        5,
        "an-unbalanced-bill-is-accepted",
        "handlers/claims/read.py",
        "        if fact.total_charge != parts:\n",
        "        if fact.total_charge < parts:\n",
        (ORACLE,),
    ),
    Bug(
        6,
        "a-rounding-step-is-left-out",
        "handlers/claims/adjudicate.py",
        "    if shown != due:\n",
        "    if shown > due:\n",
        (
            f"{LAWS}::test_every_step_is_met_and_explained",
            f"{BOUNDARIES}::test_rounding_is_a_step_where_the_parts_add_up_to_something_else",
        ),
    ),
    Bug(
        6,
        "the-explanation-tells-another-year",
        "handlers/claims/explain.py",
        '"exact_after": _exact_yuan(exact_benefit(benefit.tier, benefit.year_after), benefit.tier),',
        '"exact_after": _exact_yuan(exact_benefit(benefit.tier, benefit.measured), benefit.tier),',
        (f"{LAWS}::test_the_explanation_alone_gives_the_benefit",),
    ),
    Bug(
        6,
        "the-explanation-forgets-what-was-paid",
        "handlers/claims/explain.py",
        'inputs |= {"cap": format_yuan(cap), "paid_before": format_yuan(paid),',
        'inputs |= {"cap": format_yuan(cap), "paid_before": format_yuan(0),',
        (f"{LAWS}::test_every_step_is_met_and_explained",),
    ),
    Bug(
        6,
        "a-sentence-without-its-amount",
        "handlers/claims/explain.py",
        'f"这一项每次最多补 {limit} 元,所以减去 {less} 元。"',
        'f"这一项每次最多补 {limit} 元。"',
        (f"{LAWS}::test_every_step_is_met_and_explained",),
    ),
)


def copy_repository(folder: Path) -> Path:
    """A copy of the working tree, without environments, caches and history."""
    return shutil.copytree(REPOSITORY, folder / "huzhu", ignore=NOT_COPIED)


def run_tests(copy: Path, tests: Sequence[str]) -> tuple[int, str]:
    """The exit status of pytest in the copy, and what it said."""
    environment = {**os.environ, **ENVIRONMENT, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-rf", "--tb=line", "-p", "no:cacheprovider", "-W", "ignore", *tests]
    ran = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    return ran.returncode, ran.stdout + ran.stderr


def plant(copy: Path, bug: Bug) -> list[str]:
    """The tests that missed the bug; empty when every one of them caught it."""
    file = copy / bug.file
    sound = file.read_text("utf-8")
    if sound.count(bug.old) != 1:
        return [f"{bug.file} holds the text to change {sound.count(bug.old)} times: correct the list"]
    file.write_text(sound.replace(bug.old, bug.new), "utf-8")
    try:
        _, said = run_tests(copy, bug.tests)
    finally:
        file.write_text(sound, "utf-8")
    return [test for test in bug.tests if f"FAILED {test}" not in said]


def main(names: Sequence[str]) -> int:
    chosen = [bug for bug in BUGS if not names or bug.name in names]
    unknown = set(names) - {bug.name for bug in chosen}
    if unknown:
        sys.stderr.write(f"no bug is called {', '.join(sorted(unknown))}\n")
        return 2
    with tempfile.TemporaryDirectory(prefix="huzhu-planted-") as folder:
        copy = copy_repository(Path(folder))
        status, said = run_tests(copy, sorted({test for bug in chosen for test in bug.tests}))
        if status != 0:
            sys.stderr.write(f"the tests fail without any bug:\n{said}\n")
            return 1
        copies: SimpleQueue[Path] = SimpleQueue()
        for number in range(AT_ONCE):
            copies.put(copy if number == 0 else copy_repository(Path(folder, str(number))))

        def planted(bug: Bug) -> tuple[Bug, list[str], float]:
            mine, started = copies.get(), time.monotonic()
            try:
                return bug, plant(mine, bug), time.monotonic() - started
            finally:
                copies.put(mine)

        missed = 0
        with ThreadPoolExecutor(AT_ONCE) as threads:
            for bug, slipped, seconds in threads.map(planted, chosen):
                missed += bool(slipped)
                verdict = (
                    f"MISSED by {'; '.join(slipped)}" if slipped else f"caught by {len(bug.tests)} of {len(bug.tests)}"
                )
                sys.stdout.write(f"law {bug.law}  {bug.name:<44} {verdict}  ({seconds:.0f} s)\n")
                sys.stdout.flush()
    sys.stdout.write(f"{len(chosen) - missed} of {len(chosen)} planted bugs were caught\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
