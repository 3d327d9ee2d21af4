"""What a run gave, for people: benefits by scheme and tier, claims by status, refusals by code."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.table import Table

from cli.terminal.output import out
from schemas.money import format_yuan, parse_yuan

STATUS_ZH = {
    "adjudicated": "已核定",
    "not_covered": "未参保",
    "no_policy": "无方案",
    "after_death": "死亡后入院",
    "incomplete": "待补齐",
    "voided": "已作废",
}


def summarise(folder: Path, events: int, seconds: float) -> None:
    """Prints the summary of the files that a demo left in ``folder``."""
    claims: dict[str, dict[str, Any]] = {}
    for decision in _read(folder / "decisions.jsonl"):
        known = claims.get(decision["claim_id"])
        if known is None or known["revision"] < decision["revision"]:
            claims[decision["claim_id"]] = decision
    _benefits(list(claims.values()))
    _one_explained(list(claims.values()))
    _payouts(folder)
    statuses = Counter(claim["status"] for claim in claims.values())
    out.print(
        "claims 理赔: " + ", ".join(f"{count:,} {name} {STATUS_ZH[name]}" for name, count in statuses.most_common())
    )
    refused = Counter(refusal["code"] for refusal in _read(folder / "deadletter.jsonl"))
    if refused:
        out.print("refused 拒收: " + ", ".join(f"{count:,} {code}" for code, count in refused.most_common()))
    out.print(
        f"{events:,} events in {seconds:.1f} s from the first post to the last payout ({events / seconds:,.0f}/s)"
    )


def _benefits(claims: list[dict[str, Any]]) -> None:
    counted: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for claim in claims:
        for benefit in claim["benefits"]:
            if benefit["tier"] is None:
                continue
            row = counted[benefit["scheme_id"], benefit["tier"]]
            amount = parse_yuan(benefit["benefit"])
            row[0] += 1
            row[1] += amount > 0
            row[2] += amount
    table = Table(title="Benefits by scheme and tier 各保障层救助金", show_footer=True)
    total = sum(row[2] for row in counted.values())
    table.add_column("scheme 保障层", footer="total 合计", overflow="fold", min_width=20)
    table.add_column("tier 档次", overflow="fold")
    table.add_column("eligible 符合", justify="right", footer=f"{sum(r[0] for r in counted.values()):,}")
    table.add_column("paid 给付", justify="right", footer=f"{sum(r[1] for r in counted.values()):,}")
    table.add_column("yuan 金额(元)", justify="right", footer=_grouped(total))
    for (scheme, tier), row in sorted(counted.items()):
        table.add_row(scheme, tier, f"{row[0]:,}", f"{row[1]:,}", _grouped(row[2]))
    out.print(table)


def _one_explained(claims: list[dict[str, Any]]) -> None:
    """The claim with the most to explain, in both languages."""
    richest = max(claims, key=lambda claim: (len(claim["explanation"]), claim["claim_id"]), default=None)
    if richest is None or not richest["explanation"]:
        return
    out.print(f"one claim explained 一例说明: {richest['claim_id']}, personal burden {richest['personal_burden']} yuan")
    for line in richest["explanation"]:
        out.print(f"  {line['zh']}\n  {line['en']}")
    out.print(f"  合计救助 {richest['total_benefit']} 元,本人承担 {richest['patient_pays']} 元。")


def _payouts(folder: Path) -> None:
    sums = {"payment": [0, 0], "recovery": [0, 0]}
    for payout in _read(folder / "payouts.jsonl"):
        sums[payout["kind"]][0] += 1
        sums[payout["kind"]][1] += parse_yuan(payout["amount"])
    (payments, paid), (recoveries, recovered) = sums["payment"], sums["recovery"]
    out.print(
        f"instructions 支付指令: {payments:,} payments of {_grouped(paid)}, {recoveries:,} recoveries of "
        f"{_grouped(recovered)}, net {_grouped(paid - recovered)} yuan"
    )


def _grouped(fen: int) -> str:
    yuan, cents = format_yuan(fen).split(".")
    return f"{int(yuan):,}.{cents}"


def _read(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for line in file:
            yield json.loads(line)
