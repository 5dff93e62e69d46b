"""A listing in order that is never held whole: its order, what it asks at once, what an error costs, and how much memory it takes."""

from __future__ import annotations

import random
import threading
import tracemalloc
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest

from driftwatch.errors import NeedsAttention, StorageFailed
from driftwatch.storage import Storage, StoredObject, errors, listing, open_storage
from driftwatch.storage.file import FileStorage
from driftwatch.storage.foreign_files import from_key
from driftwatch.storage.spool import Spool, name_of

# In the order of names: `-` and `.` stand before `/`, and `0` after it.
NAMES = ("a", "a b/1", "a-1", "a.b", "a/1", "a/b/2", "a0", "b/c/d/3", "b/c/d0", "ü/4", "日/5", "😀")


def objects(*names: str) -> list[StoredObject]:
    return [StoredObject(f"in/{name}", len(name)) for name in names]


def written(storage: Storage, *names: str) -> Storage:
    for name in names:
        storage.write_bytes(f"in/{name}", b"x" * len(name))
    return storage


def of_names(found: Any, *, remote: bool = True, in_order: bool = True) -> Storage:
    """A storage whose objects are those that `found()` gives, by name, each of size 1."""

    class Listed(FileStorage):
        lists_in_order = in_order

        def _list(self, path: str) -> Iterator[tuple[str, int]]:
            return ((name, 1) for name in found())

    Listed.remote = remote
    return Listed("/nowhere")


def test_a_listing_is_in_the_order_of_names_on_every_kind(storage):
    # A file and a folder of one name cannot be on a disk.
    names = [name for name in NAMES if name != "a"] if storage.scheme == "file" else NAMES
    written(storage, *random.Random(1).sample(names, len(names)))
    written(storage, "100%25.jpg", "[x", "^y")
    storage.write_bytes("inner/other", b"")
    if storage.scheme != "az":  # which takes a backslash for a slash
        written(storage, "\\\\z")
    found = list(storage.iter_list("in"))
    assert found == list(storage.list("in"))
    assert {item.key for item in found} >= {f"in/{name}" for name in names}
    keys = [item.key for item in found]
    assert [name for key in keys if (name := key.removeprefix("in/")) in names] == list(names)
    assert list(storage.iter_list("none")) == []


def test_a_name_with_an_escape_stands_where_the_name_does(tmp_path):
    """The key of a control character begins with a backslash, which stands after the capitals."""
    storage = open_storage(f"file://{tmp_path}")
    written(storage, "\\x01", "A", "Z", "\\\\", "a", "\\xff")
    keys = [item.key for item in storage.iter_list("in")]
    assert keys == [f"in/{name}" for name in ("\\x01", "A", "Z", "\\\\", "a", "\\xff")]
    assert keys == [item.key for item in storage.list("in")]


@pytest.mark.parametrize("kind", ["s3_storage", "gs_storage"])
def test_several_folders_are_listed_at_once_and_given_out_in_order(request, monkeypatch, kind):
    storage = request.getfixturevalue(kind)
    names = [f"hour={hour:02}/{number}" for hour in range(8) for number in range(3)] + ["hour", "zz", "hour=03-x"]
    written(storage, *names)
    monkeypatch.setattr(listing, "PAGE", 2)
    monkeypatch.setattr(listing, "_AHEAD", 5)
    names.remove("hour")
    storage.delete("in/hour")  # a file before the folders: one stream is taken
    together, plain = threading.Barrier(5), storage._list
    streams: list[str] = []

    def listed(path: str) -> Iterator[tuple[str, int]]:
        streams.append(path.rpartition("/")[2])
        if "=" in streams[-1] and len(streams) <= 6:
            together.wait(30)  # the first five at once, or this fails
        return plain(path)

    monkeypatch.setattr(storage, "_list", listed)
    found = list(storage.iter_list("in"))
    assert [item.key for item in found] == [f"in/{name}" for name in sorted(names)]
    assert sorted(streams[1:]) == [f"hour={hour:02}" for hour in range(8)]


