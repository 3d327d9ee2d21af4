"""The summary of a demo: benefits by scheme and tier, claims by status, refusals by code."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.table import Table

from cli.terminal.output import out
from handlers.words.claim_sentences import STATUS_NAMES, yuan
from schemas.decisions import Status
from schemas.money import parse_yuan
from schemas.treaty.treaty_model import FUND


def summarise(folder: Path, events: int, seconds: float) -> None:
    """Prints a summary of the demo's files in ``folder``."""
    claims: dict[str, dict[str, Any]] = {}
    for decision in _read(folder / "decisions.jsonl"):
        newest = claims.get(decision["claim_id"])
        if newest is None or newest["revision"] < decision["revision"]:
            claims[decision["claim_id"]] = decision
    _benefits(list(claims.values()))
    _one_explained(list(claims.values()))
    _payouts(folder)
    statuses = Counter(claim["status"] for claim in claims.values())
    counts = (f"{count:,} {name} {STATUS_NAMES[Status(name)].zh}" for name, count in statuses.most_common())
    out.print("claims 理赔: " + ", ".join(counts))
    refused = Counter(refusal["code"] for refusal in _read(folder / "deadletter.jsonl"))
    if refused:
        out.print("refused 拒收: " + ", ".join(f"{count:,} {code}" for code, count in refused.most_common()))
    out.print(
        f"{events:,} events in {seconds:.1f} s from the first post to the last payout ({events / seconds:,.0f}/s)"
    )


def _benefits(claims: list[dict[str, Any]]) -> None:
    """What waits for the money of a pool is not paid. Aid is paid by level, and has no tier."""
    by_tier: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for claim in claims:
        waiting = {line["scheme_id"]: parse_yuan(line["amount"]) for line in claim.get("waiting", ())}
        for benefit in claim["benefits"]:
            if benefit["tier"] is None and not parse_yuan(benefit["benefit"]):
                continue
            row = by_tier[benefit["scheme_id"], benefit["tier"] or ""]
            amount = parse_yuan(benefit["benefit"]) - waiting.get(benefit["scheme_id"], 0)
            row[0] += 1
            row[1] += amount > 0
            row[2] += amount
    table = Table(title="Benefits by scheme and tier 各保障层救助金", show_footer=True)
    total = sum(row[2] for row in by_tier.values())
    table.add_column("scheme 保障层", footer="total 合计", overflow="fold", min_width=20)
    table.add_column("tier 档次", overflow="fold")
    table.add_column("eligible 符合", justify="right", footer=f"{sum(r[0] for r in by_tier.values()):,}")
    table.add_column("paid 给付", justify="right", footer=f"{sum(r[1] for r in by_tier.values()):,}")
    table.add_column("yuan 金额(元)", justify="right", footer=yuan(total))
    for (scheme, tier), row in sorted(by_tier.items()):
        table.add_row(scheme, tier, f"{row[0]:,}", f"{row[1]:,}", yuan(row[2]))
    out.print(table)


def _one_explained(claims: list[dict[str, Any]]) -> None:
    """Prints the claim with the longest explanation, in both languages."""
    claim = max(claims, key=lambda each: (len(each["explanation"]), each["claim_id"]), default=None)
    if claim is None or not claim["explanation"]:
        return
    out.print(f"one claim explained 一例说明: {claim['claim_id']}, personal burden {claim['personal_burden']} yuan")
    for line in claim["explanation"]:
        out.print(f"  {line['zh']}\n  {line['en']}")
    out.print(f"  合计救助 {claim['total_benefit']} 元,本人承担 {claim['patient_pays']} 元。")


def _payouts(folder: Path) -> None:
    sums = {"payment": [0, 0], "recovery": [0, 0]}
    hospitals: Counter[str] = Counter()
    payers: Counter[str] = Counter()
    for payout in _read(folder / "payouts.jsonl"):
        amount = parse_yuan(payout["amount"])
        sums[payout["kind"]][0] += 1
        sums[payout["kind"]][1] += amount
        signed = amount if payout["kind"] == "payment" else -amount
        payers[payout["payer"]] += signed
        if "payee_id" in payout:
            hospitals[payout["payee_id"]] += signed
    (payments, paid), (recoveries, recovered) = sums["payment"], sums["recovery"]
    out.print(
        f"instructions 支付指令: {payments:,} payments of {yuan(paid)}, {recoveries:,} recoveries of "
        f"{yuan(recovered)}, net {yuan(paid - recovered)} yuan"
    )
    if payers.keys() - {FUND}:
        paid_by = (f"{name} {yuan(net)}" for name, net in sorted(payers.items(), key=lambda each: (-each[1], each[0])))
        out.print(f"paid by 付款方: {', '.join(paid_by)} yuan")
    if hospitals:
        out.print(
            f"paid back to hospitals 医院垫付结算: {yuan(sum(hospitals.values()))} yuan to {len(hospitals)} "
            "hospitals that took it off the bill"
        )


def _read(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for line in file:
            yield json.loads(line)
