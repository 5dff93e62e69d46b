"""Champion and challenger side by side: every number of the gate, examples both ways, and images that cannot be shown."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.driftwatch.artifacts import samples
from tests.driftwatch.view.typed import typed
from tests.stores import monitor_store

from driftwatch.artifacts.accuracy import ConfusionMatrix
from driftwatch.artifacts.keys import GATE, MonitorKeys
from driftwatch.artifacts.retraining import ClassComparison, GateResult
from driftwatch.artifacts.store import MonitorStore
from driftwatch.errors import ChangedImage
from driftwatch.storage import open_storage
from driftwatch.view.comparison import _change_of_class, _confusion, comparison

RUN, VERSION = "r1", samples.GATE["version"]
FOUND = typed(GateResult, samples.GATE)


@pytest.fixture
def store(tmp_path: Path) -> MonitorStore:
    """The gate of `samples`, with a table of the images that it names."""
    store = monitor_store(open_storage(f"file://{tmp_path}"), MonitorKeys("demo"))
    written(store, samples.GATE)
    return store


def written(store: MonitorStore, gate: dict[str, Any]) -> None:
    storage, keys = store.storage, store.keys
    storage.write_json(keys.retraining(RUN, GATE), gate)
    storage.write_json(keys.model_card(VERSION), samples.CARD)
    rows = []
    for part, day in (("recent", "2026-01-08"), ("clean", "")):
        for kind, champion, challenger in (("repaired", "dog", "cat"), ("broken", "cat", "dog")):
            folder = f"was_called/incoming/{day}" if day else "was_called/training/images/cat"
            rows += [
                {
                    "image_id": image_id, "key": f"{folder}/{image_id[:4]}.jpg", "day": day, "label": "cat",
                    "champion": champion, "challenger": challenger,
                }
                for image_id in gate[part][kind]
            ]  # fmt: skip
    storage.write_table(keys.model_evaluation(VERSION), pd.DataFrame(rows))


def test_the_gates_numbers_and_reasons_stand_in_it(store: MonitorStore) -> None:
    text = comparison(store, RUN)
    assert text.startswith(f"**{VERSION}** against the champion **{FOUND.champion}**.")
    for reason in FOUND.reasons:
        assert f"\n- {reason}\n" in text
    assert "| accuracy | 164 | 66.5% (58.9% to 73.2%) | 79.3% (72.4% to 84.8%) | +12.8%, +5.9% |" in text
    assert "From the original holdout, 2026-01-05, 2026-01-06, 2026-01-07." in text
    assert "\nFrom 2026-01-08.\n" in text
    assert "95 % interval, two-sided" in text
    assert "one-sided bounds" in text


def test_classes_are_compared_on_clean_images_alone(store: MonitorStore) -> None:
    recent, clean = comparison(store, RUN).split("### Clean images")
    assert [line for line in recent.splitlines() if line.startswith("| recall cat") and line.endswith("|  |")]
    assert [
        line for line in clean.splitlines() if line.startswith("| recall cat") and line.endswith("| +1.6%, -0.2% |")
    ]


def test_examples_go_both_ways_and_are_few_of_each_part(store: MonitorStore) -> None:
    right, wrong = comparison(store, RUN).split("### Now right")[1].split("### Now wrong")
    for text, kind, answers in ((right, "repaired", "| dog | cat |"), (wrong, "broken", "| cat | dog |")):
        rows = [line for line in text.splitlines() if answers in line]
        shown = [image_id[:12] for part in (FOUND.recent, FOUND.clean) for image_id in getattr(part, kind)[:6]]
        assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == shown
        assert [row.split(" | ")[-1] for row in rows] == ["2026-01-08 |"] * 6 + ["original holdout |"] * 6


def test_without_an_image_that_changed_there_are_no_examples(store: MonitorStore) -> None:
    none = {"repaired": [], "broken": []}
    gate = {**samples.GATE, **{part: {**samples.GATE[part], **none} for part in ("recent", "clean")}}
    store.storage.write_json(store.keys.retraining(RUN, GATE), gate)
    assert "### Now" not in comparison(store, RUN)


def test_images_are_linked_by_their_key_under_the_monitors_present_name(store: MonitorStore) -> None:
    asked: list[tuple[str, str]] = []

    def link(image_id: str, key: str) -> str:
        asked.append((image_id, key))
        return f"https://images/{image_id[:3]}"

    first = FOUND.recent.repaired[0]
    assert f"![{first[:12]}](https://images/{first[:3]})" in comparison(store, RUN, link)
    assert asked[0] == (first, f"demo/incoming/2026-01-08/{first[:4]}.jpg")


def test_an_image_that_was_replaced_is_named_and_the_rest_is_shown(
    store: MonitorStore, caplog: pytest.LogCaptureFixture
) -> None:
    gone = FOUND.recent.repaired[0]

    def link(image_id: str, key: str) -> str:
        if image_id == gone:
            raise ChangedImage(f"{key} was replaced")
        return "https://images/x"

    with caplog.at_level(logging.WARNING):
        text = comparison(store, RUN, link)
    assert f"| {gone[:12]} |" in text
    assert text.count("https://images/x") == 23
    assert "was replaced" in caplog.text


def test_a_loss_of_a_class_is_told_with_its_chance_only_where_it_is_small() -> None:
    row = {**samples.GATE["clean"]["by_class"]["cat"], "difference": -0.2, "low": -0.3}
    rare, usual, early = (
        _change_of_class(ClassComparison.model_validate_json(json.dumps({**row, "p_value_worse": p_value})))
        for p_value in (0.0123, 0.4, None)
    )
    assert rare == "-20.0%, -30.0%; so large a loss by chance: p = 0.012"
    assert usual == early == "-20.0%, -30.0%"


def test_a_class_without_an_image_has_no_change() -> None:
    nothing = {"n": 0, "won": 0, "lost": 0, "difference": None, "low": None, "high": None, "p_value": None}
    assert _change_of_class(ClassComparison.model_validate_json(json.dumps(nothing))) == ""
    assert _change_of_class(None) == ""


def test_a_matrix_of_few_classes_leaves_blank_what_never_happened() -> None:
    lines = _confusion(ConfusionMatrix(labels=("cat", "dog"), rows=((5, 0), (2, 7))))
    assert lines == ["| true class | cat | dog |", "|---|---|---|", "| cat | 5 |  |", "| dog | 2 | 7 |"]


def test_of_many_classes_the_pairs_that_were_confused_stand_in_place_of_the_matrix() -> None:
    names = tuple(f"c{place}" for place in range(16))
    rows = [[10 if row == column else 0 for column in range(16)] for row in range(16)]
    rows[3][7] = 10
    lines = _confusion(ConfusionMatrix(labels=names, rows=tuple(map(tuple, rows))))
    assert lines[0] == "| true class | answer | images | of the class |"
    assert lines[2:] == ["| c3 | c7 | 10 | 50 % |"]
