"""The commands where a model server answers: its connection comes from the environment, and nothing is changed where it does not fit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from driftwatch import cli
from driftwatch_sandbox.model_server.model import ServedModel

from .shades import TOKEN, monitor_file, serving


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ServedModel]:
    with serving(monkeypatch) as model:
        yield model


@pytest.fixture
def monitor(tmp_path: Path, server: ServedModel) -> Path:
    return monitor_file(tmp_path)


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = cli.main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_first_champion_is_what_the_server_answers(monitor, capsys):
    code, out, error = run(capsys, "champion", "import", monitor, "--images", monitor.parent / "images")
    assert (code, error) == (0, "")
    assert "Champion v0001-" in out
    assert "accuracy 100.0%" in out
    code, out, error = run(capsys, "check", monitor)
    assert (code, error) == (0, "")
    assert "Days are answered by the model 'shades' at http://127" in out
    assert "its input 'image' takes FP32, its output is scores; 16 images a request, 4 requests at once" in out
    assert TOKEN not in out


@pytest.mark.parametrize(
    ("more", "why"), [([], "no file is named"), (["--answers", "day.csv"], "those of --answers are production's own")]
)
def test_expected_scores_are_refused_where_no_file_is_imported_that_they_could_be_compared_with(
    monitor, capsys, server, more, why
):
    images = monitor.parent / "images"
    code, out, error = run(capsys, "champion", "import", monitor, "--images", images, "--expect", "ours.csv", *more)
    assert (code, out) == (2, "")
    assert f"--expect ours.csv: its scores are compared with those of a model's file, and {why}" in error
    assert not (monitor.parent / "storage").exists()  # nothing was taken in
    assert not server.requests


def test_a_model_that_does_not_fit_replaces_no_training_set(monitor, capsys, server):
    server.shape = (-1, 3, 32, 32)
    code, _, error = run(capsys, "champion", "import", monitor, "--images", monitor.parent / "images")
    assert code == 1
    assert "set model.input.layout to nchw" in error
    assert not list((monitor.parent / "storage").rglob("*.parquet"))


def test_a_check_before_the_first_champion_says_that_the_set_will_be_handed_over(monitor, capsys):
    """A server's model is never trained here; it said `trainer: keras`."""
    code, out, _ = run(capsys, "check", monitor)
    assert code == 0
    assert "Champion: none yet" in out
    assert "trainer: handover" in out


def test_a_check_without_the_connection_says_the_rest_first(monitor, capsys, monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_MODELS")
    code, out, error = run(capsys, "check", monitor)
    assert code == 1
    assert "valid. Monitor shades" in out
    assert "no Airflow connection 'models', which model.endpoint.connection names" in error


def test_without_a_file_only_a_server_can_answer(monitor, capsys):
    settings = yaml.safe_load(monitor.read_text())
    settings["model"]["predictions"] = "champion"
    monitor.write_text(yaml.safe_dump(settings))
    code, _, error = run(capsys, "champion", "import", monitor)
    assert code == 2
    assert "with endpoint nothing. It is champion" in error
