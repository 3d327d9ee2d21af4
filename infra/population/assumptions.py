"""The numbers of the model. Each is an assumption explained in `docs/population.md`, not a published statistic.

Shares are fractions of one, rates are per year, and charges are in yuan (only here; everywhere else they are fen).
"""

from typing import Literal, NamedTuple

Level = Literal["city", "county", "town"]
MoneyStyle = Literal["two_decimals", "shortest", "number"]


class Area(NamedTuple):
    """A district: its share of the population, the rural share of its households, its number of villages."""

    name: str
    share: float
    rural: float
    villages: int
    renews_yearly: bool


class Facility(NamedTuple):
    """A hospital and the formats its software uses."""

    facility_id: str
    level: Level
    area: str
    money: MoneyStyle
    utc: bool


class Diagnosis(NamedTuple):
    """A reason for an acute stay: weight, ages, median days, factor on the median charge of the level."""

    code: str
    weight: float
    youngest: int
    oldest: int
    days: float
    cost: float


class Condition(NamedTuple):
    """A chronic illness: weight among chronic patients, stays and courses per year, median days, cost, hazard.

    `hazard` multiplies the death rate; `outside` is the maximum added to the share outside the catalogue.
    """

    code: str
    weight: float
    stays: float
    courses: float
    days: float
    cost: float
    hazard: float
    outside: float


AREAS = (
    Area("liangxi", 0.14, 0.00, 10, False),
    Area("binhu", 0.13, 0.15, 30, False),
    Area("xinwu", 0.10, 0.15, 25, False),
    Area("xishan", 0.12, 0.45, 70, True),
    Area("huishan", 0.12, 0.45, 75, True),
    Area("jiangyin", 0.23, 0.55, 190, False),
    Area("yixing", 0.16, 0.60, 210, True),
)
AREA_WEIGHTS = tuple(area.share for area in AREAS)

# One hospital in eight writes amounts with as few decimals as possible, one in eight as JSON numbers.
_MONEY: tuple[MoneyStyle, ...] = ("two_decimals",) * 6 + ("shortest",) + ("number",)


def _facilities() -> tuple[Facility, ...]:
    facilities: list[Facility] = []

    def add(level: Level, area: str, number: int) -> None:
        index = len(facilities)
        letter = {"city": "A", "county": "B", "town": "C"}[level]
        facilities.append(
            Facility(
                facility_id=f"H-{area[:3].upper()}-{letter}{number:02d}",
                level=level,
                area=area,
                money=_MONEY[index % len(_MONEY)],
                utc=index % 10 == 7,  # one hospital in ten
            )
        )

    for area, cities, counties, towns in (
        ("liangxi", 4, 2, 3), ("binhu", 2, 2, 4), ("xinwu", 1, 2, 3), ("xishan", 0, 2, 5),
        ("huishan", 0, 2, 5), ("jiangyin", 1, 4, 9), ("yixing", 1, 3, 9),
    ):  # fmt: skip
        for number in range(1, cities + 1):
            add("city", area, number)
        for number in range(1, counties + 1):
            add("county", area, number)
        for number in range(1, towns + 1):
            add("town", area, number)
    return tuple(facilities)


FACILITIES = _facilities()
LEVELS: tuple[Level, ...] = ("city", "county", "town")
CITY_HOSPITALS = tuple(f for f in FACILITIES if f.level == "city")
LOCAL_HOSPITALS: dict[tuple[str, Level], tuple[Facility, ...]] = {
    (area.name, level): tuple(f for f in FACILITIES if f.area == area.name and f.level == level)
    for area in AREAS
    for level in LEVELS
}

ACUTE = (
    Diagnosis("J18.9", 12, 0, 110, 8, 0.9),
    Diagnosis("A09.9", 4, 0, 110, 4, 0.5),
    Diagnosis("J06.9", 5, 0, 12, 4, 0.4),
    Diagnosis("P59.9", 1, 0, 0, 5, 0.5),
    Diagnosis("O80.9", 5, 20, 42, 4, 0.6),
    Diagnosis("O82.9", 4, 20, 42, 6, 0.9),
    Diagnosis("K35.8", 4, 6, 70, 6, 1.1),
    Diagnosis("K80.2", 6, 30, 90, 7, 1.5),
    Diagnosis("K63.5", 6, 40, 85, 4, 0.7),
    Diagnosis("N20.1", 4, 25, 75, 5, 1.1),
    Diagnosis("M51.2", 6, 30, 80, 9, 1.2),
    Diagnosis("H25.9", 6, 60, 95, 3, 0.7),
    Diagnosis("S72.0", 4, 60, 110, 14, 3.2),
    Diagnosis("S82.2", 4, 16, 75, 12, 2.4),
    Diagnosis("S06.0", 2, 10, 85, 12, 2.2),
    Diagnosis("I20.0", 6, 50, 95, 7, 2.0),
    Diagnosis("I21.9", 2, 45, 95, 9, 4.2),
    Diagnosis("I63.9", 6, 50, 100, 11, 1.6),
    Diagnosis("I61.9", 2, 45, 95, 18, 4.5),
    Diagnosis("E04.1", 3, 25, 75, 5, 1.1),
    Diagnosis("D25.9", 3, 30, 55, 7, 1.3),
    Diagnosis("A41.9", 1, 50, 100, 16, 5.0),
)

