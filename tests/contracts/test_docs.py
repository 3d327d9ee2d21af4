"""The documents name all there is: commands, settings and topics; their links lead somewhere; no registry is pinned."""

from __future__ import annotations

import importlib.util
import json
import re
import tomllib
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.demo.demo_command import HOUSEHOLD_POLICY
from cli.demo.found import not_asked_for
from cli.demo.household import home, second_stay
from cli.demo.village_pool import THIRD, later_stays, village
from handlers.claims.read import Reading, read
from handlers.offline.book import Book
from handlers.words.claim_sentences import STATUS_NAMES, yuan
from handlers.words.payout_sentences import STATES
from infra.population import generate
from infra.settings import Settings
from schemas.decisions import Status
from schemas.facts import FACT_TYPES
from schemas.policy.policy_file import read_policies
from schemas.topics import TOPICS
from tests.planted.plant import BUGS
from tests.support.commands import OPTIONS
from tests.support.headings import FENCED, anchors
from tests.support.paths import REPOSITORY, WUXI

DOCUMENTS = sorted([REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *(REPOSITORY / "docs").rglob("*.md")])
COMMANDS_PAGE = REPOSITORY / "docs" / "commands.md"
PACKAGED = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]
ROOMS: list[str] = PACKAGED["wheel"]["packages"]
VARIABLE = re.compile(r"\bHUZHU_[A-Z]+(?:_[A-Z]+)*\b")
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\]\n]*\]\(\s*<?([^)\s>]+)>?[^)\n]*\)")


def written() -> str:
    """All that the documents say, with white space made even."""
    return " ".join(" ".join(path.read_text("utf-8").split()) for path in DOCUMENTS)


COMMANDS = list(OPTIONS)
SETTINGS = [f"HUZHU_{name.upper()}" for name in Settings.model_fields]


