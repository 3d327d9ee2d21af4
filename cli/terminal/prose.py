"""Text that wraps as readers of Chinese and English expect: between characters, never inside a number."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.cells import cell_len, chop_cells
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.segment import Segment

_PIECES = re.compile(
    r"[0-9][0-9,.]* [元天年月日](?![\u4e00-\u9fff])|[0-9][0-9,.]* [元天]"  # an amount stays with its unit
    r"|[(“《]*[\u2e80-\u9fff\uf900-\ufaff][,。;:、)”》!?]*"  # one character with its adjacent punctuation
    r"|[^\s\u2e80-\u9fff]+|\s+"
)


class Prose:
    """One or more paragraphs, one per line of ``text``."""

    def __init__(self, text: str, style: str = "") -> None:
        self.text = text
        self.style = style

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        style = console.get_style(self.style)
        for paragraph in self.text.split("\n"):
            for line in folded(paragraph, options.max_width):
                yield Segment(line, style)
                yield Segment.line()

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        widest = max(cell_len(line) for line in self.text.split("\n"))
        piece = max((cell_len(piece) for piece in _PIECES.findall(self.text)), default=1)
        return Measurement(min(piece, options.max_width), min(widest, options.max_width))


def folded(paragraph: str, width: int) -> Iterator[str]:
    """The lines of a paragraph, none wider than ``width`` cells."""
    line = ""
    for piece in _PIECES.findall(paragraph):
        if cell_len(line + piece.rstrip()) <= width:
            line += piece
            continue
        if line.strip():
            yield line.rstrip()
        *full_lines, line = chop_cells(piece.lstrip(), width) or [""]
        yield from full_lines
    yield line.rstrip()
