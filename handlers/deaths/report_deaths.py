"""Taking a funeral list in: alerts about the living members whom it names, and no fact (time.md, section 6)."""

from __future__ import annotations

from handlers.audit.operator_acts import deaths_matched
from handlers.claims import death_alerts
from handlers.claims.process import Processor
from schemas.funeral_lists import DeathReport, MatchDeaths
from schemas.ids import PersonId


def report_deaths(processor: Processor, act: MatchDeaths) -> None:
    """Carries out an act; the world holds what lists say of every person, and the accounts of those whom it concerns.

    The list replaces what a list of its name said before. An alert stands while some list names the person, and is
    told again when a list or a day has changed; what somebody has looked at and what did not change stays closed.
    """
    world, journal = processor.world, processor.journal
    number = deaths_matched(journal, act)
    named = {PersonId(person_id): _report(act.list_id, day) for person_id, day in act.found}
    concerned = {
        person_id
        for person_id, reports in world.reported_deaths.items()
        if any(each.list_id == act.list_id for each in reports)
    }
    for person_id in sorted(concerned | named.keys()):
        before = world.reported_deaths.pop(person_id, ())
        of_lists = {each.list_id: each for each in before if each.list_id != act.list_id}
        if person_id in named:
            of_lists[act.list_id] = named[person_id]
        after = tuple(of_lists[list_id] for list_id in sorted(of_lists))
        if after:
            world.reported_deaths[person_id] = after
        if after == before:
            continue
        account = world.accounts.get(person_id)
        journal.alert(
            world.shard_of(person_id),
            number,
            death_alerts.reported(person_id, after, act, processor.recorded_at)
            if after
            else death_alerts.not_listed(person_id, act, processor.recorded_at),
            None if account is None else account.area,
        )


def _report(list_id: str, day: str) -> DeathReport:
    return DeathReport.model_validate({"list_id": list_id, "died_on": day})
