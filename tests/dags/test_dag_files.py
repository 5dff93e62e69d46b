"""The graphs of the DAG files mean what the design says."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

# Runs of the past, and what people cleared or read of them, go by these names: they stay.
TASKS = {
    "cats_vs_dogs_monitoring": {
        "ingest_images", "ingest_shards", "merge_shards", "profile_shards", "profile_features", "upload_features", "predict_shards",
        "predict_labels", "create_annotation_pool", "wait_for_annotations", "merge_annotations", "evaluate_performance",
        "upload_performance", "check_performance", "trigger_retraining", "performance_ok", "day_done",
    },
    "cats_vs_dogs_retraining": {
        "choose_action", "show_plan", "roll_back", "collect_training_set", "train_challenger", "evaluate_challenger",
        "gate", "approve_promotion", "promote_model", "refresh_reference", "keep_champion", "hand_over", "take_up_challenger",
    },
}  # fmt: skip
LABELLING = {"create_annotation_pool", "wait_for_annotations", "merge_annotations"}


def dag_bag(root: Path):
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(str(root / "dags"))


@pytest.fixture(scope="module")
def dags(root):
    bag = dag_bag(root)
    assert bag.import_errors == {}
    return bag.dags


def test_each_monitor_has_its_four_dags_and_all_have_one_doctor_and_one_watch(dags):
    kinds = ("monitoring", "retraining", "reference", "forget")
    assert set(dags) == {*(f"cats_vs_dogs_{kind}" for kind in kinds), "driftwatch_doctor", "driftwatch_watch"}


def test_every_field_of_the_retrainings_form_says_what_it_is_and_what_is_allowed(dags):
    limits = {"enum", "format", "pattern", "maximum", "maxLength", "properties"}
    params = dags["cats_vs_dogs_retraining"].params
    for name in params:
        param = params.get_param(name)
        param.resolve()  # the default is allowed
        schema = param.schema
        assert schema["title"], name
        assert param.description, name
        assert schema.get("type") == "boolean" or limits & set(schema), name


def before(dag, task_id: str, without: str = "") -> set[str]:
    """Every task that the task waits for, directly or not; on ways that do not lead through `without`."""
    found: set[str] = set()
    waiting = [task_id]
    while waiting:
        new = dag.get_task(waiting.pop()).upstream_task_ids - found - {without}
        found |= new
        waiting.extend(new)
    return found


@pytest.fixture(scope="module")
def day(dags):
    return dags["cats_vs_dogs_monitoring"]


@pytest.fixture(scope="module")
def retraining(dags):
    return dags["cats_vs_dogs_retraining"]


@pytest.mark.parametrize("dag_id", TASKS)
def test_the_tasks_keep_their_names(dags, dag_id):
    assert set(dags[dag_id].task_ids) == TASKS[dag_id]


def test_nothing_of_a_day_happens_before_its_images_are_taken_in(day):
    for task_id in set(day.task_ids) - {"ingest_images"}:
        assert "ingest_images" in before(day, task_id), task_id


def test_drift_is_known_and_published_before_any_label_exists_and_waits_for_no_answer_of_the_model(day):
    assert not before(day, "upload_features") & {*LABELLING, "predict_labels", "evaluate_performance"}
    assert "profile_features" in before(day, "upload_features")


def test_annotators_are_asked_without_knowing_what_the_model_answers(day):
    assert not before(day, "create_annotation_pool") & {"predict_labels", "predict_shards"}


def test_the_model_is_measured_by_its_answers_and_peoples_labels_together(day):
    assert {*LABELLING, "predict_labels"} <= before(day, "evaluate_performance")
    assert {"create_annotation_pool", "wait_for_annotations"} <= before(day, "merge_annotations")
    assert "create_annotation_pool" in before(day, "wait_for_annotations")


def test_performance_joins_the_features_that_were_published(day):
    assert {"evaluate_performance", "upload_features"} <= before(day, "upload_performance")


def test_only_measured_performance_starts_a_retraining_and_drift_does_not(day):
    assert "evaluate_performance" in before(day, "trigger_retraining")
    assert before(day, "trigger_retraining", without="check_performance") == set()
    assert not before(day, "trigger_retraining") & {"profile_features", "upload_features", "upload_performance"}


def test_a_day_in_shards_is_made_one_before_anything_looks_at_it_and_its_answers_are_joined(day):
    for task_id in ("profile_shards", "profile_features", "predict_shards", "create_annotation_pool"):
        assert {"ingest_shards", "merge_shards"} <= before(day, task_id), task_id
    assert "predict_shards" in before(day, "predict_labels")
    assert "profile_shards" in before(day, "profile_features")


def test_what_a_task_skips_is_skipped_also_where_an_earlier_run_had_mapped_it(dags):
    """A task skips others by their names, and so not the instances that an earlier run has made of a mapped one: those began, and failed with
    KeyError. The scheduler skips them where the task says that it skips others."""
    from airflow.sdk.bases.skipmixin import SkipMixin

    skipping = {task.task_id: task for dag in dags.values() for task in dag.tasks if isinstance(task, SkipMixin)}
    assert {"ingest_images", "check_performance", "choose_action", "gate"} <= set(skipping)
    assert [name for name, task in skipping.items() if not task.inherits_from_skipmixin] == []


def test_a_day_of_one_shard_goes_on_where_the_tasks_for_several_are_skipped(day):
    skipped = day.get_task("ingest_images").for_shards
    assert set(skipped) == {"ingest_shards", "merge_shards", "profile_shards", "predict_shards"}
    for task in day.tasks:
        if task.task_id not in skipped and task.upstream_task_ids & set(skipped):
            assert task.trigger_rule == "none_failed_min_one_success", task.task_id


def test_the_days_state_is_that_of_everything_in_it(day):
    assert {task.task_id for task in day.leaves} == {"day_done"}
    assert before(day, "day_done") == set(day.task_ids) - {"day_done"}
    assert day.get_task("day_done").trigger_rule == "none_failed"


def test_a_branch_leads_to_the_tasks_right_after_it_and_to_each_of_them(day, retraining):
    check = day.get_task("check_performance")
    gate, choose, collect = map(retraining.get_task, ("gate", "choose_action", "collect_training_set"))
    assert check.downstream_task_ids == {check.on_alert, check.on_ok}
    assert gate.downstream_task_ids == {gate.on_keep, gate.on_approval, gate.on_promote}
    assert choose.downstream_task_ids == {choose.on_plan, choose.on_rollback, choose.on_challenger, choose.on_retrain}
    assert collect.downstream_task_ids == {collect.on_train, collect.on_handover}


@pytest.mark.parametrize("labels", [{"sampling": "stratified"}, {"extra_for_training": 10}, {}])
def test_people_are_asked_after_the_predictions_only_where_these_choose_the_images(root, tmp_path, monkeypatch, labels):
    example = yaml.safe_load((root / "include/monitors/cats_vs_dogs.yaml").read_text())
    section = "labels" if "labels" in example else "annotation"
    (tmp_path / "m.yaml").write_text(yaml.safe_dump({**example, section: {**example[section], **labels}}))
    monkeypatch.setenv("DRIFTWATCH_MONITORS", str(tmp_path))
    found = dag_bag(root)
    assert found.import_errors == {}
    asking = found.dags["cats_vs_dogs_monitoring"].get_task("create_annotation_pool")
    assert asking.upstream_task_ids == {"ingest_images", "merge_shards"} | ({"predict_labels"} if labels else set())
    assert asking.trigger_rule == "none_failed_min_one_success"


def test_nothing_is_promoted_but_what_was_trained_on_the_set_compared_and_let_through_by_the_gate(retraining):
    steps = {"collect_training_set", "train_challenger", "evaluate_challenger"}
    assert steps <= before(retraining, "gate")
    assert before(retraining, "promote_model", without="gate") == {"approve_promotion"}
    assert before(retraining, "approve_promotion", without="gate") == set()
    assert "train_challenger" in before(retraining, "evaluate_challenger")
    assert "collect_training_set" in before(retraining, "train_challenger")


def test_a_hand_over_ends_the_run_and_what_comes_back_is_compared_before_anything_else(retraining):
    assert before(retraining, "hand_over") == {"choose_action", "collect_training_set"}
    assert retraining.get_task("hand_over").downstream_task_ids == set()
    assert before(retraining, "take_up_challenger") == {"choose_action"}
    assert retraining.get_task("take_up_challenger").downstream_task_ids == {"evaluate_challenger"}
    assert retraining.get_task("evaluate_challenger").trigger_rule == "none_failed_min_one_success"


def test_the_team_s_own_dag_is_triggered_once_for_each_hand_over_where_the_file_names_one(root, tmp_path, monkeypatch):
    example = yaml.safe_load((root / "include/monitors/cats_vs_dogs.yaml").read_text())
    (tmp_path / "m.yaml").write_text(yaml.safe_dump({**example, "retraining": {"handover_dag": "ours"}}))
    monkeypatch.setenv("DRIFTWATCH_MONITORS", str(tmp_path))
    found = dag_bag(root)
    assert found.import_errors == {}
    trigger = found.dags["cats_vs_dogs_retraining"].get_task("trigger_handover")
    assert trigger.upstream_task_ids == {"hand_over"}
    assert (trigger.trigger_dag_id, trigger.skip_when_already_exists) == ("ours", True)
    assert set(trigger.conf) == {"place", "monitor", "run_key"}
    assert "run_id" in trigger.trigger_run_id
    assert "**When it fails**: " in trigger.doc_md


def test_whoever_becomes_champion_the_reference_follows_and_who_does_not_changes_nothing(retraining):
    assert {"promote_model", "roll_back"} <= retraining.get_task("refresh_reference").upstream_task_ids
    for task_id in ("keep_champion", "show_plan"):
        assert retraining.get_task(task_id).downstream_task_ids == set(), task_id


def test_a_way_back_and_a_plan_train_nothing(retraining):
    for task_id in ("roll_back", "show_plan"):
        assert before(retraining, task_id) == {"choose_action"}, task_id


@pytest.mark.parametrize("dag_id", ["cats_vs_dogs_monitoring", "cats_vs_dogs_retraining"])
def test_a_dag_says_what_it_is_and_retries(dags, dag_id):
    dag = dags[dag_id]
    assert dag.doc_md.strip().startswith("###")
    assert "driftwatch" in dag.tags
    assert dag.catchup is False
    assert all(param.description for param in dag.params.values() if hasattr(param, "description"))


@pytest.mark.parametrize("dag_id", ["cats_vs_dogs_monitoring", "cats_vs_dogs_retraining"])
def test_the_retries_of_every_task_outlast_an_outage_of_an_hour_and_no_more_than_two(dags, dag_id):
    """By Airflow's own schedule, which spreads each wait by chance; a task that was cleared after its retries counts on."""
    from airflow.models.taskinstance import TaskInstance

    failed = datetime(2026, 1, 1, tzinfo=timezone.utc)
    for task in dags[dag_id].tasks:
        for first in (1, 9):
            waits = [
                TaskInstance.next_retry_datetime(
                    SimpleNamespace(  # type: ignore[arg-type]
                        task=task, dag_id=dag_id, task_id=task.task_id, logical_date=failed, end_date=failed,
                        try_number=first + number, retry_delay_override=None,
                    )
                )
                - failed
                for number in range(task.retries)
            ]  # fmt: skip
            assert timedelta(hours=1) <= sum(waits, timedelta()) <= timedelta(hours=2), (task.task_id, waits)
        assert waits[0] <= timedelta(minutes=15), task.task_id


