"""The DAG files go into Airflow's folder, and nothing of others is lost there."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest

from driftwatch.cli import main
from driftwatch.deployment import NOTE, dag_files


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "airflow").mkdir()
    return tmp_path / "airflow"


def test_the_dag_files_and_the_preload_are_put_in_place_once_and_a_second_run_changes_nothing(home, capsys):
    assert main(["deploy", "--to", str(home)]) == 0
    assert {path.name: path.read_bytes() for path in (home / "dags" / "driftwatch").glob("*.py")} == dag_files()
    assert "preload()" in (home / "config" / "airflow_local_settings.py").read_text()
    before = {path: path.stat().st_mtime_ns for path in home.rglob("*")}
    capsys.readouterr()
    assert main(["deploy", "--to", str(home)]) == 0
    assert "already" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in home.rglob("*")} == before


def test_a_dry_run_says_each_file_and_writes_none(home, capsys):
    assert main(["deploy", "--to", str(home), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert all(f"would write {home / 'dags' / 'driftwatch' / name}" in said for name in dag_files())
    assert not list(home.rglob("*"))


def test_an_upgrade_replaces_what_the_last_one_wrote_and_removes_what_is_gone(home):
    main(["deploy", "--to", str(home)])
    folder = home / "dags" / "driftwatch"
    old = {"image_monitoring.py": b"# of an older version\n", "gone.py": b"# no more\n"}
    note = json.loads((folder / NOTE).read_text())
    for name, content in old.items():
        (folder / name).write_bytes(content)
        note["files"][name] = sha256(content).hexdigest()
    (folder / NOTE).write_text(json.dumps(note))
    assert main(["deploy", "--to", str(home)]) == 0
    assert {path.name: path.read_bytes() for path in folder.glob("*.py")} == dag_files()


def test_a_file_that_somebody_changed_is_left_alone_and_named_until_told_otherwise(home, capsys):
    main(["deploy", "--to", str(home)])
    changed = home / "dags" / "driftwatch" / "image_monitoring.py"
    changed.write_text("# mine\n")
    assert main(["deploy", "--to", str(home)]) == 1
    assert str(changed) in capsys.readouterr().err
    assert changed.read_text() == "# mine\n"
    assert main(["deploy", "--to", str(home), "--force"]) == 0
    assert changed.read_bytes() == dag_files()["image_monitoring.py"]


def test_a_second_copy_of_the_dag_files_is_refused_since_airflow_would_find_each_dag_twice(home, capsys):
    (home / "dags").mkdir()
    (home / "dags" / "image_monitoring.py").write_text("# copied by hand\n")
    assert main(["deploy", "--to", str(home)]) == 1
    assert "twice" in capsys.readouterr().err


def test_settings_of_one_s_own_keep_what_they_have(home):
    settings = home / "config" / "airflow_local_settings.py"
    settings.parent.mkdir()
    settings.write_text("STATE_COLORS = {}\n")
    main(["deploy", "--to", str(home)])
    assert settings.read_text() == (
        "STATE_COLORS = {}\n\nfrom driftwatch_airflow.preload import preload\n\npreload()\n"
    )
    main(["deploy", "--to", str(home)])
    assert settings.read_text().count("preload()") == 1


def test_a_home_that_is_not_there_is_named(tmp_path, capsys):
    assert main(["deploy", "--to", str(tmp_path / "nowhere")]) == 1
    assert f"{tmp_path / 'nowhere'}: there is no such folder" in capsys.readouterr().err
