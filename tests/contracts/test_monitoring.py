"""Metrics, alerting rules and dashboard hold together, and docs/operations.md lists them as they are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.settings import Settings
from schemas.metrics import OTHER, Label, Metric, MetricKind, Process, told
from schemas.outbound import AlertCode
from schemas.refusals import RefusalCode
from schemas.topics import INBOUND, OUTBOUND
from tests.support.headings import anchors
from tests.support.paths import REPOSITORY
from tests.support.promtool import checked, promtool

OPERATIONS = REPOSITORY / "docs" / "operations.md"
MONITORING = REPOSITORY / "infra" / "monitoring"
RULES_FILE = MONITORING / "huzhu-alerts.yml"
STORIES = Path(__file__).parent / "alert_stories.yml"
RULES: list[dict[str, Any]] = yaml.safe_load(RULES_FILE.read_text("utf-8"))["groups"][0]["rules"]
DASHBOARD: dict[str, Any] = json.loads((MONITORING / "huzhu-dashboard.json").read_text("utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
SHOWN = [target["expr"] for panel in PANELS for target in panel["targets"]]
EXPRESSIONS = [*SHOWN, *(rule["expr"] for rule in RULES)]
SERIES = {
    f"{metric.form.name}{part}": metric
    for metric in Metric
    for part in (("_bucket", "_sum", "_count") if metric.form.kind is MetricKind.HISTOGRAM else ("",))
}
BY_PROMETHEUS = {"le", "job", "instance"}


def named(expressions: list[str]) -> set[str]:
    return set(re.findall(r"\bhuzhu_\w+", " ".join(expressions)))


def test_rules_and_dashboard_name_only_what_is_told() -> None:
    """Every series in an expression is one of the table of metrics."""
    assert set() == named(EXPRESSIONS) - SERIES.keys()


def test_the_dashboard_shows_every_metric() -> None:
    """Nothing is told that nobody would see."""
    assert set() == set(Metric) - {SERIES[series] for series in named(SHOWN)}


def test_rules_and_dashboard_divide_only_by_labels_that_there_are() -> None:
    """A misspelt label would make one series of all, and nobody would see it."""
    text = " ".join(EXPRESSIONS)
    groups = re.findall(r"\b(?:by|on) \(([^)]*)\)", text) + re.findall(r"(\w+)=\"", text)
    used = {label.strip() for group in groups for label in group.split(",")}
    named_in = " ".join(target["legendFormat"] for panel in PANELS for target in panel["targets"])
    legends = set(re.findall(r"{{(\w+)}}", named_in))
    assert len(groups) > 10
    assert set() == (used | legends) - {label.value for label in Label} - BY_PROMETHEUS


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_rule_leads_to_its_runbook(rule: dict[str, Any]) -> None:
    """To a heading of the page for operators, with a sentence in both languages and how bad it is."""
    page, _, heading = rule["annotations"]["runbook"].partition("#")
    assert REPOSITORY / page == OPERATIONS
    assert heading in anchors(OPERATIONS)
    assert re.search(r"[\u4e00-\u9fff].* / [a-z]", rule["annotations"]["summary"])
    assert rule["labels"]["severity"] in ("critical", "warning", "info")


def test_the_rules_say_what_the_stories_tell() -> None:
    """Each rule fires when its trouble is there, and none when all is well: Prometheus's own program says so."""
    program = promtool()
    if program is None:
        pytest.skip("promtool is missing here: apt-get install prometheus")
    assert "" == checked(program, "check", "rules", RULES_FILE)
    assert "" == checked(program, "test", "rules", STORIES)


def test_every_rule_has_a_story() -> None:
    """A rule that nobody has seen firing may never do so."""
    stories = STORIES.read_text("utf-8")
    assert [] == [rule["alert"] for rule in RULES if f'alertname="{rule["alert"]}"' not in stories]


def test_the_page_for_operators_lists_the_metrics_as_they_are() -> None:
    """Name, kind, labels, processes and meaning, in the order of the table; no other is named anywhere on the page."""
    page = OPERATIONS.read_text("utf-8")
    rows = re.findall(r"^\| `(huzhu_\w+)` \| (\w+) \| ([^|]*) \| ([^|]+) \| ([^|]+) \|$", page, re.MULTILINE)
    assert [
        (
            metric.form.name,
            metric.form.kind.value,
            ", ".join(f"`{label}`" for label in metric.form.labels),
            "all" if metric.form.told_by == tuple(Process) else ", ".join(metric.form.told_by),
            metric.form.help,
        )
        for metric in Metric
    ] == rows
    assert set() == set(re.findall(r"`(huzhu_\w+)`", page)) - {metric.form.name for metric in Metric}


def test_every_process_has_a_setting_for_its_port() -> None:
    """It is off unless somebody sets it."""
    ports = {name: getattr(Settings(), name) for name in Settings.model_fields if name.endswith("_metrics_port")}
    assert {f"{process}_metrics_port": None for process in Process} == ports


def test_names_say_what_prometheus_expects() -> None:
    """Counters end in _total, times in _seconds, and what ends so is one."""
    for metric in Metric:
        name, kind, unit = metric.form[:3]
        assert name.endswith("_total") == (kind is MetricKind.COUNTER)
        assert name.endswith("_seconds") == (unit == "s")
        assert (metric.form.bounds != ()) == (kind is MetricKind.HISTOGRAM)


@pytest.mark.parametrize(
    ("label", "value"),
    [
        (Label.SHARD, "256"),
        (Label.SHARD, "-1"),
        (Label.SHARD, "1.5"),
        (Label.SHARD, "²"),
        (Label.SHARD, "32028219900307001X"),
        (Label.TOPIC, OUTBOUND[0].name),
        (Label.TOPIC, "P1"),
        (Label.CODE, "张三"),
        (Label.CODE, ""),
    ],
)
def test_a_label_has_no_value_beyond_its_set(label: Label, value: str) -> None:
    """Whatever a caller hands over, a monitor is told "other"."""
    assert OTHER == told(label, value)


def test_a_label_says_each_value_of_its_set() -> None:
    """Shards, inbound topics, codes of refusals and alerts."""
    assert ["0", "255"] == [told(Label.SHARD, shard) for shard in (0, 255)]
    assert [topic.name for topic in INBOUND] == [told(Label.TOPIC, topic.name) for topic in INBOUND]
    codes = [*RefusalCode, *AlertCode]
    assert codes == [told(Label.CODE, code) for code in codes]
