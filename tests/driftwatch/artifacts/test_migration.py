"""A storage of an older version is brought into today's form, file by file, and keeps a backup."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import copytree

import pytest
from tests.driftwatch.storage.conftest import *  # noqa: F403

from driftwatch.artifacts.base import read
from driftwatch.artifacts.kinds import kind_of
from driftwatch.artifacts.migration import StaleArtifact, backup, drop_backup, findings, migrate
from driftwatch.artifacts.models import ModelCard
from driftwatch.errors import DriftwatchError
from driftwatch.storage import Storage, open_storage

from . import samples

CARD = f"cats_vs_dogs/models/{samples.VERSION}/card.json"
DRIFT = f"cats_vs_dogs/days/{samples.DAY}/drift.json"


@pytest.fixture
def old(storage: Storage) -> Storage:
    """A file system and a bucket, each with the storage of version 0.1."""
    for path in sorted(samples.FOLDER.rglob("*")):
        if path.is_file():
            storage.write_bytes(f"cats_vs_dogs/{path.relative_to(samples.FOLDER).as_posix()}", path.read_bytes())
    storage.write_bytes("other_folder/notes.json", b"{}")
    return storage


def files(storage: Storage) -> dict[str, bytes]:
    return {item.key: storage.read_bytes(item.key) for item in storage.list("cats_vs_dogs")}


def test_to_look_changes_nothing_and_names_each_older_file(old):
    before = files(old)
    found = list(findings(old))
    assert {finding.state for finding in found} == {"older"}
    assert {finding.key for finding in found} == {
        key for key, data in before.items() if key.endswith(".json") and "schema_version" not in json.loads(data)
    }
    assert files(old) == before


def test_afterwards_each_file_says_its_version_and_means_the_same(old):
    before = files(old)
    meant = {finding.key: read(old, finding.key, kind_of(finding.key)) for finding in findings(old)}
    assert all(migrate(old, StaleArtifact(key, "older")) for key in meant)
    assert list(findings(old)) == []
    for key, artifact in meant.items():
        assert read(old, key, type(artifact)) == artifact
        assert old.read_json(key)["schema_version"] == type(artifact).VERSION
        assert old.read_bytes(key.replace("cats_vs_dogs/", "cats_vs_dogs/migration_backup/", 1)) == before[key]
    changed = {key for key in before if old.read_bytes(key) != before[key]}
    assert changed == set(meant)
    assert read(old, CARD, ModelCard).kind == "keras"
    held = backup(old)
    assert (held.files, held.bytes) == (len(meant), sum(len(before[key]) for key in meant))
    assert drop_backup(old) == held
    assert backup(old).files == drop_backup(old).files == 0


def test_after_a_kill_between_copy_and_replacement_a_repeat_keeps_the_first_copy(old, monkeypatch):
    before = old.read_bytes(CARD)
    with monkeypatch.context() as killed:
        killed.setattr(type(old), "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            migrate(old, StaleArtifact(CARD, "older"))
    assert old.read_bytes(CARD) == before
    assert migrate(old, StaleArtifact(CARD, "older"))
    assert not migrate(old, StaleArtifact(CARD, "older"))
    assert old.read_bytes(CARD.replace("/models", "/migration_backup/models")) == before


def test_damaged_and_newer_files_are_named_and_stay(old):
    old.write_bytes(DRIFT, b"{")
    old.write_json(CARD, {**samples.CARD, "schema_version": 9})
    found = {finding.key: finding for finding in findings(old)}
    assert (found[DRIFT].state, found[CARD].state) == ("damaged", "newer")
    assert "drift.json" in found[DRIFT].why
    assert "reads 2 at most" in found[CARD].why
    with pytest.raises(DriftwatchError, match=r"drift\.json is damaged, and only older artifacts are migrated"):
        migrate(old, found[DRIFT])


def test_a_root_without_monitors_has_nothing_to_migrate(storage):
    assert list(findings(storage)) == []


@pytest.fixture
def folder(tmp_path) -> Path:
    copytree(samples.FOLDER, tmp_path / "root/cats_vs_dogs")
    return tmp_path / "root"


def test_a_migrated_file_system_has_the_backup_beside_the_days(folder):
    storage = open_storage(f"file://{folder}")
    for finding in findings(storage):
        migrate(storage, finding)
    assert (folder / "cats_vs_dogs/migration_backup/days" / samples.DAY / "performance.json").exists()
