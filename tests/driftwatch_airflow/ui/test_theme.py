"""Light or dark follows the reader's choice in Airflow, inside its frame and outside, and changes with it."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.end_to_end
AROUND = "<!doctype html><html class='{}'><body><iframe src='/m/ours/' width='900' height='500'></iframe></body></html>"


@pytest.fixture
def tab(browser: Any, client: Any) -> Any:
    """A tab whose requests the pages' application answers, without a server; `/around/<class>` is a document around them, as Airflow's is."""
    context = browser.new_context(color_scheme="light")
    page = context.new_page()

    def answer(route: Any) -> None:
        path = route.request.url.removeprefix("http://airflow.test").removeprefix("/driftwatch")
        if path.startswith("/around/"):
            route.fulfill(body=AROUND.format(path.rpartition("/")[2]), content_type="text/html")
            return
        found = client.get(path)
        route.fulfill(status=found.status_code, headers=dict(found.headers), body=found.content)

    page.route("**/*", answer)
    yield page
    context.close()


def background(frame: Any) -> str:
    return str(frame.evaluate("getComputedStyle(document.body).backgroundColor"))


def test_inside_airflows_frame_its_class_decides_and_a_change_is_followed_at_once(tab: Any) -> None:
    tab.goto("http://airflow.test/around/dark")
    frame = tab.frames[1]
    frame.wait_for_selector("h1")
    dark = background(frame)
    assert frame.evaluate("document.documentElement.dataset.theme") == "dark"
    tab.evaluate("document.documentElement.className = 'light'")
    frame.wait_for_function("document.documentElement.dataset.theme === 'light'")
    assert background(frame) != dark


def test_outside_of_the_frame_the_kept_choice_decides_and_without_one_the_system(tab: Any) -> None:
    tab.goto("http://airflow.test/m/ours/")
    light = background(tab)
    assert tab.evaluate("document.documentElement.dataset.theme ?? null") is None
    tab.emulate_media(color_scheme="dark")
    dark = background(tab)
    assert dark != light
    tab.evaluate("localStorage.setItem('theme', 'light')")
    tab.reload()
    assert background(tab) == light
    tab.evaluate("localStorage.setItem('theme', 'system')")
    tab.reload()
    assert background(tab) == dark
