"""Benefits worked out from the lines of their explanation alone, by a program that shares no code with the product."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

WORDS = ("degree", "level")
"""Inputs that are no numbers."""


def recomputed(lines: Sequence[Mapping[str, Any]]) -> Decimal:
    """A scheme's benefit from its lines of explanation and nothing else. Shares no code with the product."""
    cent = Decimal("0.01")

    def half_up(amount: Decimal) -> Decimal:
        return amount.quantize(cent, ROUND_HALF_UP)

    benefit = exact = Decimal(0)
    for line in lines:
        told = {name: Decimal(text) for name, text in line["inputs"].items() if name not in WORDS}
        before = benefit
        match line["step"]:
            case "bracket":
                assert told["over"] <= told["from"] < told["to"]
                slice_of = (told["to"] - told["from"]) * told["rate"]
                assert slice_of == told["exact"]
                exact += slice_of
                benefit += half_up(slice_of)
            case "rounding":
                assert told["exact_after"] - told["exact_before"] == exact
                benefit = half_up(told["exact_after"]) - half_up(told["exact_before"])
            case "fixed":
                benefit = told["fixed"]
            case "by_degree":
                benefit = told["sum"]
            case "per_day":
                left = max(Decimal(0), told["days"] - told["from_day"] + 1) - told["counted_before"]
                assert told["days_paid"] == min(left, told.get("days_max", left))
                benefit = told["per_day"] * told["days_paid"]
            case "level":
                benefit = min(told["decided"], told["limit"])
            case "limit_remaining":
                benefit = min(benefit, told["remaining"])
            case "cap_per_stay":
                benefit = min(benefit, told["cap"])
            case "cap_per_year" | "cap_per_household_year":
                benefit = min(benefit, max(Decimal(0), told["cap"] - told["paid_before"]))
            case "floor_per_stay":
                benefit = benefit if benefit >= told["floor"] else Decimal(0)
            case step:
                raise AssertionError(f"an unknown step {step}")
        assert told.get("before", before) == before
        assert Decimal(line["amount"]) == benefit - before
        assert line["step"] == "bracket" or benefit != before, "a step that changed nothing"
    return benefit


def assert_explained(decision: Mapping[str, Any]) -> Counter[str]:
    """Each benefit follows from its explanation; gives the steps that were met."""
    steps: Counter[str] = Counter()
    explanation = decision["explanation"]
    for benefit in decision["benefits"]:
        lines = [line for line in explanation if line["scheme_id"] == benefit["scheme_id"]]
        assert Decimal(benefit["benefit"]) == recomputed(lines) == sum(Decimal(line["amount"]) for line in lines)
        slices = [line["inputs"] for line in lines[:1] if line["step"] == "bracket"]
        measured = sum(Decimal(each["to"]) - Decimal(each["from"]) for each in slices)
        assert measured <= Decimal(benefit["measured"])
        steps.update(line["step"] for line in lines)
    for line in explanation:
        shown = line["amount"].removeprefix("-")
        assert shown in line["zh"].replace(",", ""), line
        assert shown in line["en"].replace(",", ""), line
        assert line["zh"].endswith("。"), line
        assert line["en"].endswith("."), line
        assert line["rule"], line
    assert {line["scheme_id"] for line in explanation} <= {benefit["scheme_id"] for benefit in decision["benefits"]}
    return steps
