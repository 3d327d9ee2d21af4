"""Makes the topics of a treaty's insurers before anything is written for them."""

from __future__ import annotations

from acts.published_treaties import topics_of
from cli.terminal.output import fail
from infra.kafka import topic_setup
from infra.settings import Settings
from schemas.bilingual import Saying
from schemas.treaty.treaty_model import Treaty
from stream.deadline import INFRASTRUCTURE_GONE


def make(bootstrap: str, settings: Settings, treaty: Treaty, undone: Saying) -> None:
    """Makes those that are missing; ends the command where one is there that the relay could not write to.

    ``undone`` says what was not done because of that. Without its topic a message would keep the relay from sending.
    """
    topics = topics_of(treaty)
    try:
        topic_setup.apply(bootstrap, settings, topics)
        wrong = [str(each) for each in topic_setup.check(bootstrap, settings, topics) if not each.harmless]
    except topic_setup.KafkaUnreachable as error:
        fail(f"{undone.zh}:{error}\n{undone.en}: {error}", INFRASTRUCTURE_GONE)
    if wrong:
        fail(f"{undone.zh}:{'; '.join(wrong)}\n{undone.en}: {'; '.join(wrong)}")
