"""The daily DAG on a real Airflow: a day, a backfill of it and of another, and the form of the retraining."""

from __future__ import annotations

import json
import re
import time
from datetime import datetime, timezone
from typing import Any

import httpx
import pytest
from tests.end_to_end import openlineage_events
from tests.end_to_end.openlineage_events import completed, names
from tests.end_to_end.two_versions import right_and_wrong
from tests.stores import monitor_store

from driftwatch.artifacts.keys import DATASET_CARD, GATE, SET
from driftwatch.drift.states import accepted_states
from driftwatch_sandbox.demo.world import ORGANISATION

SEGMENTS = {"only": {"shift": ["0", "1"]}, "weights": {}}

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow, pytest.mark.timeout(600)]


def test_a_day_goes_from_images_to_a_verdict_and_every_listed_file_is_accounted_for(site, days):
    day = days[0]
    assert site.run(site.monitor.monitoring_dag_id, f"one__{day}", day) == "success"
    keys = site.layout.day(day)
    ingest = site.storage.read_json(keys.ingest)
    assert (
        ingest["listed"] == ingest["ignored"] + ingest["accepted"] + ingest["duplicate"] + ingest["quarantined"] == 55
    )
    assert len(site.storage.read_table(keys.predictions)) == ingest["accepted"] == 54
    performance = site.storage.read_json(keys.performance)
    counted = performance["consensus"] + performance["ties"] + performance["unclear"] + performance["unanswered"]
    assert counted == performance["sampled"] == 20
    assert performance["verdict"] in ("ok", "alert", "not_enough_evidence")
    assert site.storage.read_bytes(keys.report).startswith(b"<!doctype html>")
    published = {entry["kind"]: entry["state"] for entry in site.storage.read_json(keys.published)["uploads"]}
    assert published == {"features": "done", "performance": "done"}
    counted_by_whylabs = site.whylabs()["datasets"]["model-1"]["days"][str(day)]
    assert counted_by_whylabs["columns"]["image.entropy"]["count"] == 54
    assert sum(map(sum, counted_by_whylabs["confusion"]["counts"])) == performance["labels"]
    assert len(site.whylabs()["datasets"]["model-1"]["references"]) == 1


def test_the_days_labels_are_an_event_to_follow_and_the_pages_show_the_days_numbers(site, days):
    day, dag_id, name = days[0], site.monitor.monitoring_dag_id, site.monitor.name
    keys = site.layout.day(day)
    performance = site.storage.read_json(keys.performance)
    (event,) = site.api._get("/assets/events", source_dag_id=dag_id, source_run_id=f"one__{day}")["asset_events"]
    assert (event["uri"], event["source_task_id"]) == (f"x-driftwatch://{name}/labels", "merge_annotations")
    told = {"day": str(day), "labels": performance["labels"], "url": site.storage.url(keys.labels)}
    assert {key: event["extra"][key] for key in told} == told
    links = site.api._get(f"/dags/{dag_id}/dagRuns/one__{day}/taskInstances/evaluate_performance/links")
    assert links["extra_links"]["Monitor page"] == f"/driftwatch/dag/{dag_id}/run/one__{day}"
    shown = site.api._client.get(links["extra_links"]["Monitor page"], follow_redirects=True)
    assert shown.status_code == 200
    assert f"{performance['labels']} of {performance['sampled']}" in shown.text
    assert "Labelling</a>" in shown.text
    assert site.api._client.get(links["extra_links"]["Day report"]).content == site.storage.read_bytes(keys.report)
    series = site.api._client.get(f"/driftwatch/m/{name}/series.json").json()
    at = series["days"].index(str(day))
    assert series["performance"]["accuracy"]["value"][at] == pytest.approx(performance["accuracy"]["value"], rel=1e-5)
    shown = site.api._client.get(f"/driftwatch/m/{name}/confusions.json?first={day}&last={day}").json()["table"]
    counted = [[int(cell["n"] or 0) for cell in row["cells"]] for row in shown["rows"]]
    assert counted == performance["confusion_matrix"]["rows"]


