"""Every kind of storage tells what is there: objects, folders, stamps and sizes. See test_conformance.py for the rest."""

from __future__ import annotations

from driftwatch.storage import Storage, StoredObject

# A new line is not among them: moto has no route for it (images/test_fetch.py has it on a folder).
ODD_NAMES = (
    "b c.jpg", "a'\"ü.jpg", ".hidden", "sub/d.jpg", "100%25.jpg", "a+b&c=d;e.jpg", "what?.jpg", "#1.jpg", "~", "[ab]*.jpg",
    "back\\\\slash.jpg", "日本.jpg", "x" * 200,
)  # fmt: skip


def test_listing_is_sorted_whole_and_finds_odd_names_again(storage):
    # Azure takes a backslash for a slash.
    names = [name for name in ODD_NAMES if storage.scheme != "az" or "\\" not in name]
    for name in names:
        storage.write_bytes(f"in/{name}", name.encode())
    storage.write_bytes("inner/other.jpg", b"of another folder")
    found = storage.list("in")
    assert found == [StoredObject(f"in/{name}", len(name.encode())) for name in sorted(names)]
    fetched = storage.iter_foreign([item.key for item in found], "in", 1000)
    assert [one.data.decode() for one in fetched] == sorted(names)
    for item in found:
        assert storage.exists(item.key), item
        assert storage.read_bytes(item.key) == item.key.removeprefix("in/").encode()
        assert storage.read_foreign(item.key, "in", 1000) == item.key.removeprefix("in/").encode()
        storage.copy(item.key, "copied")
        assert storage.read_bytes("copied") == storage.read_bytes(item.key)
        storage.delete(item.key)
    assert storage.list("in") == []


def test_folders_are_the_ones_directly_below(storage):
    for key in ("m/b/1", "m/b/2", "m/a b/c/3", "m/ü/4", "m/file", "other/5"):
        storage.write_bytes(key, b"")
    assert list(storage.folders("m")) == ["a b", "b", "ü"]
    assert list(storage.folders("m/a b")) == ["c"]


def test_an_object_is_no_folder(storage):
    storage.write_bytes("m/a", b"a")
    assert storage.list("m/a") == []
    assert list(storage.folders("m/a")) == []


def test_a_stamp_changes_when_the_object_is_replaced_and_only_then(storage):
    storage.write_bytes("m/a", b"one")
    first = storage.stamp("m/a")
    assert first
    storage.read_bytes("m/a")
    assert storage.stamp("m/a") == first
    storage.write_bytes("m/a", b"two")
    assert storage.stamp("m/a") != first


def test_the_stamps_of_a_folder_are_those_of_its_objects(storage):
    for name in ("m/a.json", "m/b.json", "m/c.json", "m/deep/a.json", "m/deep.json/x", "other/a.json"):
        storage.write_bytes(name, name.encode())
    names = ["a.json", "c.json", "deep.json", "none.json"]
    found = storage.stamps("m", names)
    assert found == {"a.json": storage.stamp("m/a.json"), "c.json": storage.stamp("m/c.json")}
    storage.write_bytes("m/c.json", b"another")
    storage.delete("m/a.json")
    assert storage.stamps("m", names) == {"c.json": storage.stamp("m/c.json")} != {"c.json": found["c.json"]}
    assert storage.stamps("none", names) == {}
    assert storage.stamps("m/b.json", [*names, "b.json"]) == {}


def test_a_kind_that_lists_no_stamps_looks_at_each_name(storage, monkeypatch):
    storage.write_bytes("m/a.json", b"a")
    monkeypatch.setattr(type(storage), "_stamps", Storage._stamps)
    assert storage.stamps("m", ["a.json", "none.json"]) == {"a.json": storage.stamp("m/a.json")}
    assert storage.stamps("none", ["a.json"]) == {}


def test_an_object_has_a_size(storage):
    storage.write_bytes("m/a", b"seven b")
    assert storage.size("m/a") == 7
    assert storage.size("m/b") is None
