"""What the funds' offices send of villages' pools (资金池): their rule for a shortage, and what they receive.

Drawn from random numbers of their own, so that everything else in the city is what it would be without.
"""

from random import Random

from infra.population.registries import VILLAGE, VOID_REASONS, office
from infra.population.wire import Day, Event, Horizon, Outbox, iso_day, new_year, yuan

FUND_OFFICE = "fund-office"

_RULES = ("queue", "owe", "pro_rata")
_RULE_WEIGHTS = (0.5, 0.3, 0.2)
_RULE_CHANGES = 0.05  # share of pools whose rule a later version changes
_HEADS = (8, 90)  # for how many villagers a village pays: few, as few of them are among the people
_A_HEAD_FEN = (3_000, 4_000, 5_000, 6_000)
_COLLECTIVE = 0.3  # share of pools to which the village collective gives something in a year
_GOVERNMENT = 0.3
_DONATION = 0.15
_LOTTERY = 0.05
_CORRECTED = 0.02  # share of contributions of which a later version has another amount
_VOIDED = 0.01  # share of contributions that are voided months later


def record_pool(rng: Random, pool_id: str, horizon: Horizon, outbox: Outbox) -> None:
    """Send a village's pool, and all contributions that it receives within the years."""
    opened = new_year(horizon.first_year - rng.randint(0, 4))
    rule = rng.choices(_RULES, _RULE_WEIGHTS)[0]
    fields: Event = {"pool_id": pool_id, "version": 1, "title": f"{pool_id} mutual aid", "opened_on": iso_day(opened)}
    if rng.random() < 0.7:
        fields["area"] = pool_id.split("-")[1]
    said: Event = {} if rule == "owe" and rng.random() < 0.5 else {"on_shortage": rule}
    told = horizon.opens - rng.randint(1, 60)
    outbox.send("pool.recorded", office(rng, told), FUND_OFFICE, {**fields, **said})
    if rng.random() < _RULE_CHANGES:
        changed = rng.randrange(horizon.opens, horizon.closes)
        again: Event = {**fields, "version": 2, "on_shortage": rng.choice(_RULES)}
        outbox.send("pool.recorded", office(rng, changed), FUND_OFFICE, again)
    heads = rng.randint(*_HEADS)
    for year in horizon.years():
        for number, given in enumerate(_of_a_year(rng, heads), start=1):
            day = new_year(year) + rng.randint(0, 59 if given["kind"] == "villager" else 330)
            _receive(rng, pool_id, f"G-{pool_id}-{year}-{number}", given, day, horizon, outbox)


def _of_a_year(rng: Random, heads: int) -> list[Event]:
    """What a pool receives in a year: of the villagers, and sometimes of others. Amounts are in fen."""
    paying = max(1, heads - rng.randint(0, heads // 5))
    given: list[Event] = [{"kind": "villager", "amount": paying * rng.choice(_A_HEAD_FEN), "heads": paying}]
    if rng.random() < _COLLECTIVE:
        given.append({"kind": "collective", "amount": rng.randint(10, 80) * 10_000, "payer": "村集体经济合作社"})
    if rng.random() < _GOVERNMENT:
        given.append({"kind": "government", "amount": heads * 2_000})
    if rng.random() < _DONATION:
        restricted: Event = {"restricted_to": [VILLAGE]} if rng.random() < 0.5 else {}
        given.append({"kind": "donation", "amount": rng.randint(1, 50) * 10_000, "payer": "爱心企业", **restricted})
    if rng.random() < _LOTTERY:
        given.append({"kind": "lottery", "amount": rng.randint(5, 30) * 10_000})
    return given


def _receive(rng: Random, pool_id: str, name: str, given: Event, day: Day, horizon: Horizon, outbox: Outbox) -> None:
    """Send a contribution, and what is put right about it later."""
    fen = int(str(given["amount"]))
    ids: Event = {"pool_id": pool_id, "contribution_id": name}
    fields: Event = {**given, "amount": yuan(fen), "received_on": iso_day(day), "reference": f"bank-{name}"}
    outbox.send(
        "contribution.received", office(rng, day + rng.randint(0, 9)), FUND_OFFICE, {**ids, "version": 1, **fields}
    )
    fate, found = rng.random(), office(rng, min(day + rng.randint(30, 300), horizon.closes - 1))
    if fate < _CORRECTED:
        corrected: Event = {**ids, "version": 2, **fields, "amount": yuan(max(1, fen - rng.randint(1, fen // 2)))}
        outbox.send("contribution.received", found, FUND_OFFICE, corrected)
    elif fate < _CORRECTED + _VOIDED:
        outbox.send(
            "contribution.voided", found, FUND_OFFICE, {**ids, "version": 2, "reason": rng.choice(VOID_REASONS)}
        )
