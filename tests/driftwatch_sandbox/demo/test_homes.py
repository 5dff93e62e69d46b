"""The last finished run is kept until the next is complete, whatever ends that one; its ports and its own monitor file stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftwatch_sandbox.demo.homes import SUMMARY, DemoFailed, finished, fresh, only_one


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
