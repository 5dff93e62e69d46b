"""docs/table.md: each of its sections of the monitor file is allowed, and the whole file with it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from tests.stores import SMALLEST

from driftwatch.config import MonitorConfig

PAGE = (Path(__file__).parents[2] / "docs/table.md").read_text(encoding="utf-8")
YAML = re.findall(r"^```yaml\n(.*?)^```", PAGE, flags=re.S | re.M)
PLAIN = {name: value for name, value in SMALLEST.items() if name != "annotation"}


@pytest.mark.parametrize("text", YAML)
def test_each_section_labels_is_allowed(text):
    monitor = MonitorConfig.model_validate({**PLAIN, "classes": ["ok", "defect"], **yaml.safe_load(text)})
    assert monitor.labels.backend in ("table", "none")


def test_every_way_is_shown():
    found = [yaml.safe_load(text)["labels"] for text in YAML]
    assert [section["backend"] for section in found] == ["table", "table", "table", "none"]
    assert {section["table"]["covers"] for section in found[:3]} >= {"all", "random"}
    assert found[2]["check_with"] == "label_studio"
