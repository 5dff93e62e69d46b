"""Each picture of the pages is made by `make pictures`, in light and dark, and each that it makes is shown."""

from __future__ import annotations

import re

import pytest
from docs_site.pictures import IMAGES, OF_A_RUN, PAGES, REPORT, SCHEMES

from .pages import PAGES as TEXTS
from .pages import ROOT

MADE = {**PAGES, **OF_A_RUN}
SHOWN = {
    name
    for page in TEXTS
    for name in re.findall(r"\]\((?:docs/|\.\./)?images/([^)]+)\)", page.read_text(encoding="utf-8"))
}


def test_the_pages_show_what_the_script_makes_and_nothing_else():
    assert {f"{name}.png" for name in MADE} | {REPORT} == SHOWN


@pytest.mark.parametrize("name", MADE)
def test_a_picture_is_there_in_light_and_dark(name):
    for ending in SCHEMES.values():
        assert (IMAGES / f"{name}{ending}.png").read_bytes().startswith(b"\x89PNG")


def test_no_picture_lies_about_that_the_script_does_not_make():
    kept = {path.name for path in IMAGES.iterdir()}
    assert kept == {f"{name}{ending}.png" for name in MADE for ending in SCHEMES.values()} | {REPORT}


def test_the_report_that_is_shown_needs_nothing_from_elsewhere_and_names_no_machine():
    text = (ROOT / "docs/images" / REPORT).read_text(encoding="utf-8")
    assert not re.search(r'(src|href)="(https?|file):', text)
    assert "/tmp/" not in text
