"""`--column COLUMN=HEADING`: what the columns of a table are called that are not recognised."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cli.terminal.output import fail


def given_columns(texts: Iterable[str], headings: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """The headings by their columns, which must be among those of ``headings``; ends the command otherwise."""
    return dict(_given(text, headings) for text in texts)


def _given(text: str, headings: Mapping[str, tuple[str, ...]]) -> tuple[str, str]:
    name, _, heading = text.partition("=")
    if name not in headings or not heading:
        fail(f"--column {text}: 应为 列=标题,列是 {', '.join(headings)} 之一\nexpected COLUMN=HEADING")
    return name, heading
