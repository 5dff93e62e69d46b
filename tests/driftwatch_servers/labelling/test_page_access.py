"""The labelling page is for everybody: axe-core, light and dark, and the keyboard alone."""

from __future__ import annotations

import pytest

from .day import Day, Site
from .pages import MANY, Open
from .visitor import NARROW


@pytest.mark.parametrize(
    "scheme", ["light", pytest.param("dark", marks=pytest.mark.all_faults("one theme is in the plain suite"))]
)
def test_the_page_breaks_no_rule_of_axe_core(at: Open, scheme: str) -> None:
    few = at(Site(Day()), color_scheme=scheme)
    assert few.violations() == []
    few.page.keyboard.press("i")
    assert few.text("#instructions > div") == "Choose the larger one."
    assert few.page.evaluate("window.hacked") is None
    assert few.violations() == []
    few.page.keyboard.press("Escape")
    few.page.keyboard.press("s")
    few.until("sure.open")
    assert few.violations() == []
    few.page.keyboard.press("Escape")
    few.page.locator("#leave").click()
    few.until("document.activeElement.closest('#pools')")
    assert few.violations() == []
    few.page.locator("#logout").click()
    few.until("document.activeElement.id === 'token'")
    assert few.violations() == []
    many = at(Site(Day(MANY)), color_scheme=scheme)
    assert many.violations() == []
    many.page.keyboard.press("/")
    many.page.keyboard.type("kind 0")
    assert many.violations() == []


def test_all_of_the_page_is_reached_with_the_tab_key_and_the_focus_stays_from_image_to_image(at: Open) -> None:
    ana = at(Site(Day()), viewport=NARROW)
    reached = {}
    for _ in range(12):
        ana.page.keyboard.press("Tab")
        name, outline = ana.page.evaluate(
            "[document.activeElement.textContent.trim(), getComputedStyle(document.activeElement).outlineStyle]"
        )
        if len(name) < 40:  # else it is the whole page, between the last and the first
            reached[name] = outline
    wanted = ["Instructions i", "Log out", "cat 1", "dog 2", "unclear 3", "Undo u", "Zoom z", "Skip the page s", "Other pools"]  # fmt: skip
    assert reached == dict.fromkeys(wanted, "solid")
    ana.page.locator(".answers button").first.focus()
    ana.type(" ")
    assert ana.page.evaluate("document.activeElement.textContent") == "cat 1"
