"""The tasks that publish, against the WhyLabs stand-in over real HTTP: profiles, references, WhyLabs' own monitors."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from airflow.sdk.exceptions import AirflowSkipException

from driftwatch.artifacts.keys import MonitorLayout
from driftwatch.config.monitor_files import load_monitor
from driftwatch.drift.whylogs_profiles import feature_profile
from driftwatch.publish.errors import PublishConflict
from driftwatch.publish.whylabs_errors import WhyLabsAccessRefused
from driftwatch.storage import Storage
from driftwatch_airflow import put_monitors
from driftwatch_airflow.operators.publish import UploadToWhyLabsOperator
from driftwatch_airflow.operators.retraining import RefreshReferenceOperator

LAYOUT = MonitorLayout("cats_vs_dogs")
DRIFT = "cats_vs_dogs-image-drift-analyzer"
OLD, NEW = "v0001-00000001", "v0002-00000002"


def features(rows: int) -> pd.DataFrame:
    return pd.DataFrame({"image.Brightness.mean": np.random.default_rng(rows).normal(100, 10, rows)})


@pytest.fixture
def site(tmp_path, root: Path, monkeypatch, whylabs_servers):
    """A storage with two model versions, OLD being the champion, and a server of its own."""
    server = whylabs_servers()
    monkeypatch.setenv("DRIFTWATCH_STORAGE", f"file://{tmp_path}")
    monkeypatch.setenv("AIRFLOW_CONN_WHYLABS_DEFAULT", json.dumps(server.connection()))
    storage = Storage(f"file://{tmp_path}")
    for number, version in enumerate((OLD, NEW)):
        storage.write_table(LAYOUT.reference_features(version), features(200 + number))
        storage.write_bytes(
            LAYOUT.reference_profile(version), feature_profile(features(200 + number), date(2026, 1, 1))
        )
    storage.write_json(LAYOUT.champion, {"version": OLD, "previous": None})
    monitor = load_monitor(root / "include/monitors/cats_vs_dogs.yaml")

    def day(number: int, version: str, rows: int = 40) -> None:
        keys = LAYOUT.day(date(2026, 1, number))
        table = features(rows).assign(image_id=[f"{rows}-{i}" for i in range(rows)])
        storage.write_json(keys.ingest, {"model_version": version})
        storage.write_table(keys.features, table)
        storage.write_bytes(keys.feature_profile, feature_profile(features(rows), date(2026, 1, number)))

    def upload(number: int, publish: Any = monitor.publish, **params: Any) -> Any:
        changed = monitor.model_copy(update={"publish": publish})
        operator = UploadToWhyLabsOperator(task_id="upload", monitor=changed, kind="features", day=f"2026-01-0{number}")
        return operator.execute({"params": params})

    def baseline() -> str | None:
        """The model version whose reference WhyLabs' drift monitor compares with."""
        found = server.monitor_config().get(DRIFT)
        names = {reference["id"]: reference["alias"] for reference in server.state()["references"]}
        return names[found["config"]["baseline"]["profileId"]] if found else None

    return SimpleNamespace(
        server=server, storage=storage, monitor=monitor, day=day, upload=upload, baseline=baseline, root=root
    )


def test_the_first_day_brings_reference_and_monitors_and_the_next_writes_nothing_more(site):
    site.day(1, OLD)
    site.day(2, OLD, 50)
    first = site.upload(1)
    assert [(done["sink"], done["state"]) for done in first] == [("whylabs", "uploaded"), ("local", "uploaded")]
    assert site.baseline() == OLD
    assert len(site.server.monitor_config()) == 6
    site.upload(2)

    assert len(site.server.requests("PUT", "/monitor-config/")) == 6
    assert [reference["alias"] for reference in site.server.state()["references"]] == [OLD]


def test_a_promotion_moves_the_baseline_and_a_backfilled_day_does_not_move_it_back(site):
    site.day(1, OLD)
    site.upload(1)
    site.storage.write_json(LAYOUT.champion, {"version": NEW, "previous": OLD})
    ti = SimpleNamespace(xcom_pull=lambda task_ids: {"challenger": NEW})
    RefreshReferenceOperator(task_id="refresh", monitor=site.monitor, request="r").execute({"ti": ti})
    assert site.baseline() == NEW

    site.day(3, OLD, 60)
    site.upload(3)
    assert site.baseline() == NEW
    site.storage.write_json(LAYOUT.champion, {"version": OLD, "previous": NEW})
    site.day(4, OLD, 70)
    site.upload(4)
    assert site.baseline() == OLD


def test_monitors_are_left_alone_where_the_file_says_so_and_without_whylabs(site):
    settings = site.monitor.publish
    site.day(1, OLD)
    site.upload(1, settings.model_copy(update={"monitors": settings.monitors.model_copy(update={"managed": False})}))
    site.upload(1, settings.model_copy(update={"sinks": ("local",)}))

    assert site.server.requests("PUT", "/monitor-config/") == []
    assert site.server.requests("GET", "/monitor-config/") == []
    assert site.storage.exists(f"{LAYOUT.local_profiles}/2026-01-01/features.bin")
    assert site.storage.exists(f"{LAYOUT.local_profiles}/reference/{OLD}.bin")


