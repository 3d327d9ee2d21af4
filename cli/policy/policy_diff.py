"""What changed between two policies, in words, and the effect on a few example amounts."""

from __future__ import annotations

from typing import NamedTuple

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.policy.policy_table import CLAIM_EXAMPLE
from cli.terminal.language import OutputLanguage, translator
from cli.terminal.prose import Prose
from handlers.offline.worked_examples import benefit_at, claim_at, first_category, telling_amounts
from handlers.words.claim_sentences import yuan
from handlers.words.policy_changes import Affected, PolicyChange, affected, changes, union
from handlers.words.policy_sentences import FIELDS, value_words
from schemas.bilingual import Saying
from schemas.policy.model import Policy, Scheme

AMOUNTS_MAX = 8
"""Example amounts per table: enough for every edge of an ordinary scale, few enough to read."""


def show(old: Policy, new: Policy, language: OutputLanguage, console: Console) -> None:
    """Prints what changed; two policies are the same if they have the same SHA-256."""
    say = translator(language)
    for name, policy in (("A", old), ("B", new)):
        line = f"{name}  {policy.title or policy.id}  {policy.id}  SHA-256 {policy.sha256[:12]}"
        console.print(Prose(line))
    if old.sha256 == new.sha256:
        console.print(Prose(say(Saying("两个方案完全相同。", "The two policies are the same."))))
        return
    all_changes = changes(old, new)
    _changed(Saying("方案", "Policy"), [change for change in all_changes if not change.place], language, console)
    schemes = [{scheme.id: scheme for scheme in policy.schemes} for policy in (old, new)]
    for name in union(list(schemes[0]), list(schemes[1])):
        before, after = schemes[0].get(name), schemes[1].get(name)
        here = [change for change in all_changes if change.place[:1] == (name,)]
        title = (after or before or old).title
        _changed(_heading(before, after), here, language, console, f"{title}  {name}" if title else name)
        if here:
            _examples(old, new, before, after, language, console)
    _claim(old, new, language, console)


def _heading(before: Scheme | None, after: Scheme | None) -> Saying:
    if before is None:
        return Saying("新增保障层", "New scheme")
    return Saying("取消保障层", "Scheme removed") if after is None else Saying("保障层", "Scheme")


def _changed(
    heading: Saying, some_changes: list[PolicyChange], language: OutputLanguage, console: Console, title: str = ""
) -> None:
    if not some_changes:
        return
    say = translator(language)
    console.print()
    console.rule(Text(f"{translator(language, ' ')(heading)}  {title}".rstrip(), style="bold"), align="left")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column(say(Saying("改了什么", "What")), min_width=14)
    table.add_column(say(Saying("A 原来", "A before")), overflow="fold", ratio=1)
    table.add_column(say(Saying("B 现在", "B after")), overflow="fold", ratio=1)
    for change in some_changes:
        name = FIELDS[change.field]
        if len(change.place) == 2:
            name = Saying(f"{change.place[1]}:{name.zh}", f"{change.place[1]}: {name.en}")
        sides = [Prose(say(_value(change.field, value))) for value in (change.before, change.after)]
        table.add_row(Prose(say(name)), *sides)
    console.print(table)


def _value(field: str, value: object) -> Saying:
    if field in ("scheme", "tier"):
        return Saying("无", "absent") if value is None else Saying("有", "present")
    return value_words(field, value)


def _examples(
    old: Policy, new: Policy, before: Scheme | None, after: Scheme | None, language: OutputLanguage, console: Console
) -> None:
    """For the people of each tier: what the scheme alone paid before and pays now."""
    say = translator(language)
    for group in affected(before, after):
        examples = example_amounts(old, new, before, after, group)
        who = ", ".join(group.categories)
        if all(one == other for _, one, other in examples):
            same = Saying(f"{who}:举例的金额补助不变。", f"{who}: same benefit at the example amounts.")
            console.print(Prose(say(same)))
            continue
        heading = Saying(f"{who}:只算这一层的补助变化", f"{who}: what this scheme alone pays")
        console.print(Prose(say(heading), "bold"))
        table = _money_table(Saying("金额(元)", "Amount (yuan)"), language)
        for amount, one, other in examples:
            table.add_row(yuan(amount), yuan(one), yuan(other), _difference(one, other))
        console.print(table)


