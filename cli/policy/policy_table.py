"""A policy as tables that finance staff can read aloud: the rules in words, and worked examples for every tier."""

from __future__ import annotations

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.terminal.language import OutputLanguage, translator
from cli.terminal.prose import Prose
from cli.terminal.rules_table import rules_table
from handlers.claims.adjudicate import Adjudication
from handlers.offline.worked_examples import (
    benefit_at,
    category_of,
    claim_at,
    first_category,
    members_at,
    telling_amounts,
)
from handlers.offline.working_line import working
from handlers.words.claim_sentences import yuan
from handlers.words.policy_sentences import measure_words, policy_rules, scheme_rules, short_basis
from schemas.bilingual import Saying
from schemas.policy.model import Policy, Scheme, Term, Tier

CLAIM_EXAMPLE = (8_000_00, 12_000_00)
"""Copay and out-of-catalogue amount (fen) of the example stay."""


def show(policy: Policy, term: Term, language: OutputLanguage, console: Console) -> None:
    """Prints a policy that is in force for a term."""
    say, label = translator(language), translator(language, " ")
    console.print()
    console.print(Text(policy.title or policy.id, style="bold"))
    console.print(
        rules_table([(Saying("编号", "id"), Saying(policy.id, policy.id)), *policy_rules(policy, term)], language)
    )
    console.print(Text(f"SHA-256 {policy.sha256}", style="dim", overflow="fold"))
    for number, scheme in enumerate(policy.schemes, start=1):
        console.print()
        console.rule(Text(f"{number}. {scheme.title or scheme.id}  {scheme.id}", style="bold"), align="left")
        console.print(rules_table(scheme_rules(scheme), language))
        for tier in scheme.tiers:
            console.print(Padding(_tier(policy, scheme, tier, language), (1, 0, 0, 0), expand=False))
    console.print()
    heading = Saying("一次看病,各层依次补助", "One stay through all schemes, in order")
    console.rule(Text(label(heading), style="bold"), align="left")
    console.print(Prose(say(_example_in_words())))
    console.print(_claim(policy, language))
    members = members_at(policy, _first_categories(policy), *CLAIM_EXAMPLE)
    if members is not None:
        console.print()
        heading = Saying("一户两人,各看一次病", "Two members of a household, a stay each")
        console.rule(Text(label(heading), style="bold"), align="left")
        console.print(Prose(say(_MEMBERS)))
        console.print(_members(*members, language))


_MEMBERS = Saying(
    "同一户的两个人先后各有上面这样一次看病;第二个人能补多少,要看这一户已经累计和补了多少。",
    "Two members of one household have such a stay, one after the other: what the second gets depends on what their "
    "household has added up and was paid.",
)


def _tier(policy: Policy, scheme: Scheme, tier: Tier, language: OutputLanguage) -> RenderableType:
    say, label = translator(language), translator(language, " ")
    categories = ", ".join(tier.categories)
    heading = Text.assemble(
        (f"{label(Saying('档次', 'Tier'))} {tier.name}", "bold"),
        f"  {label(Saying('人员类别', 'categories'))}: {categories}",
    )
    rates = Prose(say(measure_words(tier)))
    category = category_of(scheme, tier)
    if category is None:
        never = Saying(
            "这一档用不到:前面的档次已列出它的全部类别。", "Never applies: earlier tiers list all its categories."
        )
        return Group(heading, rates, Prose(say(never)))
    amounts = telling_amounts(policy, scheme, tier)
    if not amounts:
        return Group(heading, rates)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column(say(Saying("金额(元)", "Amount (yuan)")), justify="right", no_wrap=True)
    table.add_column(say(Saying("补助(元)", "Benefit (yuan)")), justify="right", no_wrap=True)
    table.add_column(say(Saying("怎么算", "Calculation")), overflow="fold")
    for amount in amounts:
        benefit = benefit_at(policy, scheme, category, amount)
        table.add_row(yuan(amount), yuan(benefit.amount), Prose(say(working(benefit))))
    return Group(heading, rates, table)


def _example_in_words() -> Saying:
    copay, outside = map(yuan, CLAIM_EXAMPLE)
    return Saying(
        f"个人自付 {copay} 元,个人自费 {outside} 元;这个人在每一层都属于第一档,是这个年度的第一次。",
        f"Copay {copay} yuan, outside the catalogue {outside} yuan; the person is in the first tier of every scheme, "
        "and it is the first stay of the year.",
    )


def _first_categories(policy: Policy) -> list[str | None]:
    """A category of the first tier of every scheme."""
    return [first_category(scheme) for scheme in policy.schemes]


def _members(first: Adjudication, second: Adjudication, language: OutputLanguage) -> Table:
    say = translator(language)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column(say(Saying("保障层", "Scheme")), overflow="fold")
    table.add_column(say(Saying("第一人补助(元)", "First (yuan)")), justify="right", no_wrap=True)
    table.add_column(say(Saying("第二人补助(元)", "Second (yuan)")), justify="right", no_wrap=True)
    table.add_column(say(Saying("第二人怎么算", "How the second's is worked out")), overflow="fold")
    for one, other in zip(first.benefits, second.benefits, strict=True):
        name = Prose(one.scheme.title or one.scheme.id)
        table.add_row(name, yuan(one.amount), yuan(other.amount), Prose(say(working(other))))
    table.add_section()
    totals = [yuan(each.total_benefit) for each in (first, second)]
    table.add_row(say(Saying("各层合计", "Total")), *totals, "")
    return table


def _claim(policy: Policy, language: OutputLanguage) -> Table:
    say = translator(language)
    decided = claim_at(policy, _first_categories(policy), *CLAIM_EXAMPLE)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column(say(Saying("保障层", "Scheme")), overflow="fold")
    table.add_column(say(Saying("计算基数", "Based on")), justify="right", no_wrap=True)
    table.add_column(say(Saying("补助(元)", "Benefit (yuan)")), justify="right", no_wrap=True)
    table.add_column(say(Saying("怎么算", "Calculation")), overflow="fold")
    for benefit in decided.benefits:
        basis, how = short_basis(benefit.scheme), working(benefit)
        calculation = Saying(f"{basis.zh}:{how.zh}", f"{basis.en}: {how.en}")
        name = Prose(benefit.scheme.title or benefit.scheme.id)
        table.add_row(name, yuan(benefit.measured), yuan(benefit.amount), Prose(say(calculation)))
    table.add_section()
    table.add_row(say(Saying("各层合计", "Total")), "", yuan(decided.total_benefit), "")
    table.add_row(say(Saying("还要自己付", "Left to pay")), "", yuan(decided.patient_pays), "")
    return table