def test_a_key_that_may_only_upload_fails_after_the_upload_which_is_not_repeated(site):
    site.day(1, OLD)
    site.server.fault("GET", "/monitor-config/", "error_before", status=403, code="Forbidden")
    with pytest.raises(WhyLabsAccessRefused, match=r"Airflow connection whylabs_default.*publish\.monitors\.managed"):
        site.upload(1)
    assert [done["state"] for done in site.upload(1)] == ["skipped", "skipped"]
    assert site.server.state()["days"]["2026-01-01"]["columns"]["image.Brightness.mean"]["count"] == 40


def test_a_failed_upload_fails_the_task_with_its_reason_and_the_next_try_counts_once(site):
    site.day(1, OLD)
    site.upload(1)
    site.day(2, OLD, 50)
    site.server.fault("PUT", "/upload/", "url_expired")
    with pytest.raises(Exception, match=r"HTTP 403.*Request has expired.*asks for a new one"):
        site.upload(2)
    site.upload(2)
    assert site.server.state()["days"]["2026-01-02"]["columns"]["image.Brightness.mean"]["count"] == 50


def test_a_changed_day_names_its_late_images_and_the_form_that_corrects_it(site, monkeypatch):
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example/ops")
    page = "https://airflow.example/ops/driftwatch/m/cats_vs_dogs/days/2026-01-01/#correction"
    site.day(1, OLD)
    site.upload(1)
    site.day(1, OLD, 50)
    site.storage.write_json(LAYOUT.day(date(2026, 1, 1)).ingest, {"model_version": OLD, "late": 10})
    shown: dict[str, str] = {}
    operator = UploadToWhyLabsOperator(task_id="upload", monitor=site.monitor, kind="features", day="2026-01-01")
    ti = SimpleNamespace(xcom_push=lambda key, value: shown.update({key: value}))
    with pytest.raises(PublishConflict) as refused:
        operator.execute({"params": {}, "ti": ti})
    assert str(refused.value).startswith("10 images of 2026-01-01 came after its sample was drawn. ")
    assert str(refused.value).endswith(page)
    assert list(shown.values()) == [page]
    link = next(link for link in operator.operator_extra_links if link.name == "Publish a correction")
    assert (link.get_link(operator, ti_key=None), list(shown)) == (page, [link.xcom_key])

    assert [done["state"] for done in site.upload(1, revise=True)] == ["revised", "revised"]
    assert site.server.state()["days"]["2026-01-01"]["columns"]["image.Brightness.mean"]["count"] == 50


def test_a_dry_run_publishes_and_configures_nothing(site):
    site.day(1, OLD)
    with pytest.raises(AirflowSkipException, match="dry_run"):
        site.upload(1, dry_run=True)
    assert site.server.requests("POST", "/") == []


def test_the_command_puts_the_monitors_and_says_what_it_did(site, capsys):
    path = str(site.root / "include/monitors/cats_vs_dogs.yaml")
    assert put_monitors.main([path]) == 0
    assert put_monitors.main([path]) == 0

    out = capsys.readouterr().out.splitlines()
    assert f"org-1/model-1, compared with {OLD}" in out[0]
    assert out[1] == f"  written  {DRIFT}"
    assert out[8] == f"  same     {DRIFT}"
    assert site.baseline() == OLD
    assert site.server.key not in "".join(out)


def test_the_command_says_what_is_wrong(site, capsys, monkeypatch, tmp_path):
    path = site.root / "include/monitors/cats_vs_dogs.yaml"
    site.storage.delete(LAYOUT.champion)
    assert put_monitors.main([str(path)]) == 1
    assert "has no champion" in capsys.readouterr().err
    monkeypatch.delenv("AIRFLOW_CONN_WHYLABS_DEFAULT")
    assert put_monitors.main([str(path)]) == 1
    assert "whylabs_default" in (said := capsys.readouterr().err)
    assert "AIRFLOW_CONN_WHYLABS_DEFAULT" in said

    local = tmp_path / "local.yaml"
    local.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), "publish": ["local"]}))
    assert put_monitors.main([str(local)]) == 0
    assert "does not publish to WhyLabs" in capsys.readouterr().out


def test_one_bad_file_keeps_the_command_from_none_of_the_others(root, capsys, monkeypatch, tmp_path):
    example = yaml.safe_load((root / "include/monitors/cats_vs_dogs.yaml").read_text())
    (tmp_path / "a.yaml").write_text("colour: red")
    (tmp_path / "b.yaml").write_text(yaml.safe_dump({**example, "publish": ["local"]}))
    monkeypatch.setenv("DRIFTWATCH_MONITORS", str(tmp_path))
    assert put_monitors.main([]) == 1
    said = capsys.readouterr()
    assert "a.yaml: " in said.err
    assert "cats_vs_dogs does not publish to WhyLabs" in said.out