def test_openlineage_is_told_what_each_step_read_and_wrote_with_rows_and_verdicts(site, days):
    keys, read = site.layout.day(days[0]), site.storage.read_json
    steps = completed(site.world.home, site.monitor.monitoring_dag_id)
    root = str(site.world.storage)

    def inputs(step: str) -> dict[str, Any]:
        return names(steps[step]["inputs"], root)

    def outputs(step: str) -> dict[str, Any]:
        return names(steps[step]["outputs"], root)

    def written(step: str, key: str) -> int:
        return outputs(step)[key]["outputFacets"]["outputStatistics"]["rowCount"]

    def checks(step: str, key: str) -> dict[str, bool]:
        facet = inputs(step)[key]["inputFacets"]["dataQualityAssertions"]
        return {check["assertion"]: check["success"] for check in facet["assertions"] if not check.get("column")}

    assert inputs("ingest_images")[keys.incoming]["inputFacets"]["inputStatistics"]["fileCount"] == 55
    assert (written("ingest_images", keys.manifest), written("ingest_images", keys.features)) == (55, 54)
    drift, performance = read(keys.drift), read(keys.performance)
    assert checks("profile_features", keys.features)["image_quality_drift"] == (drift["whole"] == "ok")
    quality = inputs("profile_features")[keys.features]["inputFacets"]["dataQualityMetrics"]
    assert quality["rowCount"] == 54
    feature = drift["features"][0]
    quantiles = quality["columnMetrics"][feature["feature"]]["quantiles"]
    assert [*quantiles.values()] == pytest.approx(feature["day_quantiles"])
    assert written("predict_labels", keys.predictions) == 54
    (pool,) = site.toloka()["pools"]
    pool_name = f"toloka://toloka_default pools/{pool['id']}"
    assert pool_name in outputs("create_annotation_pool")
    assert pool_name in inputs("wait_for_annotations")  # the step that deferred
    assert pool_name in inputs("merge_annotations")
    assert written("merge_annotations", keys.labels) == performance["sampled"]
    if performance["own_verdict" if "own_verdict" in performance else "verdict"] != "not_enough_evidence":
        assert "accuracy" in checks("evaluate_performance", keys.predictions)
    assert {keys.performance, keys.report} <= set(outputs("evaluate_performance"))
    assert f"whylabs://{ORGANISATION} model-1/performance/{days[0]}" in outputs("upload_performance")


def test_each_decision_of_the_day_is_one_json_object_in_a_task_s_log(site, days):
    events: dict[str, list[dict[str, Any]]] = {}
    # A step that Airflow had to try again says its decision in each try: the last one's log counts.
    tries = sorted((site.world.home / "airflow" / "logs").rglob(f"run_id=one__{days[0]}/**/*.log"))
    for path in {path.parent: path for path in tries if ".trigger." not in path.name}.values():
        for line in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
            if line.get("logger") == "driftwatch.decisions":
                events.setdefault(line["event"], []).append(line)
    day = {
        "images_taken_in",
        "sample_drawn",
        "pool_ended",
        "labels_merged",
        "performance_verdict",
        "retraining_decision",
    }
    assert day < set(events)
    assert {name: len(events[name]) for name in day} == dict.fromkeys(day, 1)
    (taken_in,), (verdict,) = events["images_taken_in"], events["performance_verdict"]
    assert (taken_in["monitor"], taken_in["day"]) == (site.monitor.name, str(days[0]))
    assert (taken_in["listed"], taken_in["accepted"], taken_in["task_id"]) == (55, 54, "ingest_images")
    assert verdict["verdict"] == site.storage.read_json(site.layout.day(days[0]).performance)["verdict"]
    assert {found["kind"] for found in events["drift_verdict"]} == {"image_quality", "content", "predictions"}


