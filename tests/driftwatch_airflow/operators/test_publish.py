"""The task that publishes, against the WhyLabs stand-in over real HTTP: profiles and references."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowSkipException
from tests.driftwatch.artifacts import samples

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.publish.errors import PublishConflict
from driftwatch.publish.whylabs.errors import WhyLabsAccessRefused
from driftwatch_airflow.operators.promotion import RefreshReferenceOperator
from driftwatch_airflow.operators.publish import PublishOperator

LAYOUT = MonitorKeys("cats_vs_dogs")


OLD, NEW = "v0001-00000001", "v0002-00000002"


def test_the_first_day_brings_reference_and_monitors_and_the_next_writes_nothing_more(publishing):
    publishing.day(1, OLD)
    publishing.day(2, OLD, 50)
    first = publishing.upload(1)
    assert [(done["sink"], done["state"]) for done in first] == [("whylabs", "uploaded"), ("local", "uploaded")]
    assert publishing.baseline() == OLD
    assert len(publishing.server.monitor_config()) == 6
    publishing.upload(2)

    assert len(publishing.server.requests("PUT", "/monitor-config/")) == 6
    assert [reference["alias"] for reference in publishing.server.state()["references"]] == [OLD]


def test_a_monitor_without_sinks_publishes_nothing_and_needs_no_profile(publishing):
    publishing.day(1, OLD)
    publishing.storage.delete(LAYOUT.day(date(2026, 1, 1)).feature_profile)
    nowhere = publishing.monitor.publish.model_copy(update={"sinks": ()})
    assert publishing.upload(1, nowhere) == []
    assert publishing.server.state()["days"] == {}


def test_a_promotion_moves_the_baseline_and_a_backfilled_day_does_not_move_it_back(publishing):
    publishing.day(1, OLD)
    publishing.upload(1)
    publishing.storage.write_json(LAYOUT.champion, {"version": NEW, "previous": OLD})
    ti = SimpleNamespace(xcom_pull=lambda task_ids: {"challenger": NEW})
    RefreshReferenceOperator(task_id="refresh", monitor=publishing.monitor, request="r").execute({"ti": ti})
    assert publishing.baseline() == NEW

    publishing.day(3, OLD, 60)
    publishing.upload(3)
    assert publishing.baseline() == NEW
    publishing.storage.write_json(LAYOUT.champion, {"version": OLD, "previous": NEW})
    publishing.day(4, OLD, 70)
    publishing.upload(4)
    assert publishing.baseline() == OLD


def test_a_key_that_may_only_upload_fails_after_the_upload_which_is_not_repeated(publishing):
    publishing.day(1, OLD)
    publishing.server.fault("GET", "/monitor-config/", "error_before", status=403, code="Forbidden")
    with pytest.raises(WhyLabsAccessRefused, match=r"Airflow connection whylabs_default.*publish\.monitors\.managed"):
        publishing.upload(1)
    assert [done["state"] for done in publishing.upload(1)] == ["skipped", "skipped"]
    assert publishing.server.state()["days"]["2026-01-01"]["columns"]["image.Brightness.mean"]["count"] == 40


def test_a_failed_upload_fails_the_task_with_its_reason_and_the_next_try_counts_once(publishing):
    publishing.day(1, OLD)
    publishing.upload(1)
    publishing.day(2, OLD, 50)
    publishing.server.fault("PUT", "/upload/", "url_expired")
    with pytest.raises(Exception, match=r"HTTP 403.*Request has expired.*asks for a new one"):
        publishing.upload(2)
    publishing.upload(2)
    assert publishing.server.state()["days"]["2026-01-02"]["columns"]["image.Brightness.mean"]["count"] == 50


def test_a_changed_day_names_its_late_images_and_the_form_that_corrects_it(publishing, monkeypatch):
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example/ops")
    page = "https://airflow.example/ops/driftwatch/m/cats_vs_dogs/days/2026-01-01/#correction"
    publishing.day(1, OLD)
    publishing.upload(1)
    publishing.day(1, OLD, 50)
    publishing.storage.write_json(
        LAYOUT.day(date(2026, 1, 1)).ingest, {**samples.INGEST, "model_version": OLD, "late": 10}
    )
    shown: dict[str, str] = {}
    operator = PublishOperator(task_id="upload", monitor=publishing.monitor, kind="features", day="2026-01-01")
    ti = SimpleNamespace(xcom_push=lambda key, value: shown.update({key: value}))
    with pytest.raises(PublishConflict) as refused:
        operator.execute({"params": {}, "ti": ti})
    assert str(refused.value).startswith("10 images of 2026-01-01 came after its sample was drawn. ")
    assert str(refused.value).endswith(page)
    assert list(shown.values()) == [page]
    link = next(link for link in operator.operator_extra_links if link.name == "Publish a correction")
    assert (link.get_link(operator, ti_key=None), list(shown)) == (page, [link.xcom_key])

    assert [done["state"] for done in publishing.upload(1, revise=True)] == ["revised", "revised"]
    assert publishing.server.state()["days"]["2026-01-01"]["columns"]["image.Brightness.mean"]["count"] == 50


def test_the_old_name_is_the_same_operator_and_says_the_new_one():
    with pytest.warns(DeprecationWarning, match="UploadToWhyLabsOperator is now called PublishOperator: import that"):
        from driftwatch_airflow.operators.publish import UploadToWhyLabsOperator
    assert UploadToWhyLabsOperator is PublishOperator


def test_a_dry_run_publishes_and_configures_nothing(publishing):
    publishing.day(1, OLD)
    with pytest.raises(AirflowSkipException, match="dry_run"):
        publishing.upload(1, dry_run=True)
    assert publishing.server.requests("POST", "/") == []