def test_spending_publishing_and_asking_for_a_retraining_never_run_twice_at_once(dags):
    alone = {task.task_id for task in dags["cats_vs_dogs_monitoring"].tasks if task.max_active_tis_per_dag == 1}
    assert alone == {"create_annotation_pool", "upload_features", "upload_performance", "check_performance"}


def test_without_an_answer_in_time_an_approval_keeps_the_champion(dags):
    approval = dags["cats_vs_dogs_retraining"].get_task("approve_promotion")
    assert approval.defaults == ["Reject"]
    assert approval.response_timeout.total_seconds() == 48 * 3600


def test_each_step_says_in_the_ui_what_it_does_and_what_to_do_when_it_fails(dags):
    for dag in dags.values():
        for task in dag.tasks:
            if type(task).__module__.startswith("driftwatch_airflow."):
                assert "**When it fails**: " in (task.doc_md or ""), task.task_id


def test_labels_champion_reference_and_a_set_for_the_team_are_assets_that_other_dags_can_follow(dags):
    outlets = {
        task.task_id: [asset.uri for asset in task.outlets]
        for dag in dags.values()
        for task in dag.tasks
        if task.outlets
    }
    assert outlets == {
        "merge_annotations": ["x-driftwatch://cats_vs_dogs/labels"],
        "promote_model": ["x-driftwatch://cats_vs_dogs/champion"],
        "roll_back": ["x-driftwatch://cats_vs_dogs/champion"],
        "refresh_reference": ["x-driftwatch://cats_vs_dogs/reference"],
        "hand_over": ["x-driftwatch://cats_vs_dogs/handover"],
    }


