"""The Template Builder's views that the labelling page draws, and those that it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from driftwatch_sandbox.toloka.template_view import UnknownComponent, read_view


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