def test_a_folder_that_leads_to_the_others_alone_is_stepped_over(s3_storage, monkeypatch):
    written(s3_storage, *(f"only/{cam}/{number}" for cam in "abc" for number in range(2)))
    monkeypatch.setattr(listing, "PAGE", 2)
    streams: list[str] = []
    plain = s3_storage._list
    monkeypatch.setattr(s3_storage, "_list", lambda path: [streams.append(path), plain(path)][1])
    assert len(list(s3_storage.iter_list("in"))) == 6
    assert {path.rpartition("/")[2] for path in streams} == {"in", "only", "a", "b", "c"}


@pytest.mark.parametrize("odd", ["", "\x1b[31m", "a/", "b/\x7f"])
@pytest.mark.parametrize("others", [("a", "b"), ()], ids=["among others", "alone"])
def test_a_folder_with_an_odd_name_is_listed_as_all_are_however_much_there_is(
    s3_storage, s3_client, monkeypatch, odd, others
):
    bucket, _, prefix = s3_storage.root.partition("/")
    names = [*(f"{folder}/{number}.jpg" for folder in others for number in range(3)), *(f"{odd}/{n}" for n in range(3))]
    for name in names:
        s3_client.put_object(Bucket=bucket, Key=f"{prefix}/in/{name}", Body=b"x")
    small = list(s3_storage.iter_list("in"))
    assert {from_key(item.key) for item in small} == {f"in/{name}" for name in names}
    monkeypatch.setattr(listing, "PAGE", 2)
    assert list(s3_storage.iter_list("in")) == small == s3_storage.list("in")


def test_a_bucket_with_a_key_that_begins_with_a_slash_is_listed_once(s3_login, s3_client, s3, monkeypatch):
    s3_client.create_bucket(Bucket="slashes")
    names = [f"{folder}/{number}" for folder in ("", "/", "a") for number in range(3)]
    for name in names:
        s3_client.put_object(Bucket="slashes", Key=f"{name}.jpg", Body=b"x")
    storage = open_storage("s3://slashes", s3_login)
    assert sorted(name for name, _ in storage._list("slashes")) == sorted(f"{name}.jpg" for name in names)
    assert sorted(name for name, _ in storage._list("slashes/")) == sorted(f"{name[1:]}.jpg" for name in names[:6])


def test_many_small_folders_cost_no_request_each(s3_storage, s3, monkeypatch):
    written(s3_storage, *(f"{number:03}/image" for number in range(40)))
    monkeypatch.setattr(listing, "PAGE", 20)
    s3.asked.clear()
    assert len(list(s3_storage.iter_list("in"))) == 40
    assert len(s3.asked) == 1


def test_who_ends_early_leaves_no_thread_and_no_file(s3_storage, monkeypatch):
    written(s3_storage, *(f"{cam}/{number}" for cam in "abcdef" for number in range(3)))
    monkeypatch.setattr(listing, "PAGE", 2)
    monkeypatch.setattr(listing, "_PIECE", 1)
    found = s3_storage.iter_list("in")
    assert next(found).key == "in/a/0"
    assert any(thread.name.startswith("listing") for thread in threading.enumerate())
    found.close()
    assert not any(thread.name.startswith("listing") for thread in threading.enumerate())


def test_an_error_in_a_folder_is_raised(s3_storage, monkeypatch):
    written(s3_storage, *(f"{cam}/{number}" for cam in "abc" for number in range(3)))
    monkeypatch.setattr(listing, "PAGE", 2)
    monkeypatch.setattr(errors, "PAUSES", ())
    plain = s3_storage._list

    def listed(path: str) -> Iterator[tuple[str, int]]:
        if path.endswith("/b"):
            raise TimeoutError
        return plain(path)

    monkeypatch.setattr(s3_storage, "_list", listed)
    with pytest.raises(StorageFailed, match="could not list"):
        list(s3_storage.iter_list("in"))


@pytest.mark.parametrize("remote", [False, True])
def test_an_error_that_passes_loses_no_object_and_gives_none_twice(monkeypatch, remote):
    monkeypatch.setattr(errors, "PAUSES", (0, 0))
    monkeypatch.setattr(listing, "PAGE", 10)
    fails = iter([17, 24, 24])

    def names() -> Iterator[str]:
        after = next(fails, 1000)
        for number in range(50):
            if number == after:
                raise TimeoutError
            yield f"{number:02}"

    found = list(of_names(names, remote=remote).iter_list("in"))
    assert found == [StoredObject(f"in/{number:02}", 1) for number in range(50)]


