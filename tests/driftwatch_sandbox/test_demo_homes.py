"""The last finished run is kept until the next is complete, whatever ends that one; its ports and its own monitor file stay."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from driftwatch_sandbox.demo import week
from driftwatch_sandbox.demo.homes import SUMMARY, DemoFailed, finished, fresh, only_one
from driftwatch_sandbox.demo.processes import ServerFailed
from driftwatch_sandbox.demo.world import World


def play(home: Path, mark: str, error: type[BaseException] | None = None) -> list[str]:
    said: list[str] = []
    with fresh(home, said.append):
        assert not list(home.iterdir())
        (home / "mark").write_text(mark)
        if error:
            raise error("stopped")
        (home / SUMMARY).touch()
    return said


@pytest.mark.parametrize("error", [KeyboardInterrupt, DemoFailed, OSError])
def test_a_run_that_ends_early_leaves_the_last_finished_one(tmp_path, error) -> None:
    home = tmp_path / "demo"
    play(home, "first")
    with pytest.raises(error):
        play(home, "second", error)
    assert (finished(home) / "mark").read_text() == "first"
    assert (tmp_path / "demo.failed/mark").read_text() == "second"
    assert "until this one is complete" in play(home, "third")[0]
    assert (finished(home) / "mark").read_text() == "third"
    assert not (tmp_path / "demo.last").exists()


def test_a_run_that_was_killed_gives_the_place_back(tmp_path) -> None:
    home = tmp_path / "demo"
    play(home, "first")
    home.rename(tmp_path / "demo.last")  # as a kill leaves it
    home.mkdir()
    (home / "mark").write_text("killed")
    assert (finished(home) / "mark").read_text() == "first"
    home.rename(tmp_path / "demo.last")
    play(home, "second")
    assert (finished(home) / "mark").read_text() == "second"


def test_without_a_finished_run_the_message_says_what_to_do(tmp_path) -> None:
    with pytest.raises(DemoFailed, match="run `make try` first"):
        finished(tmp_path / "try")
    with pytest.raises(KeyboardInterrupt):
        play(tmp_path / "try", "first", KeyboardInterrupt)
    with pytest.raises(DemoFailed, match="run `make try` first"):
        finished(tmp_path / "try")


def test_only_one_runs_at_a_time(tmp_path) -> None:
    with only_one(tmp_path), pytest.raises(DemoFailed, match="running already"), only_one(tmp_path):
        pass


def test_the_ports_stay_the_same_and_one_that_is_taken_is_named(tmp_path) -> None:
    world = World(tmp_path)
    again = World(tmp_path)
    assert again.ports == world.ports
    assert len(set(world.ports.values())) == 4
    again.refuse_taken_ports()
    with socket.create_server(("127.0.0.1", world.ports["toloka"])), pytest.raises(ServerFailed, match=r"for toloka"):
        again.refuse_taken_ports()


def test_the_demo_has_a_monitor_file_of_its_own(tmp_path) -> None:
    """Whatever lies in include/monitors, and however its example was changed."""
    story = week.Week(None)
    (tmp_path / "b.yaml").write_text("name: [")
    written = story.write_monitor(tmp_path)
    assert written == tmp_path / "cats_vs_dogs.yaml"
    assert week.write_monitor(tmp_path / "other", tmp_path, week.DRAWN).name == "cats_vs_dogs"


def test_nothing_of_the_persons_own_connections_reaches_a_simulation(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AWS_PROD", "aws://")
    monkeypatch.setenv("AIRFLOW_CONN_TOLOKA_DEFAULT", "toloka://paid")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    world = World(tmp_path)
    assert "AIRFLOW_CONN_AWS_PROD" not in world.env
    assert "AWS_SECRET_ACCESS_KEY" not in world.env
    assert world.url("toloka") in world.env["AIRFLOW_CONN_TOLOKA_DEFAULT"]
