"""What docs/labels.md shows is a valid section `labels`, and each backend of the house is shown."""

from __future__ import annotations

import re

import pytest
import yaml

from driftwatch.config import LabelsConfig
from driftwatch.labels.backends.base import SEAM

from .pages import ROOT

YAML = re.findall(r"^```yaml\n(.*?)^```", (ROOT / "docs/labels.md").read_text(encoding="utf-8"), flags=re.S | re.M)


@pytest.mark.parametrize("text", YAML)
def test_each_section_that_the_page_shows_is_valid(text):
    LabelsConfig.model_validate(yaml.safe_load(text)["labels"])


def test_the_table_of_the_page_has_every_backend():
    page = (ROOT / "docs/labels.md").read_text(encoding="utf-8")
    for name in (*SEAM.built_in, "table", "none"):
        assert f"`backend: {name}`" in page
