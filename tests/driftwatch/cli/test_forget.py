"""`driftwatch forget`: says what would be done, does it when told, and finishes what was begun."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

from driftwatch.cli import main
from driftwatch.storage import open_storage

IMAGE, OTHER = "ab" * 32, "cd" * 32


@pytest.fixture
def file(tmp_path: Path) -> Path:
    uri = f"file://{tmp_path}/storage"
    keys = [f"demo/incoming/2026-01-05/{name}.jpg" for name in "ab"]
    table = pd.DataFrame({"image_id": [IMAGE, OTHER], "key": keys, "phash": ["0" * 16, "0" * 15 + "3"]})
    open_storage(uri).write_table("demo/days/2026-01-05/manifest.parquet", table)
    raw = {"name": "demo", "classes": ["cat", "dog"], "schedule": {"start_date": "2026-01-01"}, "storage": {"uri": uri}}
    path = tmp_path / "demo.yaml"
    path.write_text(yaml.safe_dump(raw))
    return path


def test_it_is_a_dry_run_that_lists_what_looks_alike(file, capsys):
    assert main(["forget", str(file), "--image", "incoming/2026-01-05/a.jpg"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"{IMAGE}  demo/incoming/2026-01-05/a.jpg"
    assert said[1] == "Their files are left to you (storage.forget_originals is false)"
    assert said[3] == f"  {OTHER}  demo/incoming/2026-01-05/b.jpg  (2 of 64 bits differ)"
    assert said[-1] == "Nothing was changed: add --apply"


@pytest.mark.parametrize("deletes", [True, False])
def test_files_that_lie_elsewhere_are_never_said_to_be_deleted(file, tmp_path, capsys, deletes):
    raw = yaml.safe_load(file.read_text())
    raw["storage"]["forget_originals"] = deletes
    raw["images"] = {"layout": {"paths": "cams/{day}"}}
    file.write_text(yaml.safe_dump(raw))
    table = pd.DataFrame({"image_id": [IMAGE], "key": ["cams/2026-01-05/a.jpg"], "phash": ["0" * 16]})
    open_storage(raw["storage"]["uri"]).write_table("demo/days/2026-01-05/manifest.parquet", table)
    assert main(["forget", str(file), "--image", IMAGE]) == 0
    said = capsys.readouterr().out
    assert (
        "1 file where images.layout leads, which Driftwatch only reads: delete what of them shall go yourself" in said
    )
    assert "deleted too" not in said
    assert "left to you" not in said


def test_applied_it_writes_a_receipt_and_the_image_is_found_no_more(file, tmp_path, capsys):
    names = tmp_path / "names.txt"
    names.write_text(f"{IMAGE}\n\n")
    assert main(["forget", str(file), "--from", str(names), "--apply", "--by", "request 17"]) == 0
    said = capsys.readouterr().out
    assert ": 1 image forgotten\n" in said
    assert "  tables and records: 1 changed or deleted\n" in said
    (receipt,) = (tmp_path / "storage/demo/forgotten").rglob("*.json")
    assert '"by": "request 17"' in receipt.read_text()
    assert main(["forget", str(file), "--image", IMAGE]) == 1
    assert "no image of demo has this sha256 or this key" in capsys.readouterr().err


def test_without_a_name_and_without_begun_work_it_says_what_it_lacks(file, capsys):
    assert main(["forget", str(file)]) == 2
    assert "name the images by --image or --from" in capsys.readouterr().err