def example_amounts(
    old: Policy, new: Policy, before: Scheme | None, after: Scheme | None, group: Affected
) -> list[tuple[int, int, int]]:
    """A few telling amounts (fen) and what the scheme alone paid and pays to people of a group at each."""
    amounts = sorted(_amounts(old, before, group.before) | _amounts(new, after, group.after))[:AMOUNTS_MAX]
    return [(amount, _benefit(old, before, group, amount), _benefit(new, after, group, amount)) for amount in amounts]


def _amounts(policy: Policy, scheme: Scheme | None, tier: object) -> set[int]:
    if scheme is None or tier is None:
        return set()
    return {
        amount
        for candidate in scheme.tiers
        if candidate is tier
        for amount in telling_amounts(policy, scheme, candidate, neighbours=False)
    }


def _benefit(policy: Policy, scheme: Scheme | None, group: Affected, amount: int) -> int:
    return 0 if scheme is None else benefit_at(policy, scheme, group.categories[0], amount).amount


class ExampleStay(NamedTuple):
    """The categories of a person, and what each scheme pays (fen) for one stay under the two policies."""

    categories: list[str]
    paid: list[dict[str, int]]


def example_stay(old: Policy, new: Policy) -> ExampleStay:
    """The example stay of a person who is in the first tier of every scheme of both policies."""
    categories = {scheme.id: first_category(scheme) for policy in (old, new) for scheme in policy.schemes}
    paid = []
    for policy in (old, new):
        decided = claim_at(policy, [categories[scheme.id] for scheme in policy.schemes], *CLAIM_EXAMPLE)
        paid.append({benefit.scheme.id: benefit.amount for benefit in decided.benefits})
    return ExampleStay(list(dict.fromkeys(category for category in categories.values() if category)), paid)


def _claim(old: Policy, new: Policy, language: OutputLanguage, console: Console) -> None:
    """One stay of one person through all schemes of both policies."""
    say, label = translator(language), translator(language, " ")
    console.print()
    console.rule(Text(label(Saying("一次看病,各层合计", "One stay through all schemes")), style="bold"), align="left")
    categories, paid = example_stay(old, new)
    copay, outside = map(yuan, CLAIM_EXAMPLE)
    people = ", ".join(categories)
    example = Saying(
        f"个人自付 {copay} 元,个人自费 {outside} 元,年度内第一次,人员类别:{people}。",
        f"Copay {copay} yuan, outside the catalogue {outside} yuan, first stay of the year, categories: {people}.",
    )
    console.print(Prose(say(example)))
    table = _money_table(Saying("保障层", "Scheme"), language)
    for name in union(list(paid[0]), list(paid[1])):
        one, other = (side.get(name, 0) for side in paid)
        table.add_row(name, yuan(one), yuan(other), _difference(one, other))
    table.add_section()
    one, other = (sum(side.values()) for side in paid)
    table.add_row(label(Saying("合计", "total")), yuan(one), yuan(other), _difference(one, other))
    console.print(table)


def _money_table(first: Saying, language: OutputLanguage) -> Table:
    say = translator(language)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column(say(first), justify="right", overflow="fold")
    for name in (
        Saying("A 补助(元)", "A benefit"),
        Saying("B 补助(元)", "B benefit"),
        Saying("相差(元)", "difference"),
    ):
        table.add_column(say(name), justify="right", no_wrap=True)
    return table


def _difference(one: int, other: int) -> str:
    return f"{'+' if other > one else ''}{yuan(other - one)}" if one != other else "="
