"""`driftwatch migrate`: says what is older, migrates it when told, and keeps the backup until told."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest

from driftwatch.cli import main

from ..artifacts import samples


@pytest.fixture
def uri(tmp_path: Path) -> str:
    copytree(samples.FOLDER, tmp_path / "cats_vs_dogs")
    return f"file://{tmp_path}"


def test_it_is_a_dry_run_until_it_is_told_to_apply(uri, capsys):
    assert main(["migrate", uri]) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[0] == f"{uri}: 23 artifacts of an older version"
    assert "  ModelCard            no version -> 2  2\n" in said
    assert said.endswith(f"Nothing was changed. Stop the DAGs, then: driftwatch migrate {uri} --apply\n")
    assert main(["migrate", uri, "--apply"]) == 0
    said = capsys.readouterr().out
    assert "Migrated 23 artifacts. The backup has 23 files" in said
    assert main(["migrate", uri]) == 0
    assert capsys.readouterr().out == f"{uri}: every artifact that can be read has today's form\n"
    assert main(["migrate", uri, "--drop-backup"]) == 0
    assert capsys.readouterr().out.startswith("Deleted the backup: 23 files, ")


def test_what_cannot_be_read_is_named_with_exit_code_1_and_the_rest_is_migrated(uri, tmp_path, capsys):
    (tmp_path / "cats_vs_dogs/days" / samples.DAY / "drift.json").write_text('{"day": "2026-01-08"}')
    assert main(["migrate", uri, "--apply"]) == 1
    shown = capsys.readouterr()
    assert "Migrated 22 artifacts" in shown.out
    assert "1 artifact cannot be read, and stayed as they were:" in shown.err
    assert "drift.json" in shown.err
    assert "Field required" in shown.err


def test_an_address_that_is_none_is_refused(capsys):
    assert main(["migrate", "/data"]) != 0
    assert (
        "allowed are file:///absolute/folder, s3://bucket/prefix, gs://bucket/prefix, az://container/prefix"
        in capsys.readouterr().err
    )


def test_a_folder_that_is_no_storage_is_not_said_to_be_well(uri, tmp_path, capsys):
    copytree(tmp_path / "cats_vs_dogs", tmp_path / "above/storage/cats_vs_dogs")
    for wrong in (f"{uri}/above", f"{uri}/nothing"):
        assert main(["migrate", wrong]) == 0
        assert capsys.readouterr().out.startswith(f"{wrong} has no monitor's folder yet. If it should: name the root")
