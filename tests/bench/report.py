"""The results as JSON and as tables in `docs/performance.md`, ratios first."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.bench.aims import ratios
from tests.bench.figures import Figure, Ratio, from_json

BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"


def write(figures: Sequence[Figure], about: dict[str, str], results: Path, page: Path | None) -> None:
    """Adds figures to those in ``results`` (a part measured again replaces itself) and renews the page's tables."""
    kept = read(results, {each.part for each in figures})
    figures = sorted([*kept, *figures], key=lambda each: each.part)
    document: dict[str, Any] = {
        "machine": about,
        "ratios": [each.to_json() | {"verdict": each.verdict} for each in ratios(figures)],
        "figures": [each.to_json() for each in figures],
    }
    results.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", "utf-8")
    if page is not None:
        text = page.read_text("utf-8")
        before, rest = text.split(BEGIN)
        _, after = rest.split(END)
        page.write_text(f"{before}{BEGIN}\n{tables(figures, about)}{END}{after}", "utf-8")


def read(results: Path, replaced: set[str]) -> list[Figure]:
    """The figures of an earlier session, but for the parts that were measured again."""
    if not results.exists():
        return []
    found = json.loads(results.read_text("utf-8"))["figures"]
    return [from_json(each) for each in found if each["part"] not in replaced]


def tables(figures: Sequence[Figure], about: dict[str, str]) -> str:
    """Machine, ratios and figures as Markdown."""
    return "\n".join(_lines(figures, about)) + "\n"


def _lines(figures: Sequence[Figure], about: dict[str, str]) -> Iterator[str]:
    yield "; ".join(f"{name}: {value}" for name, value in about.items()) + "."
    compared = ratios(figures)
    if compared:
        yield from _ratio_table(compared)
    for part in dict.fromkeys(each.part for each in figures):
        yield from _figure_table(part, [each for each in figures if each.part == part])
    yield ""


def _ratio_table(found: Iterable[Ratio]) -> Iterator[str]:
    yield "\n### Ratios\n"
    yield "Above 1, Huzhu (or the larger number) is better.\n"
    yield "| part | ratio | median | min to max | aim | |"
    yield "| --- | --- | ---: | --- | ---: | --- |"
    for each in found:
        aim = "" if each.aim is None else f"{each.aim:.2f}"
        spread = f"{min(each.values):.2f} to {max(each.values):.2f}"
        yield f"| {each.part} | {each.what} | **{each.median:.2f}** | {spread} | {aim} | {each.verdict} |"


def _figure_table(part: str, figures: Iterable[Figure]) -> Iterator[str]:
    yield f"\n### {part}\n"
    yield "| who or what | measure | median | min to max | runs | load | |"
    yield "| --- | --- | ---: | --- | ---: | ---: | --- |"
    for each in figures:
        spread = f"{_short(min(each.values))} to {_short(max(each.values))}"
        load = f"{max(each.loads):.1f}" if each.loads else ""
        middle = f"{_short(each.median)} {each.unit}"
        yield (f"| {each.subject} | {each.measure} | {middle} | {spread} | {len(each.values)} | {load} | {each.note} |")


def _short(value: float) -> str:
    """Three significant digits, thousands kept apart."""
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{round(value, 2 - math.floor(math.log10(abs(value)))):,.{digits}f}"
