"""A monitor file that is refused has a DAG that says why, and takes no other down."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml


def dag_bag(root: Path):
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(str(root / "dags"))


def test_a_refused_monitor_file_takes_no_other_down(root, tmp_path, monkeypatch):
    example = yaml.safe_load((root / "include/monitors/cats_vs_dogs.yaml").read_text())
    (tmp_path / "good.yaml").write_text(yaml.safe_dump({**example, "name": "good"}))
    (tmp_path / "bad.yaml").write_text(
        yaml.safe_dump({**example, "name": "bad", "labels": {**example["labels"], "overlap": 0}})
    )
    monkeypatch.setenv("DRIFTWATCH_MONITORS", str(tmp_path))
    bag = dag_bag(root)
    assert bag.import_errors == {}
    assert {
        "good_monitoring",
        "good_retraining",
        "good_reference",
        "good_forget",
        "driftwatch_watch",
        "bad_monitoring_refused",
        "bad_retraining_refused",
        "driftwatch_doctor",
    } == set(bag.dags)
    refused = bag.dags["bad_monitoring_refused"]
    assert "labels.overlap" in refused.doc_md
    with pytest.raises(Exception, match=r"labels\.overlap.*greater than or equal to 1"):
        refused.tasks[0].execute({})


def test_every_broken_file_has_a_dag_of_its_own_with_an_id_that_airflow_takes(root, tmp_path, monkeypatch):
    from airflow.utils.helpers import validate_key

    from driftwatch_airflow.refused import refused_dag_id

    example = (root / "include/monitors/cats_vs_dogs.yaml").read_text()
    broken = {
        "good.yaml": example.replace("cats_vs_dogs", "good"),
        "twin.yaml": example.replace("cats_vs_dogs", "good"),
        "date.yaml": example.replace("2026-01-01", "2026-02-30"),
        "digits.yaml": "a: " + "9" * 5000,
        "a b.yaml": "",
        "a-b.yaml": "",
        "a_b.yml": "",
        "a_b.yaml": "```",
        "\udcff\n.yaml": "",
        "katzen-früh.yaml": "",
        f"{'n' * 240}.yaml": "",
        f"{'n' * 240}.yml": "",
    }
    for name, text in broken.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / ".#good.yaml").symlink_to("someone@machine.1:2")
    monkeypatch.setenv("DRIFTWATCH_MONITORS", str(tmp_path))
    bag = dag_bag(root)
    assert bag.import_errors == {}
    refused = [name for name in [*broken, "folder.yaml"] if name != "good.yaml"]
    ids = {refused_dag_id(Path(name), kind) for name in refused for kind in ("monitoring", "retraining")}
    assert len(ids) == 2 * len(refused)
    of_all = {"driftwatch_doctor", "driftwatch_watch"}
    of_good = {"good_monitoring", "good_retraining", "good_reference", "good_forget"}
    assert set(bag.dags) == {*of_good, *of_all, *ids}
    for dag_id in bag.dags:
        validate_key(dag_id)
        bag.dags[dag_id].doc_md.encode()
    assert re.search(r"schedule\.start_date: .*, line 7", bag.dags["date_monitoring_refused"].doc_md)
    assert "is that of good.yaml already" in bag.dags["twin_monitoring_refused"].doc_md


def test_a_valid_file_of_which_no_dag_can_be_made_is_refused_alone(root):
    from driftwatch_airflow.refused import dags_of_monitors

    def build(monitor):
        raise OverflowError("date value out of range")

    dags = dags_of_monitors(build, "monitoring")
    assert list(dags) == ["cats_vs_dogs_monitoring_refused"]
    assert "OverflowError: date value out of range" in dags["cats_vs_dogs_monitoring_refused"].doc_md
