"""The command that puts the monitors of WhyLabs."""

from __future__ import annotations

import yaml

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch_airflow import put_monitors

LAYOUT = MonitorKeys("cats_vs_dogs")


OLD, NEW = "v0001-00000001", "v0002-00000002"


DRIFT = "cats_vs_dogs-image-drift-analyzer"


def test_the_command_puts_the_monitors_and_says_what_it_did(publishing, capsys):
    path = str(publishing.root / "include/monitors/cats_vs_dogs.yaml")
    assert put_monitors.main([path]) == 0
    assert put_monitors.main([path]) == 0

    out = capsys.readouterr().out.splitlines()
    assert f"org-1/model-1, compared with {OLD}" in out[0]
    assert out[1] == f"  written  {DRIFT}"
    assert out[8] == f"  same     {DRIFT}"
    assert publishing.baseline() == OLD
    assert publishing.server.key not in "".join(out)


def test_the_command_says_what_is_wrong(publishing, capsys, monkeypatch, tmp_path):
    path = publishing.root / "include/monitors/cats_vs_dogs.yaml"
    publishing.storage.delete(LAYOUT.champion)
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