@pytest.mark.all_faults("it runs two more days")
def test_a_backfill_of_a_new_day_and_of_one_again_pays_for_the_new_one_and_changes_nothing_of_the_other(site, days):
    first, last = days[0], days[1]
    dag_id = site.monitor.monitoring_dag_id
    before, artifacts = site.outside(), site.artifacts(first)
    done = site.airflow(
        "backfill", "create", "--dag-id", dag_id, "--from-date", str(first), "--to-date", str(last),
        "--reprocess-behavior", "completed", "--max-active-runs", "1",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]

    def runs() -> list[dict[str, Any]]:
        found = site.api._get(f"/dags/{dag_id}/dagRuns", limit=100)["dag_runs"]
        return [run for run in found if run["run_type"] == "backfill"]

    end = time.monotonic() + 300
    while [run["state"] in ("success", "failed") for run in runs()] != [True, True]:
        assert time.monotonic() < end, runs()
        site.world.processes.check()
        time.sleep(1)
    assert [run["state"] for run in runs()] == ["success"] * 2
    after, pools = site.outside(), before["pools"]
    assert after["projects"] == before["projects"]
    assert len(after["pools"]) == len(pools) + 1
    assert [pool for pool in after["pools"] if pool in pools] == pools
    counted, was = (state["whylabs"]["datasets"]["model-1"]["days"] for state in (after, before))
    assert counted[str(first)] == was[str(first)]
    assert (str(last) in counted, str(last) in was) == (True, False)
    assert site.artifacts(first) == artifacts
    retrainings = site.api._get(f"/dags/{site.monitor.retraining_dag_id}/dagRuns", limit=100)["dag_runs"]
    assert not [run for run in retrainings if run["dag_run_id"].endswith(str(last))]


@pytest.mark.all_faults("it runs one day more; ui/test_pages_and_runs.py has the refusal")
def test_a_day_that_is_not_over_is_refused_without_a_retry_and_nothing_is_paid(site):
    before, dag_id, today = site.outside(), site.monitor.monitoring_dag_id, datetime.now(timezone.utc).date()
    assert site.run(dag_id, "today", None, day=str(today)) == "failed"
    (ingest,) = (task for task in site.api.tasks(dag_id, "today") if task["task_id"] == "ingest_images")
    assert (ingest["state"], ingest["try_number"], ingest["max_tries"]) == ("failed", 1, 7)
    said = site.api.log(dag_id, "today", "ingest_images", 1)
    assert f"{today} is not over" in said
    assert "`unfinished_day`" in said
    assert "ingest_images failed for good, in try 1" in said
    assert site.outside() == before


@pytest.mark.all_faults("it waits for one run more")
def test_the_forms_run_after_the_monitors_end_has_no_tasks_and_its_tab_says_so(site):
    dag_id, now = site.monitor.monitoring_dag_id, datetime.now(timezone.utc)
    site.api.trigger(dag_id, "as_the_form", now.isoformat(), {})
    assert site.follow(dag_id, "as_the_form") == "success"
    assert site.api.tasks(dag_id, "as_the_form") == []
    shown = site.api._client.get(f"/driftwatch/dag/{dag_id}/run/as_the_form", follow_redirects=True)
    assert shown.status_code == 409
    assert "Airflow gives such a run no tasks" in shown.text


@pytest.mark.all_faults("it runs one DAG more; models/test_retraining.py has the plan")
def test_a_retraining_by_hand_for_some_segments_shows_its_plan_first_and_writes_nothing(site):
    before = site.storage.list(site.layout.monitor)
    dag_id = site.monitor.retraining_dag_id
    assert site.run(dag_id, "look_first", None, dry_run=True, reason="to see the set", segments=SEGMENTS) == "success"
    states = site.states(dag_id, "look_first")
    assert (states["show_plan"], states["collect_training_set"]) == ("success", "skipped")
    plan = site.api.xcom(dag_id, "look_first", "show_plan")
    assert plan["set"]["new_labels"] >= 10
    assert plan["set"]["left_out"]["other_segments"] > 0  # images of the late evening
    assert plan["champion"] == site.storage.read_json(site.layout.champion)["version"]
    assert site.storage.list(site.layout.monitor) == before


@pytest.mark.all_faults("it runs two retrainings")
def test_a_person_approves_by_the_comparison_and_one_run_rolls_it_back(site):
    """The challenger is there as a run that was killed after training leaves it behind."""
    good, bad = right_and_wrong(site, "asked")
    site.storage.write_json(
        site.layout.retraining("asked", "challenger.json"), {"version": good, "parent": bad, "requested_by": "a test"}
    )
    dag_id = site.monitor.retraining_dag_id
    form = {"promotion": "approval", "max_clean_drop": 1, "max_class_drop": 1, "segments": SEGMENTS}
    site.api.trigger(dag_id, "asked", None, form)
    detail = site.question(dag_id, "asked", "approve_promotion")
    assert f"**{good}** against the champion **{bad}**" in detail["body"]
    assert "images by true class and answer" in detail["body"]
    pictures = re.findall(r"!\[\w+\]\((http[^)]+)\)", detail["body"])
    assert pictures
    assert httpx.get(pictures[0], trust_env=False).headers["content-type"].startswith("image/")
    assert "Without an answer within 48 hours, the champion stays." in detail["body"]
    assert site.storage.read_json(site.layout.champion)["version"] == bad
    site.api.answer(dag_id, "asked", "approve_promotion", "Approve")
    assert site.follow(dag_id, "asked") == "success"
    assert site.states(dag_id, "asked")["refresh_reference"] == "success"
    assert site.storage.read_json(site.layout.champion)["version"] == good

    assert site.run(dag_id, "back", None, rollback="previous") == "success"
    states = site.states(dag_id, "back")
    assert (states["roll_back"], states["refresh_reference"]) == ("success", "success")
    assert (states["collect_training_set"], states["promote_model"]) == ("skipped", "skipped")
    assert site.storage.read_json(site.layout.champion)["version"] == bad


