"""The demo's week: its monitor file."""

from __future__ import annotations

from driftwatch_sandbox.demo import week


def test_the_demo_has_a_monitor_file_of_its_own(tmp_path) -> None:
    """Whatever lies in include/monitors, and however its example was changed."""
    story = week.Week(None)
    (tmp_path / "b.yaml").write_text("name: [")
    written = story.write_monitor(tmp_path)
    assert written == tmp_path / "cats_vs_dogs.yaml"
    assert week.write_monitor(tmp_path / "other", tmp_path, week.DRAWN).name == "cats_vs_dogs"
