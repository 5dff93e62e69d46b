"""The registry keeps what was registered, and the pointer moves only as decided."""

from __future__ import annotations

import hashlib

import pytest
from tests.cards import model_card
from tests.stores import monitor_store

from driftwatch.errors import DamagedArtifact, NeedsAttention
from driftwatch.models import keras_file, registry
from driftwatch.models.predictors.keras import load_model


def register(world, content: bytes) -> str:
    version = registry.version_for(monitor_store(world.storage, world.layout), content)
    registry.register(monitor_store(world.storage, world.layout), version, content, model_card(parent=None))
    return version


def test_the_same_model_again_keeps_its_version_and_first_card(empty) -> None:
    first = register(empty, b"one")
    second = register(empty, b"two")
    again = registry.register(monitor_store(empty.storage, empty.layout), first, b"one", model_card(parent="other"))
    assert (first[:6], second[:6]) == ("v0001-", "v0002-")
    assert registry.version_for(monitor_store(empty.storage, empty.layout), b"one") == first
    assert again.parent is None
    assert registry.versions(monitor_store(empty.storage, empty.layout)) == [first, second]


def test_a_version_name_is_never_given_to_another_model(empty) -> None:
    version = register(empty, b"one")
    with pytest.raises(NeedsAttention, match="another model already"):
        registry.register(monitor_store(empty.storage, empty.layout), version, b"two", model_card())


def test_a_model_whose_card_was_not_written_is_no_version(empty) -> None:
    empty.storage.write_bytes(empty.layout.model("v0007-00000000"), b"half")
    assert registry.versions(monitor_store(empty.storage, empty.layout)) == []
    with pytest.raises(registry.UnknownVersion, match="there are: none"):
        registry.card(monitor_store(empty.storage, empty.layout), "v0007-00000000")


def test_the_champion_moves_only_from_the_one_that_was_expected(empty) -> None:
    first, second, third = (register(empty, content) for content in (b"one", b"two", b"three"))
    assert registry.champion(monitor_store(empty.storage, empty.layout)) is None
    with pytest.raises(registry.UnknownVersion, match="driftwatch champion train"):
        registry.champion_version(monitor_store(empty.storage, empty.layout))
    registry.promote(monitor_store(empty.storage, empty.layout), first, "a", expected=None)
    pointer = registry.promote(monitor_store(empty.storage, empty.layout), second, "b", expected=first)
    assert (pointer.version, pointer.previous, pointer.promoted_by) == (second, first, "b")
    with pytest.raises(registry.ChampionMoved, match=f"the champion is {second}, not {first}"):
        registry.promote(monitor_store(empty.storage, empty.layout), third, "c", expected=first)
    assert registry.champion(monitor_store(empty.storage, empty.layout)) == pointer


def test_promoting_the_champion_again_changes_nothing(empty) -> None:
    first, second = register(empty, b"one"), register(empty, b"two")
    registry.promote(monitor_store(empty.storage, empty.layout), first, "a", expected=None)
    pointer = registry.promote(monitor_store(empty.storage, empty.layout), second, "b", expected=first)
    assert registry.promote(monitor_store(empty.storage, empty.layout), second, "c", expected=first) == pointer


def test_an_unregistered_version_is_not_promoted(empty) -> None:
    with pytest.raises(registry.UnknownVersion, match=r"'v0001-12345678'; there are: none; train the first by"):
        registry.promote(monitor_store(empty.storage, empty.layout), "v0001-12345678", "a", expected=None)


def test_old_challengers_lose_their_model_but_no_champion_and_no_card(empty) -> None:
    found = [register(empty, b"%d" % number) for number in range(5)]
    registry.promote(monitor_store(empty.storage, empty.layout), found[0], "a", expected=None)
    registry.promote(monitor_store(empty.storage, empty.layout), found[1], "b", expected=found[0])
    assert registry.prune(monitor_store(empty.storage, empty.layout), keep=1) == found[2:4]
    assert registry.prune(monitor_store(empty.storage, empty.layout), keep=1) == []
    kept = [version for version in found if empty.storage.exists(empty.layout.model(version))]
    assert kept == [found[0], found[1], found[4]]
    assert registry.versions(monitor_store(empty.storage, empty.layout)) == found
    for use in (
        lambda: load_model(monitor_store(empty.storage, empty.layout), found[2]),
        lambda: registry.promote(monitor_store(empty.storage, empty.layout), found[2], "c", expected=found[1]),
    ):
        with pytest.raises(registry.UnknownVersion, match=r"retraining\.keep_challengers"):
            use()
    register(empty, b"2")  # the same model once more brings its file back
    assert empty.storage.read_bytes(empty.layout.model(found[2])) == b"2"


@pytest.mark.parametrize(
    ("kind", "file"),
    [("keras", "keras"), ("onnx", "onnx"), ("endpoint", "json"), ("logged", "parquet"), ("theirs", "bin")],
)
def test_every_kind_of_version_has_one_file_that_is_kept_checked_and_deleted_alike(empty, kind, file) -> None:
    store = monitor_store(empty.storage, empty.layout)
    found = []
    for content in (b"one", b"two", b"three"):
        found.append(registry.version_for(store, content))
        registry.register(store, found[-1], content, model_card(kind=kind))
    first, second, third = found
    key = empty.layout.model(first, kind)
    assert key.endswith(f"{first}/model.{file}")
    assert empty.storage.read_bytes(key) == b"one"
    registry.promote(store, first, "a", expected=None)
    assert registry.prune(store, keep=1) == [second]
    assert not empty.storage.exists(empty.layout.model(second, kind))
    assert registry.model_file(store, third)[0] == b"three"
    empty.storage.write_bytes(key, b"other")
    with pytest.raises(registry.DamagedModel, match=rf"model\.{file} has sha256"):
        registry.model_file(store, first)


