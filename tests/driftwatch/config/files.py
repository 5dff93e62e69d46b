"""Monitor files with one thing wrong, and what is said of them, for the tests of this package."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from driftwatch.config.loader import load_monitor
from driftwatch.errors import ConfigError

VALID: dict[str, Any] = {
    "name": "cats_vs_dogs",
    "classes": ["cat", "dog"],
    "schedule": {"start_date": "2026-01-01"},
    "storage": {"uri": "s3://bucket/driftwatch"},
    "annotation": {"project_name": "Cat or dog?", "question": "Which?", "instructions": "<p>Look.</p>"},
}


def write(folder: Path, changes: dict[str, Any] | None = None, without: str | None = None) -> Path:
    """A valid monitor file with some settings changed; keys are dotted, as in the messages."""
    settings = copy.deepcopy(VALID)
    for dotted, value in (changes or {}).items():
        *sections, field = dotted.split(".")
        target = settings
        for section in sections:
            target = target.setdefault(section, {})
        target[field] = value
    if without:
        *sections, field = without.split(".")
        target = settings
        for section in sections:
            target = target[section]
        del target[field]
    path = folder / "monitor.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


def refusal(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load_monitor(path)
    return str(caught.value)


def assert_refused(folder: Path, changes: dict[str, Any], field: str, allowed: str) -> None:
    """The message names the file, the field, and what is allowed."""
    path = write(folder, changes)
    message = refusal(path)
    assert str(path) in message
    assert field in message
    assert allowed in message
