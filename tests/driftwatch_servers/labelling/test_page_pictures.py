"""The picture on the labelling page: a closer look, and what happens when it does not come."""

from __future__ import annotations

import re
from typing import Any

from .day import Day, Site
from .pages import Open, at_failed, choose


def test_an_image_is_looked_at_closer_by_key_wheel_and_mouse_until_the_next_one_comes(at: Open) -> None:
    ana = at(Site(Day()), reduced_motion="reduce")
    page, image = ana.page, ana.page.locator("#work img")

    def scale() -> float:
        return round(page.evaluate("new DOMMatrix(document.querySelector('#work img').style.transform).a"), 2)

    def left() -> float:
        return float(page.evaluate("new DOMMatrix(document.querySelector('#work img').style.transform).e"))

    assert page.evaluate("getComputedStyle(document.querySelector('#work img')).transitionDuration") == "0s"
    page.keyboard.press("z")
    assert (scale(), page.locator("#zoom").get_attribute("aria-pressed")) == (2.5, "true")
    before = left()
    page.keyboard.press("ArrowRight")
    assert left() < before
    for _ in range(60):
        page.keyboard.press("ArrowLeft")
    assert left() == 0  # the image does not leave its frame
    page.keyboard.press("Escape")
    assert scale() == 1
    page.keyboard.press("+")
    assert scale() == 1.25
    page.keyboard.press("-")
    assert scale() == 1
    image.click()
    assert scale() == 2.5
    before, box = left(), page.locator(".frame").bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 260, box["y"] + 100, steps=3)
    page.mouse.up()
    assert (scale(), left() - before) == (2.5, 60)  # a drag is no click
    choose(ana, "cat")
    assert (scale(), page.locator("#zoom").get_attribute("aria-pressed")) == (1, "false")
    page.mouse.wheel(0, -100)
    ana.until("new DOMMatrix(document.querySelector('#work img').style.transform).a === 1.25")


def test_an_image_that_does_not_come_takes_no_answer_but_unclear_and_its_new_link_is_asked_for(at: Open) -> None:
    site = Site(Day(tasks=3), lost={"0": 0, "1": 0})
    ana = at_failed(at, site)
    assert "cannot be shown" in ana.text(".missing")
    assert "choose “unclear”, or skip the page" in ana.text(".missing")
    assert ana.violations() == []
    ana.page.keyboard.press("1")
    assert ana.page.locator(".answers button:enabled").all_inner_texts() == ["unclear 3"]
    assert site.day.given() == {}
    choose(ana, "unclear")
    assert ana.number == "1"
    ana.shown("failed")
    site.day.link = 1  # links were renewed
    ana.page.keyboard.press("r")
    ana.shown()
    choose(ana, "cat")
    assert site.day.given() == {"0": "unclear", "1": "cat"}


def test_an_image_that_takes_long_may_be_called_unclear_and_is_answered_when_it_has_come(at: Open) -> None:
    site = Site(Day(tasks=5))
    ana = at(site)
    ana.page.clock.install()
    held: list[Any] = []
    ana.page.route(re.compile("/images/[34].png"), lambda route: held.append(route))
    for _ in range(2):
        choose(ana, "cat")
    ana.page.keyboard.press("1")
    ana.shown("loading")
    ana.page.keyboard.press("1")
    ana.until("message.textContent.startsWith('The image is still loading')")
    ana.page.clock.run_for(10_000)
    ana.shown("slow")
    assert ana.page.locator(".answers button:enabled").all_inner_texts() == ["unclear 3"]
    for route in held:
        route.continue_()
    ana.shown()
    choose(ana, "dog")
    assert site.day.given() == {"0": "cat", "1": "cat", "2": "cat", "3": "dog"}
