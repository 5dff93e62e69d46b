"""Storage on a folder and on a real S3 API (moto's server), the same tests for both."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest

from driftwatch.errors import DamagedArtifact, DriftwatchError, MissingArtifact
from driftwatch.storage import Storage, StoredObject


@pytest.fixture(scope="module")
def s3_endpoint():
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["file", "s3"])
def storage(request, tmp_path):
    if request.param == "file":
        return Storage(f"file://{tmp_path}")
    import s3fs

    endpoint = request.getfixturevalue("s3_endpoint")
    filesystem = s3fs.S3FileSystem(key="k", secret="s", endpoint_url=endpoint, use_listings_cache=False)
    bucket = f"bucket-{os.urandom(4).hex()}"
    filesystem.mkdir(bucket)
    return Storage(f"s3://{bucket}/root", filesystem)


def test_what_is_written_is_read_back(storage):
    table = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    storage.write_json("m/days/d/a.json", {"b": [1.5, "é"]})
    storage.write_table("m/t.parquet", table)
    storage.write_array("m/x.npy", np.arange(6, dtype=np.uint8).reshape(2, 3))
    assert storage.read_json("m/days/d/a.json") == {"b": [1.5, "é"]}
    pd.testing.assert_frame_equal(storage.read_table("m/t.parquet"), table)
    assert storage.read_array("m/x.npy").tolist() == [[0, 1, 2], [3, 4, 5]]


def test_the_same_table_written_twice_has_the_same_bytes(storage):
    table = pd.DataFrame({"a": np.random.default_rng(0).normal(size=500)})
    storage.write_table("one.parquet", table)
    storage.write_table("two.parquet", table.copy())
    assert storage.read_bytes("one.parquet") == storage.read_bytes("two.parquet")


def test_listing_is_sorted_whole_and_empty_for_a_missing_folder(storage):
    for name in ("b c.jpg", "a'\"ü.jpg", ".hidden", "sub/d.jpg"):
        storage.write_bytes(f"in/{name}", name.encode())
    assert storage.list("in") == sorted(
        (StoredObject(f"in/{name}", len(name.encode())) for name in ("b c.jpg", "a'\"ü.jpg", ".hidden", "sub/d.jpg")),
        key=lambda item: item.key,
    )
    assert storage.list("nowhere") == []
    assert storage.folders("in") == ["sub"]
    assert storage.folders("nowhere") == []


def test_a_copy_is_an_object_of_its_own(storage):
    storage.write_bytes("in/a b'ü.jpg", b"picture")
    storage.copy("in/a b'ü.jpg", "shown/1.jpg")
    storage.delete("in/a b'ü.jpg")
    assert storage.read_bytes("shown/1.jpg") == b"picture"


def test_a_missing_object_is_named_with_what_to_do(storage):
    with pytest.raises(MissingArtifact, match=r"missing\.json does not exist: the step that writes it"):
        storage.read_bytes("missing.json")


@pytest.mark.parametrize("data", [b'{"half', b"\xff\xfe", b"[" * 100_000, b"PAR1", b""])
def test_damaged_bytes_are_refused_with_the_objects_address(tmp_path, data):
    storage = Storage(f"file://{tmp_path}")
    storage.write_bytes("m/a", data)
    for read in (storage.read_json, storage.read_table, storage.read_array):
        with pytest.raises(DamagedArtifact, match=f"{tmp_path}/m/a is no .*clear the task that writes it"):
            read("m/a")


def test_objects_are_fetched_in_order_and_a_lost_one_loses_no_other(storage):
    for number in range(40):
        storage.write_bytes(f"in/{number:02d}", str(number).encode())
    keys = [f"in/{number:02d}" for number in range(41)]
    fetched = list(storage.iter_bytes(keys, at_once=5))
    assert [key for key, _ in fetched] == keys
    assert [data for _, data in fetched[:-1]] == [str(number).encode() for number in range(40)]
    assert isinstance(fetched[-1][1], MissingArtifact)


@pytest.mark.parametrize("key", ["../up", "/abs", "", "a/../../b"])
def test_a_key_that_leaves_the_root_is_refused(storage, key):
    with pytest.raises(DriftwatchError, match="must be relative"):
        storage.write_bytes(key, b"")


def test_a_killed_write_leaves_the_old_file(tmp_path, monkeypatch):
    storage = Storage(f"file://{tmp_path}")
    storage.write_bytes("a", b"old")
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        storage.write_bytes("a", b"new")
    assert storage.read_bytes("a") == b"old"
    assert os.listdir(tmp_path) == ["a"]


def test_what_is_there_is_not_created_again(storage):
    assert storage.create("m/lock", b"first") is True
    assert storage.create("m/lock", b"second") is False
    assert storage.read_bytes("m/lock") == b"first"
    storage.delete("m/lock")
    assert storage.create("m/lock", b"third") is True


@pytest.mark.parametrize("uri", ["/plain/path", "http://x", "file://relative", "s3://"])
def test_a_wrong_uri_is_refused_with_what_is_allowed(uri):
    with pytest.raises(DriftwatchError, match="file:///absolute/folder and s3://bucket/prefix"):
        Storage(uri)


def test_presigned_links_are_for_s3_alone(tmp_path, s3_endpoint):
    import httpx
    import s3fs

    filesystem = s3fs.S3FileSystem(key="k", secret="s", endpoint_url=s3_endpoint)
    filesystem.mkdir("links")
    storage = Storage("s3://links/root", filesystem)
    storage.write_bytes("a b.jpg", b"picture")
    assert httpx.get(storage.presigned_url("a b.jpg", 60)).content == b"picture"
    with pytest.raises(DriftwatchError, match="needs an image server"):
        Storage(f"file://{tmp_path}").presigned_url("a", 60)


def test_reading_an_object_of_s3_is_one_request(s3_endpoint, monkeypatch):
    import s3fs

    filesystem = s3fs.S3FileSystem(key="k", secret="s", endpoint_url=s3_endpoint, use_listings_cache=False)
    bucket = f"bucket-{os.urandom(4).hex()}"
    filesystem.mkdir(bucket)
    storage = Storage(f"s3://{bucket}/root", filesystem)
    storage.write_bytes("a.jpg", b"bytes")
    asked, call = [], filesystem._call_s3

    async def counted(method, *arguments, **more):
        asked.append(method)
        return await call(method, *arguments, **more)

    monkeypatch.setattr(filesystem, "_call_s3", counted)
    assert storage.read_bytes("a.jpg") == b"bytes"
    assert asked == ["get_object"]
