"""The sessions in README.md and docs/integrating.md, run exactly as written."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from schemas.national.national_refusal import NationalCode
from schemas.refusals import RefusalCode
from tests.support.builders import Json
from tests.support.insurer import Insurer
from tests.support.paths import REPOSITORY
from tests.support.servers import await_true
from tests.web.site import Site
from web.api.problems import CODES

INTEGRATING = (REPOSITORY / "docs" / "integrating.md").read_text("utf-8")
README = (REPOSITORY / "README.md").read_text("utf-8")
COMMAND = re.compile(r"^```sh\n(curl .*?)^```", re.MULTILINE | re.DOTALL)


def run(site: Site, command: str) -> Json:
    """What a command of the documents prints."""
    keys = {"API": site.address, "KEY": site.h1, "REGISTRY_KEY": site.registry}
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "no_proxy": "*", **keys}
    done = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, timeout=60, check=True)
    answer: Json = json.loads(done.stdout)
    return answer


class Shell:
    """One shell for all commands of a page: what one exports, the next one has."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, commands: str) -> str:
        """What the commands print; fails if the last one does."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{commands}\necho; echo END $?\n")
        self._process.stdin.flush()
        printed = ""
        for line in self._process.stdout:
            if line.startswith("END "):
                assert "END 0" == line.strip(), commands
                break
            printed += line
        return printed.strip()


@contextmanager
def shell_of(site: Site) -> Iterator[Shell]:
    """A shell on the machine of a site, where its operator works too."""
    programs = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
    environment = {"PATH": programs, "no_proxy": "*", "HUZHU_DATABASE_URL": site.url, "LANG": "C.UTF-8"}
    with subprocess.Popen(
        ["sh"], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=site.folder
    ) as process:
        yield Shell(process)
        assert process.stdin
        process.stdin.close()


def assert_shows(shown: Any, actual: Any) -> None:
    """A document may leave out members of an object, items of an array, and what it writes three dots for."""
    if isinstance(shown, dict):
        assert shown.keys() <= actual.keys(), (shown, actual)
        for name, value in shown.items():
            assert_shows(value, actual[name])
    elif isinstance(shown, list):
        rest = iter(actual)
        for item in shown:
            assert any(_shows(item, other) for other in rest), (item, actual)
    elif isinstance(shown, str) and shown.endswith("..."):
        assert str(actual).startswith(shown.removesuffix("..."))
    else:
        assert shown == actual


def _shows(shown: Any, actual: Any) -> bool:
    try:
        assert_shows(shown, actual)
    except AssertionError:
        return False
    return True


def taken_in(site: Site) -> None:
    """Waits until the ledger has all that was acknowledged, as a reader does who types."""
    assert await_true(lambda: site.waiting() + site.left() == 0, 60), site.logs()


def test_the_guide_followed_from_top_to_bottom(site: Site) -> None:
    """In one shell: keys, coverage, the adjudicated claim with the amounts that the guide names, refund, and payout."""
    blocks = re.findall(r"^```(sh|json)\n(.*?)^```", INTEGRATING, re.MULTILINE | re.DOTALL)
    answers: list[Json] = []
    with shell_of(site) as shell:
        answer = ""
        for kind, block in blocks:
            if kind == "sh":
                assert not answer.startswith("{"), f"the guide does not show what this answers: {answer}"
                answer = shell.run(block.replace("http://127.0.0.1:8080", site.address))
            elif answer:
                answers.append(json.loads(answer))
                assert_shows(json.loads(block), answers[-1])
                if answers[-1].get("status") == "acknowledged":
                    taken_in(site)
                answer = ""
    (settled,) = [each for each in answers if each.get("state") == "adjudicated" and each.get("instructions")][:1]
    assert settled["explanation"][0]["sentences"][0].isascii()
    table = INTEGRATING.partition("| field | meaning |")[2].partition("\n\n")[0]
    assert settled.keys() - {"claim_id", "language"} == set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE))
    assert [("paid",)] == site.rows("SELECT state FROM payout_states")


def test_the_session_of_the_readme(site: Site, tmp_path: Path) -> None:
    """A discharge and a settlement go in, the explained decision comes back, an insurer pays, the claim shows paid."""
    covered, _ = [each for each in COMMAND.findall(INTEGRATING) if "$REGISTRY_KEY" in each]
    run(site, covered)
    taken_in(site)
    post, show = COMMAND.findall(README)
    claim = run(site, post)
    assert "adjudicated" == claim["state"]
    assert claim["instructions"]
    assert claim["explanation"][0]["sentences"]

    def reports() -> list[str | None]:
        return [each["report"] and each["report"]["status"] for each in run(site, show)["instructions"]]

    assert {None} == set(reports())
    insurer = Insurer(site.bootstrap, tmp_path)
    with insurer.running():
        assert await_true(lambda: {"paid"} == set(reports()), 120), insurer.log() + site.logs()


def test_every_code_is_in_the_guide() -> None:
    """With what to do; KEY_MISMATCH belongs to Kafka alone, and so do the codes of closed days."""
    documented = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)*\b", INTEGRATING))
    refusals = {code.value for code in (*RefusalCode, *NationalCode)}
    codes = set(CODES) | refusals - {"KEY_MISMATCH", "DAY_AHEAD", "DAY_OUT_OF_ORDER"}
    assert set() == codes - documented
