"""The report of a day on which several versions of the model answered, or one did not answer all."""

from __future__ import annotations

from collections.abc import Callable

from tests.driftwatch.view.version_days import answered_by_several
from tests.stores import monitor_store

from driftwatch.config import MonitorConfig
from driftwatch.storage import Storage

from .pages import DAY, LAYOUT


def test_versions_stand_side_by_side_and_their_names_are_text(
    build_day: Callable, report: Callable, storage: Storage, config: MonitorConfig
) -> None:
    build_day(DAY)
    assert "side by side" not in report().text
    day = monitor_store(storage, LAYOUT, config).day(DAY)
    found = answered_by_several(day, {"7": 0.5, '<b onclick="x">8': 0.3, "9": 0.2})
    page = report()
    assert "The model versions of the day, side by side" in page.text
    assert "production's version 7" in page.text
    assert '<b onclick="x">8' in page.text
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert "answered by 7, and these are scored here. Intervals" in page.text
    assert (
        f"{found.sampled - found.labels - found.ties - found.unclear - found.unanswered} of other versions" in page.text
    )
    storage.delete(LAYOUT.day(DAY).performance)
    morning = report().text
    assert "By the scores alone" in morning
    assert "Difference to the serving version" not in morning


def test_images_without_an_answer_are_told(
    build_day: Callable, report: Callable, storage: Storage, config: MonitorConfig
) -> None:
    build_day(DAY)
    key = LAYOUT.day(DAY).performance
    storage.write_json(key, {**storage.read_json(key), "unpredicted": 4})
    assert "The other 4 have no answer: they are not scored" in report().text


def test_more_versions_than_fit_are_counted(
    build_day: Callable, report: Callable, storage: Storage, config: MonitorConfig
) -> None:
    build_day(DAY)
    answered_by_several(monitor_store(storage, LAYOUT, config).day(DAY), {f"{n}": 0.1 for n in range(10)})
    assert "4 more versions, which answered fewer images, are in performance.json" in report().text
