"""A claim twice (票据衔接): one invoice in two encounters, and two stays of one person that share a night.

Pure: what is found depends on the live settlements and discharges alone, and what follows on the policy that is in
force on the claim's day (time.md, section 2).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from itertools import pairwise
from typing import NamedTuple

from handlers.claims.decidable import Decidable, DecidableClaim, Trace
from schemas.canonical import canonical_json, sha256_hex
from schemas.decisions import Status
from schemas.ids import ClaimId
from schemas.outbound import AlertCode
from schemas.policy.model import Check, Checks, Policies


class Finding(NamedTuple):
    """Why a claim may be there twice: ``others`` are the other claims concerned, in order of their ids.

    ``about`` is the number of the invoice, and empty for stays.
    """

    code: AlertCode
    about: str
    others: tuple[ClaimId, ...]


Findings = Mapping[ClaimId, tuple[Finding, ...]]
"""What is found about each claim of which there is something to find, in order of code and invoice."""

_INVOICE = "invoice:"

NOTHING: Findings = {}
_ALERT_ONLY = Checks()


def found_twice(accounts: Collection[Decidable]) -> Findings:
    """What is found among the claims of some persons, who must be all who share an invoice with one of them."""
    first: dict[str, ClaimId] = {}
    invoices: dict[str, set[ClaimId]] = {}
    found: dict[ClaimId, list[Finding]] = {}
    for account in accounts:
        stays = list[tuple[date, date, ClaimId]]()
        for name, trace in account.traces():
            for invoice in trace.invoices:
                before = first.setdefault(invoice, name)
                if before != name:
                    invoices.setdefault(invoice, {before}).add(name)
            if trace.nights is not None:
                stays.append((*trace.nights, name))
        if len(stays) > 1:
            for name, others in _sharing_a_night(stays).items():
                found[name] = [Finding(AlertCode.OVERLAPPING_STAYS, "", tuple(sorted(others)))]
    for invoice, names in invoices.items():
        for name in names:
            others_of_it = tuple(sorted(names - {name}))
            found.setdefault(name, []).append(Finding(AlertCode.DUPLICATE_INVOICE, invoice, others_of_it))
    return {name: tuple(sorted(of)) for name, of in found.items()} if found else NOTHING


def may_be_twice(traces: Collection[Trace]) -> bool:
    """Whether something is found among one person's claims, or one of them names an invoice twice; quickly no."""
    if len(traces) < 2:
        return False
    named, invoices, nights = 0, set[str](), list[tuple[date, date]]()
    for trace in traces:
        if trace.invoices:
            named += len(trace.invoices)
            invoices.update(trace.invoices)
        if trace.nights is not None:
            nights.append(trace.nights)
    if named > len(invoices):
        return True
    nights.sort()
    return any(one[1] > other[0] for one, other in pairwise(nights))


def link_of(invoice: str) -> str:
    """What links everybody who names an invoice, as households link their members: short, and not the number itself."""
    return f"{_INVOICE}{sha256_hex(invoice.encode())[:16]}"


def is_invoice(link: str) -> bool:
    """Whether it is an invoice that links; a household may be called so too, which links nobody else."""
    return link.startswith(_INVOICE)


def checks_on(claim: DecidableClaim, policies: Policies) -> Checks:
    """What follows for a claim, by the policy in force on its day; without a policy or a discharge an alert."""
    policy = None if claim.discharge is None else policies.on(claim.discharge.discharged_on)
    return _ALERT_ONLY if policy is None else policy.checks


def checked_alone(policies: Policies) -> tuple[Status, ...]:
    """The statuses of claims of which no policy decides the money, but one what follows from a finding, if any does."""
    usual = all(policy.checks == _ALERT_ONLY for policy in policies.releases)
    return () if usual else (Status.INCOMPLETE, Status.AFTER_DEATH)


def followed(found: Iterable[Finding], checks: Checks) -> tuple[Finding, ...]:
    """Those findings that a policy wants to know."""
    return tuple(each for each in found if checks.of(each.code) is not Check.OFF)


def holding(found: Iterable[Finding], checks: Checks, released: Collection[tuple[str, str, str]] = ()) -> bool:
    """Whether one of the findings holds a claim's payments.

    ``released`` are code, invoice and other claim of what two people have looked at and released.
    """
    return any(
        checks.of(each.code) is Check.HOLD
        and any((each.code, each.about, other) not in released for other in each.others)
        for each in found
    )


def written(found: Iterable[Finding]) -> str:
    """Findings as the ledger keeps them; empty if there are none."""
    listed = [[each.code, each.about, list(each.others)] for each in found]
    return canonical_json(listed).decode("utf-8") if listed else ""


def released_of(text: str) -> set[tuple[str, str, str]]:
    """Of a claim the code, invoice and other claim of what two people have looked at, as the ledger keeps it."""
    return {(code, about, other) for code, about, other in json.loads(text)} if text else set()


def as_written(text: str) -> tuple[Finding, ...]:
    """Findings that the ledger keeps."""
    listed = json.loads(text) if text else ()
    return tuple(Finding(AlertCode(code), about, tuple(map(ClaimId, others))) for code, about, others in listed)


def _sharing_a_night(stays: list[tuple[date, date, ClaimId]]) -> dict[ClaimId, set[ClaimId]]:
    found: dict[ClaimId, set[ClaimId]] = {}
    running = list[tuple[date, ClaimId]]()
    for admitted_on, discharged_on, name in sorted(stays):
        running = [each for each in running if each[0] > admitted_on]
        for _, other in running:
            found.setdefault(name, set()).add(other)
            found.setdefault(other, set()).add(name)
        running.append((discharged_on, name))
    return found