@pytest.mark.all_faults("it reads what the retraining of the test before left")
def test_that_run_learnt_from_the_segments_that_its_form_named_and_was_judged_by_segment(site):
    """Its set was collected by the form of the test before."""
    key, read = site.layout.retraining, site.storage.read_json
    collected, card = site.storage.read_table(key("asked", SET)), read(key("asked", DATASET_CARD))
    human = collected[collected["source"] == "human"]
    assert set(site.shifts(human[human["split"] != "evaluation"])) == {"0", "1"}
    assert card["left_out"]["other_segments"] > 0  # images of the late evening are in neither
    compared = {(row["by"], row["name"]): row["n"] for row in read(key("asked", GATE))["segments"]}
    assert {("shift", "0"), ("shift", "1")} < set(compared)
    assert all(compared.values())


@pytest.mark.all_faults("it runs one DAG more")
def test_the_form_of_the_reference_dag_accepts_a_day_and_names_who_asked(site, days):
    dag_id = site.monitor.reference_dag_id
    site.api.wait_for_dags([dag_id])
    form = {"action": "accept", "days": str(days[0]), "state": "new_lens", "reason": "A new lens"}
    form |= dict.fromkeys(("name", "since", "until"))
    ended = site.run(dag_id, "accepted", None, **form)
    assert ended == "success", site.api.log(dag_id, "accepted", "change_reference", 1)
    states = accepted_states(monitor_store(site.storage, site.layout, site.monitor))
    (state,) = (state for state in states if state.name == "new_lens")
    (decision,) = state.history
    assert (state.days, state.counts) == ((days[0],), True)
    assert (decision.by, decision.reason) == ("admin", "A new lens")
    with pytest.raises(RuntimeError, match="400"):
        site.api.trigger(dag_id, "no_reason", None, {**form, "reason": ""})


def test_a_form_with_a_wrong_value_is_refused(site):
    with pytest.raises(RuntimeError, match="400"):
        site.api.trigger(site.monitor.retraining_dag_id, "wrong", None, {"epochs": 0})


def test_the_connection_types_are_known_and_their_test_tells_the_account(site):
    """As the button of the connection's form asks it; the api-server's log is looked through below."""
    secrets = site.world.secrets
    asked = (
        ("toloka", secrets.toloka_token, "account"),
        ("whylabs", secrets.whylabs_key, f"{ORGANISATION} has 1 data"),
    )
    for name, secret, account in asked:
        form = {"connection_id": f"{name}_default", "conn_type": name, "host": site.world.url(name), "password": secret}
        extra = json.dumps({"org_id": ORGANISATION} if name == "whylabs" else {})
        told = site.api._client.post("/api/v2/connections/test", json={**form, "extra": extra})
        assert told.raise_for_status().json()["status"] is True, told.text
        assert account in told.json()["message"]
        assert secret not in told.text


def test_no_secret_is_in_a_log_or_an_artifact(site):
    secrets = [
        value.encode()
        for value in (site.world.secrets.toloka_token, site.world.secrets.whylabs_key, site.world.secrets.image_secret)
    ]
    places = [*(site.world.home / "airflow" / "logs").rglob("*.log"), *site.world.processes.logs.iterdir()]
    places += (site.world.home / openlineage_events.FOLDER).iterdir()
    places += [path for path in site.world.storage.rglob("*") if path.is_file() and "incoming" not in path.parts]
    assert places
    leaking = [str(path) for path in places if any(secret in path.read_bytes() for secret in secrets)]
    assert leaking == []
