"""The week with another source of answers: its monitor file, the team's folder, and what production logs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from driftwatch.config.loader import load_monitor
from driftwatch_sandbox.demo.elsewhere import SOURCES, TEAM_DAG, TEAM_DAG_ID, ElsewhereWeek
from driftwatch_sandbox.demo.week import Week
from driftwatch_sandbox.demo.world import World


@pytest.mark.parametrize("source", SOURCES)
def test_the_set_is_handed_over_to_the_team_s_dag_and_all_else_is_the_plain_week(tmp_path: Path, source: Any) -> None:
    plain = load_monitor(Week(None).write_monitor(tmp_path / "plain"))
    story = ElsewhereWeek(None, source)
    config = load_monitor(story.write_monitor(tmp_path / "home" / "monitors"))
    assert (config.retraining.trainer, config.retraining.handover_dag) == ("handover", TEAM_DAG_ID)
    assert config.model.predictions == {"onnx": "champion", "logged": "logged"}[source]
    assert config.model.input == plain.model.input
    rest = {"model", "retraining"}
    assert config.model_dump(exclude=rest) == plain.model_dump(exclude=rest)
    team = tmp_path / "home" / "team"
    assert load_monitor(team / "monitors" / "cats_vs_dogs.yaml") == plain
    kind, *more = story.champion
    assert (kind, Path(more[-1]).parent, story.training) == ("import", team, Week(None).champion)


def test_only_a_story_with_a_team_gives_airflow_a_second_folder_of_dags(tmp_path: Path) -> None:
    setting = "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"
    (tmp_path / "home").mkdir()
    world = World(tmp_path / "home")
    assert setting not in world.env
    ElsewhereWeek(None, "onnx").write_monitor(world.monitors)
    assert [bundle["kwargs"]["path"] for bundle in yaml.safe_load(world.env[setting])][1:] == [
        f"{world.home}/team/dags"
    ]


def test_the_team_s_dag_trains_registers_and_asks_for_the_comparison(tmp_path: Path) -> None:
    import runpy

    from driftwatch_airflow.operators.handover import RegisterChallengerOperator

    dag = runpy.run_path(str(TEAM_DAG))["team"]
    assert dag.dag_id == TEAM_DAG_ID
    assert dag.get_task("train").downstream_task_ids == {"register"}
    assert dag.get_task("register").downstream_task_ids == {"compare"}
    assert isinstance(dag.get_task("register"), RegisterChallengerOperator)
    compare = dag.get_task("compare")
    assert (compare.trigger_dag_id, compare.skip_when_already_exists) == ("cats_vs_dogs_retraining", True)
    assert compare.trigger_run_id == "challenger__{{ ti.xcom_pull(task_ids='register') }}"
