"""What hospitals send about one stay: its discharge, its bills, and later refunds and corrections."""

from random import Random
from zlib import crc32

from infra.population.assumptions import MoneyStyle
from infra.population.bills import Amounts, corrected, split
from infra.population.people import Person
from infra.population.registries import office
from infra.population.stays import Stay
from infra.population.wire import (
    DAY_SECONDS,
    MINUTE_SECONDS,
    Day,
    Event,
    Instant,
    Outbox,
    Value,
    iso_day,
    iso_instant,
    new_year,
    year_of,
    yuan,
)

_INTERIM_EVERY_DAYS = 30
_DEPARTMENTS = ("内科", "外科", "肿瘤科", "神经内科", "心内科", "骨科")
_REFUND_REASONS = (
    "refund and re-settlement",
    "退费重结",
    "wrong insurance type",
    "patient changed payment channel",
)


def report_stay(
    rng: Random,
    person: Person,
    number: int,
    stay: Stay,
    amounts: Amounts,
    outbox: Outbox,
) -> None:
    """Send all messages about a stay; `amounts` are those of the whole stay."""
    chart = _Chart(rng, person, number, stay, outbox)
    if rng.random() >= 0.006:  # else the discharge is never sent
        chart.discharge()
    settled_on = [*_interim_days(rng, stay), stay.discharged + _settling_days(rng)]
    shares = split(rng, amounts, len(settled_on))
    complete = rng.random() >= 0.006  # else the last bill is not marked as final
    for index, (day, share) in enumerate(zip(settled_on, shares, strict=True), start=1):
        last = index == len(settled_on)
        chart.bill(f"{index}", day, share, final=last and complete)
    if rng.random() < 0.008:  # an item was forgotten: a supplementary bill, also final
        extra = Amounts(0, 0, 0, 0, rng.randint(0, 30_000), rng.randint(100, 60_000))
        chart.bill("X", settled_on[-1] + rng.randint(1, 20), extra, final=True)


