"""A treaty as a table: of which schemes, from when to when, who pays, and who bears what."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.terminal.language import OutputLanguage, translator
from cli.terminal.prose import Prose
from cli.terminal.rules_table import rules_table
from handlers.words.treaty_sentences import (
    CO_INSURER,
    LEAD,
    STOP_LOSS,
    change_name,
    changed_value,
    share_percent,
    stop_loss_words,
    treaty_changes,
    treaty_days,
    treaty_rules,
)
from schemas.bilingual import Saying
from schemas.treaty.treaty_model import Treaty


def show(treaty: Treaty, language: OutputLanguage, console: Console) -> None:
    """Prints a treaty."""
    say, label = translator(language), translator(language, " ")
    console.print()
    console.print(Text(treaty.title or treaty.id, style="bold"))
    console.print(rules_table(treaty_rules(treaty), language))
    console.print(Text(f"SHA-256 {treaty.sha256}", style="dim", overflow="fold"))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column(label(Saying("保险公司", "Insurer")), overflow="fold")
    table.add_column(label(Saying("身份", "Role")), overflow="fold")
    table.add_column(label(Saying("份额", "Share")), justify="right", no_wrap=True)
    for each in treaty.shares:
        role = LEAD if each.insurer == treaty.lead else CO_INSURER
        table.add_row(each.insurer, label(role), share_percent(each.share))
    console.print(table)
    if treaty.stop_loss is None:
        console.print(Prose(say(Saying("没有超赔。", "No stop-loss."))))
        return
    words, name = stop_loss_words(treaty.stop_loss), STOP_LOSS
    sentence = Saying(
        f"{name.zh}:{words.zh};其余由各家按份额承担。",
        f"{name.en.capitalize()}: {words.en}; the insurers bear the rest by their shares.",
    )
    console.print(Prose(say(sentence)))


def summary(treaty: Treaty, language: OutputLanguage, console: Console) -> None:
    """Prints in a line or two that a treaty file can be used, and which treaty it is."""
    name = f"{treaty.title}({treaty.id})" if treaty.title else treaty.id
    schemes, days = ", ".join(treaty.schemes), treaty_days(treaty)
    sentence = Saying(f"{name}:可用;{schemes},{days.zh}。", f"{name}: usable; {schemes}, {days.en}.")
    console.print(Prose(translator(language)(sentence)))
    console.print(f"SHA-256 {treaty.sha256}", soft_wrap=True)


def show_changes(old: Treaty, new: Treaty, language: OutputLanguage, console: Console) -> None:
    """Prints what changed; two treaties are the same if they have the same SHA-256."""
    say = translator(language)
    for side, treaty in (("A", old), ("B", new)):
        console.print(Prose(f"{side}  {treaty.title or treaty.id}  {treaty.id}  SHA-256 {treaty.sha256[:12]}"))
    if old.sha256 == new.sha256:
        console.print(Prose(say(Saying("两份协议完全相同。", "The two treaties are the same."))))
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column(say(Saying("改了什么", "What")), min_width=14)
    table.add_column(say(Saying("A 原来", "A before")), overflow="fold", ratio=1)
    table.add_column(say(Saying("B 现在", "B after")), overflow="fold", ratio=1)
    for change in treaty_changes(old, new):
        sides = [Prose(say(changed_value(change.field, value))) for value in (change.before, change.after)]
        table.add_row(Prose(say(change_name(change))), *sides)
    console.print(table)
