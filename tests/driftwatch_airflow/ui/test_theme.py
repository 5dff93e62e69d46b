"""Light or dark follows the reader's choice in Airflow, inside its frame and outside, and changes with it."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.end_to_end


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
