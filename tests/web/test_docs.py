"""The sessions in README.md and docs/integrating.md, run exactly as written."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from schemas.national.national_refusal import NationalCode
from schemas.refusals import RefusalCode
from tests.support.builders import Json, coverage
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
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "API": site.address, "KEY": site.h1, "no_proxy": "*"}
    done = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, timeout=60, check=True)
    answer: Json = json.loads(done.stdout)
    return answer


def known_member(site: Site, person_id: str) -> None:
    with site.client(site.registry) as registry:
        assert 202 == registry.post("/v1/events", json=coverage(f"C-{person_id}", person_id=person_id)).status_code
    facts = f"SELECT 1 FROM facts WHERE person_id = '{person_id}'"
    assert await_true(lambda: bool(site.rows(facts)), 60), site.logs()


def test_the_session_of_the_hospital_guide(site: Site) -> None:
    """Ready, discharge, quote, settlement, claim, void: each answers as the text around it says."""
    known_member(site, "P-1001")
    ready, discharge, quote, settlement, claim, void = COMMAND.findall(INTEGRATING)
    assert "answers" == run(site, ready)["kafka"]
    assert "acknowledged" == run(site, discharge)["status"]
    quoted = run(site, quote)["decision"]
    settled = run(site, settlement)
    assert ("adjudicated", quoted["patient_pays"]) == (settled["state"], settled["decision"]["patient_pays"])
    assert float(quoted["patient_pays"]) < 8000
    shown = run(site, claim)
    assert settled == shown
    assert shown["instructions"]
    assert shown["explanation"][0]["sentences"][0].isascii()
    table = INTEGRATING.partition("| field | meaning |")[2].partition("\n\n")[0]
    assert shown.keys() - {"claim_id", "language"} == set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE))
    assert "voided" == run(site, void)["state"]


def test_the_session_of_the_readme(site: Site, tmp_path: Path) -> None:
    """A discharge and a settlement go in, the explained decision comes back, an insurer pays, the claim shows paid."""
    known_member(site, "P-2001")
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
    """With what to do; KEY_MISMATCH belongs to Kafka alone."""
    documented = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)*\b", INTEGRATING))
    refusals = {code.value for code in (*RefusalCode, *NationalCode)}
    codes = set(CODES) | refusals - {"KEY_MISMATCH"}
    assert set() == codes - documented
