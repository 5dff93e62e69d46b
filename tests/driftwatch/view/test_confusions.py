"""The confusion matrix of two to a hundred classes: cells that fit, nothing cut off, and of many classes the most frequent pairs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from tests.driftwatch.artifacts import samples
from tests.driftwatch.view.typed import DAY, typed
from tests.stores import monitor_store

from driftwatch.artifacts.accuracy import ConfusionMatrix, Performance
from driftwatch.artifacts.ingest import Ingest
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config import MonitorConfig
from driftwatch.models.metrics import in_order, measure, top_confusions
from driftwatch.storage import open_storage
from driftwatch.view.confusions import confusions, of_days
from driftwatch.view.days import Day
from driftwatch.view.report import write_report
from driftwatch_sandbox.demo.year import Year

LAST = date(2026, 1, 7)


def names(n: int) -> list[str]:
    """In no alphabetical order, some of forty letters, some of another script."""
    found = [f"class {place}" for place in range(n)][::-1]
    found[::3] = [f"a class whose name has forty letters {place:04d}" for place in range(len(found[::3]))]
    return [name if place % 5 else f"品川区の風景写真と猫の肖像{place}" for place, name in enumerate(found)]


def measured(classes: list[str], images: int = 3000) -> dict[str, Any]:
    random = np.random.default_rng(1)
    truth = random.integers(0, len(classes), images)
    said = np.where(random.random(images) < 0.7, truth, random.integers(0, len(classes), images))
    found = measure([classes[place] for place in truth], [classes[place] for place in said], classes)
    return json.loads(
        json.dumps(found.model_dump(mode="json", exclude_unset=True), sort_keys=True)
    )  # as storage gives it back


def matrix_of(labels: Sequence[str], rows: Sequence[Sequence[int]]) -> ConfusionMatrix:
    return ConfusionMatrix(labels=tuple(labels), rows=tuple(tuple(row) for row in rows))


def test_pairs_are_the_most_frequent_with_their_share_of_the_true_class() -> None:
    matrix = matrix_of("bac", [[5, 3, 2], [3, 0, 0], [0, 4, 36]])
    assert top_confusions(matrix, 10) == [
        ("c", "a", 4, 0.1),
        ("a", "b", 3, 1.0),
        ("b", "a", 3, 0.3),
        ("b", "c", 2, 0.2),
    ]
    assert top_confusions(matrix, 1) == [("c", "a", 4, 0.1)]
    assert top_confusions(matrix_of("ab", [[3, 0], [0, 0]]), 5) == []


@pytest.mark.parametrize(("n", "size"), [(2, "large"), (4, "large"), (5, "middle"), (9, "small"), (15, "small")])
def test_cells_fit_their_number_and_zeros_are_blank(n: int, size: str) -> None:
    found = confusions(matrix_of(names(n), (np.eye(n, dtype=int) * 7).tolist()))
    assert (found.size, found.pairs, found.rest) == (size, (), "")
    assert [[cell.n for cell in row.cells] for row in found.rows] == (np.eye(n, dtype=int) * 7).tolist()
    assert {cell.share for row in found.rows for cell in row.cells} == {"100 %", ""}
    first = found.rows[0].cells
    assert (first[0].heat, first[1].heat, first[1].said) == (10, 0, "")
    assert first[0].said == f"{names(n)[0]}, the model said {names(n)[0]}: 7, 100 %"


@pytest.mark.parametrize("n", [16, 100])
def test_of_many_classes_the_pairs_stand_in_place_of_the_matrix(n: int) -> None:
    matrix = measured(names(n))["confusion_matrix"]
    found = confusions(matrix_of(**matrix))
    assert (found.title, found.rows, len(found.pairs)) == ("Confused most often", (), 20)
    more = sum(bool(n) for r, row in enumerate(matrix["rows"]) for c, n in enumerate(row) if r != c) - 20
    assert found.rest == f"and {more} more pairs, each as rare as the last one here or rarer."
    assert [pair.n for pair in found.pairs] == sorted((pair.n for pair in found.pairs), reverse=True)
    right = confusions(matrix_of(names(n), np.eye(n, dtype=int).tolist()))
    assert (right.pairs, right.rest) == ((), "No labelled image was taken for another class.")


def test_the_days_of_a_range_are_added_up_where_they_have_the_same_classes() -> None:
    rows = ([[5, 1], [0, 4]], [[1, 0], [2, 3]], [[9, 9], [9, 9]])
    days = []
    for place, counts in enumerate(rows):
        labels = ("cat", "dog") if place < 2 else ("dog", "cat")
        whole = {**samples.PERFORMANCE, "confusion_matrix": {"labels": labels, "rows": counts}}
        version = {"ingest": typed(Ingest, samples.INGEST, model_version=f"v{place}")}
        days.append(
            Day(DAY + timedelta(days=place), performance=typed(Performance, whole, serving_version=None), **version)
        )
    days.append(Day(DAY + timedelta(days=3)))
    both = of_days(days, ("cat", "dog"), DAY, DAY + timedelta(days=9))
    assert [[cell.n for cell in row.cells] for row in both.table.rows] == [[6, 1], [2, 7]]
    assert both.note == (
        "16 labelled images of 2 days; 81.2 % right. Answered by 2 models, whose mistakes are mixed here: v0 and v1."
    )
    one = of_days(days, ("cat", "dog"), DAY, DAY)
    assert one.note == "10 labelled images of 1 day; 90 % right. Answered by v0."
    assert of_days(days, ("cat", "dog"), DAY, DAY + timedelta(days=9), model="v0") == one
    none = of_days(days, ("cat", "dog"), DAY + timedelta(days=3), DAY + timedelta(days=3))
    assert none.note == "No labelled image in this range."


def test_names_come_in_the_files_order_and_strangers_last() -> None:
    assert in_order({"a", "b", "z", "y", "c"}, ["c", "a", "b"]) == ["c", "a", "b", "y", "z"]


@pytest.mark.parametrize("n", [pytest.param(15, marks=pytest.mark.all_faults("the plain suite has more classes")), 100])
def test_no_report_is_cut_off_or_endless(
    n: int, small_monitor: Callable[..., MonitorConfig], tmp_path, browser
) -> None:
    classes = names(n)
    config = small_monitor(f"file://{tmp_path}/storage").model_copy(update={"classes": tuple(classes)})
    storage, layout = open_storage(config.storage.uri), MonitorKeys(config.name)
    Year(storage, config, LAST, 2, whole_days=1).write()
    key = layout.day(LAST).performance
    storage.write_json(key, storage.read_json(key) | measured(classes))
    path = storage.path(write_report(monitor_store(storage, layout, config).day(LAST)))
    for width in (1280, 400) if n == 15 else (400,):
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.goto(f"file://{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        card = page.locator("section", has_text="How the model did").last
        assert card.bounding_box()["height"] < 4000
        assert [text.strip() for text in card.locator(".by-class td:first-child").all_text_contents()] == classes
        if n <= 15:
            assert card.locator(".matrix th.row").all_text_contents() == classes
            fits = page.evaluate(
                "(() => { const box = document.querySelector('.matrix').parentElement; return box.scrollWidth <= box.clientWidth })()"
            )
            assert fits or (width == 400 and n > 2)  # there the box scrolls, and its names stay in sight
        page.close()
