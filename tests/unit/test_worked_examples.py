"""Published worked examples of tiered benefits from other countries, in the policy language.

They check that the language says what real schemes say, and the arithmetic against numbers that others worked out.
Amounts are read as the yuan of the program, whatever their currency. Where the source gives no number for a step, it
is worked out by hand in the comment beside it.

What the language cannot express, met on the way:

* A number that depends on a person's income (Germany's 2 %): it needs a tier for each income, as below.
* An amount for each day or item (Germany's 10 euro a day, France's 2 euro a visit, Medicare's minimum of $2 a drug).
* A franchise for the year: `threshold` goes only with `accumulates = "stay"`.
* A deductible for the year together with brackets for each bill (Singapore from the second bill of a year on): a tier
  has one set of brackets, on one of the two.
* A cap on what the patient pays as such: it is written as a bracket of rate 1 from the amount at which it is reached,
  which is exact as long as one scheme decides it (Switzerland, below).
* The total charge as a basis, and rates without a finite decimal (Japan's 29/30, below, exact with 40 digits).
* A number of times that a limit was reached before (Japan's 多数回該当), or a family's sum: only a category can tell.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from tests.properties.strategies import coverage_from, decide, policy, scheme, stay_of


@dataclass(frozen=True)
class Example:
    """A scheme, the bills of one year (copay, out of catalogue), and what is due for each."""

    source: str
    text: str
    bills: list[tuple[str, str]]
    due: list[str]
    category: str = "member"
    patient_pays: list[str] = field(default_factory=list)


def yearly(**brackets_or_limits: object) -> str:
    return policy(scheme(accumulates="person_year", basis="copay", **brackets_or_limits))  # type: ignore[arg-type]


NETHERLANDS = yearly(brackets={"385.00": "1"})
SWITZERLAND = yearly(brackets={"300.00": "0.9", "7300.00": "1"})  # 300 + 10 % of 7,000 = 300 + 700
MEDICARE_2006 = yearly(brackets={"250.00": "0.75", "2250.00": "0", "5100.00": "0.95"})
UNITED_STATES_2023 = policy(
    scheme(
        brackets={
            "0.00": "0.10",
            "11000.00": "0.12",
            "44725.00": "0.22",
            "95375.00": "0.24",
            "182100.00": "0.32",
            "231250.00": "0.35",
            "578125.00": "0.37",
        }
    )
)
MEDISHIELD_2013 = policy(
    scheme(brackets={"1000.00": "0.80", "3000.00": "0.85", "5000.00": "0.90"}, cap_per_year="50000.00")
)
MEDISHIELD_LIFE = policy(
    scheme(brackets={"1500.00": "0.90", "5000.00": "0.95", "10000.00": "0.97"}, cap_per_year="100000.00")
)
GERMANY = yearly(tiers={"gross_30000": {"600.00": "1"}, "gross_30000_chronic": {"300.00": "1"}})
JAPAN = policy(
    scheme(
        basis="copay",
        tiers={
            "income_u": {"80100.00": "0." + "9" + 38 * "6" + "7"},  # 29/30: below
            "aged_70_plus": {"57600.00": "1"},
            "fourth_time": {"44400.00": "1"},
        },
    )
)

EXAMPLES = {
    "Netherlands, eigen risico: one bill of 400": Example(
        "anderzorg.nl/zorgverzekering/eigen-risico/rekenvoorbeelden, voorbeeld 1",
        NETHERLANDS,
        [("400.00", "0.00")],
        ["15.00"],
    ),
    "Netherlands, eigen risico: 220 for transport, of which 113 are not insured": Example(
        "anderzorg.nl/zorgverzekering/eigen-risico/rekenvoorbeelden, voorbeeld 3 (278 of the deductible are left)",
        NETHERLANDS,
        [("107.00", "113.00"), ("278.00", "0.00"), ("0.01", "0.00")],
        ["0.00", "0.00", "0.01"],
    ),
    "Netherlands, eigen risico: 90 and then 300": Example(
        "anderzorg.nl/zorgverzekering/eigen-risico/rekenvoorbeelden, voorbeeld 4",
        NETHERLANDS,
        [("90.00", "0.00"), ("300.00", "0.00")],
        ["0.00", "5.00"],
    ),
    "Netherlands, 385 compulsory and 300 voluntary: shoes of 1,200, of which 141 are not insured": Example(
        "zorgverzekeraars.nl/zorgstelsel/rekenvoorbeeld-eigen-risico-en-eigen-bijdrage",
        yearly(brackets={"685.00": "1"}),
        [("1059.00", "141.00")],
        ["374.00"],
        patient_pays=["826.00"],
    ),
    "Switzerland, Franchise 300: bills of 2,600": Example(
        "viz.ch/kostenaufteiligung-der-grundversicherung: 300 + 230 for the patient",
        SWITZERLAND,
        [("2600.00", "0.00")],
        ["2070.00"],
        patient_pays=["530.00"],
    ),
    "Switzerland, Franchise 300: 500, then 800, then the 600 left of the Selbstbehalt": Example(
        "esurance.ch/versicherungsratgeber/selbstbehalt: 320, then 80; by its rule 600 of 700 are left then",
        SWITZERLAND,
        [("500.00", "0.00"), ("800.00", "0.00"), ("10000.00", "0.00"), ("0.01", "0.00")],
        ["180.00", "720.00", "9400.00", "0.01"],  # 6,000 x 0.9 + 4,000
        patient_pays=["320.00", "80.00", "600.00", "0.00"],
    ),
    "United States, Medicare Part D 2006: the year ends at the coverage limit": Example(
        "CRS report RL31525 (everycrsreport.com/files/20031231_RL31525...): $250, 75 % to $2,250",
        MEDICARE_2006,
        [("250.00", "0.00"), ("1000.00", "0.00"), ("1000.00", "0.00")],
        ["0.00", "750.00", "750.00"],
    ),
    "United States, Medicare Part D 2006: through the gap": Example(
        "CRS report RL31525: $3,600 out of pocket are reached at $5,100 of spending; 95 % after it",
        MEDICARE_2006,
        [("2250.00", "0.00"), ("2850.00", "0.00"), ("900.00", "0.00")],
        ["1500.00", "0.00", "855.00"],
        patient_pays=["750.00", "2850.00", "45.00"],  # 750 + 2,850 = 3,600
    ),
    "United States, income tax 2023 on 58,000": Example(
        "irs.gov/filing/federal-income-tax-rates-and-brackets: 1,100 + 4,047 + 22 % of 13,275",
        UNITED_STATES_2023,
        [("58000.00", "0.00")],
        ["8067.50"],
    ),
    "United States, income tax 2023 on 50,000": Example(
        "zaro.info/taxable-income-brackets/how-much-of-income-is-taxable: 1,100 + 4,047 + 1,160.50",
        UNITED_STATES_2023,
        [("50000.00", "0.00")],
        ["6307.50"],
    ),
    "United States, income tax 2023 on the edges of its table": Example(
        "the bases of the 2023 tax rate schedule X: 1,100; 5,147; 16,290; 37,104; 52,832; 174,238.25",
        UNITED_STATES_2023,
        [(f"{edge}.00", "0.00") for edge in ("11000", "44725", "95375", "182100", "231250", "578125")],
        ["1100.00", "5147.00", "16290.00", "37104.00", "52832.00", "174238.25"],
    ),
    "Singapore, MediShield until 2015, class C: 10,000": Example(
        "breastcancersingapore.com/local-resources/medi-s/medishield: co-insurance 20, 15 and 10 % over $1,000",
        MEDISHIELD_2013,
        [("10000.00", "0.00")],
        ["7800.00"],  # 1,600 + 1,700 + 4,500
    ),
    "Singapore, MediShield until 2015, class C: the limit of a policy year": Example(
        "breastcancersingapore.com/local-resources/medi-s/medishield: at most $50,000 a policy year",
        MEDISHIELD_2013,
        [("60000.00", "0.00")],
        ["50000.00"],  # 3,300 + 49,500
    ),
    "Singapore, MediShield Life, class C: the first bill of a year, 12,000": Example(
        "areyouready.gov.sg (CPF Board, 2016): $1,500, co-insurance 10 to 3 %, at most $100,000; edges $5,000, $10,000",
        MEDISHIELD_LIFE,
        [("12000.00", "0.00")],
        ["9840.00"],  # 3,150 + 4,750 + 1,940
    ),
    "Germany, Belastungsgrenze of 2 % of 30,000": Example(
        "SGB V § 61, § 62 (buzer.de/gesetz/2497/b6995.htm): 600; payments of 28 days x 10, 150 and 250",
        GERMANY,
        [("280.00", "0.00"), ("150.00", "0.00"), ("250.00", "0.00"), ("10.00", "0.00")],
        ["0.00", "0.00", "80.00", "10.00"],
        category="gross_30000",
    ),
    "Germany, Belastungsgrenze of 1 % of 30,000 for the chronically ill": Example(
        "SGB V § 62 Abs. 1: 300",
        GERMANY,
        [("280.00", "0.00"), ("150.00", "0.00")],
        ["0.00", "130.00"],
        category="gross_30000_chronic",
    ),
    "Japan, 高額療養費, category ウ: treatment of 1,000,000": Example(
        "limo.media/articles/-/30608: 300,000 - (80,100 + (1,000,000 - 267,000) x 1 %) = 300,000 - 87,430",
        JAPAN,
        [("300000.00", "0.00")],
        ["212570.00"],
        category="income_u",
        patient_pays=["87430.00"],
    ),
    "Japan, 高額療養費, over 70: 20 % of 1,000,000": Example(
        "rinpashu.jp/works-costs-life/costs/article-05.html, A: 200,000 - 57,600",
        JAPAN,
        [("200000.00", "0.00")],
        ["142400.00"],
        category="aged_70_plus",
    ),
    "Japan, 高額療養費, the fourth time in a year: 30 % of 1,000,000": Example(
        "rinpashu.jp/works-costs-life/costs/article-05.html, B: 300,000 - 44,400",
        JAPAN,
        [("300000.00", "0.00")],
        ["255600.00"],
        category="fourth_time",
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_published_example_comes_out(name: str) -> None:
    """The benefits, and where the source tells it what the patient pays, are those of the source."""
    example = EXAMPLES[name]
    facts = []
    for number, (copay, out_of_catalogue) in enumerate(example.bills, start=1):
        facts += stay_of(f"E{number}", f"2020-{number:02d}-15", copay, out_of_catalogue)
    decisions = decide(example.text, coverage_from(category=example.category), *facts)
    claims = [decisions[f"E{number}"] for number in range(1, len(example.bills) + 1)]
    assert example.due == [claim["total_benefit"] for claim in claims]
    assert example.patient_pays in ([], [claim["patient_pays"] for claim in claims])


def test_japans_share_is_29_of_30() -> None:
    """The patient bears 1 % of the charge above the limit, which is 1/30 of a copay of 30 %."""
    rate = Decimal("0." + "9" + 38 * "6" + "7")
    assert abs(rate * 30 - 29) < Decimal("1e-37")
