"""The Template Builder's views that the labelling page draws, and those that it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from driftwatch.config import MonitorConfig
from driftwatch.labels.backends.toloka.project import build_project
from driftwatch_sandbox.toloka.template_view import UnknownComponent, read_view
from driftwatch_servers.labelling.source import ChoicePart


@pytest.mark.parametrize(
    "view",
    [
        {"type": "view.video", "url": {"type": "data.input", "path": "x"}},
        {"type": "view.image", "url": "https://example.org/fixed.png"},
        {"type": "field.button-radio-group", "data": {"type": "data.output", "path": "r"}, "options": [], "validation": {"type": "condition.any"}},
    ],
)  # fmt: skip
def test_a_view_that_the_page_does_not_draw_is_refused_by_name(view: dict[str, Any]) -> None:
    project = {"task_spec": {"view_spec": {"type": "tb", "config": json.dumps({"view": view})}}}
    with pytest.raises(UnknownComponent, match="is not drawn"):
        read_view(project)


def test_of_many_answers_each_has_a_key_and_the_unclear_one_is_known(config: MonitorConfig) -> None:
    digits = config.model_copy(update={"classes": tuple(str(digit) for digit in range(10))})
    view = read_view(build_project(digits).unstructure())
    (choice,) = [part for part in view.parts if isinstance(part, ChoicePart)]
    assert choice.unclear == "unclear"
    assert {key: set_by.value for key, set_by in view.keys.items()} == {
        **{d: d for d in digits.classes},
        "x": "unclear",
    }
    many = config.model_copy(update={"classes": tuple(f"kind {place}" for place in range(100))})
    keys = read_view(build_project(many).unstructure()).keys
    assert (len(keys), keys["42"].value, keys["x"].value) == (101, "kind 41", "unclear")
