"""What is said about schemes for incidents and aid, sums assured and products that do not fit together."""

from __future__ import annotations

import pytest

from schemas.policy.doubts import warnings
from schemas.policy.model import Policies
from schemas.policy.policy_file import PolicyError, parse_policy
from tests.support.assured import ACCIDENT, AID, ASSURED, LOSS, NURSING
from tests.support.builders import policy_text
from tests.support.paths import SAMPLES

WRONG = [
    (ACCIDENT, "trigger", "triger", ["is not a field of [[scheme]]: did you mean trigger?"]),
    (ACCIDENT, 'trigger = "incident"\n', 'trigger = "accident"\n', ['"accident" is not allowed']),
    (ACCIDENT, 'programme = "village_mutual_aid"\n', "", ["programme: is missing: add programme ="]),
    (ACCIDENT, 'fixed = "5000.00"', "", ["tier.1.brackets: is missing: add brackets ="]),
    (ACCIDENT, 'fixed = "5000.00"', 'fixed = "1"\nper_day = "1"', ["per_day: does not go with fixed"]),
    (ACCIDENT, 'fixed = "5000.00"', 'fixed = "1"\nfrom_day = 2', ["from_day: goes only with per_day"]),
    (ACCIDENT, 'fixed = "5000.00"', "by_degree = 5", ["by_degree: is not a table: write it as by_degree = {"]),
    (ACCIDENT, 'fixed = "5000.00"', 'by_degree = { "1" = "-1" }', ["by_degree.1: is below 0"]),
    (ACCIDENT, "[[scheme.tier]]", 'threshold = "1"\n[[scheme.tier]]', ["threshold: is only for schemes whose tiers"]),
    (ACCIDENT, "[[scheme.tier]]", 'care_types = ["inpatient"]\n[[scheme.tier]]', ['with trigger = "incident"']),
    (LOSS, 'basis = "verified_loss"\n', "", ["scheme.1.basis: is missing"]),
    (LOSS, '"verified_loss"', '"copay"', ["is nothing that an incident has"]),
    (LOSS, 'trigger = "incident"\n', "", ["basis: is only for incidents"]),
    (NURSING, "from_day = 2", "from_day = 0", ["from_day: is not a number of days: write a whole number from 1"]),
    (NURSING, "[[scheme.tier]]", 'incident_kinds = ["a"]\n[[scheme.tier]]', ['with trigger = "stay"']),
    (AID, "levels = { city", "level = { city", ["level: is not a field of [[scheme]]: did you mean levels?"]),
    (AID, 'trigger = "aid"\n', 'trigger = "aid"\nbasis = "copay"\n', ['basis: does not go with trigger = "aid"']),
    (AID, 'trigger = "aid"\n', 'trigger = "aid"\nprogramme = "aid"\n', ['programme: does not go with trigger = "aid"']),
]


def problems(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        parse_policy(text, "city.toml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(("scheme", "before", "after", "said"), WRONG, ids=[f"{each[2]!r}"[:40] for each in WRONG])
def test_what_does_not_fit_together_is_named(scheme: str, before: str, after: str, said: list[str]) -> None:
    """With the field, and what to write instead."""
    assert before in scheme
    told = problems(policy_text("assured", "2020-01-01", None, scheme.replace(before, after, 1)))
    for part in said:
        assert any(part in each for each in told), told


def test_a_product_names_schemes_that_are_there() -> None:
    """One table, or one for each product; it changes no payment, but the SHA-256."""
    one = ASSURED.replace("[[scheme]]", '[product]\nid = "cifu"\ntitle = "慈福"\n\n[[scheme]]', 1)
    (product,) = parse_policy(one).products
    assert ("cifu", "慈福", None) == (product.id, product.title, product.schemes)
    assert parse_policy(one).sha256 == parse_policy(one.replace("[product]", "[[product]]")).sha256
    assert parse_policy(one).sha256 != parse_policy(ASSURED).sha256
    named = one.replace('title = "慈福"', 'title = "慈福"\nschemes = ["aid", "nowhere"]')
    (said,) = problems(named)
    assert 'product "cifu" names the scheme "nowhere", which this policy does not have' in said


def test_what_a_published_policy_says_keeps_its_hash() -> None:
    """Of schemes for stays with brackets every byte of the canonical form is as before there were other occasions."""
    text = policy_text(
        "p", "2020-01-01", None, LOSS.replace('trigger = "incident"\n', "").replace("verified_loss", "copay")
    )
    policy = parse_policy(text)
    assert (
        b'{"effective_from":"2020-01-01","id":"p","scheme":[{"accumulates":"stay","basis":"copay","id":"loss",'
        b'"measured_on":"billed","programme":"village_mutual_aid","tier":[{"brackets":[{"over":"100.00","rate":"0.5"}],'
        b'"categories":["member"],"name":"member"}]}],"status":"sample"}'
    ) == policy.canonical
    assert frozenset() == Policies((policy,)).life_schemes


def test_each_product_has_a_sample_that_says_so() -> None:
    """Nine and three products, nursing insurance and temporary aid: samples that publish nothing as a regulation."""
    files = sorted((SAMPLES / "products").glob("*.toml"))
    assert (12, 14) == (sum(file.name.startswith("cifu-") for file in files), len(files))
    for file in files:
        text = file.read_text("utf-8")
        policy = parse_policy(text, file.name)
        assert (file.stem, "sample") == (policy.id, policy.status)
        assert policy.title.endswith("(示例)")
        assert text.startswith("# SAMPLE. ")
        assert [] == warnings(policy, text, file.name)
    assert 12 == len({parse_policy(file.read_text("utf-8")).products for file in files if "cifu" in file.name})
