"""`huzhu ledger upgrade`: the only command that changes the ledger's tables."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli.terminal.connect import explained_failure, ledger_address, log_to_stderr, read_settings
from cli.terminal.language import LanguageOption, OutputLanguage, translator
from cli.terminal.output import out
from infra.ledger.schema import connect, schema_of
from infra.ledger.upgrading import upgrade, upgrade_as_sql, what_is_missing
from schemas.bilingual import Saying
from schemas.health import PROGRAM
from stream.retry import Retry

EXAMPLE = "Example: huzhu ledger upgrade --sql > upgrade.sql"

UP_TO_DATE = Saying("账本表结构 {},已是最新。", "The ledger has schema {}, the one of this program: nothing to do.")
UPGRADED = Saying("账本表结构已升级至 {}。", "The ledger has schema {} now.")


def upgrade_ledger(
    sql: Annotated[
        bool, typer.Option("--sql", help="Print the SQL for the owner of the tables to run, and run nothing.")
    ] = False,
    language: LanguageOption = OutputLanguage.ZH,
) -> None:
    """Create the ledger's tables, or bring them to the schema of this program. No other command changes them.

    Workers and relays can go on meanwhile: tables that they use are waited for only for seconds at a time, and tried
    again as often as HUZHU_RETRY_ATTEMPTS says. Safe to repeat. Exit status 75: the ledger cannot be reached, or its
    tables stayed in use: nothing is half done, run it again.
    """
    settings = read_settings()
    log_to_stderr("warning")
    engine = connect(ledger_address(settings), settings.ledger_lease, name=f"{PROGRAM} ledger upgrade")
    say = translator(language, " ")
    try:
        with explained_failure("upgraded"):
            if sql:
                sys.stdout.write(upgrade_as_sql(engine))
                return
            missing = what_is_missing(engine)
            Retry(settings.retry_attempts, settings.retry_wait)(lambda: upgrade(engine), "upgrade the ledger")
            done = UPGRADED if missing else UP_TO_DATE
            schema = schema_of(engine)
            out.print(say(Saying(done.zh.format(schema), done.en.format(schema))), soft_wrap=True)
    finally:
        engine.dispose()
