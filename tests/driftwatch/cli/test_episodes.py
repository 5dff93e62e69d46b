"""`driftwatch episodes`: every change, and only those that go on."""

from __future__ import annotations

from pathlib import Path

import yaml

from driftwatch.cli import main
from driftwatch.storage import open_storage

from ..artifacts import samples


def test_it_lists_each_change_and_only_the_open_ones_if_asked(tmp_path: Path, capsys) -> None:
    storage = open_storage(f"file://{tmp_path}/storage")
    ended = {**samples.EPISODE, "event": "closed", "ended": "usual"}
    storage.write_json("demo/days/2026-01-09/episodes.json", {"day": "2026-01-09", "episodes": [ended]})
    later = {**samples.EPISODE, "since": "2026-01-20", "event": "opened"}
    storage.write_json("demo/days/2026-01-20/episodes.json", {"day": "2026-01-20", "episodes": [later]})
    file = tmp_path / "demo.yaml"
    raw = {"name": "demo", "classes": ["cat", "dog"], "schedule": {"start_date": "2026-01-01"}}
    file.write_text(yaml.safe_dump({**raw, "storage": {"uri": f"file://{tmp_path}/storage"}}))
    assert main(["episodes", str(file)]) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[0] == "2026-01-20  Images  open   since 2026-01-20, day 1, now 11 features, getting worse"
    assert "2026-01-05  Images  ended  alarmed until 2026-01-08; all is as usual again" in said
    assert said.endswith("2 episodes, 1 open\n")
    assert main(["episodes", str(file), "--open"]) == 0
    assert "ended  " not in capsys.readouterr().out
