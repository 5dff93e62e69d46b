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
        names = sorted(path.stem for path in (tmp_path / "images").iterdir())
        running.ask("PUT", f"/batches/{KEY}", running.batch(tasks_per_page=_IMAGES // 2, control_per_page=0))
        brought = [{"image_id": name, "link": link(running.url, name)} for name in names]
        running.ask("PUT", f"/batches/{KEY}/tasks", {"tasks": brought})
        running.ask("POST", f"/batches/{KEY}/open", {"tasks": _IMAGES})
        yield running


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


def test_a_thief_is_out_at_the_next_answer_once_the_token_is_revoked(desk: Desk, browser: Any):
    thief = visitor(desk, browser, "ana")
    desk.people.revoke("ana")
    thief.page.keyboard.press("1")
    thief.until("!document.getElementById('login').hidden")
    assert desk.given() == []
    thief.close()
