"""Describes the population for users of the generator."""

from infra.population.assumptions import ACUTE, AREAS, CATEGORIES, CONDITIONS, FACILITIES, LEVELS
from infra.population.spoiled_messages import KINDS


def describe() -> str:
    """The model in English, as text for a terminal of 110 columns."""
    cities, counties, towns = (sum(f.level == level for f in FACILITIES) for level in LEVELS)
    rural = round(100 * sum(area.share * area.rural for area in AREAS))
    return f"""\
A synthetic city, modelled on Wuxi. Every number is an assumption; none of the people exist.

People      Households of one to six in {len(AREAS)} districts, {rural} % rural; ages 0 to 98. Most people are
            never in hospital; a few per cent, with {len(CONDITIONS)} chronic conditions, cause most bills.
Coverages   self_pay_assistance: nine in ten people, in {len(CATEGORIES)} categories, per household or person.
            village_mutual_aid: four in five rural households; some districts renew it every year.
            Coverages change, end, overlap, leave gaps, arrive late, are corrected (new version) and voided.
Households  Memberships of rural households, which form, split, take in others and are corrected late;
            people alone are single, a few are registered in a collective household.
Pools       Each village's pool, whose rule for a shortage is to queue, to owe or to pay pro rata, and what it
            receives: of villagers, the collective, the government, donors, some of it restricted.
Stays       {cities} city, {counties} county, {towns} town hospitals; {len(ACUTE)} acute diagnoses (ICD-10);
            special outpatient courses for chronic illness; interim bills in long stays and at year end.
Money       Log-normal charges by level and illness; basic insurance with deductibles, serious illness
            insurance above a yearly amount, medical assistance for the poor; the rest is copay and
            out_of_catalogue. Each bill balances to the fen. A few copays are exactly 1,999.99, 2,000.00
            or 2,000.01 yuan.
Later       Corrected bills (versions 2 to 4), refunds with or without a new bill, refunds that arrive
            before the bill, corrected discharges, discharges and final bills that never arrive, deaths
            before, during and after stays.
Twice       A few bills have the invoice of another encounter, of one person or of two of a household; a few
            stays begin before the last one has ended. Some are corrected.
Incidents   Of one person in fifty: accidents, disability, fractures, serious illness, fires, disasters,
            accidental death, the beginning of studies; some with a degree, a verified loss, or days.
Aid         Temporary aid to one person in a hundred, more often to the poor and the ill, at levels of
            city and district. Of incidents and aids a few are late, corrected or voided.
Delays      Most messages arrive within seconds, one in a hundred after one to thirteen months; one in
            fifty arrives twice.
Refused     {", ".join(KINDS[:4])},
            {", ".join(KINDS[4:7])},
            {", ".join(KINDS[7:])}.
Order       By arrival, within blocks of whole households; see docs/population.md.
"""