CONDITIONS = (
    Condition("N18.5", 3, 1.1, 10.0, 9, 1.1, 3.0, 0.03),
    Condition("C34.9", 6, 4.5, 1.5, 5, 1.4, 9.0, 0.30),
    Condition("C50.9", 3, 3.5, 2.0, 4, 1.2, 2.5, 0.25),
    Condition("C18.9", 4, 3.8, 1.5, 5, 1.5, 6.0, 0.25),
    Condition("C91.0", 1, 4.0, 2.0, 16, 4.0, 6.0, 0.25),
    Condition("F20.9", 3, 0.8, 2.0, 70, 1.4, 1.3, 0.02),
    Condition("J44.1", 15, 1.0, 0.5, 9, 0.9, 2.2, 0.05),
    Condition("I25.1", 20, 0.6, 0.8, 7, 1.4, 1.6, 0.08),
    Condition("I69.3", 13, 0.9, 0.4, 15, 1.0, 2.0, 0.08),
    Condition("E11.9", 24, 0.4, 1.6, 8, 0.7, 1.3, 0.05),
    Condition("K74.6", 3, 1.3, 1.0, 9, 1.2, 4.0, 0.10),
    Condition("M06.9", 5, 0.5, 1.5, 8, 0.8, 1.1, 0.12),
)
CONDITION_WEIGHTS = tuple(condition.weight for condition in CONDITIONS)
SECONDARY = ("I10.0", "E11.9", "E78.5", "I50.9", "N18.3", "K29.5", "J98.4", "D64.9", "M81.0", "G47.0")


class AgeBand(NamedTuple):
    """People up to an age: acute stays per year, share with a chronic illness, deaths per year."""

    oldest: int
    acute: float
    chronic: float
    dies: float


AGE_BANDS = (
    AgeBand(5, 0.110, 0.006, 0.0006),
    AgeBand(17, 0.030, 0.008, 0.0002),
    AgeBand(44, 0.055, 0.022, 0.0008),
    AgeBand(59, 0.075, 0.080, 0.0030),
    AgeBand(74, 0.130, 0.170, 0.0110),
    AgeBand(130, 0.200, 0.260, 0.0450),
)

# Median total charge of a stay of cost factor 1, in yuan, and its spread (sigma of the logarithm).
STAY_MEDIAN_YUAN: dict[Level, float] = {"city": 11_500.0, "county": 6_600.0, "town": 3_100.0}
COURSE_MEDIAN_YUAN: dict[Level, float] = {"city": 2_300.0, "county": 1_700.0, "town": 800.0}
CHARGE_SIGMA = 0.72

DEDUCTIBLE_FEN: dict[Level, int] = {"city": 1_000_00, "county": 600_00, "town": 200_00}
RESIDENT_RATE: dict[Level, float] = {"city": 0.68, "county": 0.77, "town": 0.87}
EMPLOYEE_RATE: dict[Level, float] = {"city": 0.86, "county": 0.90, "town": 0.94}
SERIOUS_ILLNESS_OVER_FEN = 15_000_00
SERIOUS_ILLNESS_RATE = 0.60

# Categories of self_pay_assistance: first those of households, then those of individuals.
HOUSEHOLD_CATEGORIES = ("dibao", "dibao_edge", "serious_illness_hardship", "special", "ordinary")
HOUSEHOLD_CATEGORY_WEIGHTS = (0.025, 0.020, 0.012, 0.13, 0.813)
PERSON_CATEGORIES = ("tekun", "severe_disability", "key_entitled_group", "special_hardship_worker")
PERSON_CATEGORY_WEIGHTS = (0.15, 0.50, 0.20, 0.15)
ASSISTED_RATE = {
    "dibao": 0.70, "tekun": 0.80, "orphan": 0.80, "severe_disability": 0.60, "key_entitled_group": 0.60,
    "dibao_edge": 0.50, "special_hardship_worker": 0.50, "serious_illness_hardship": 0.50,
}  # fmt: skip
CATEGORIES = (*HOUSEHOLD_CATEGORIES, *PERSON_CATEGORIES, "orphan")

# Settlement events, including repeats and refusals, per person and year at scale 1; measured.
SETTLEMENTS_PER_PERSON_YEAR = 0.28
