"""`driftwatch keep`: says what is over, and removes it when told."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from driftwatch.cli import main


@pytest.fixture
def file(tmp_path: Path) -> Path:
    for day in ("2026-01-05", "2026-01-06"):
        folder = tmp_path / "storage/demo/days" / day
        folder.mkdir(parents=True)
        (folder / "report.html").write_bytes(b"x" * 1500)
        (folder / "manifest.parquet").write_bytes(b"x")
    (tmp_path / "storage/demo/days/2026-01-06/shown").mkdir()
    (tmp_path / "storage/demo/days/2026-01-06/shown/a.jpg").write_bytes(b"x")
    keep = {"reports": 10, "shown": 10}
    raw = {"name": "demo", "classes": ["cat", "dog"], "schedule": {"start_date": "2026-01-01"}}
    path = tmp_path / "demo.yaml"
    path.write_text(yaml.safe_dump({**raw, "storage": {"uri": f"file://{tmp_path}/storage", "keep": keep}}))
    return path


def test_it_is_a_dry_run_until_it_is_told_to_apply(file, tmp_path, capsys):
    assert main(["keep", str(file), "--today", "2026-02-01"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "reports: 2 files of 2 days (2026-01-05 to 2026-01-06), 3.0 kB",
        "stay: copies shown to annotators of 2026-01-06, 1 byte: its labels are not merged",
        "2 files, 3.0 kB are over. Nothing was removed: add --apply",
    ]
    assert main(["keep", str(file), "--today", "2026-02-01", "--apply"]) == 0
    assert capsys.readouterr().out.endswith("Removed 2 files, 3.0 kB\n")
    assert [path.name for path in sorted((tmp_path / "storage").rglob("*.*"))].count("report.html") == 0
    assert main(["keep", str(file), "--today", "2026-01-10"]) == 0
    assert capsys.readouterr().out == "Nothing is over\n"


def test_a_day_that_is_yet_to_come_removes_nothing(file, tmp_path, capsys):
    assert main(["keep", str(file), "--today", "2999-01-01", "--apply"]) != 0
    assert "--today 2999-01-01 is not yet: with --apply it may be " in capsys.readouterr().err
    assert len([*tmp_path.rglob("report.html")]) == 2
