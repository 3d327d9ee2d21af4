"""Random cases of watches: those of cases.py, and a file of watches whose steps lie on and beside their sums."""

import json
from random import Random

from .calculator import adjudicate
from .cases import CATEGORIES, Case, random_case, random_household_case, random_household_years, random_person_years

MEASURES = ("copay", "out_of_catalogue", "personal_burden", "patient_pays")


def random_watch_case(seed: int) -> tuple[Case, str]:
    """The case of a seed and its watches; one in four is noisy."""
    kinds = (random_person_years, random_household_years, random_case, random_household_years)
    noisy = random_household_case if seed % 8 == 2 else kinds[seed % len(kinds)]
    case = noisy(seed)
    rng = Random(f"watches {seed}")
    amounts = [int(str(claim["personal_burden"]).replace(".", "")) for claim in adjudicate(*inputs(case))[0]] or [1]
    lines = ["[watches]", 'id = "random"']
    days = sorted(
        f"{rng.choice((2019, 2020, 2021, 2023, 2024))}-{rng.choice(('01-01', '07-01', '12-31'))}" for _ in "ab"
    )
    if rng.random() < 0.25:
        lines.append(f"effective_from = {days[0]}")
    if rng.random() < 0.15 and days[0] < days[1]:
        lines.append(f"effective_to = {days[1]}")
    for number in range(rng.choice((2, 3, 4, 5))):
        measure = rng.choice(MEASURES)
        steps = {max(1, sum(rng.choices(amounts, k=rng.choice((1, 1, 2, 3)))) + rng.choice((-1, 0, 0))) for _ in "abcd"}
        steps = {step // rng.choice((1, 1, 2)) or 1 for step in steps}
        said: dict[str, object] = {"id": f"{measure}-{number}", "title": f"自负较高 {number}", "measure": measure}
        said["unit"] = rng.choice(("person", "household", "household"))
        said["window_months"] = rng.choice((1, 1, 2, 6, 12, 13, 24))
        said["steps"] = [f"{step // 100}.{step % 100:02d}" for step in sorted(steps)]
        if rng.random() < 0.25:
            said["categories"] = rng.sample(CATEGORIES, rng.choice((1, 2, 3)))
        lines += ["", "[[watch]]", *(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in said.items())]
    return case, "\n".join(lines) + "\n"


def inputs(case: Case) -> tuple[list[str], list[bytes]]:
    return case.policy_texts, case.lines
