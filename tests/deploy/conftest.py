"""docker-compose.yaml and .env.example, read once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml


@pytest.fixture(scope="module")
def compose_file(root: Path) -> Path:
    return root / "docker-compose.yaml"


@pytest.fixture(scope="module")
def services(compose_file: Path) -> dict[str, dict[str, Any]]:
    return yaml.safe_load(compose_file.read_text())["services"]


@pytest.fixture(scope="module")
def example(root: Path) -> dict[str, str]:
    lines = (root / ".env.example").read_text().splitlines()
    pairs = (line.split("=", 1) for line in lines if re.match(r"\w+=", line))
    return {name: value.strip("'") for name, value in pairs}
