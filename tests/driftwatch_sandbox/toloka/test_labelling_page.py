"""The labelling page in a browser on the Toloka stand-in: a pool by keyboard alone, nothing lost when it is closed."""

from __future__ import annotations

from typing import Any

import pytest

from driftwatch.config import MonitorConfig

from ...driftwatch_servers.labelling.visitor import Visitor
from ..people import ANSWERS, TOKENS, given, open_pool, right


@pytest.fixture
def market(peoples_market: Any) -> Any:
    return peoples_market


def test_twenty_tasks_by_keyboard_alone_with_undo_instructions_and_a_closed_browser(
    market: Any, config: MonitorConfig, images: str, browser: Any
) -> None:
    pool_id = open_pool(market, config, images)
    ana = Visitor(browser, f"{market.url}/label/", viewport={"width": 400, "height": 800})
    ana.log_in(TOKENS["ana"])

    def press(value: str | None = None) -> None:
        ana.type(str(1 + ANSWERS.index(value or right(ana.image))))

    first = ana.image
    press("unclear" if right(first) != "unclear" else "dog")
    ana.type("u")
    assert ana.image == first
    ana.page.keyboard.press("i")
    assert "Choose the larger one." in ana.text("#instructions")
    ana.page.keyboard.press("Escape")
    for _ in range(3):
        press()
    assert "4 of 10" in ana.text("#progress")
    ana.page.close()  # the answers so far are kept
    ana.open()
    ana.choose_pool()
    assert "4 of 10" in ana.text("#progress")
    while ana.page.locator("#work").is_visible():
        press()
    ana.until("done.textContent.includes('All done for today')", seconds=30)
    assert "You labelled " in ana.text("#numbers")
    found = given(market, pool_id)
    assert len(found) == 20
    assert all(answers == [right(url)] for url, answers in found.items())
    assert market.closed(pool_id).last_close_reason.value == "COMPLETED"
    ana.close()
