"""`huzhu watches publish`: whom it would find, the question, and the act."""

from __future__ import annotations

import sys
from pathlib import Path

from sqlalchemy import Engine

from acts.publish_watches import WatchPublication, preview_watches, publish_watches
from cli.terminal.confirm import confirm
from cli.terminal.given_files import refuse, refuse_together, warning_text
from cli.terminal.language import OutputLanguage, translator
from cli.terminal.listing import print_table
from cli.terminal.output import fail, out
from cli.terminal.prose import Prose
from handlers.words.claim_sentences import yuan
from handlers.words.watch_sentences import FOUND_NOW, FOUND_SO_FAR, NO_END, watch_days
from infra.clock import utc_now
from infra.ledger.schema import LedgerMismatch, bound_shards
from schemas.bilingual import Saying
from schemas.policy.policy_file import BYTE_ORDER_MARK, FileProblem, PolicyError, read_text
from schemas.toml_lines import line_of, lines_of
from schemas.watch.watch_conflicts import WatchesConflict
from schemas.watch.watch_file import WatchError


def publish(engine: Engine, file: Path, operator: str, yes: bool, language: OutputLanguage) -> None:
    """Shows whom the watches find so far, asks unless ``yes``, and publishes. Ends the command when it must not."""
    say = translator(language)
    try:
        text, shards = read_text(file), bound_shards(engine)
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            expected = preview_watches(connection, text, shards, utc_now, str(file))
        if not expected.new:
            out.print(say(Saying("已经公布过,无需再做。", "Already published, nothing to do.")))
            return
        if expected.watches.effective_to is None:
            place = line_of(lines_of(text.removeprefix(BYTE_ORDER_MARK)), ("watches",))
            sys.stderr.write(warning_text(FileProblem(str(file), place, "watches.effective_to", NO_END), say))
        _print(Saying("将要公布", "To be published"), expected, language)
        _found(expected, language)
        confirm(yes, "file of watches", language)
        with engine.begin() as connection:
            done = publish_watches(connection, text, operator, shards, utc_now, str(file))
    except (PolicyError, WatchError) as error:
        refuse(error, language)
    except WatchesConflict as error:
        refuse_together(error, language, f"{file}: ")
    except LedgerMismatch as error:
        fail(f"{file}: {error}")
    _print(Saying("已公布", "Published"), done, language)


def _print(what: Saying, published: WatchPublication, language: OutputLanguage) -> None:
    watches, days = published.watches, watch_days(published.watches)
    name = f"{watches.title}({watches.id})" if watches.title else watches.id
    out.print(Prose(translator(language)(Saying(f"{what.zh} {name}:{days.zh}。", f"{what.en} {name}: {days.en}."))))
    out.print(f"SHA-256 {watches.sha256}", style="dim")


def _found(expected: WatchPublication, language: OutputLanguage) -> None:
    """How many claims cross each step among those decided so far: so many alerts will be there at once."""
    say = translator(language, " ")
    rows = [
        [watch.id, yuan(step), str(expected.found[watch.id, step])]
        for watch in expected.watches.watches
        for step in watch.steps
    ]
    print_table([say(head) for head in FOUND_SO_FAR], rows, right=range(1, 3))
    out.print(Prose(translator(language)(FOUND_NOW)))
