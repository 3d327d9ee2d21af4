"""`huzhu ledger`: its schema, its archives, whose the topics are, and making them this ledger's after a restore."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated

import typer
from sqlalchemy import Engine

from acts.adopt_ledger import Survey
from cli.ledger import archive_command, grants_command, upgrade_command
from cli.terminal.connect import bound_ledger, explained_failure, ledger_address, read_settings
from cli.terminal.language import LanguageOption, OutputLanguage, translator
from cli.terminal.listing import JsonOption, print_json, print_table
from cli.terminal.operators import Operator, Reason, signed_in
from cli.terminal.output import fail, out
from infra.clock import utc_now
from infra.ledger.schema import connect, known_schemas, require_current, schema_of
from infra.settings import Settings
from schemas.access.console_rights import Right
from schemas.bilingual import Saying
from stream.deadline import INFRASTRUCTURE_GONE
from stream.inbound.partition_reader import RangeReader
from stream.outbound.adoption import NotAsShown, adopt, survey_all
from stream.outbound.cursors import LEDGER_REFUSED, LedgerRefused, check_all
from stream.retry import TROUBLE, in_one_line

app = typer.Typer(
    no_args_is_help=True,
    help="Upgrade the ledger, archive it, say who may do what in it, and whose the topics are after a restore.",
)
app.command("grants", epilog=grants_command.EXAMPLE)(grants_command.print_grants)
app.command("archive", epilog=archive_command.EXAMPLE)(archive_command.archive)
app.command("upgrade", epilog=upgrade_command.EXAMPLE)(upgrade_command.upgrade_ledger)

SCHEMA = Saying("账本表结构 {},本程序需要 {}。", "The ledger has schema {}; this program wants {}.")
HEADS = (
    Saying("分片", "shard"),
    Saying("主题已有至", "topics have"),
    Saying("账本已发至", "ledger sent"),
    Saying("账本已编至", "ledger wrote"),
    Saying("将发送", "will send"),
    Saying("其中支付", "of these payouts"),
    Saying("不再发送", "left out"),
    Saying("其中支付", "of these payouts"),
    Saying("账本暂无的支付", "payouts it lacks"),
)
ABOUT_AHEAD = Saying(
    "主题中有 {} 笔支付指令,账本暂无。账本重新核定后会得出相同的支付编号,不再发送。",
    "The topics have {} payouts that the ledger lacks. Decided again they get the same ids, and are not sent.",
)
DIFFERING = Saying(
    "支付 {} 已按另一金额或由另一付款方发出,账本与主题不一致,不再发送。请找回丢失的操作(如已公布的方案和承保协议),"
    "并与保险公司核对。",
    "Payout {} was sent with other money or to another payer than the ledger has: it is left out. Repeat the acts that "
    "were lost, such as a policy or a treaty that was published, and reconcile with the insurer.",
)
TREATY_MISSING = Saying(
    "主题中的支付指令引用了承保协议 {},账本中没有。请在启动处理进程之前公布它。",
    "Instructions in the topics name the treaty {}, which the ledger lacks. Publish it before the workers start.",
)


@app.command("check", epilog="Example: huzhu ledger check --language en")
def check(as_json: JsonOption = False, language: LanguageOption = OutputLanguage.ZH) -> None:
    """Say which schema the ledger has, and compare it with what the topics say was sent. Changes nothing.

    Exit status 0: its schema is the one of this program, and the topics are its own. Exit status 2: it has another
    schema, and all that use the ledger refuse to start. Exit status 78: the topics are not this ledger's, and worker
    and relay refuse to start.
    """
    settings = read_settings()
    schema = _schema(settings, language, as_json=as_json)
    with _reaching(settings) as (engine, _, reader):
        refused = _refusal(engine, reader, settings)
        surveys = [each.survey for each in survey_all(engine, reader, range(settings.shards))]
    if as_json:
        print_json(
            {
                "schema": schema,
                "refused": refused,
                "shards": [each._asdict() | {"to_send": each.to_send} for each in surveys],
            }
        )
    else:
        _show(surveys, language)
        mine = Saying("各主题属于本账本。", "The topics are this ledger's.")
        out.print(refused or translator(language, " ")(mine), soft_wrap=True)
    if refused:
        raise typer.Exit(LEDGER_REFUSED)


@app.command(
    "adopt", epilog='Example: huzhu ledger adopt --operator li.na --reason "restored to 14:05 after the disk failure"'
)
def adopt_command(
    operator: Operator,
    reason: Reason,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    language: LanguageOption = OutputLanguage.ZH,
) -> None:
    """Make the topics this ledger's, after it was restored, copied or promoted, or in place of a lost one.

    Stop every worker and relay first. Shows, shard by shard, how far the topics and the ledger have come, what will be
    sent and what will not because the topics have it. No payout id is sent twice. Exit status 1: something was sent or
    decided meanwhile, or the question was answered with no; nothing was changed.
    """
    operator = signed_in(operator, Right.USERS, reason=reason)
    say = translator(language, " ")
    settings = read_settings()
    with _reaching(settings) as (engine, bootstrap, reader):
        refused = _refusal(engine, reader, settings)
        if refused is None:
            out.print(
                say(Saying("各主题已属于本账本,无需接管。", "The topics are this ledger's already: nothing to do."))
            )
            return
        shown = [each.survey for each in survey_all(engine, reader, range(settings.shards))]
        out.print(refused, soft_wrap=True)
        _show(shown, language)
        question = Saying("确认由本账本接管各主题?", "Make the topics this ledger's?")
        if not yes and not typer.confirm(say(question), err=True):
            fail(say(Saying("未作任何更改。", "Nothing was changed.")), 1)
        try:
            mine = adopt(engine, bootstrap, shown, operator, reason, utc_now)
        except NotAsShown as error:
            fail(str(error), 1)
    done = Saying(
        f"已接管,账本编号 {mine.id}。现在可以启动发送进程和处理进程。",
        f"Adopted under the ledger id {mine.id}. Start the relay and the workers.",
    )
    out.print(say(done), soft_wrap=True)


def _schema(settings: Settings, language: OutputLanguage, *, as_json: bool) -> dict[str, str | None]:
    """The schema that the ledger has and the one that is wanted, as it says; ends the command if they differ."""
    engine = connect(ledger_address(settings), settings.ledger_lease)
    with explained_failure("read"):
        try:
            held, wanted = schema_of(engine), known_schemas()[-1]
            schema = {"held": held, "wanted": wanted}
            if not as_json:
                said = Saying(SCHEMA.zh.format(held or "无", wanted), SCHEMA.en.format(held or "none", wanted))
                out.print(translator(language, " ")(said), soft_wrap=True)
            elif held != wanted:
                print_json({"schema": schema})
            require_current(engine)
        finally:
            engine.dispose()
    return schema


@contextmanager
def _reaching(settings: Settings) -> Iterator[tuple[Engine, str, RangeReader]]:
    """The ledger, Kafka's address and a reader; ends the command if one of the servers is away."""
    engine, bootstrap = bound_ledger(settings)
    try:
        with RangeReader(bootstrap) as reader:
            yield engine, bootstrap, reader
    except TROUBLE as error:
        fail(f"not finished, try again: {in_one_line(error)}", INFRASTRUCTURE_GONE)
    finally:
        engine.dispose()


