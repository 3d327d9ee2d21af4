"""`huzhu topics`: create the topics, check them, and print who needs which rights."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from acts.published_treaties import insurer_topics
from cli.terminal.connect import kafka_address, ledger, read_settings
from cli.terminal.listing import JsonOption, print_json
from cli.terminal.output import err, fail, out
from infra.kafka import acls, topic_setup
from infra.settings import Settings
from schemas.access.kafka_rights import KafkaRole, rules
from schemas.topics import COPIED, TOPICS, Topic, insurer_topic
from schemas.treaty.treaty_model import FUND
from schemas.treaty.treaty_values import INSURER
from stream.deadline import INFRASTRUCTURE_GONE

InsurersOption = Annotated[
    list[str] | None, typer.Option("--insurer", help="Also the topics of this insurer; can be repeated.")
]

app = typer.Typer(no_args_is_help=True, help="Create and check the Kafka topics.")


@app.command("apply", epilog="Example: HUZHU_KAFKA_BOOTSTRAP=127.0.0.1:9092 huzhu topics apply")
def apply(insurer: InsurersOption = None) -> None:
    """Create missing topics. Existing topics are not changed.

    With HUZHU_DATABASE_URL those of the insurers of all published treaties too. `huzhu treaty publish` creates the
    topics of a treaty's insurers; --insurer does the same without a ledger.
    """
    settings = read_settings()
    try:
        created = topic_setup.apply(kafka_address(settings), settings, _topics(settings, insurer))
    except topic_setup.KafkaUnreachable as error:
        fail(str(error), INFRASTRUCTURE_GONE)
    for name in created:
        out.print(f"created {name} with {settings.shards} partitions")
    if not created:
        out.print("all topics exist")


@app.command("acl", epilog="Example: huzhu topics acl --role lead --insurer insurer-a --user picc-wuxi --apply")
def acl(
    role: Annotated[KafkaRole | None, typer.Option(help="Only this role. Default: all but lead.")] = None,
    user: Annotated[str | None, typer.Option(help="The Kafka user, with --role. Default: the role's name.")] = None,
    insurer: Annotated[
        list[str] | None,
        typer.Option(help="Whose instructions and statements are read, with --role lead; can be repeated."),
    ] = None,
    put: Annotated[bool, typer.Option("--apply", help="Also apply the rules to the cluster.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Print the Kafka rules for each kind of program: the minimum it needs, derived from the topic declarations.

    With --apply the rules are added to the cluster. Rules that exist already are never removed.
    """
    settings = read_settings()
    if user and role is None:
        fail("--user needs --role")
    if bool(insurer) != (role is KafkaRole.LEAD):
        fail("--role lead needs --insurer ID, and no other role has one")
    if insurer and not user:
        fail("--role lead needs --user NAME: each insurer has a Kafka user of its own")
    _require_insurers(insurer)
    wanted = [role] if role else [one for one in KafkaRole if one is not KafkaRole.LEAD]
    wanted_rules = acls.in_kafka([rule for one in wanted for rule in rules(one, user or one.value, insurer or ())])
    if as_json:
        print_json({"rules": [asdict(rule) for rule in wanted_rules]})
    for rule in () if as_json else wanted_rules:
        out.print(str(rule), soft_wrap=True)
    if not put:
        return
    try:
        acls.apply(kafka_address(settings), wanted_rules)
    except acls.NotApplied as error:
        fail(str(error), 1)
    except topic_setup.KafkaUnreachable as error:
        fail(str(error), INFRASTRUCTURE_GONE)
    err.print(f"{len(wanted_rules)} rules are in force")


@app.command("check", epilog="Example: huzhu topics check && echo as declared")
def check(insurer: InsurersOption = None, as_json: JsonOption = False) -> None:
    """Show how the cluster's topics differ from the declarations. Exit status 1 if they do.

    With HUZHU_DATABASE_URL those of the insurers of all published treaties too.
    """
    settings = read_settings()
    try:
        differences = topic_setup.check(kafka_address(settings), settings, _topics(settings, insurer))
    except topic_setup.KafkaUnreachable as error:
        fail(str(error), INFRASTRUCTURE_GONE)
    if as_json:
        print_json({"differences": [asdict(difference) for difference in differences]})
    else:
        for difference in differences:
            err.print(str(difference))
        if not differences:
            out.print("all topics are as declared")
    if differences:
        raise typer.Exit(1)


def _topics(settings: Settings, insurers: list[str] | None) -> list[Topic]:
    """The declared topics, and those of the given insurers and of the ledger's treaties."""
    _require_insurers(insurers)
    own = {topic.name: topic for each in insurers or () for topic in (insurer_topic(each, of) for of in COPIED)}
    if settings.database_url is not None:
        engine = ledger(settings)
        with engine.connect() as connection:
            own |= {topic.name: topic for topic in insurer_topics(connection)}
        engine.dispose()
    return [*TOPICS, *own.values()]


def _require_insurers(insurers: list[str] | None) -> None:
    wrong = [name for name in insurers or () if name == FUND or not INSURER.fullmatch(name)]
    if wrong:
        fail(f"--insurer {wrong[0]!r} is no insurer's id: see docs/treaties.md")
