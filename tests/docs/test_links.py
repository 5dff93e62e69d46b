"""Each link of README.md and docs/ to a file of the repository leads to one, and each to a heading to one of that page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .pages import PAGES, ROOT, name_of

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"```.*?```", re.DOTALL)
# `include/driftwatch/images`; and files by the end of their path, such as `images/features.py`.
_PLACE = re.compile(r"`((?:include|plugins|tests|docs|dags|bench|deploy)/[\w./-]+)`")
_MODULE = re.compile(r"`((?:\w+/)+\w+\.py)`")
_MODULES = [
    f"/{path.relative_to(ROOT).as_posix()}"
    for top in ("include", "plugins", "tests", "bench", "dags")
    for path in (ROOT / top).rglob("*.py")
]


def links(page: Path) -> list[str]:
    found = _LINK.findall(_CODE.sub("", page.read_text(encoding="utf-8")))
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def anchor(heading: str) -> str:
    """The name that GitHub gives to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def test_the_pages_have_links():
    assert len(links(ROOT / "README.md")) > 10


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_each_link_leads_somewhere(page):
    broken = []
    for link in links(page):
        place, _, part = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE) if part else []
        if not target.exists() or (part and part not in map(anchor, headings)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_each_file_that_a_page_names_exists(page):
    text = _CODE.sub("", page.read_text(encoding="utf-8"))
    assert [name for name in _PLACE.findall(text) if not (ROOT / name).exists()] == []
    assert [name for name in _MODULE.findall(text) if not any(path.endswith(f"/{name}") for path in _MODULES)] == []
