"""The results of a simulation as one JSON document: the tables of the report, as in its CSV files."""

from __future__ import annotations

from typing import Any

from cli.simulate.cost_tables import Cell, Fen, ShareChange, SimulationReport, sheets
from schemas.bilingual import Saying
from schemas.money import format_yuan


def document(report: SimulationReport) -> dict[str, Any]:
    """What was read, the sums in yuan (``before`` and ``change`` are null without a baseline), and every table."""
    tally, total = report.tally, report.tally.total
    return {
        "facts": report.facts,
        "refused": report.refused,
        "claims": tally.claims,
        "persons": tally.persons,
        "before": format_yuan(total.before) if report.compares else None,
        "after": format_yuan(total.after),
        "change": format_yuan(total.after - total.before) if report.compares else None,
        "tables": {
            sheet.name.replace("-", "_"): [
                {name: _value(cell) for (name, _), cell in zip(sheet.columns, row, strict=True)} for row in sheet.rows
            ]
            for sheet in sheets(report)
        },
    }


def _value(cell: Cell) -> str | int | None:
    """A cell for programs: yuan with two decimals, shares of 1 with six, counts as numbers, words in English."""
    if isinstance(cell, Saying):
        return cell.en
    if isinstance(cell, Fen):
        return format_yuan(int(cell))
    if isinstance(cell, ShareChange):
        return f"{float(cell):.6f}"
    return None if cell == "" else cell
