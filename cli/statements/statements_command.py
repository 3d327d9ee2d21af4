"""`huzhu statements issue | list | show | export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from acts.answered_statements import standing_answers
from acts.four_eyes import NotDone
from acts.issue_statements import issue_statements, preview_statements
from acts.issued_statements import differs, issued_statement, issued_statements, lines_again
from acts.published_treaties import published_treaties
from cli.payouts.payouts_command import reading
from cli.statements import answers_command, statement_export, statement_table
from cli.terminal import treaty_topics
from cli.terminal.confirm import confirm_act
from cli.terminal.connect import kafka_address, ledger, read_settings
from cli.terminal.given_month import MonthArgument, given_month
from cli.terminal.language import LanguageOption, OutputLanguage, translator
from cli.terminal.listing import JsonOption, print_json
from cli.terminal.operators import Operator, acting, signed_in
from cli.terminal.output import fail, out
from handlers.treaties.statements import MonthLines
from handlers.words.answer_sentences import answer_words
from infra.clock import utc_now
from infra.kafka import topic_setup
from infra.ledger.schema import LedgerMismatch, bind
from schemas.access.console_rights import Right
from schemas.bilingual import Saying
from schemas.bordereau import StatementIssued
from schemas.facts import StatementAnswered
from schemas.ids import StatementId
from schemas.months import format_month
from stream.deadline import INFRASTRUCTURE_GONE

app = typer.Typer(no_args_is_help=True, help="Issue and read statements of what each insurer of a treaty bears.")

app.command("answers", epilog=answers_command.EXAMPLE)(answers_command.answers)

CHANGED = 1
"""Exit status when the ledger no longer gives the lines that were issued."""

_UNDONE = Saying("没有签发", "Nothing was issued")

StatementArgument = Annotated[str, typer.Argument(metavar="STATEMENT", help="The statement's id.")]


@app.command(epilog="Example: huzhu statements issue self-pay-2024 2024-03 --operator li.na")
def issue(
    treaty: Annotated[str, typer.Argument(metavar="TREATY", help="The treaty's id.")],
    month: MonthArgument,
    operator: Operator,
    yes: Annotated[bool, typer.Option("--yes", help="Issue without asking; needed where nobody can answer.")] = False,
    language: LanguageOption = OutputLanguage.BOTH,
) -> None:
    """Issue the statements of a treaty for a month that has ended: one for each insurer, in order and for good.

    Creates the topics of its insurers where they are missing. Exit status 1 if the answer is no; 2 if the month cannot
    be issued, or if there is nobody to ask and no --yes; 75 without Kafka or the ledger.
    """
    settings, day = read_settings(), given_month(month)
    operator = signed_in(operator, Right.CLEAR)
    bootstrap, engine = kafka_address(settings), ledger(settings)
    try:
        bind(engine, settings.shards, topic_setup.cluster_id(bootstrap))
        with engine.connect() as connection:
            expected = preview_statements(connection, treaty, day, utc_now)
            of = next(each for each in published_treaties(connection).releases if each.id == treaty)
    except (NotDone, LedgerMismatch) as error:
        fail(str(error))
    except topic_setup.KafkaUnreachable as error:
        fail(f"{_UNDONE.zh}:{error}\n{_UNDONE.en}: {error}", INFRASTRUCTURE_GONE)
    finally:
        engine.dispose()
    statement_table.show_month(expected, language)
    why = Saying("签发以后不能改。", "An issued statement never changes.")
    question = Saying(f"{why.zh}现在签发吗?", f"{why.en} Issue it now?")
    confirm_act(yes, question, _UNDONE, why, language)
    treaty_topics.make(bootstrap, settings, of, _UNDONE)
    with acting() as (connection, shards):
        made = issue_statements(connection, treaty, day, operator, shards, utc_now)
    names = ", ".join(f"{each.insurer} {each.statement_id}" for each in made)
    sentence = Saying(
        f"已签发 {treaty} 的 {month} 对账单,第 {made[0].number} 期:{names}",
        f"Issued the statements of {treaty} for {month}, number {made[0].number}: {names}",
    )
    out.print(translator(language)(sentence), soft_wrap=True)


@app.command("list", epilog="Example: huzhu statements list --treaty self-pay-2024 --language en")
def list_statements(
    treaty: Annotated[str | None, typer.Option(help="Only statements of this treaty.")] = None,
    insurer: Annotated[str | None, typer.Option(help="Only statements to this insurer.")] = None,
    language: LanguageOption = OutputLanguage.ZH,
    as_json: JsonOption = False,
) -> None:
    """List the issued statements by treaty and month, with what each insurer bears and whether it confirmed that."""
    with reading(ledger(read_settings())) as connection:
        found = issued_statements(connection, treaty, insurer)
        answers = standing_answers(connection)
    if as_json:
        print_json({"statements": [_short(each, answers) for each in found]})
        return
    statement_table.listed(found, answers, language)


@app.command(epilog="Example: huzhu statements show ST-0b8a1c --language both")
def show(
    statement: StatementArgument, language: LanguageOption = OutputLanguage.ZH, as_json: JsonOption = False
) -> None:
    """Show one statement: the month's sums, what each insurer bears, and the totals by scheme and state.

    The lines are made again from the ledger and compared with those that were issued. Exit status 1 if they differ.
    """
    with reading(ledger(read_settings())) as connection:
        try:
            found = issued_statement(connection, statement)
        except NotDone as error:
            fail(str(error))
        lines = MonthLines(kept=False)
        for _ in lines_again(connection, found, lines):
            pass
        answers = standing_answers(connection)
    same = not differs(found, lines)
    if as_json:
        answer = answer_words(answers.get(StatementId(statement))).en
        print_json({"statement": found.model_dump(mode="json"), "lines_agree": same, "answer": answer})
    else:
        statement_table.show(found, answers.get(StatementId(statement)), language)
    if not same:
        fail(_differing(found), CHANGED)


@app.command(epilog="Example: huzhu statements export ST-0b8a1c --out march.xlsx")
def export(
    statement: StatementArgument,
    file: Annotated[Path, typer.Option("--out", help="FILE.xlsx, .csv, .parquet or .jsonl, which must not exist.")],
    language: LanguageOption = OutputLanguage.BOTH,
) -> None:
    """Write the lines of a statement to a file, made again from the ledger.

    The SHA-256 of a .jsonl file is the statement's own. Exit status 1, and no file, if the ledger gives other lines
    than those that were issued.
    """
    statement_export.require_usable(file)
    with reading(ledger(read_settings())) as connection:
        try:
            found = issued_statement(connection, statement)
        except NotDone as error:
            fail(str(error))
        lines = MonthLines(kept=False)
        with statement_export.written(file, found, lines_again(connection, found, lines)):
            if differs(found, lines):
                fail(_differing(found), CHANGED)
    sentence = Saying(f"已写入 {found.lines} 行:{file}", f"Wrote {found.lines} lines to {file}")
    out.print(translator(language)(sentence), soft_wrap=True)


def _differing(statement: StatementIssued) -> str:
    return (
        f"账本今天得出的明细与 {statement.statement_id} 签发时的不同:账本被改动过,请运行 `huzhu audit verify`\n"
        f"the ledger gives other lines today than those of {statement.statement_id}: it was changed; "
        "run `huzhu audit verify`"
    )


def _short(statement: StatementIssued, answers: dict[StatementId, StatementAnswered]) -> dict[str, object]:
    names = ("statement_id", "treaty_id", "number", "insurer", "lines")
    amounts = ("net", "cession", "part", "part_of_cession")
    told = statement.model_dump(mode="json")
    return {name: told[name] for name in (*names, *amounts)} | {
        "month": format_month(statement.month),
        "answer": answer_words(answers.get(StatementId(statement.statement_id))).en,
    }