class _Chart:
    """One stay from the hospital's point of view."""

    def __init__(self, rng: Random, person: Person, number: int, stay: Stay, outbox: Outbox) -> None:
        self._rng = rng
        self._stay = stay
        self._outbox = outbox
        self._name = f"{person.key}-{number:03d}"
        self._person_id = person.person_id
        self._encounter_id = f"E-{self._name}"
        self._source = f"his-{stay.facility.facility_id.lower()}"

    def discharge(self) -> None:
        """Send the discharge, and its corrections if there are any."""
        rng, stay = self._rng, self._stay
        fields: Event = {
            "encounter_id": self._encounter_id,
            "version": 1,
            "person_id": self._person_id,
            "facility_id": stay.facility.facility_id,
            "facility_level": stay.facility.level,
            "care_type": "inpatient" if stay.inpatient else "outpatient_special",
            "admitted_on": iso_day(stay.admitted),
            "discharged_on": iso_day(stay.discharged),
            "diagnoses": list(stay.diagnoses),
        }
        if stay.facility.level == "city" and stay.inpatient:
            fields["department"] = rng.choice(_DEPARTMENTS)  # not in the contract, which preserves it
        when = rng.random()
        sent_on = stay.discharged
        if when < 0.01:
            sent_on -= 1  # announced the day before
        elif when < 0.05:
            sent_on += rng.randint(5, 60)
        occurred = office(rng, sent_on)
        self._send("encounter.discharged", occurred, fields)
        while rng.random() < 0.03:
            fields = {**fields, "version": int(str(fields["version"])) + 1, **self._correction()}
            occurred += rng.randint(3, 45) * DAY_SECONDS
            self._send("encounter.discharged", occurred, fields)

    def _correction(self) -> Event:
        rng, stay = self._rng, self._stay
        kind = rng.random()
        if kind < 0.5:
            day = max(stay.admitted, stay.discharged + rng.choice((-2, -1, 1, 2)))
            return {"discharged_on": iso_day(day)}
        if kind < 0.9:
            return {"diagnoses": [*stay.diagnoses, rng.choice(("I10.0", "Z51.1", "E87.6"))]}
        return {"care_type": "outpatient_special" if stay.inpatient else "inpatient"}

    def bill(self, suffix: str, day: Day, amounts: Amounts, *, final: bool) -> None:
        """Send a bill and what happens to it: corrections, or a refund and possibly a new settlement."""
        rng = self._rng
        settled: Instant = day * DAY_SECONDS + rng.randrange(8 * 3600, 21 * 3600)
        occurred = settled + rng.randint(1, 15 * MINUTE_SECONDS)
        if rng.random() < 0.04:
            occurred += rng.randint(1, 15) * DAY_SECONDS
        settlement_id = f"S-{self._name}-{suffix}"
        refunded = rng.random() < 0.02
        wait = rng.randint(2, 120) * DAY_SECONDS
        overtaken = refunded and rng.random() < 0.30  # the refund arrives before the bill
        held = wait + rng.randint(1, 30) * DAY_SECONDS if overtaken else 0
        self._post(settlement_id, 1, occurred, settled, amounts, final=final, held=held)
        version = 1
        while not refunded and version < 4 and rng.random() < (0.035 if version == 1 else 0.25):
            version += 1
            occurred += rng.randint(1, 60) * DAY_SECONDS
            amounts = corrected(rng, amounts)
            self._post(settlement_id, version, occurred, settled, amounts, final=final)
        if refunded:
            self._refund(settlement_id, suffix, occurred + wait, settled, amounts, final=final)

    def _refund(
        self,
        settlement_id: str,
        suffix: str,
        occurred: Instant,
        settled: Instant,
        amounts: Amounts,
        *,
        final: bool,
    ) -> None:
        rng = self._rng
        fields: Event = {
            "settlement_id": settlement_id,
            "version": 2,
            "encounter_id": self._encounter_id,
            "person_id": self._person_id,
            "reason": rng.choice(_REFUND_REASONS),
        }
        self._send("settlement.voided", occurred, fields)
        after = rng.random()
        again = occurred + rng.randint(10 * MINUTE_SECONDS, 20 * DAY_SECONDS)
        if after < 0.08:  # refunded by mistake: the same bill is posted again, as version 3
            self._post(settlement_id, 3, again, settled, amounts, final=final)
        elif after < 0.85:
            new_amounts = corrected(rng, amounts)
            moment = again - rng.randint(1, 5 * MINUTE_SECONDS)
            self._post(f"S-{self._name}-{suffix}R", 1, again, moment, new_amounts, final=final)

    def _post(
        self,
        settlement_id: str,
        version: int,
        occurred: Instant,
        settled: Instant,
        amounts: Amounts,
        *,
        final: bool,
        held: int = 0,
    ) -> None:
        facility = self._stay.facility
        style = facility.money
        fields: Event = {
            "settlement_id": settlement_id,
            "version": version,
            "encounter_id": self._encounter_id,
            "person_id": self._person_id,
            "facility_id": facility.facility_id,
            "settled_at": iso_instant(settled, utc=facility.utc),
            "final": final,
            "currency": "CNY",
            "total_charge": _formatted(amounts.total, style),
            "basic_insurance_paid": _formatted(amounts.basic_insurance, style),
            "serious_illness_paid": _formatted(amounts.serious_illness, style),
            "medical_assistance_paid": _formatted(amounts.medical_assistance, style),
            "other_fund_paid": _formatted(amounts.other_fund, style),
            "copay": _formatted(amounts.copay, style),
            "out_of_catalogue": _formatted(amounts.out_of_catalogue, style),
        }
        if self._rng.random() < 0.8:
            own = crc32(f"{settlement_id}:{version}".encode())  # so that no two invoices are the same by chance
            fields["invoice_no"] = f"{self._rng.randrange(10**10):010d}{own:010d}"
        self._send("settlement.posted", occurred, fields, held)

    def _send(self, event_type: str, occurred: Instant, fields: Event, held: int = 0) -> None:
        self._outbox.send(event_type, occurred, self._source, fields, held=held, utc=self._stay.facility.utc)


def _interim_days(rng: Random, stay: Stay) -> list[Day]:
    """The days of interim bills: monthly in long stays, often at year end, otherwise rarely."""
    days = list(range(stay.admitted + _INTERIM_EVERY_DAYS, stay.discharged - 3, _INTERIM_EVERY_DAYS))
    for year in range(year_of(stay.admitted), year_of(stay.discharged)):
        if rng.random() < 0.7:
            days.append(new_year(year + 1) - 1)
    if not days and stay.inpatient and stay.discharged > stay.admitted + 2 and rng.random() < 0.03:
        days.append(rng.randint(stay.admitted + 1, stay.discharged - 1))
    return sorted(days)


def _settling_days(rng: Random) -> int:
    """Days from discharge to the last bill: usually none, sometimes months or more than a year."""
    kind = rng.random()
    if kind < 0.90:
        return rng.choice((0, 0, 0, 1))
    if kind < 0.98:
        return rng.randint(2, 30)
    return rng.randint(31, 200) if kind < 0.994 else rng.randint(366, 500)


def _formatted(fen: int, style: MoneyStyle) -> Value:
    """An amount in the format of the hospital's software; all three formats are valid."""
    if style == "two_decimals":
        return yuan(fen)
    if style == "number":
        return fen / 100  # its shortest literal has at most two decimals
    return yuan(fen).rstrip("0").rstrip(".")
