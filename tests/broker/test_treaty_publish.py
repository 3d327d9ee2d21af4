"""`huzhu treaty publish` and `show` on a real ledger and broker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from infra.kafka import topic_setup
from infra.settings import Settings
from schemas.topics import insurer_topic
from tests.support.builders import SHARDS
from tests.support.processes import huzhu
from tests.support.spine import Spine
from tests.support.treaties import VILLAGE, treaty_text


@pytest.fixture
def spine(kafka: str, postgres_url: str) -> Iterator[Spine]:
    """A ledger that belongs to the broker, with the sample policy."""
    with Spine(kafka, postgres_url) as spine:
        spine.publish()
        yield spine


def published(spine: Spine, file: Path, *words: str, bootstrap: str | None = None) -> CompletedProcess[str]:
    given = (str(file), "--operator", "li.na", "--language", "en", *words)
    return huzhu(
        "treaty",
        "publish",
        *given,
        HUZHU_DATABASE_URL=spine.url,
        HUZHU_KAFKA_BOOTSTRAP=bootstrap or spine.bootstrap,
        HUZHU_SHARDS=str(SHARDS),
    )


def shown(spine: Spine) -> list[str]:
    told = huzhu("treaty", "show", "--json", HUZHU_DATABASE_URL=spine.url).stdout
    return [each["treaty_id"] for each in json.loads(told)["treaties"]]


def test_a_treaty_is_published_with_its_leads_topic(spine: Spine, tmp_path: Path) -> None:
    """Once; it is shown before, a script is not asked, an overlap is refused, and what is published can be shown."""
    first, second = tmp_path / "first.toml", tmp_path / "second.toml"
    first.write_text(treaty_text("t1", "insurer-of-this-test", schemes=(VILLAGE, "village_mutual_ade")))
    second.write_text(treaty_text("t2", "insurer-b", "2024-12-31", "2026-01-01"))
    unasked = published(spine, first)
    assert unasked.returncode == 2
    assert "Nothing was published" in unasked.stderr
    done = published(spine, first, "--yes")
    assert (0, True) == (done.returncode, "Published t1." in done.stdout), done.stderr
    assert 'no published policy has the scheme "village_mutual_ade"' in done.stderr
    topic = insurer_topic("insurer-of-this-test")
    assert [] == topic_setup.check(spine.bootstrap, Settings(shards=SHARDS), [topic])
    again = published(spine, first, "--yes")
    assert (0, "Already published, nothing to do.\n") == (again.returncode, again.stdout)
    overlapping = published(spine, second, "--yes")
    assert overlapping.returncode == 2
    assert "t1" in overlapping.stderr
    assert "2024-12-31" in overlapping.stderr
    assert ["t1"] == shown(spine)


def test_a_file_that_cannot_be_read_is_said(spine: Spine, tmp_path: Path) -> None:
    """In a sentence that names the file."""
    (tmp_path / "latin.toml").write_bytes("título".encode("latin-1"))
    for name in ("nowhere.toml", "latin.toml"):
        done = published(spine, tmp_path / name, "--yes")
        assert (2, False) == (done.returncode, "Traceback" in done.stderr), done.stderr
        assert name in done.stderr


def test_a_topic_that_the_relay_could_not_write_to_is_noticed(spine: Spine, tmp_path: Path) -> None:
    """Somebody made it with fewer partitions: nothing is published."""
    topic = insurer_topic("insurer-with-a-wrong-topic")
    topic_setup.apply(spine.bootstrap, Settings(shards=1), [topic])
    file = tmp_path / "treaty.toml"
    file.write_text(treaty_text("t1", "insurer-with-a-wrong-topic"))
    done = published(spine, file, "--yes")
    assert done.returncode == 2
    assert "Nothing was published" in done.stderr
    assert "number of partitions is 1" in done.stderr
    assert [] == shown(spine)


def test_a_treaty_without_an_end_is_warned_of(spine: Spine, tmp_path: Path) -> None:
    """And a sample; both before the question."""
    file = tmp_path / "treaty.toml"
    file.write_text(treaty_text().replace("effective_to = 2025-01-01\n", ""))
    told = published(spine, file).stderr
    assert "no other treaty can ever follow" in told
    assert 'status: is "sample"' in told
    assert [] == shown(spine)


def test_without_kafka_nothing_is_published(spine: Spine, tmp_path: Path) -> None:
    """A treaty in force whose topic is missing would keep the relay from sending."""
    file = tmp_path / "treaty.toml"
    file.write_text(treaty_text())
    done = published(spine, file, "--yes", bootstrap="127.0.0.1:1")
    assert done.returncode == 75
    assert "Nothing was published" in done.stderr
    assert [] == shown(spine)
