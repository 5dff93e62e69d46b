"""The blocks of the pages that are no commands: Python is sound, YAML and JSON are whole, and what the pages for operation show of a monitor file is allowed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from textwrap import dedent

import pytest
import yaml
from tests.stores import SMALLEST

from driftwatch.config.execution import FOR_ALL, ExecutionConfig
from driftwatch.config.loader import load_monitor

from .pages import PAGES, ROOT, name_of

_BLOCK = re.compile(r"^ *```(python|yaml|json)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)


def blocks(page: Path, *kinds: str) -> list[str]:
    found = _BLOCK.findall(page.read_text(encoding="utf-8"))
    return [dedent(text) for kind, text in found if kind in kinds]


WITH_CODE = [page for page in PAGES if blocks(page, "python", "yaml", "json")]
OPERATE = [page for page in sorted((ROOT / "docs/operate").glob("*.md")) if blocks(page, "yaml")]


@pytest.mark.parametrize("page", WITH_CODE, ids=name_of)
def test_the_code_of_a_page_is_sound(page: Path) -> None:
    for text in blocks(page, "python"):
        compile(text, name_of(page), "exec")
    for text in blocks(page, "yaml"):
        yaml.safe_load(text)
    for text in blocks(page, "json"):
        json.loads(text)


@pytest.mark.parametrize("page", OPERATE, ids=name_of)
def test_what_a_page_shows_of_a_monitor_file_is_allowed(page: Path, tmp_path: Path) -> None:
    for text in blocks(page, "yaml"):
        shown = yaml.safe_load(text)
        of_all = set(shown) <= set(ExecutionConfig.model_fields)  # execution.yaml
        (tmp_path / FOR_ALL).write_text(text if of_all else "{}", encoding="utf-8")
        named = {*shown, *(["annotation"] if "labels" in shown else [])}  # that section's old name
        rest = {name: value for name, value in SMALLEST.items() if name not in named}
        (tmp_path / "demo.yaml").write_text(yaml.safe_dump(rest) + ("" if of_all else text), encoding="utf-8")
        load_monitor(tmp_path / "demo.yaml")


def test_a_profile_of_the_local_sink_is_read_as_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import whylogs

    (code,) = blocks(ROOT / "docs/operate/whylabs.md", "python")
    (place,) = re.findall(r'"(profiles/[^"]+)"', code)
    file = tmp_path / place
    file.parent.mkdir(parents=True)
    whylogs.log({"image.Brightness.mean": 117.0}).view().write(str(file))
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "whylabs.md", "exec"), {})