@pytest.mark.parametrize("keep", [0, 1, 3, 4, 10])
def test_fewer_challengers_than_are_kept_are_all_kept(empty, keep) -> None:
    champion, *challengers = [register(empty, b"%d" % number) for number in range(5)]
    registry.promote(monitor_store(empty.storage, empty.layout), champion, "a", expected=None)
    gone = challengers[: max(0, 4 - keep)]
    assert registry.prune(monitor_store(empty.storage, empty.layout), keep=keep) == gone
    kept = [version for version in (champion, *challengers) if empty.storage.exists(empty.layout.model(version))]
    assert kept == [champion, *(version for version in challengers if version not in gone)]


def test_the_pointer_remembers_every_champion(empty) -> None:
    first, second = register(empty, b"one"), register(empty, b"two")
    registry.promote(monitor_store(empty.storage, empty.layout), first, "a", expected=None)
    registry.promote(monitor_store(empty.storage, empty.layout), second, "b", expected=first)
    registry.promote(monitor_store(empty.storage, empty.layout), first, "c", expected=second)
    assert registry.champion(monitor_store(empty.storage, empty.layout)).history == (first, second, first)


def test_a_changed_model_file_is_not_loaded(world) -> None:
    version = registry.champion_version(monitor_store(world.storage, world.layout))
    data = world.storage.read_bytes(world.layout.model(version))
    world.storage.write_bytes(world.layout.model(version), data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(registry.DamagedModel, match="its card says"):
        load_model(monitor_store(world.storage, world.layout), version)


def test_a_model_that_is_not_the_one_that_became_champion_is_not_loaded(world) -> None:
    storage, layout = world.storage, world.layout
    version = registry.champion_version(monitor_store(storage, layout))
    other = storage.read_bytes(layout.model(version)) + b"more"
    before, now = registry.champion(monitor_store(storage, layout)).sha256, hashlib.sha256(other).hexdigest()
    storage.write_bytes(layout.model(version), other)
    registry.add_to_card(monitor_store(storage, layout), version, sha256=now)
    with pytest.raises(registry.DamagedModel, match=rf"sha256 {now}, .*champion\.json says {before}.*rollback"):
        load_model(monitor_store(storage, layout), version)


def test_registering_a_model_again_mends_its_damaged_file(world) -> None:
    storage, layout = world.storage, world.layout
    version = registry.champion_version(monitor_store(storage, layout))
    data = storage.read_bytes(layout.model(version))
    storage.write_bytes(layout.model(version), data[: len(data) // 2])
    with pytest.raises(registry.DamagedModel, match=r"import the same model once more"):
        load_model(monitor_store(storage, layout), version)
    registry.register(
        monitor_store(storage, layout), registry.version_for(monitor_store(storage, layout), data), data, model_card()
    )
    assert load_model(monitor_store(storage, layout), version).facts.version == version


@pytest.mark.parametrize(
    "content", [b"", b'{"version": "v0001-1a2b', b"\xff\xfe", b"[]", b"{}", b'{"version": 3}', b"null"]
)
def test_a_pointer_that_is_no_pointer_names_its_file(empty, content) -> None:
    version = register(empty, b"one")
    empty.storage.write_bytes(empty.layout.champion, content)
    for use in (
        lambda: registry.champion(monitor_store(empty.storage, empty.layout)),
        lambda: registry.champion_version(monitor_store(empty.storage, empty.layout)),
        lambda: registry.promote(monitor_store(empty.storage, empty.layout), version, "a", expected=None),
    ):
        with pytest.raises(DamagedArtifact, match=r"models/champion\.json.*driftwatch champion import"):
            use()


@pytest.mark.parametrize("content", [b"", b'{"sha256": "1a', b"[]", b"{}"])
def test_a_card_that_is_no_card_names_its_file(empty, content) -> None:
    version = register(empty, b"one")
    empty.storage.write_bytes(empty.layout.model_card(version), content)
    for use in (
        lambda: registry.card(monitor_store(empty.storage, empty.layout), version),
        lambda: load_model(monitor_store(empty.storage, empty.layout), version),
        lambda: register(empty, b"one"),
    ):
        with pytest.raises(DamagedArtifact, match=rf"{version}/card\.json.*rollback"):
            use()


def test_a_card_without_what_loading_needs_names_its_file_and_field(empty) -> None:
    version = register(empty, b"one")
    found = empty.storage.read_json(empty.layout.model_card(version))
    empty.storage.write_json(
        empty.layout.model_card(version), {key: found[key] for key in found if key != "temperature"}
    )
    with pytest.raises(DamagedArtifact, match=rf"{version}/card\.json temperature: Field required"):
        load_model(monitor_store(empty.storage, empty.layout), version)


def test_the_same_weights_are_saved_as_the_same_bytes(world) -> None:
    version = registry.champion_version(monitor_store(world.storage, world.layout))
    model = load_model(monitor_store(world.storage, world.layout), version).model
    assert keras_file.to_bytes(model) == world.storage.read_bytes(world.layout.model(version))
