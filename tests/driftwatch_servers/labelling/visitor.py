"""Somebody at the labelling page, in a browser."""

from __future__ import annotations

import time
from typing import Any

WIDE = {"width": 1100, "height": 760}
NARROW = {"width": 320, "height": 640}


class Visitor:
    """A browser of one's own: `page` is Playwright's. What is done here is done by keyboard."""

    def __init__(self, browser: Any, url: str, **context: Any) -> None:
        self.url = url
        self.context = browser.new_context(**{"viewport": WIDE, **context})
        self.open()

    def open(self) -> None:
        self.page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.page.goto(self.url)

    def until(self, script: str, argument: Any = None, seconds: float = 15) -> None:
        """Playwright's own waiting needs eval, which the page's policy forbids."""
        end = time.monotonic() + seconds
        while not self.page.evaluate(script, argument):
            assert time.monotonic() < end, (script, self.page.locator("body").inner_text())
            time.sleep(0.02)

    def log_in(self, token: str) -> None:
        self.enter(token)
        self.choose_pool()

    def enter(self, token: str) -> None:
        self.until("document.activeElement.id === 'token'")
        self.page.keyboard.type(token)
        self.page.keyboard.press("Enter")

    def choose_pool(self) -> None:
        """The first pool, which has the focus."""
        self.until("document.activeElement.closest('#pools')")
        self.page.keyboard.press("Enter")
        self.shown()

    def shown(self, state: str = "ready") -> None:
        """Waits until the image has come, or is in another state."""
        self.until("state => !work.hidden && work.dataset.image === state", state)

    @property
    def image(self) -> str:
        """The address of the image that is asked about."""
        return str(self.page.locator("#work img").get_attribute("src"))

    @property
    def number(self) -> str:
        return self.image.rsplit("/", 1)[-1].split(".")[0]

    def type(self, *keys: str) -> None:
        """Types an answer, and waits for what comes after it."""
        before = self.image
        for key in keys:
            if key.isascii():
                self.page.keyboard.press(key)
            else:
                self.page.keyboard.insert_text(key)  # as an input method does
        self.until("src => work.hidden || document.querySelector('#work img').getAttribute('src') !== src", before)
        self.until("work.hidden || work.dataset.image !== 'loading'")

    def text(self, selector: str) -> str:
        return str(self.page.locator(selector).inner_text())

    def violations(self) -> list[str]:
        """The rules of axe-core that the page breaks, with the elements that do."""
        from axe_playwright_python.sync_playwright import Axe

        broken = Axe().run(self.page).response["violations"]
        return [f"{rule['id']}: {node['html']}" for rule in broken for node in rule["nodes"]]

    def fits(self) -> bool:
        """Whether nothing sticks out at the side."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"))

    def close(self) -> None:
        self.context.close()
