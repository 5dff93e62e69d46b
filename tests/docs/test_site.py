"""The site of `make docs-site` has every page, and is built without a warning where MkDocs is installed."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from .pages import ROOT

SITE = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
NAV = re.findall(r"^ +- .*: (\S+\.md)$", SITE, flags=re.MULTILINE)
MADE = {"index.md", "decisions/index.md", "benchmarks/judgement/index.md"}  # by docs_site/hooks.py
PYTHON = ROOT / "var/docs-site-env/bin/python"


def test_each_page_but_decisions_and_benchmarks_stands_in_the_navigation_once():
    docs = ROOT / "docs"
    pages = {path.relative_to(docs).as_posix() for path in docs.rglob("*.md")}
    assert sorted(NAV) == sorted(MADE | {page for page in pages if not page.startswith(("decisions/", "benchmarks/"))})


@pytest.mark.slow
@pytest.mark.skipif(not PYTHON.exists(), reason="MkDocs is not installed: make docs-site installs it")
def test_the_site_is_built_without_a_warning_and_asks_nobody_for_anything(tmp_path: Path):
    command = [PYTHON, "-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path / "site"]
    told = subprocess.run(command, cwd=ROOT, env={"NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    home = (tmp_path / "site/index.html").read_text(encoding="utf-8")
    assert "I want to" in home
    outside = [
        (path.name, found)
        for path in (tmp_path / "site").rglob("*.html")
        for found in re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(https?:[^"]+)"', path.read_text("utf-8"))
    ]
    assert outside == []
