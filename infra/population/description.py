"""What the population is, in words, for the person who runs the generator."""

from infra.population.assumptions import ACUTE, AREAS, CATEGORIES, CONDITIONS, FACILITIES, LEVELS
from infra.population.spoiled_messages import KINDS


def describe() -> str:
    """How the population is modelled, in English, as text for a terminal of 110 columns."""
    cities, counties, towns = (sum(f.level == level for f in FACILITIES) for level in LEVELS)
    rural = round(100 * sum(area.share * area.rural for area in AREAS))
    return f"""\
A synthetic city, modelled on Wuxi. Every number is an assumption; nobody in it exists.

People      Households of one to six in {len(AREAS)} districts, {rural} % rural; ages 0 to 98. Most people are
            never in hospital; a few per cent, with {len(CONDITIONS)} chronic conditions, cause most bills.
Coverages   self_pay_assistance: nine in ten people, in {len(CATEGORIES)} categories, of household or person.
            village_mutual_aid: four in five rural households; some districts renew it every year.
            They change, end, overlap, leave gaps, come late, are corrected (new version) and voided.
Stays       {cities} city, {counties} county, {towns} town hospitals; {len(ACUTE)} acute diagnoses (ICD-10);
            special outpatient courses for the chronic; interim bills in long stays and at year's end.
Money       Log-normal charges by level and illness; basic insurance with deductibles, serious illness
            insurance above a yearly amount, medical assistance for the poor; the rest is copay and
            out_of_catalogue. Each bill balances to the fen. A few copays lie at 1,999.99, 2,000.00 and
            2,000.01 yuan.
Later       Corrected bills (versions 2 to 4), refunds with or without a new bill, refunds that arrive
            before the bill, corrected discharges, discharges and last bills that never come, deaths
            before, during and after stays.
Travel      Most messages arrive in seconds, one in a hundred after one to thirteen months; one in fifty
            arrives twice.
Refused     {", ".join(KINDS[:4])},
            {", ".join(KINDS[4:7])},
            {", ".join(KINDS[7:])}.
Order       Of arrival, within blocks of whole households; see docs/population.md.
"""
