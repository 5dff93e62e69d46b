"""docs/label-studio.md: its section of the monitor file is allowed, and its compose file is one."""

from __future__ import annotations

import json
import re
from pathlib import Path
from textwrap import dedent

import yaml
from tests.label_studio_server.running import VERSION

from driftwatch.config import LabelsConfig

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/label-studio.md").read_text(encoding="utf-8")
SECTION, COMPOSE = (
    yaml.safe_load(dedent(text)) for text in re.findall(r"^ *```yaml\n(.*?)^ *```", PAGE, flags=re.S | re.M)
)


def test_its_section_of_the_monitor_file_is_allowed():
    labels = LabelsConfig.model_validate(SECTION["labels"])
    assert (labels.people, labels.connection_id, labels.by_hour) == ("label_studio", "label_studio_default", True)


def test_its_server_is_the_version_that_is_tested_and_sends_nothing_home():
    server = COMPOSE["services"]["label-studio"]
    assert server["image"].partition(":")[2] == VERSION
    assert f"Label Studio {VERSION}" in PAGE
    said = server["environment"]
    assert (said["COLLECT_ANALYTICS"], said["SENTRY_DSN"], said["LATEST_VERSION_CHECK"]) == ("false", "", "false")


def test_its_connection_is_one():
    (text,) = re.findall(r"AIRFLOW_CONN_LABEL_STUDIO_DEFAULT='(.*)'", PAGE)
    assert json.loads(text)["conn_type"] == "label_studio"
