"""Which of the day's images are shown, and how: only of what drifted, the surest mistakes first, in their own proportions."""

from __future__ import annotations

import base64
import io
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.driftwatch.artifacts import samples
from tests.driftwatch.view.report.known import day_facts
from tests.driftwatch.view.typed import typed
from tests.stores import monitor_store

from driftwatch.artifacts.drift import DayDrift
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.model_input import ModelInput
from driftwatch.models.original_set import set_keys
from driftwatch.storage import open_storage
from driftwatch.view.pictures import (
    HEIGHT,
    MOST_DISAGREEMENTS,
    MOST_DRIFTED,
    MOST_REFERENCE,
    MOST_UNDECIDED,
    chosen,
    jpeg,
    shape_of,
    thumbnail,
    training_pictures,
)


@pytest.mark.parametrize(
    ("width", "height", "shown"),
    [(1, 1, HEIGHT), (300, 200, 1.5 * HEIGHT), (9000, 10, 2 * HEIGHT), (10, 9000, HEIGHT / 2)],
)
def test_a_thumbnail_has_the_originals_proportions_within_limits(width: int, height: int, shown: float) -> None:
    picture = Image.open(io.BytesIO(jpeg(np.zeros((64, 64, 3), np.uint8), (width, height))))
    assert (picture.format, picture.size) == ("JPEG", (round(shown), HEIGHT))


def test_a_squashed_picture_is_stretched_back_and_another_is_shown_as_it_is_stored() -> None:
    assert shape_of(ModelInput.square(64), 300, 200) == (300, 200)
    for resize in ("crop", "pad", "none"):
        assert shape_of(ModelInput(height=48, width=80, resize=resize), 300, 200) == (80, 48)
    assert Image.open(io.BytesIO(jpeg(np.zeros((48, 72, 3), np.uint8)))).size == (180, 120)


def test_a_thumbnail_stands_in_the_page_itself() -> None:
    pixels = np.full((8, 8, 3), 200, np.uint8)
    kind, _, data = thumbnail(pixels).partition(",")
    assert kind == "data:image/jpeg;base64"
    assert base64.b64decode(data) == jpeg(pixels)


@pytest.mark.parametrize(("verdict", "shown"), [("drifted", MOST_DRIFTED), ("ok", 0), ("not_enough_evidence", 0)])
def test_images_are_typical_only_of_a_drift_that_was_found(verdict: str, shown: int) -> None:
    found = typed(DayDrift, samples.DAY_DRIFT, verdict=verdict, examples=[f"{number:064d}" for number in range(20)])
    groups = chosen(day_facts(drift=found))
    assert (len(groups["drifted"]), groups["content"]) == (shown, [])


def answers(*rows: tuple[str, str | None, str, float]) -> dict[str, Any]:
    """labels and predictions of (image, label, prediction, its score)."""
    ids, labels, said, scores = zip(*rows, strict=True)
    return {
        "labels": pd.DataFrame(
            {"image_id": ids, "label": labels, "status": "consensus", "votes": 3, "votes.cat": 2, "votes.dog": 1}
        ),
        "predictions": pd.DataFrame(
            {"image_id": ids, "prediction": said, "score.cat": scores, "score.dog": scores, "model_version": "v1"}
        ),
    }


def test_the_surest_mistakes_come_first_and_images_without_a_label_are_none() -> None:
    rows = (
        ("c", "cat", "dog", 0.7),
        ("b", "cat", "dog", 0.7),
        ("a", "dog", "cat", 0.95),
        ("right", "cat", "cat", 0.99),
        ("nobody", None, "cat", 0.99),
    )
    found = chosen(day_facts(**answers(*rows)))["disagreements"]
    assert [image_id for image_id, _ in found] == ["a", "b", "c"]
    assert found[0][1] == "people: dog (1 of 3)\nmodel: cat (95 %)"


def test_without_scores_and_with_several_versions_the_mistakes_say_whose_they_are() -> None:
    known = answers(("b", "cat", "dog", 0.7), ("a", "dog", "cat", 0.95))
    table = known["predictions"].drop(columns=["score.cat", "score.dog"]).assign(model_version=["7", "8"])
    found = chosen(day_facts(**{**known, "predictions": table}))["disagreements"]
    assert [(image_id, note.partition("\n")[2]) for image_id, note in found] == [("a", "8: cat"), ("b", "7: dog")]


def test_of_many_mistakes_the_surest_are_shown() -> None:
    rows = [(f"{number:02d}", "cat", "dog", 0.5 + number / 100) for number in range(MOST_DISAGREEMENTS + 5)]
    found = chosen(day_facts(**answers(*rows)))["disagreements"]
    assert [image_id for image_id, _ in found] == [f"{number:02d}" for number in range(MOST_DISAGREEMENTS + 4, 4, -1)]


def test_ties_and_unclear_images_are_shown_with_their_votes_the_most_voted_and_surest_first() -> None:
    known = answers(
        ("sure", None, "dog", 0.9), ("few", None, "cat", 0.99), ("unclear", None, "cat", 0.6), ("clear", "cat", "cat", 0.7),
    )  # fmt: skip
    columns = {"status": ["tie", "tie", "unclear", "consensus"], "votes": [4, 2, 4, 3], "votes.cat": [2, 1, 1, 3]}
    known["labels"] = known["labels"].assign(**columns, **{"votes.dog": [2, 1, 0, 0], "votes.unclear": [0, 0, 3, 0]})
    found = chosen(day_facts(**known))["undecided"]
    assert [(image_id, note.replace("\N{NO-BREAK SPACE}", " ")) for image_id, note in found] == [
        ("sure", "people: cat 2, dog 2 (tie)\nmodel: dog (90 %)"),
        ("unclear", "people: unclear 3, cat 1\nmodel: cat (60 %)"),
        ("few", "people: cat 1, dog 1 (tie)\nmodel: cat (99 %)"),
    ]


def test_of_many_undecided_images_a_dozen_are_shown() -> None:
    known = answers(*((f"{number:02d}", None, "dog", 0.5 + number / 100) for number in range(MOST_UNDECIDED + 5)))
    known["labels"] = known["labels"].assign(status="tie", **{"votes.unclear": 0})
    found = chosen(day_facts(**known))["undecided"]
    assert [image_id for image_id, _ in found] == [f"{number:02d}" for number in range(MOST_UNDECIDED + 4, 4, -1)]


def test_before_labels_are_in_nobody_disagrees() -> None:
    known = answers(("a", "dog", "cat", 0.9))
    for missing in known:
        assert chosen(day_facts(**{**known, missing: None}))["disagreements"] == []


def test_a_few_training_images_are_shown_without_reading_all_of_them(tmp_path: Path) -> None:
    store = monitor_store(open_storage(f"file://{tmp_path}"), MonitorKeys("demo"))
    pixels = np.random.default_rng(1).integers(0, 256, (3_000, 32, 32, 3), dtype=np.uint8)
    store.storage.write_array(set_keys(store).inputs, pixels)
    tracemalloc.start()
    try:
        found = training_pictures(store)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    places = np.linspace(0, 2_999, MOST_REFERENCE).astype(int)
    assert found == [thumbnail(pixels[place]) for place in places]
    assert most < pixels.nbytes / 4
