"""What the search page says about persons, as tests read it."""

from __future__ import annotations

import re
from typing import NamedTuple

from tests.web.words import words

MORE = {"zh": "符合的人员超过 20 位", "en": "More than 20 persons have this name"}
FINDING_OFF = {"zh": "在这里还不能按姓名、身份证号、电话号码查询", "en": "Nobody can be found by name, identity or"}
ASKED = {"zh": "您一小时内按姓名、证件号码或电话号码查询已达 200 次", "en": "You have searched for persons 200 times"}


class PersonFound(NamedTuple):
    """A person on the page: where the hit leads, if anywhere, and why they were found."""

    link: str | None
    why: str


def people_found(page: str) -> list[PersonFound]:
    """The persons that a page of results lists, in its order."""
    table = re.search(r'aria-label="(?:人员|Persons)">(.*?)</table>', page, re.DOTALL)
    found = []
    for row in re.findall(r"<tr><td[^>]*>(.*?)</tr>", table[1] if table else "", re.DOTALL):
        link = re.search(r'href="(/persons/[^"]+)"', row)
        why = re.split(r"<td[^>]*>", row)[-1]
        found.append(PersonFound(link[1] if link else None, words(why).strip()))
    return found
