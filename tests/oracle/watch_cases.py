"""Random cases of watches: those of cases.py, and a file of watches whose steps lie on and beside their sums."""

import json
import re
from random import Random

from .calculator import adjudicate
from .cases import Case, random_case, random_household_case, random_household_years, random_person_years

MEASURES = ("copay", "out_of_catalogue", "personal_burden", "patient_pays")
CATEGORY = re.compile(r'"category"\s*:\s*"([a-z]+)"')


def random_watch_case(seed: int) -> tuple[Case, str]:
    """The case of a seed and its watches; one in four is noisy."""
    kinds = (random_person_years, random_household_years, random_case, random_household_years)
    noisy = random_household_case if seed % 8 == 2 else kinds[seed % len(kinds)]
    case = noisy(seed)
    return case, watches_for(Random(f"watches {seed}"), case)


def watches_for(rng: Random, case: Case) -> str:
    """A file of two to five watches, with steps that are sums of the case's burdens, or a fen less."""
    claims, _ = adjudicate(case.policy_texts, case.lines)
    burdens = [int(str(claim["personal_burden"]).replace(".", "")) for claim in claims] or [1]
    categories = sorted({name for line in case.lines for name in CATEGORY.findall(line.decode("utf-8", "ignore"))})
    starts = rng.choice(("2000-01-01", "2000-01-01", "2000-01-01", "2019-07-01", "2020-01-01", "2023-07-01"))
    lines = ["[watches]", 'id = "random"', f"effective_from = {starts}"]
    if rng.random() < 0.15:
        lines.append(f"effective_to = {rng.choice(('2020-07-01', '2020-12-31', '2024-01-01'))}")
        lines[-2] = "effective_from = 2000-01-01"
    for number in range(rng.choice((2, 3, 4, 5))):
        measure = rng.choice(MEASURES)
        sums = [sum(rng.choices(burdens, k=rng.choice((1, 1, 2, 3)))) - rng.choice((0, 0, 1)) for _ in "abcd"]
        steps = sorted({max(1, each // rng.choice((1, 1, 2))) for each in sums})
        said: dict[str, object] = {"id": f"{measure}-{number}", "title": f"自负较高 {number}", "measure": measure}
        said["unit"] = rng.choice(("person", "household", "household"))
        said["window_months"] = rng.choice((1, 1, 2, 6, 12, 13, 24))
        said["steps"] = [f"{step // 100}.{step % 100:02d}" for step in steps]
        if categories and rng.random() < 0.25:
            said["categories"] = rng.sample(categories, rng.randint(1, len(categories)))
        lines += ["", "[[watch]]", *(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in said.items())]
    return "\n".join(lines) + "\n"
