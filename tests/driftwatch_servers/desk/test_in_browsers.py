"""The desk in Chromium: two people at once by keyboard, and a token that is revoked while its thief is at work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from driftwatch.labels.links import sign

from ..labelling.visitor import Visitor
from .desks import KEY, Desk, running_desk

_SECRET, _END = "secret", 4_000_000_000
_IMAGES = 6


def pictures(folder: Path) -> None:
    """Writes small pictures."""
    folder.mkdir()
    for number in range(_IMAGES):
        Image.new("RGB", (8, 8), (40 * number, 90, 90)).save(folder / f"image{number}.png")


def link(url: str, name: str) -> str:
    return f"{url}/images/{name}.png?expires={_END}&signature={sign(f'{name}.png', _END, _SECRET)}"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk that shows the images itself."""
    pictures(tmp_path / "images")
    settings = {"images": tmp_path / "images", "image_secret": _SECRET}
    with running_desk(f"sqlite:///{tmp_path}/desk.db", **settings) as running:
        bring(running, KEY)
        yield running


def bring(desk: Desk, key: str, **changed: Any) -> None:
    """Opens a batch of all pictures."""
    desk.ask("PUT", f"/batches/{key}", desk.batch(tasks_per_page=_IMAGES // 2, control_per_page=0, **changed))
    names = [f"image{number}" for number in range(_IMAGES)]
    desk.ask("PUT", f"/batches/{key}/tasks", {"tasks": [{"image_id": n, "link": link(desk.url, n)} for n in names]})
    desk.ask("POST", f"/batches/{key}/open", {"tasks": _IMAGES})


def visitor(desk: Desk, browser: Any, name: str) -> Visitor:
    found = Visitor(browser, desk.url)
    found.log_in(desk.people.add(name, 1))
    return found


def test_two_people_label_a_day_at_once_by_keyboard(desk: Desk, browser: Any):
    people = [visitor(desk, browser, name) for name in ("ana", "ben")]
    for _ in range(_IMAGES):
        for each in people:
            desk.clock.now += 5
            each.type("1")
    for each in people:
        each.until("!document.getElementById('done').hidden")
        assert f"You labelled {_IMAGES} images" in each.text("#numbers")
        each.close()
    assert set(Counter(row["image_id"] for row in desk.given()).values()) == {2}
    assert {row["answer"] for row in desk.given()} == {"cat"}
    assert desk.state()["close_reason"] == "COMPLETED"


def test_the_link_to_a_batch_opens_it_after_the_login_and_says_when_it_is_over(desk: Desk, browser: Any):
    other = "cats.2026-11-21"
    bring(desk, other, title="The next day")
    ana = Visitor(browser, f"{desk.url}/#{other}")
    ana.enter(desk.people.add("ana", 1))
    ana.shown()
    assert ana.text("#title") == "The next day"
    ana.page.locator("#leave").click()  # the list is reached all the same
    ana.until("document.activeElement.closest('#pools')")
    ana.page.evaluate("key => { location.hash = key; }", KEY)  # another link in the same tab
    ana.shown()
    assert ana.text("#title") == "Cats and dogs"
    desk.ask("POST", f"/batches/{KEY}/close")
    ana.page.reload()
    ana.until("document.activeElement.closest('#pools')")
    assert ana.text("#message") == "The pool of your link is not open."
    ana.close()


def test_a_thief_is_out_at_the_next_answer_once_the_token_is_revoked(desk: Desk, browser: Any):
    thief = visitor(desk, browser, "ana")
    desk.people.revoke("ana")
    thief.page.keyboard.press("1")
    thief.until("!document.getElementById('login').hidden")
    assert desk.given() == []
    thief.close()
