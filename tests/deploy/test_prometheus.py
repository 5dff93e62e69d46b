"""The alert rules and the dashboard, by Prometheus' own tool, and against the names of the metrics."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from driftwatch.metrics.names import METRICS, PREFIX

NAMES = {PREFIX + metric.name for metric in METRICS} | {"driftwatch_monitor_readable"}
promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (apt-get install prometheus)"
)


def run(root: Path, *words: str) -> None:
    done = subprocess.run(
        ["promtool", *words], cwd=root / "deploy/prometheus", capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def expressions(root: Path) -> list[str]:
    board = json.loads((root / "deploy/grafana/driftwatch.json").read_text(encoding="utf-8"))
    return [target["expr"] for panel in board["panels"] for target in panel["targets"]]


def named(text: str) -> set[str]:
    return set(re.findall(r"\bdriftwatch_\w+", text))


@promtool
def test_prometheus_takes_the_rules_and_each_alerts_when_it_should(root) -> None:
    run(root, "check", "rules", "rules.yaml")
    run(root, "test", "rules", "rules_test.yaml")
    run(root, "check", "config", "--syntax-only", "prometheus.yaml")


@promtool
def test_prometheus_takes_every_question_of_the_dashboard(root, tmp_path) -> None:
    asked = [{"record": f"panel:{number}", "expr": text} for number, text in enumerate(expressions(root))]
    (tmp_path / "asked.yaml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": asked}]}))
    run(root, "check", "rules", str(tmp_path / "asked.yaml"))


def test_rules_and_dashboard_ask_for_metrics_that_there_are_and_no_panel_is_on_another(root) -> None:
    rules = yaml.safe_load((root / "deploy/prometheus/rules.yaml").read_text(encoding="utf-8"))["groups"][0]["rules"]
    assert set().union(*(named(rule["expr"]) for rule in rules)) <= NAMES
    shown = set().union(*map(named, expressions(root)))
    assert shown == NAMES
    board = json.loads((root / "deploy/grafana/driftwatch.json").read_text(encoding="utf-8"))
    taken = [
        (x, y)
        for at in (panel["gridPos"] for panel in board["panels"])
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24


def test_the_page_in_the_documentation_has_each_metric_with_its_labels(root) -> None:
    page = (root / "docs/operate/metrics.md").read_text(encoding="utf-8")
    for metric in METRICS:
        labels = ", ".join(f"`{label}`" for label in metric.labels) or "–"
        assert f"| `{PREFIX}{metric.name}` | {labels} |" in page, metric.name
