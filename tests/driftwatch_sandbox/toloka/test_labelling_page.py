"""The labelling page in a browser: a pool by keyboard alone, nothing lost when it is closed."""

from __future__ import annotations

import time
from typing import Any

import pytest

from driftwatch.config import MonitorConfig

from ..people import ANSWERS, TOKENS, given, open_pool, right


@pytest.fixture
def market(peoples_market: Any) -> Any:
    return peoples_market


def until(page: Any, script: str, argument: Any = None, seconds: float = 15) -> None:
    """Playwright's own waiting needs eval, which the page's policy forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(script, argument):
        assert time.monotonic() < end, (script, page.locator("body").inner_text())
        time.sleep(0.02)


def test_twenty_tasks_by_keyboard_alone_with_undo_instructions_and_a_closed_browser(
    market: Any, config: MonitorConfig, images: str, browser: Any
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    pool_id = open_pool(market, config, images)
    context = browser.new_context(viewport={"width": 400, "height": 800})
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.goto(f"{market.url}/label/")
    until(page, "document.activeElement.id === 'token'")
    page.keyboard.type(TOKENS["ana"])
    page.keyboard.press("Enter")
    until(page, "document.activeElement.closest('#pools')")
    page.keyboard.press("Enter")
    page.wait_for_selector("#work img")
    serious = [
        rule["id"] for rule in Axe().run(page).response["violations"] if rule["impact"] in ("serious", "critical")
    ]
    assert serious == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 400

    def press(value: str | None = None) -> None:
        before = page.locator("#work img").get_attribute("src")
        page.keyboard.press(str(1 + ANSWERS.index(value or right(before))))
        until(
            page,
            "src => document.querySelector('#work img')?.getAttribute('src') !== src || document.querySelector('#work').hidden",
            before,
        )

    first = page.locator("#work img").get_attribute("src")
    press("unclear" if right(first) != "unclear" else "dog")
    page.keyboard.press("u")
    until(page, "src => document.querySelector('#work img').getAttribute('src') === src", first)
    page.keyboard.press("i")
    assert "Choose the larger one." in page.locator("#instructions").inner_text()
    assert page.evaluate("window.hacked") is None
    page.keyboard.press("Escape")
    for _ in range(3):
        press()
    assert "4 of 10" in page.locator("#progress").inner_text()
    page.close()  # the answers so far are kept
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.goto(f"{market.url}/label/")
    until(page, "document.activeElement.closest('#pools')")
    page.keyboard.press("Enter")
    page.wait_for_selector("#progress:has-text('4 of 10')")
    while page.locator("#work").is_visible():
        press()
    page.wait_for_selector("#message:has-text('This pool is done')", timeout=30_000)
    found = given(market, pool_id)
    assert len(found) == 20
    assert all(answers == [right(url)] for url, answers in found.items())
    assert market.closed(pool_id).last_close_reason.value == "COMPLETED"
    context.close()


def test_of_a_hundred_answers_one_is_found_by_a_part_of_its_name(
    market: Any, config: MonitorConfig, images: str, browser: Any
) -> None:
    classes = ("cat", "dog", *(f"kind {place:03d}" for place in range(97)), "写真")
    pool_id = open_pool(market, config.model_copy(update={"classes": classes}), images)
    context = browser.new_context(viewport={"width": 400, "height": 800})
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.goto(f"{market.url}/label/")
    until(page, "document.activeElement.id === 'token'")
    page.keyboard.type(TOKENS["ana"])
    page.keyboard.press("Enter")
    until(page, "document.activeElement.closest('#pools')")
    page.keyboard.press("Enter")
    page.wait_for_selector("#find")
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    assert page.locator("#tools").bounding_box()["y"] < 800  # beside the answers, not below a hundred of them
    first = page.locator("#work img").get_attribute("src")
    page.keyboard.press("/")
    page.keyboard.type("kind 04")
    assert page.locator(".answers button:visible").count() == 10
    page.keyboard.type("2")
    page.keyboard.press("Enter")
    until(page, "src => document.querySelector('#work img')?.getAttribute('src') !== src", first)
    until(page, "document.activeElement.id === 'find'")  # the next image is answered in the same way
    second = page.locator("#work img").get_attribute("src")
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    until(page, "src => document.querySelector('#work img')?.getAttribute('src') !== src", second)
    kept = page.evaluate("page.answers")
    assert sorted(answer["result"] for answer in kept.values()) == ["cat", "kind 042"]
    assert pool_id
    context.close()
