"""The oracle's verdict on a run: ok, violated, or unknown, which is a failure too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path

from tests.faults import input_checks, money_checks, output_checks, pool_checks
from tests.faults.evidence import Evidence, gather
from tests.faults.kcat import Unreadable

QUOTED_MAX = 5

Check = Callable[[Evidence], Iterator[str]]
"""Yields one sentence for each violation it finds."""

CHECKS: dict[str, Check] = {
    "acknowledged events are in the ledger, once": input_checks.acknowledged_is_taken,
    "the ledger holds what the inbound topics hold": input_checks.taken_is_what_stands,
    "every offset up to the end is accounted for": input_checks.ends_are_reached,
    "each event has one fate, and the right one": input_checks.fates_are_right,
    "every event has its audit entry": input_checks.audited_once,
    "claims are as the calculator says": money_checks.claims_are_right,
    "instructions pay what is due": money_checks.sums_are_right,
    "each payee is instructed its part": money_checks.payees_have_their_parts,
    "nobody waits for a group step": money_checks.nobody_waits,
    "what is released is instructed": pool_checks.released_is_instructed,
    "pools pay what they have": pool_checks.pools_pay_what_they_have,
    "nobody waits whom a pool's money covers": pool_checks.nobody_waits_whom_money_covers,
    "caps of households hold": money_checks.caps_of_households_hold,
    "instructions are sent once, in order": output_checks.instructions_once_in_order,
    "insurers read what they pay": output_checks.insurers_read_what_they_pay,
    "insurers read their statements": output_checks.insurers_read_their_statements,
    "statements and books are as the oracles say": output_checks.statements_and_books_agree,
    "decisions are sent once, in order": output_checks.decisions_once_in_order,
    "the audit chain is whole": output_checks.audit_is_whole,
    "refusals are sent once": output_checks.refusals_once,
    "nothing else was sent, and nothing is left to send": output_checks.all_is_sent,
    "no transaction hangs": output_checks.nothing_hangs,
}


class Verdict(StrEnum):
    OK = "ok"
    VIOLATED = "violated"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Judgement:
    """The verdict and what it rests on."""

    verdict: Verdict
    findings: tuple[str, ...] = ()
    evidence: Evidence | None = None

    @property
    def violations(self) -> int:
        return len(self.findings) if self.verdict is Verdict.VIOLATED else 0


def judge(evidence: Evidence) -> Judgement:
    """What the evidence shows. A check that cannot make sense of it gives unknown."""
    findings: list[str] = []
    for name, check in CHECKS.items():
        try:
            findings += [f"{name}: {each}" for each in islice(check(evidence), QUOTED_MAX)]
        except (ValueError, KeyError, TypeError, AssertionError) as error:
            return Judgement(Verdict.UNKNOWN, (*findings, f"{name}: {type(error).__name__}: {error}"), evidence)
    return Judgement(Verdict.VIOLATED if findings else Verdict.OK, tuple(findings), evidence)


def examine(bootstrap: str, ledger_url: str, journals: list[Path], shards: int) -> Judgement:
    """Reads everything and judges it."""
    try:
        return judge(gather(bootstrap, ledger_url, journals, shards))
    except Unreadable as error:
        return Judgement(Verdict.UNKNOWN, (str(error),))
