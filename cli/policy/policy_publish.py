"""`huzhu policy publish`: what it would do, the question, and the act."""

from __future__ import annotations

import sys
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine

from acts.publish_policy import Published, preview_policy, publish_policy
from acts.seen_coverages import seen_coverages
from cli.terminal.confirm import confirm
from cli.terminal.given_files import refuse, refuse_together, warning_text
from cli.terminal.language import OutputLanguage, translator
from cli.terminal.output import fail, out
from cli.terminal.prose import Prose
from handlers.words.claim_sentences import yuan
from handlers.words.policy_sentences import in_force
from infra.clock import utc_now
from infra.ledger.schema import LedgerMismatch, bound_shards
from schemas.bilingual import Saying
from schemas.dates import shanghai_date
from schemas.policy.before_publishing import publishing_warnings
from schemas.policy.doubts import SeenCoverages
from schemas.policy.policy_file import PolicyError, read_text
from schemas.policy.succession import PoliciesConflict


def publish(engine: Engine, file: Path, operator: str, yes: bool, language: OutputLanguage) -> None:
    """Shows what publishing would do, asks unless ``yes``, and publishes. Ends the command when it must not."""
    say = translator(language)
    try:
        text, shards = read_text(file), bound_shards(engine)
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            expected = preview_policy(connection, text, shards, utc_now, str(file))
            seen = seen_coverages(connection) if expected.new else SeenCoverages.none()
        if not expected.new:
            _print(Saying("已经公布过,无需再做。", "Already published, nothing to do."), expected, language)
            return
        today = shanghai_date(utc_now())
        for warning in publishing_warnings(expected.policy, text, str(file), today, seen, expected.policies):
            sys.stderr.write(warning_text(warning, say))
        _print(Saying("将要公布", "To be published"), expected, language)
        _consequences(expected, language, out)
        confirm(yes, "policy", language)
        with engine.begin() as connection:
            done = publish_policy(connection, text, operator, shards, utc_now, str(file))
    except PolicyError as error:
        refuse(error, language)
    except PoliciesConflict as error:
        refuse_together(error, language, f"{file}: ")
    except LedgerMismatch as error:
        fail(f"{file}: {error}")
    _print(Saying("已公布。", "Published."), done, language)
    out.print(Prose(say(_decided(done))))


def _print(what: Saying, published: Published, language: OutputLanguage) -> None:
    say, policy = translator(language), published.policy
    days = in_force(published.policies.term(policy))
    name = f"{policy.title}({policy.id})" if policy.title else policy.id
    out.print(Prose(say(Saying(f"{what.zh} {name}:{days.zh}。", f"{what.en} {name}: {days.en}."))))
    out.print(f"SHA-256 {policy.sha256}", soft_wrap=True)
    ended = published.succeeded
    if ended is not None:
        last = published.policies.term(ended).last_day
        sentence = Saying(f"{ended.id} 到 {last}(含)为止。", f"{ended.id} is in force until {last} inclusive.")
        out.print(Prose(say(sentence)))


def _decided(done: Published) -> Saying:
    again = done.claims_decided - done.claims_waiting
    return Saying(
        f"涉及 {done.persons:,} 人:重新核定 {again:,} 笔理赔,首次核定 {done.claims_waiting:,} 笔;"
        f"其中 {done.claims_changed:,} 笔金额有变,支付指令 {done.instructions:,} 条。",
        f"Persons: {done.persons:,}. Claims decided again: {again:,}, for the first time: {done.claims_waiting:,}, "
        f"of these with another amount: {done.claims_changed:,}. Payout instructions: {done.instructions:,}.",
    )


def _consequences(expected: Published, language: OutputLanguage, console: Console) -> None:
    """How many claims are decided again, and what each scheme pays more or takes back, as of now."""
    say = translator(language)
    console.print(Prose(say(_decided(expected))))
    if not expected.money:
        console.print(Prose(say(Saying("没有金额变化。", "No money moves."))))
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column(say(Saying("保障层", "Scheme")), overflow="fold")
    for heading in (Saying("加付(元)", "paid more"), Saying("收回(元)", "taken back"), Saying("净额(元)", "net")):
        table.add_column(say(heading), justify="right", no_wrap=True)
    rows = sorted(expected.money.items())
    for name, money in rows:
        table.add_row(name, yuan(money.paid), yuan(money.recovered), yuan(money.net))
    table.add_section()
    sums = [sum(getattr(money, part) for _, money in rows) for part in ("paid", "recovered", "net")]
    table.add_row(translator(language, " ")(Saying("合计", "total")), *map(yuan, sums))
    console.print(table)