def test_a_server_that_does_not_list_in_order_is_refused_or_sorted(monkeypatch):
    names = [f"{number:03}" for number in range(100)]
    mixed = random.Random(2).sample(names, 100)
    monkeypatch.setattr(listing, "PAGE", 10)
    with pytest.raises(NeedsAttention, match="does not list in the order of names"):
        list(of_names(lambda: iter(mixed)).iter_list("in"))
    sorted_here = of_names(lambda: iter(mixed), in_order=False)
    assert [item.key for item in sorted_here.iter_list("in")] == [f"in/{name}" for name in names]


def test_directory_buckets_of_s3_are_sorted_here(s3_login):
    assert not open_storage("s3://images--use1-az4--x-s3/root", s3_login).lists_in_order
    assert open_storage("s3://images/root", s3_login).lists_in_order


@pytest.mark.parametrize("in_order", [True, False])
def test_memory_does_not_grow_with_the_listing(in_order, monkeypatch):
    monkeypatch.setattr(Spool.__init__, "__defaults__", (2_000,))

    def most(count: int) -> int:
        storage = of_names(lambda: (f"{number:08}" for number in range(count)), in_order=in_order)
        tracemalloc.start()
        assert sum(1 for _ in storage.iter_list("in")) == count
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    assert most(200_000) < 2 * most(10_000) < 2_000_000


# The spool


@pytest.mark.parametrize("count", [0, 1, 4, 5, 6, 50])
@pytest.mark.parametrize("mixed", [False, True])
def test_a_spool_gives_out_in_order_as_often_as_wanted(count, mixed):
    wanted = objects(*(f"{number:02} {'x' * number}" for number in range(count)))
    given = random.Random(3).sample(wanted, count) if mixed else wanted
    spool = Spool(piece=5)
    spool.fill(given)
    assert list(spool) == wanted == list(spool)
    assert next(islice(spool, 1), None) == (wanted[0] if wanted else None)
    assert list(spool) == wanted
    spool.fill(given[:3])
    assert list(spool) == sorted(given[:3], key=name_of)
    spool.close()
    assert list(spool) == []


def test_pieces_in_order_share_a_file_and_a_small_listing_has_none():
    spool = Spool(piece=5)
    for count, files in ((5, 0), (6, 1), (500, 1)):
        spool.fill(objects(*(f"{number:03}" for number in range(count))))
        assert len(spool._files) == files
    spool.close()


@pytest.mark.parametrize("kind", ["s3_storage", "gs_storage"])
@pytest.mark.parametrize("folders", [False, True])
def test_the_markers_of_folders_are_told_as_they_are(request, monkeypatch, kind, folders):
    """Consoles make an empty object `cam1/`. It stands behind `cam1-b/...`, and obstore tells it without its slash."""
    storage = request.getfixturevalue(kind)
    if folders:
        monkeypatch.setattr(listing, "PAGE", 2)
    prefix = storage.root.partition("/")[2]
    client = request.getfixturevalue(f"{kind.partition('_')[0]}_client")
    for name in ("in/", "in/cam1/", "in/cam2/"):
        client.put_object(Bucket=storage.root.partition("/")[0], Key=f"{prefix}/{name}", Body=b"")
    for name in ("cam1-b/1.jpg", "cam1/1.jpg", "cam3/empty.jpg"):
        storage.write_bytes(f"in/{name}", b"" if "empty" in name else b"x")
    found = ["in/", "in/cam1-b/1.jpg", "in/cam1/", "in/cam1/1.jpg", "in/cam2/", "in/cam3/empty.jpg"]
    assert [item.key for item in storage.iter_list("in")] == found
    assert [item.key for item in storage.list("in")] == found
    assert storage.any_below("in").key == "in/cam1-b/1.jpg"
    assert storage.folders("in") == ["cam1", "cam1-b", "cam2", "cam3"]


@pytest.mark.parametrize("kind", ["s3_storage", "gs_storage"])
def test_at_the_root_of_a_bucket_keys_are_whole(request, kind):
    storage = request.getfixturevalue(kind)
    storage.write_bytes("in/a.jpg", b"x")
    whole = type(storage)(storage.root.partition("/")[0], storage._given)
    found = whole.any_below("")
    assert whole.read_bytes(found.key)
    assert f"{storage.root.partition('/')[2]}/in/a.jpg" in [f"{name}" for name, _ in whole._list(whole.root)]
