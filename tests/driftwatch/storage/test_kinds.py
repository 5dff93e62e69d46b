"""Which kind of storage an address names."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from driftwatch.config.monitor import StorageConfig
from driftwatch.errors import ConfigError, DriftwatchError
from driftwatch.storage import kinds, open_storage
from driftwatch.storage.clouds import AzureStorage, GoogleStorage
from driftwatch.storage.file import FileStorage
from driftwatch.storage.s3 import S3Storage

from ...installed import installed


class Archive(FileStorage):
    """A kind that another package adds."""

    scheme = "archive"
    example = "archive:///tape/folder"


@pytest.mark.parametrize(
    ("uri", "kind", "kept"),
    [
        ("file:///data/drift/", FileStorage, "file:///data/drift"),
        ("s3://bucket", S3Storage, "s3://bucket"),
        ("s3://bucket/a/b/", S3Storage, "s3://bucket/a/b"),
        ("gs://bucket/a/", GoogleStorage, "gs://bucket/a"),
        ("az://container/a", AzureStorage, "az://container/a"),
    ],
)
def test_the_scheme_names_the_kind(uri, kind, kept):
    storage = open_storage(uri)
    assert type(storage) is kind
    assert storage.uri == kept
    assert storage.url("m/a") == f"{kept}/m/a"


@pytest.mark.parametrize("uri", ["/plain/path", "http://x", "file://relative", "s3://", "gs://", "az:///x", "file", ""])
def test_a_wrong_uri_is_refused_with_what_is_allowed(uri):
    with pytest.raises(
        DriftwatchError,
        match=r"allowed are file:///absolute/folder, s3://bucket/prefix, gs://bucket/prefix, az://container/prefix; set storage\.uri in the monitor file",
    ):
        open_storage(uri)


def test_a_package_adds_a_kind_by_an_entry_point(tmp_path, monkeypatch):
    found = EntryPoint("archive", f"{__name__}:Archive", kinds.SEAM.group)
    monkeypatch.setattr(EntryPoint, "load", lambda self: Archive)

    installed(monkeypatch, found)
    uri = StorageConfig.model_validate({"uri": f"archive://{tmp_path}"}).uri
    storage = open_storage(uri)
    storage.write_json("m/a.json", 1)
    assert type(storage) is Archive
    assert (tmp_path / "m" / "a.json").exists()
    with pytest.raises(DriftwatchError, match=", archive:///tape/folder; set"):
        open_storage("archive://relative")
    with pytest.raises(DriftwatchError, match="allowed are"):
        open_storage("tape://x")


def test_a_kind_that_cannot_be_loaded_is_named_with_its_package(monkeypatch):
    broken = EntryPoint("tape", "no_such_package:Tape", kinds.SEAM.group)
    installed(monkeypatch, broken)
    with pytest.raises(
        ConfigError, match=r"entry point no_such_package:Tape of the kind of storage 'tape' .*correct the package"
    ):
        open_storage("tape:///x")
