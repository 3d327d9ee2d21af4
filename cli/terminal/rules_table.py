"""Names with a sentence each, as people read them one below the other."""

from __future__ import annotations

from rich.table import Table

from cli.terminal.language import OutputLanguage, translator
from cli.terminal.prose import Prose
from schemas.bilingual import Saying


def rules_table(rules: list[tuple[Saying, Saying]], language: OutputLanguage) -> Table:
    """A table of names and sentences, each sentence in one language or both."""
    languages = [OutputLanguage.ZH, OutputLanguage.EN] if language is OutputLanguage.BOTH else [language]
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(overflow="fold", no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for name, sentence in rules:
        name = Saying(name.zh, name.en[:1].upper() + name.en[1:])
        if sentence.zh == sentence.en:
            table.add_row(Prose(translator(language, " ")(name)), Prose(sentence.zh))
            continue
        for part in languages:
            table.add_row(Prose(translator(part)(name)), Prose(translator(part)(sentence)))
    return table