def test_the_owners_name_leads_where_the_monitor_file_says(root, tmp_path, monkeypatch):
    example = yaml.safe_load((root / "include/monitors/cats_vs_dogs.yaml").read_text())
    for link in ("https://chat.example/ml", "javascript:alert(1)"):
        name = "good" if link.startswith("https") else "bad"
        raw = {**example, "name": name, "owner": "ml-platform", "owner_link": link}
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(raw))
    monkeypatch.setenv("DRIFTWATCH_MONITORS", str(tmp_path))
    found = dag_bag(root).dags
    assert {found[f"good_{kind}"].owner_links["ml-platform"] for kind in ("monitoring", "retraining")} == {
        "https://chat.example/ml"
    }
    assert "owner_link" in found["bad_monitoring_refused"].doc_md


def test_each_step_of_a_monitor_has_the_button_to_its_page(dags):
    for dag in (dag for dag in dags.values() if dag.dag_id != "driftwatch_doctor"):
        for task in dag.tasks:
            if hasattr(task, "monitor"):
                assert "Monitor page" in {link.name for link in task.operator_extra_links}, task.task_id


def test_three_tasks_say_their_verdict_where_airflow_lists_task_instances(day):
    """By the template that the task's process renders when it has ended (Airflow's `_render_map_index`), for unmapped tasks too."""
    from driftwatch_airflow.monitor import say_verdict

    context: dict[str, object] = {}
    say_verdict(context, "alert:\n accuracy 63.9 % [59, 68]")  # type: ignore[arg-type]
    for task_id in ("profile_features", "evaluate_performance", "check_performance"):
        template = day.get_template_env().from_string(day.get_task(task_id).map_index_template)
        assert template.render({}) == ""
        assert template.render(context) == "alert: accuracy 63.9 % [59, 68]"