def _refusal(engine: Engine, reader: RangeReader, settings: Settings) -> str | None:
    """Why worker and relay refuse this ledger; None if they do not."""
    try:
        check_all(engine, reader, range(settings.shards), promoted=settings.after_promotion == "continue")
    except LedgerRefused as error:
        return str(error)
    return None


def _show(surveys: Sequence[Survey], language: OutputLanguage) -> None:
    say = translator(language, " ")
    rows = [
        (
            *(each.shard, each.topics_seq, each.sent, each.written, each.to_send),
            *(each.payouts_to_send, each.left_out, each.payouts_left_out, each.payouts_ahead),
        )
        for each in surveys
    ]
    print_table([say(head) for head in HEADS], [[f"{cell:,}" for cell in row] for row in rows], right=range(len(HEADS)))
    if ahead := sum(each.payouts_ahead for each in surveys):
        out.print(say(Saying(*(part.format(f"{ahead:,}") for part in ABOUT_AHEAD))), soft_wrap=True)
    for treaty_id in sorted({treaty_id for each in surveys for treaty_id in each.treaties_missing}):
        out.print(say(Saying(*(part.format(treaty_id) for part in TREATY_MISSING))), soft_wrap=True)
    for payout_id in (payout_id for each in surveys for payout_id in each.differing):
        out.print(say(Saying(*(part.format(payout_id) for part in DIFFERING))), soft_wrap=True)
