"""Quotes, decisions, payouts and who sees them, with everything running."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from acts import api_keys
from infra.ledger.api_key_rows import all_keys
from schemas.access.callers import ApiRole
from tests.support.acts import create_key, revoke_key, rotate_key
from tests.support.builders import Json, bill, coverage, discharge, in_days, report, void
from tests.support.posting import post as post_to_kafka
from tests.support.posting import to_post
from tests.support.servers import await_true
from tests.web.site import Site, code

WAIT = "/v1/settlements?wait=30s"


def covered(site: Site, person_id: str, *categories: str) -> None:
    """Has a person covered, and waits until the ledger knows."""
    coverages = [
        coverage(f"C-{person_id}-{category}", category, person_id=person_id) for category in categories or ("member",)
    ]
    with site.client(site.registry) as registry:
        assert registry.post("/v1/events", json=coverages).status_code == 202
    wanted = f"SELECT count(*) FROM facts WHERE person_id = '{person_id}'"
    assert await_true(lambda: site.rows(wanted)[0][0] == len(coverages), 60), site.logs()


def settled(client: httpx.Client, *events: Json) -> Json:
    """The claim as decided after a settlement."""
    answer = client.post(WAIT, json=list(events))
    assert answer.status_code == 200, answer.text
    claim: Json = answer.json()
    return claim


def counts(site: Site) -> list[Any]:
    tables = ("events", "facts", "decisions", "instructions", "audit_entries", "inbox", "answers")
    return [site.rows(f"SELECT count(*) FROM {table}")[0][0] for table in tables]


def test_a_quote_is_what_is_decided_afterwards_and_writes_nothing(site: Site) -> None:
    """For a first bill, and for a second one in the year, after the first has used up part of the caps."""
    covered(site, "Q1", "member", "dibao")
    site.await_idle()
    with site.client(site.h1) as client:
        for number, copay in ((1, 9000), (2, 60_000)):
            stay = discharge(f"E-Q1-{number}", f"2024-0{number}-20", admitted_on="2024-01-02", person_id="Q1")
            bill_of_it = bill(f"S-Q1-{number}", f"E-Q1-{number}", copay, out_of_catalogue=20_000, person_id="Q1")
            before = counts(site)
            quoted = client.post("/v1/quotes", json={"settlement": bill_of_it, "discharge": stay})
            assert quoted.status_code == 200, quoted.text
            assert before == counts(site)
            decided = settled(client, stay, bill_of_it)["decision"]
            quote = quoted.json()["decision"]
            assert quote == {name: decided[name] for name in quote}
            assert "0.00" != quote["total_benefit"]
            site.await_idle()


def test_a_quote_takes_coverages_that_nobody_recorded_yet(site: Site) -> None:
    """Without them the person is not covered, with them they are, and afterwards they are not again."""
    stay, bill_of_it = discharge("E-Q2", person_id="Q2"), bill("S-Q2", "E-Q2", 9000, person_id="Q2")
    body = {"settlement": bill_of_it, "discharge": stay}
    with site.client(site.h1) as client:
        states = [
            client.post("/v1/quotes", json={**body, **more}).json()["state"]
            for more in ({}, {"coverages": [coverage("C-Q2", person_id="Q2")]}, {})
        ]
    assert ["not_covered", "adjudicated", "not_covered"] == states


def test_a_quote_that_could_not_be_posted_is_refused_alike(site: Site) -> None:
    """With the code, and a pointer into the quote."""
    with site.client(site.h1) as client:
        cases: list[tuple[Json, int, str, list[str]]] = [
            ({}, 422, "REQUEST_INVALID", ["/settlement"]),
            (
                {"settlement": bill("S-Q3", copay=-1)},
                422,
                "NEGATIVE_AMOUNT",
                ["/settlement/copay", "/settlement/total_charge"],
            ),
            ({"settlement": discharge("E-Q3")}, 422, "UNKNOWN_EVENT_TYPE", ["/settlement/event_type"]),
            ({"settlement": bill("S-Q3", facility_id="H2")}, 403, "FORBIDDEN", []),
            ({"settlement": bill("S-Q3"), "discharge": discharge("E-other")}, 409, "PERSON_MISMATCH", []),
            (
                {"settlement": bill("S-Q3"), "coverages": [coverage(occurred_at=in_days(2))]},
                422,
                "FUTURE_DATED",
                ["/coverages/0/occurred_at"],
            ),
        ]
        for body, status, wanted, pointers in cases:
            answer = client.post("/v1/quotes", json=body)
            assert (status, wanted) == (answer.status_code, code(answer))
            assert pointers == sorted(answer.json()["pointers"])


def test_wait_answers_with_the_decision_that_knows_this_settlement(site: Site) -> None:
    """Version after version, posted at once, the answer is never that of the version before."""
    covered(site, "W1")
    with site.client(site.h1) as client:
        settled(client, discharge("E-W1", person_id="W1"), bill("S-W1", "E-W1", 3000, person_id="W1"))
        for version in range(2, 22):
            claim = settled(client, bill("S-W1", "E-W1", 3000 + version, version=version, person_id="W1"))
            assert f"{3000 + version}.00" == claim["decision"]["personal_burden"]
        same = client.post(WAIT, json=bill("S-W1", "E-W1", 3021, version=21, person_id="W1"))
        assert (200, "3021.00") == (same.status_code, same.json()["decision"]["personal_burden"])
        voided = settled(client, void("S-W1", "E-W1", version=22, person_id="W1"))
        assert "voided" == voided["state"]
        assert {"payment", "recovery"} == {each["kind"] for each in voided["instructions"]}


def test_the_answer_says_what_the_hospital_is_paid_back(site: Site) -> None:
    """Of what it took off the bill, what is due; the family is told what was taken off and what is still paid out."""
    covered(site, "A1")
    taken = [{"scheme_id": "village_mutual_aid", "amount": "100.00"}]
    with site.client(site.h1) as client:
        paid_back = settled(
            client, discharge("E-A1", person_id="A1"), bill("S-A1", "E-A1", 3000, person_id="A1", advances=taken)
        )
        assert [{**taken[0], "facility_id": "H1"}] == paid_back["facility_payments"]
        (sentences,) = [
            each["sentences"] for each in paid_back["explanation"] if each["scheme_id"] == "village_mutual_aid"
        ]
        assert "100.00" in sentences[-1]
        assert {"facility", "person"} == {each["payee"] for each in paid_back["instructions"]}
        corrected = settled(client, bill("S-A1", "E-A1", 3000, version=2, person_id="A1"))
        assert [] == corrected["facility_payments"]
        kinds = [(each["payee"], each["kind"]) for each in corrected["instructions"]]
        assert ("facility", "recovery") in kinds
        over = client.post(WAIT, json=bill("S-A1", "E-A1", 1, version=3, person_id="A1", advances=taken))
    assert (422, "ADVANCES_EXCEED_BURDEN") == (over.status_code, code(over))


def test_what_the_stream_refuses_after_the_door_is_told_to_who_waits(site: Site) -> None:
    """Kafka brings the same version with other content first: the one at the door is refused, and says so."""
    stop_s = site.stop("worker")
    assert stop_s >= 0
    post_to_kafka(site.bootstrap, [to_post(bill("S-R1", "E-R1", 4000, person_id="R1"))])
    with site.client(site.h1) as client:
        undecided = client.post("/v1/settlements", json=bill("S-R1", "E-R1", 5000, person_id="R1"))
        assert 202 == undecided.status_code
        assert await_true(lambda: site.waiting() == 0)
        site.start("worker")
        answer = client.post(WAIT, json=bill("S-R1", "E-R1", 5000, person_id="R1"))
    assert (409, "VERSION_CONFLICT") == (answer.status_code, code(answer))


def test_another_facility_sees_and_writes_nothing_of_a_claim(site: Site) -> None:
    """Against facts that came over Kafka too: not the claim, not its bill, not a quote on its encounter."""
    site_events = [discharge("E-F1", person_id="F1"), bill("S-F1", "E-F1", person_id="F1")]
    post_to_kafka(site.bootstrap, [to_post(each) for each in site_events])
    site.await_idle()
    with site.client(site.h2) as other, site.client(site.h1) as own, site.client(site.insurer) as insurer:
        assert 200 == own.get("/v1/claims/E-F1").status_code
        stolen = bill("S-F2", "E-F1", person_id="F1", facility_id="H2")
        answers = [
            other.get("/v1/claims/E-F1"),
            insurer.get("/v1/claims/E-F1"),
            other.post("/v1/events", json=void("S-F1", "E-F1", person_id="F1")),
            other.post("/v1/events", json=bill("S-F1", "E-F1", version=2, person_id="F1", facility_id="H2")),
            other.post("/v1/events", json=stolen),
            other.post(WAIT, json=stolen),
            other.post("/v1/quotes", json={"settlement": stolen}),
        ]
        assert [(403, "FORBIDDEN")] * len(answers) == [(each.status_code, code(each)) for each in answers]
        assert 202 == own.post("/v1/events", json=void("S-F1", "E-F1", person_id="F1")).status_code


def pages(client: httpx.Client, after: str | None, limit: int) -> tuple[list[Json], str | None]:
    """All instructions after a position, page by page, and the position behind them."""
    found: list[Json] = []
    more = True
    while more:
        params = {"limit": limit} | ({} if after is None else {"after": after})
        page = client.get("/v1/instructions", params=params).json()
        found += page["instructions"]
        after, more = page["next"], page["more"]
    return found, after


def test_an_insurer_reads_its_schemes_instructions_page_by_page_and_reports_on_them(site: Site) -> None:
    """In small pages and in large ones, each once; only its own; what comes later comes after; a report is shown."""
    covered(site, "I1", "member", "dibao")
    other = site.key(ApiRole.INSURER, "self_pay_assistance")
    with site.client(site.h1) as hospital, site.client(site.insurer) as mine, site.client(other) as others:
        settled(
            hospital,
            discharge("E-I1", person_id="I1"),
            bill("S-I1", "E-I1", 30_000, out_of_catalogue=20_000, person_id="I1"),
        )
        with site.client(site.key(ApiRole.INSURER, "self_pay_assistance", "village_mutual_aid")) as both:
            one_by_one, _ = pages(both, None, 1)
            whole, _ = pages(both, None, 1000)
        assert one_by_one == whole
        assert 2 == [each["claim_id"] for each in whole].count("E-I1")
        by_two, end = pages(mine, None, 2)
        at_once, _ = pages(mine, None, 1000)
        theirs, _ = pages(others, None, 100)
        assert by_two == at_once
        assert {"village_mutual_aid"} == {each["scheme_id"] for each in at_once}
        assert {"self_pay_assistance"} == {each["scheme_id"] for each in theirs}
        stored = site.rows("SELECT payout_id, scheme_id FROM instructions")
        assert sorted(each["payout_id"] for each in at_once + theirs) == sorted(row.payout_id for row in stored)
        assert [] == pages(mine, end, 10)[0]
        settled(hospital, bill("S-I1", "E-I1", 20_000, version=2, person_id="I1"))
        later, _ = pages(mine, end, 1)
        assert {"E-I1"} == {each["claim_id"] for each in later}
        payout = next(each for each in at_once if each["claim_id"] == "E-I1")
        paid = report(payout["payout_id"], person_id="I1")
        assert 403 == others.post("/v1/events", json=paid).status_code
        assert 202 == mine.post("/v1/events", json=paid).status_code

        def reported() -> bool:
            shown = hospital.get("/v1/claims/E-I1").json()["instructions"]
            return [each["report"]["status"] for each in shown if each["report"]] == ["paid"]

        assert await_true(reported), site.logs()
        for wrong in ("x", "W10", "bnVsbA", "%00"):
            answer = mine.get("/v1/instructions", params={"after": wrong})
            assert (422, "REQUEST_INVALID") == (answer.status_code, code(answer))


def test_keys_are_audited_and_end_when_they_should(site: Site) -> None:
    """Making, rotating and revoking each leave one audit entry with the operator, and no secret in the ledger."""
    now = datetime.now(UTC)
    first, token = create_key(site.engine, ApiRole.HOSPITAL, ["H7"], "n", "li.na", lambda: now)
    second, successor = rotate_key(site.engine, first.key_id, timedelta(hours=1), "wang", lambda: now)
    assert (first.lineage, ["H7"]) == (second.lineage, second.scope)
    for moment, live in ((now, (True, True)), (now + timedelta(hours=1), (False, True))):
        recognised = [api_keys.recognise(site.engine, each, lambda at=moment: at) for each in (token, successor)]  # type: ignore[misc]
        assert live == tuple(each is not None for each in recognised)
    revoke_key(site.engine, second.key_id, "lost", "li.na", lambda: now)
    assert api_keys.recognise(site.engine, successor, lambda: now) is None
    with site.client(successor) as client:
        assert 401 == client.get("/v1/claims/E1").status_code
    site.await_idle()
    told = [each.value for each in site.committed("audit.events") if each.value["kind"].startswith("key.")]
    mine = [each for each in told if each["subject"]["key_id"] in (first.key_id, second.key_id)]
    assert [
        ("key.created", "operator:li.na"),
        ("key.rotated", "operator:wang"),
        ("key.revoked", "operator:li.na"),
    ] == [(each["kind"], each["actor"]) for each in mine]
    with site.engine.connect() as connection:
        held = json.dumps([key._asdict() for key in all_keys(connection)], default=str)
    secrets = [each.split("_", 2)[2] for each in (token, successor)]
    everything = held + json.dumps(told) + "".join(str(row) for row in site.rows("SELECT value FROM events"))
    assert not any(secret in everything for secret in secrets)