def missing(names: list[str]) -> list[str]:
    """The names that stand nowhere as words of their own."""
    text = written()
    return [name for name in names if not re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", text)]


def named(*rooms: str) -> set[str]:
    """The variables that stand in the source of some rooms."""
    sources = [file for room in rooms for file in (REPOSITORY / room).rglob("*.py")]
    return {name for file in sources for name in VARIABLE.findall(file.read_text("utf-8"))}


def test_every_command_is_documented() -> None:
    """Each `huzhu` command and sub-command stands in README.md or docs/."""
    assert {"huzhu adjudicate", "huzhu policy publish", "huzhu topics apply"} <= set(COMMANDS)
    assert [] == missing(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_documented(command: str) -> None:
    """docs/commands.md lists each option in a section that names the command."""
    sections = re.split(r"^#{2,3} ", COMMANDS_PAGE.read_text("utf-8"), flags=re.MULTILINE)[1:]
    about = "\n".join(section for section in sections if re.search(rf"`{command}[` ]", section))
    assert about
    assert [] == [option for option in OPTIONS[command] if f"| `{option}` |" not in about]


def test_every_setting_is_documented() -> None:
    """Each HUZHU_ variable stands in README.md or docs/."""
    assert [] == missing(SETTINGS)


def test_the_documented_variables_are_those_of_the_program() -> None:
    """A variable that the program names is documented, and none is documented that would be set in vain."""
    documented, ours = set(VARIABLE.findall(written())), named(*ROOMS) | set(SETTINGS)
    assert set() == ours - documented
    assert set() == documented - ours - named("tests")


def test_the_messages_that_operators_look_up_are_said() -> None:
    """Each message in the table "When something is wrong" is in the source, up to the numbers and names in it."""
    page = (REPOSITORY / "docs" / "operations.md").read_text("utf-8")
    rows = page.partition("## When something is wrong")[2].partition("\n## ")[0].splitlines()
    messages = [found[1] for row in rows if (found := re.match(r"\| `([^`]+ [^`]+)` \|", row))]
    parts = [part.strip() for message in messages for part in re.split(r"\.\.\.|\b[abcn]\b|\w+[._]\w+", message)]
    source = " ".join(file.read_text("utf-8") for room in ROOMS for file in (REPOSITORY / room).rglob("*.py"))
    assert len(messages) > 5
    assert [] == [part for part in parts if len(part) > 8 and part not in source]


def test_every_topic_is_documented() -> None:
    """Each topic that is declared stands in README.md or docs/."""
    assert [] == missing([topic.name for topic in TOPICS])


def test_every_event_type_is_documented() -> None:
    """Each event type that may stand in a topic is named in README.md or docs/."""
    assert [] == missing([name for topic in TOPICS for name in topic.event_types])


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_every_relative_link_resolves(path: Path) -> None:
    """A link to a file leads to one inside the repository."""
    prose = FENCED.sub("", path.read_text("utf-8"))
    targets = [link.partition("#")[0] for link in LINK.findall(prose) if not re.match(r"[a-z][a-z0-9+.-]*:", link)]
    resolved = {target: (path.parent / target).resolve() for target in targets if target}
    assert [] == [target for target, file in resolved.items() if not file.exists()]
    assert [] == [target for target, file in resolved.items() if not file.is_relative_to(REPOSITORY)]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_every_link_to_a_heading_resolves(path: Path) -> None:
    """A link with a `#` leads to a heading of that document, as GitHub spells it in addresses."""
    links = [link for link in LINK.findall(FENCED.sub("", path.read_text("utf-8"))) if "#" in link and ":" not in link]
    places = [(link, *link.split("#")) for link in links]
    lost = [link for link, file, anchor in places if anchor not in anchors((path.parent / file) if file else path)]
    assert [] == lost


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_every_file_that_a_document_names_exists(path: Path) -> None:
    """acts/take_in.py and `handlers.claims.read` in a document are files and modules of the repository."""
    text, rooms = path.read_text("utf-8"), "|".join([*ROOMS, "tests", "docs", "requirements"])
    files = re.findall(rf"(?<![\w/.<>-])(?:{rooms})/[\w/-]+(?:\.[a-z]+)?", text)
    modules = [name for name in CODE.findall(text) if re.fullmatch(rf"(?:{rooms})(?:\.\w+)+", name)]
    assert [] == [name for name in files if not (REPOSITORY / name).exists()]
    assert [] == [name for name in modules if not importable(name)]


def importable(name: str) -> bool:
    """Whether a dotted name is a module, or something in a module."""
    module, _, attribute = name.rpartition(".")
    return hasattr(importlib.import_module(module), attribute) or importlib.util.find_spec(name) is not None


def test_the_events_of_the_guide_are_accepted() -> None:
    """Each event that docs/integrating.md shows as JSON passes the rules that look at the event alone, and is past."""
    written = datetime(2025, 1, 1, tzinfo=UTC)
    page = (REPOSITORY / "docs" / "integrating.md").read_text("utf-8")
    blocks = [json.loads(block) for block in re.findall(r"^```json\n(.*?)^```", page, re.MULTILINE | re.DOTALL)]
    shown = [each for block in blocks for each in (block if isinstance(block, list) else [block])]
    events = [each for each in shown if each.get("event_type") in FACT_TYPES]  # the others are answers
    assert {"coverage.recorded", "person.died", "payout.reported"} <= {event["event_type"] for event in events}
    assert [] == [event for event in events if not isinstance(read(json.dumps(event).encode(), as_of=written), Reading)]


def test_the_readme_shows_what_the_demo_decides() -> None:
    """Its table holds, for each scheme and tier, how many are eligible, how many are paid, and how much.

    The third villager waits for the money of a pool, and is not paid. Aid is not compared: two people grant it.
    """
    page = (REPOSITORY / "README.md").read_text("utf-8")
    rows = re.findall(r"^│ (\S+) +│ (\S+) +│ +([0-9]+) │ +([0-9]+) │ +([0-9,.]+) │$", page, re.MULTILINE)
    book = Book()
    for line in [*home(), *village(), *generate(1, 500), *second_stay(), *later_stays(), *not_asked_for()]:
        book.take(line)
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for decision in book.decide(read_policies([WUXI, HOUSEHOLD_POLICY])):
        for benefit in decision.benefits:
            if benefit.tier is not None:
                row = sums[benefit.scheme_id, benefit.tier]
                paid = 0 if decision.person_id == THIRD.person_id else benefit.benefit
                for place, number in enumerate((1, paid > 0, paid)):
                    row[place] += number
    assert [(*name, str(few), str(paid), yuan(fen)) for name, (few, paid, fen) in sorted(sums.items())] == rows


def test_the_glossary_names_every_status_as_the_program_does() -> None:
    """In the order in which they are tested, in both languages."""
    page = (REPOSITORY / "docs" / "glossary.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \| [^|]+ \|$", page, re.MULTILINE)
    assert [(status.value, *STATUS_NAMES[status]) for status in Status] == rows


def test_the_operations_page_names_every_state_of_a_payout_as_the_program_does() -> None:
    """Each state with its Chinese name."""
    page = (REPOSITORY / "docs" / "operations.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| (\w+) \| (\S+) \| [^|]+ \|$", page, re.MULTILINE))
    assert {state.value: name.zh for state, name in STATES.items()} == {
        state.value: rows.get(state) for state in STATES
    }


def test_every_planted_bug_is_listed() -> None:
    """The table of docs/planted-bugs.md is what tests/planted/plant.py plants: law or part, name, file and tests."""
    page = (REPOSITORY / "docs" / "planted-bugs.md").read_text("utf-8")
    rows = re.findall(r"^\| ([a-z]+|\d) \| ([^|]+) \| `([^`]+)` \| ([^|]+) \|$", page, re.MULTILINE)
    listed = {
        (broken, name.replace(" ", "-"), file, *re.findall(r"`([^`]+)`", tests)) for broken, name, file, tests in rows
    }
    planted = {(str(bug.breaks), bug.name, bug.file, *(test.partition("::")[2] for test in bug.tests)) for bug in BUGS}
    assert len(planted) == len(BUGS) > 30
    assert planted == listed


def test_every_planted_bug_still_has_its_text() -> None:
    """Who changes the code that a bug is planted in changes the bug with it."""
    assert [] == [bug.name for bug in BUGS if (REPOSITORY / bug.file).read_text("utf-8").count(bug.old) != 1]


def test_no_requirement_names_a_registry() -> None:
    """The pinned requirements hold hashes and no address: where packages come from is the machine's business."""
    files = sorted((REPOSITORY / "requirements").glob("*.txt"))
    assert {"main.txt", "dev.txt"} <= {file.name for file in files}
    for file in files:
        text = file.read_text("utf-8")
        assert [] == re.findall(r"\S*(?:://|git\+)\S*", text)
        assert [] == re.findall(r"(?m)^\s*-.*(?:index|find-links|host|\s-[if]\b).*$", text)
        pinned = re.findall(r"(?m)^[A-Za-z0-9][^\s;#]*", text)
        assert [] == [name for name in pinned if "==" not in name]
        assert len(pinned) <= text.count("--hash=sha256:")
