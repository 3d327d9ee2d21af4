"""`huzhu treaty publish`: what it would do, the question, the topics of the insurers, and the act."""

from __future__ import annotations

import sys
from pathlib import Path

from sqlalchemy import Engine

from acts.publish_treaty import TreatyPublication, preview_treaty, publish_treaty
from cli.terminal import treaty_topics
from cli.terminal.confirm import confirm
from cli.terminal.given_files import refuse, refuse_together, warning_text
from cli.terminal.language import OutputLanguage, translator
from cli.terminal.output import fail, out
from cli.terminal.prose import Prose
from cli.treaty import treaty_table
from infra.clock import utc_now
from infra.kafka import topic_setup
from infra.ledger.schema import LedgerMismatch, bind
from infra.settings import Settings
from schemas.bilingual import Saying
from schemas.policy.policy_file import PolicyError, read_text
from schemas.topics import insurer_topic
from schemas.treaty.treaty_conflicts import TreatiesConflict
from schemas.treaty.treaty_doubts import treaty_warnings
from schemas.treaty.treaty_file import TreatyError
from stream.deadline import INFRASTRUCTURE_GONE


def publish(
    engine: Engine, bootstrap: str, settings: Settings, file: Path, operator: str, yes: bool, language: OutputLanguage
) -> None:
    """Shows the treaty, asks unless ``yes``, makes the topics, and publishes. Ends the command when it must not.

    The topics of the insurers come first: a treaty in force without them would keep the relay from sending.
    """
    try:
        text = read_text(file)
        bind(engine, settings.shards, topic_setup.cluster_id(bootstrap))
        with engine.connect() as connection:
            expected = preview_treaty(connection, text, str(file))
        if not expected.new:
            out.print(translator(language)(Saying("已经公布过,无需再做。", "Already published, nothing to do.")))
            return
        treaty_table.show(expected.treaty, language, out)
        for warning in treaty_warnings(expected.treaty, text, str(file), expected.unknown):
            sys.stderr.write(warning_text(warning, translator(language)))
        _consequence(expected, language)
        confirm(yes, "treaty", language)
        treaty_topics.make(bootstrap, settings, expected.treaty, Saying("没有公布", "Nothing was published"))
        with engine.begin() as connection:
            done = publish_treaty(connection, text, operator, settings.shards, utc_now, str(file))
    except (PolicyError, TreatyError) as error:
        refuse(error, language)
    except TreatiesConflict as error:
        refuse_together(error, language, f"{file}: ")
    except LedgerMismatch as error:
        fail(f"{file}: {error}")
    except topic_setup.KafkaUnreachable as error:
        fail(f"没有公布:{error}\nNothing was published: {error}", INFRASTRUCTURE_GONE)
    sentence = Saying(f"已公布 {done.treaty.id}。", f"Published {done.treaty.id}.")
    out.print(translator(language)(sentence))


def _consequence(expected: TreatyPublication, language: OutputLanguage) -> None:
    treaty = expected.treaty
    topic = insurer_topic(treaty.lead).name
    sentence = Saying(
        f"公布以后,这些保障层的新支付指令由 {treaty.lead} 支付,并同时发到主题 {topic}。"
        "已下达的指令不变;要收回的款项,原来由谁支付,仍由谁收回。"
        "凡读取 payouts.instructions 的,须跳过付款方不是自己的指令,否则会重复支付。",
        f"From its publication on, {treaty.lead} pays the new instructions of these schemes, and the topic {topic} has "
        "them too. Instructions from before stay as they are; money is taken back by whoever had paid it. "
        "Whoever reads payouts.instructions must pass over orders of another payer: else they are paid twice.",
    )
    out.print(Prose(translator(language)(sentence)))
