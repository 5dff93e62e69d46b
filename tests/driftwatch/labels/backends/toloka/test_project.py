"""The project that annotators see: its choices, their keys, and the marker that finds it again."""

from __future__ import annotations

import json

from driftwatch.labels.backends.toloka.project import build_project, pool_marker, project_marker

from ...crowds import config


def test_each_choice_is_a_button_and_the_first_nine_and_the_unclear_one_have_a_key():
    many = config(unclear_answer="unclear").model_copy(update={"classes": tuple(f"c{n}" for n in range(12))})
    spec = build_project(many).task_spec
    offered = [*many.classes, "unclear"]
    assert spec.output_spec["result"].allowed_values == offered
    view = json.loads(spec.view_spec.unstructure()["config"])
    buttons = view["view"]["items"][1]["options"]
    assert [button["value"] for button in buttons] == offered
    (hotkeys,) = view["plugins"]
    assert [hotkeys[str(number)]["payload"] for number in range(1, 10)] == offered[:9]
    assert hotkeys["x"]["payload"] == "unclear"
    assert len(hotkeys) == 10 + len({"type", "version"} & set(hotkeys))


def test_the_image_id_is_hidden_from_annotators():
    assert build_project(config()).task_spec.input_spec["image_id"].hidden is True


def test_other_choices_make_another_project_and_another_day_another_pool():
    assert project_marker(config()) == project_marker(config(question="another"))
    assert project_marker(config()) != project_marker(config(unclear_answer=None))
    assert project_marker(config()).startswith("driftwatch:demo:")
    assert pool_marker(config(), "2026-01-05") == "driftwatch:demo:2026-01-05"
