"""Where a monitor's artifacts lie, and where they are found after it was renamed."""

from __future__ import annotations

from datetime import date

import pytest

from driftwatch.artifacts.keys import DATASET_CARD, MonitorKeys, images_folder, own_key
from driftwatch.artifacts.kinds import OF_A_DAY, every_kind, kind_of

LAYOUT = MonitorKeys("demo")
DAY = LAYOUT.day(date(2026, 1, 10))


@pytest.mark.parametrize(
    ("stored", "now"),
    [
        ("old/incoming/2026-01-10/x/a.jpg", "demo/incoming/2026-01-10/x/a.jpg"),
        ("old/training/images/cat/a.jpg", "demo/training/images/cat/a.jpg"),
        ("elsewhere/a.jpg", "elsewhere/a.jpg"),
        ("a.jpg", "a.jpg"),
    ],
)
def test_an_image_is_found_under_the_monitors_name_of_today(stored, now):
    assert own_key("demo", stored) == now


def test_an_image_is_read_from_its_own_folder_alone():
    assert images_folder("demo/incoming/2026-01-10/x/a.jpg") == "demo/incoming/2026-01-10"
    assert images_folder(LAYOUT.training_image("cat", "x/a.jpg")) == "demo/training/images"
    assert images_folder("elsewhere/x/a.jpg") == "elsewhere"


def test_a_labelled_image_says_its_class():
    assert LAYOUT.class_of(LAYOUT.training_image("cat", "x/a.jpg")) == "cat"


def test_each_kind_of_a_day_lies_where_the_days_keys_say():
    keys = {
        DAY.ingest, DAY.inputs_index, DAY.shard_plan, DAY.late_files, DAY.drift, DAY.content_drift, DAY.estimate, DAY.performance,
        DAY.whylabs_analysis, DAY.annotation, DAY.annotation_progress, DAY.published, DAY.failure, DAY.answers, DAY.recheck, DAY.episodes,
        DAY.decision, DAY.day_map, DAY.file("label_table.json"),
    }  # fmt: skip
    assert {DAY.file(kind.file) for kind in OF_A_DAY} == keys
    assert {kind_of(key) for key in keys} == set(OF_A_DAY)


def test_every_other_json_artifact_has_a_kind_too():
    version, run = "v0001-0a1b2c3d", LAYOUT.of_retraining("run")
    others = [
        LAYOUT.summary("2026-01"), LAYOUT.champion, LAYOUT.mlflow, LAYOUT.model_card(version), LAYOUT.model(version, "endpoint"), LAYOUT.reference(version), LAYOUT.reference(version, "content"),
        LAYOUT.reference_predictions(version), LAYOUT.reference_published(version), LAYOUT.active_retraining, LAYOUT.next_set("ready.json"),
        LAYOUT.training_pixels, LAYOUT.retraining("run", DATASET_CARD), LAYOUT.retraining("run", "challenger.json"), LAYOUT.retraining("run", "gate.json"),
        run.attached_alert(DAY.day), f"{run.checkpoints}/progress.json", run.handover.manifest, f"{run.outbox}/drift.json", f"{DAY.outbox}/drift.json",
        f"{LAYOUT.models_outbox}/mlflow_alias.json", f"{DAY.outbox}/told/drift-1/mail.json",
        LAYOUT.forgetting("r1", "work.json"), LAYOUT.forgetting("r1", "receipt.json"), LAYOUT.state("lens"), LAYOUT.state("lens", version), LAYOUT.reference(LAYOUT.state_place("lens")), LAYOUT.mutes,
        LAYOUT.reference(LAYOUT.state_place("lens", version), "content"), LAYOUT.reference_predictions(LAYOUT.state_place("lens", version)),
    ]  # fmt: skip
    assert {kind_of(key) for key in others} | set(OF_A_DAY) == every_kind()
