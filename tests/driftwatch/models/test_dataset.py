"""Training sets: one split for an image for ever, nothing lost without a word."""

from __future__ import annotations

import hashlib
import threading
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from tests.stores import day_store, monitor_store

from driftwatch.artifacts.ingest import InputsIndex
from driftwatch.artifacts.model_input import ModelInput
from driftwatch.errors import NeedsAttention, NotEnoughLabels
from driftwatch.images.inputs import DayInputs
from driftwatch.images.near_duplicates import MAX_DISTANCE, distances
from driftwatch.models import dataset
from driftwatch.outside import watching

FIRST, LAST = date(2026, 1, 1), date(2026, 1, 30)
IDS = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(4000)]


def test_duplicates_and_broken_files_are_counted_and_left_out(empty) -> None:
    rng = np.random.default_rng(1)
    for label in empty.config.classes:
        for number in range(40):
            rgb = empty.striped(rng, label)
            empty.put_training(label, f"{number:02d}", rgb)
        empty.put_training(label, "copy", rgb)
    empty.storage.write_bytes(f"{empty.layout.training_images}/across/broken.png", b"no picture")
    counts = dataset.take_in_training_set(monitor_store(empty.storage, empty.layout, empty.config))
    table = empty.storage.read_table(empty.layout.training_set)
    assert (counts.listed, counts.accepted, counts.duplicate, counts.quarantined, counts.ignored) == (83, 80, 2, 1, 0)
    assert len(table) == 80
    assert table["image_id"].is_unique
    assert empty.storage.read_array(empty.layout.training_inputs).shape == (80, 32, 32, 3)
    assert list(empty.storage.read_table(empty.layout.training_features)["image_id"]) == list(table["image_id"])
    assert sum(sum(classes.values()) for classes in counts.images.values()) == 80


def test_the_same_file_in_two_classes_is_refused_with_its_names(world) -> None:
    rgb = np.full((40, 48, 3), 7, np.uint8)
    world.put_training("across", "same", rgb)
    world.put_training("upright", "same", rgb)
    with pytest.raises(NeedsAttention, match=r"across/same.png.*upright/same.png"):
        dataset.take_in_training_set(monitor_store(world.storage, world.layout, world.config))


def test_a_folder_that_is_no_class_is_refused(world) -> None:
    world.put_training("sideways", "one", np.full((40, 48, 3), 7, np.uint8))
    with pytest.raises(NeedsAttention, match="sideways"):
        dataset.take_in_training_set(monitor_store(world.storage, world.layout, world.config))


def test_images_are_copied_from_a_folder_once(empty, tmp_path) -> None:
    for label in empty.config.classes:
        (tmp_path / "photos" / label).mkdir(parents=True)
        (tmp_path / "photos" / label / "a b.png").write_bytes(b"bytes")
    copied = [
        dataset.copy_images(monitor_store(empty.storage, empty.layout, empty.config), tmp_path / "photos")
        for _ in range(2)
    ]
    own = empty.storage.local_path(empty.layout.training_images)
    assert copied == [2, 0]
    assert (own / "across" / "a b.png").read_bytes() == b"bytes"
    assert dataset.copy_images(monitor_store(empty.storage, empty.layout, empty.config), own) == 0
    (tmp_path / "photos" / "across" / "a b.png").write_bytes(b"other")  # as long as before
    assert dataset.copy_images(monitor_store(empty.storage, empty.layout, empty.config), tmp_path / "photos") == 1


def test_the_same_request_gives_the_same_bytes_and_the_inputs_of_its_rows(world) -> None:
    world.add_day(date(2026, 1, 3), 30)
    world.add_day(date(2026, 1, 4), 30)
    found = []
    for run_key in ("one", "two"):
        result = dataset.collect_training_set(
            monitor_store(world.storage, world.layout, world.config), run_key, FIRST, LAST
        )
        found.append((result, world.storage.read_bytes(world.layout.retraining(run_key, dataset.SET))))
    assert found[0] == found[1]
    assert found[0][0].new_labels == 60
    assert {day: sum(n.values()) for day, n in found[0][0].by_day.items()} == {"2026-01-03": 30, "2026-01-04": 30}
    table = world.storage.read_table(world.layout.retraining("one", dataset.SET))
    row = table[table["day"] == "2026-01-04"].iloc[5]
    day = world.layout.day(date(2026, 1, 4))
    position = list(world.storage.read_table(day.features)["image_id"]).index(row["image_id"])
    inputs = dataset.load_inputs(monitor_store(world.storage, world.layout, world.config), table)
    assert (inputs[row.name] == DayInputs(day_store(world.storage, day)).take([position])[0]).all()


def test_labels_outside_the_range_unsure_or_without_consensus_are_left_out_and_counted(world) -> None:
    labels = world.add_day(date(2026, 1, 3), 40)
    labels.loc[:4, "confidence"] = 0.5
    labels.loc[5:7, ["status", "label"]] = ["tie", None]
    world.storage.write_table(world.layout.day(date(2026, 1, 3)).labels, labels)
    world.add_day(date(2026, 2, 3), 30)
    result = dataset.collect_training_set(monitor_store(world.storage, world.layout, world.config), "one", FIRST, LAST)
    assert result.new_labels == 32
    assert result.left_out == {
        "no_consensus": 3,
        "low_confidence": 5,
        "in_original_set": 0,
        "labelled_twice": 0,
        "near_two_splits": 0,
    }


def test_a_day_whose_pictures_an_earlier_model_took_is_left_out_and_counted(world) -> None:
    day = world.layout.day(date(2026, 1, 3))
    for number in (3, 4):
        world.add_day(date(2026, 1, number), 30)
    store = monitor_store(world.storage, world.layout, world.config)
    dataset.collect_training_set(store, "before", FIRST, LAST)
    named = store.day(day.day).read(InputsIndex).blocks
    crop = ModelInput(height=32, width=32, resize="crop")
    store.day(day.day).write(InputsIndex(rows=(30,), blocks=named, input=crop))
    result = dataset.collect_training_set(store, "one", FIRST, LAST)
    assert (result.new_labels, result.left_out["other_pixels"]) == (30, 30)
    table = world.storage.read_table(world.layout.retraining("before", dataset.SET))
    with pytest.raises(NeedsAttention, match=r"images of 2026-01-03 .*resize is crop.*Start the retraining anew"):
        dataset.load_inputs(store, table)


def test_a_day_whose_inputs_were_removed_is_left_out_and_counted(world) -> None:
    for number in (3, 4):
        world.add_day(date(2026, 1, number), 30)
    store = monitor_store(world.storage, world.layout, world.config)
    world.storage.delete(DayInputs(store.day(date(2026, 1, 3))).place(0)[0])
    result = dataset.collect_training_set(store, "one", FIRST, LAST)
    assert (result.new_labels, result.left_out["inputs_removed"]) == (30, 30)


def test_a_labelled_image_that_is_gone_from_its_day_is_left_out_and_counted(world) -> None:
    """One day that was taken in again without some of its files stopped every retraining, for as long as the gate looks back."""
    for number in (3, 4):
        world.add_day(date(2026, 1, number), 30)
    features = world.layout.day(date(2026, 1, 3)).features
    world.storage.write_table(features, world.storage.read_table(features).iloc[:-2])
    store = monitor_store(world.storage, world.layout, world.config)
    result = dataset.collect_training_set(store, "one", FIRST, LAST)
    assert (result.new_labels, result.left_out["gone_from_day"]) == (58, 2)


def test_an_image_of_the_original_set_keeps_its_label_and_split(world) -> None:
    labels = world.add_day(date(2026, 1, 3), 30)
    original = world.storage.read_table(world.layout.training_set)
    labels.loc[0, "image_id"] = original.loc[original["split"] == "evaluation", "image_id"].iloc[0]
    world.storage.write_table(world.layout.day(date(2026, 1, 3)).labels, labels)
    dataset.collect_training_set(monitor_store(world.storage, world.layout, world.config), "one", FIRST, LAST)
    table = world.storage.read_table(world.layout.retraining("one", dataset.SET))
    assert table["image_id"].is_unique
    assert table.loc[table["image_id"] == labels.loc[0, "image_id"], "source"].tolist() == ["original"]


def test_an_image_labelled_on_two_days_counts_once_with_the_surer_label(world) -> None:
    labels = world.add_day(date(2026, 1, 3), 30)
    again = labels.assign(confidence=[0.7] * 15 + [1.0] * 15)
    for day, frame in ((date(2026, 1, 3), labels.assign(confidence=0.9)), (date(2026, 1, 5), again)):
        keys = world.layout.day(day)
        world.storage.write_table(keys.labels, frame)
        first = world.layout.day(date(2026, 1, 3))
        world.storage.write_table(keys.features, world.storage.read_table(first.features))
        world.storage.write_table(keys.manifest, world.storage.read_table(first.manifest))
    result = dataset.collect_training_set(monitor_store(world.storage, world.layout, world.config), "one", FIRST, LAST)
    table = world.storage.read_table(world.layout.retraining("one", dataset.SET))
    assert (result.new_labels, result.left_out["labelled_twice"]) == (30, 30)
    assert table[table["source"] == "human"]["day"].value_counts().to_dict() == {"2026-01-03": 15, "2026-01-05": 15}


def test_too_few_labels_are_an_answer_of_their_own(world) -> None:
    world.add_day(date(2026, 1, 3), 19)
    with pytest.raises(NotEnoughLabels, match=r"19 human labels of 2026-01-01 to 2026-01-30.*min_new_labels is 20"):
        dataset.collect_training_set(monitor_store(world.storage, world.layout, world.config), "one", FIRST, LAST)


def test_the_card_counts_days_classes_agreement_and_the_mix(world) -> None:
    labels = world.add_day(date(2026, 1, 3), 30)
    labels.loc[:9, "confidence"] = 2 / 3
    world.storage.write_table(world.layout.day(date(2026, 1, 3)).labels, labels)
    card = dataset.collect_training_set(monitor_store(world.storage, world.layout, world.config), "one", FIRST, LAST)
    assert card.stored() == world.storage.read_json(world.layout.retraining("one", dataset.DATASET_CARD))
    assert card.by_day_and_class == {"2026-01-03": {"across": 15, "upright": 15}}
    agreement = pd.DataFrame(card.by_agreement).sum(axis=1)
    assert agreement.to_dict() == {"0.67": 10, "1.00": 20}
    assert sum(card.class_balance.values()) == pytest.approx(1, abs=1e-3)
    assert set(card.day_mix) == {"original", "2026-01-03"}


def test_a_dry_run_shows_the_same_card_and_writes_nothing(world) -> None:
    world.add_day(date(2026, 1, 3), 30)
    before = world.storage.list("stripes")
    shown = dataset.dataset_card(monitor_store(world.storage, world.layout, world.config), FIRST, LAST)
    assert world.storage.list("stripes") == before
    assert (
        dataset.collect_training_set(monitor_store(world.storage, world.layout, world.config), "one", FIRST, LAST)
        == shown
    )


def hashes(rng: np.random.Generator, n: int) -> list[str]:
    return [f"{value:016x}" for value in rng.integers(0, 2**63, n)]


def flipped(rng: np.random.Generator, phash: str, bits: int) -> str:
    """The hash of a near-duplicate."""
    return f"{int(phash, 16) ^ sum(1 << int(bit) for bit in rng.choice(64, bits, replace=False)):016x}"


def test_over_twelve_days_no_evaluation_image_or_its_like_is_in_any_training_set(world) -> None:
    """Each day brings new images, repeats of old ones and near-duplicates of both; a retraining each day over the last week."""
    rng = np.random.default_rng(2)
    known = dict(zip(IDS[:200], hashes(rng, 200), strict=True))
    fresh, used, found = iter(IDS[200:]), set(), []
    for number in range(12):
        day = FIRST + timedelta(days=number)
        known.update((next(fresh), flipped(rng, known[i], 3)) for i in sorted(rng.choice(list(known), 8)))
        known.update((next(fresh), phash) for phash in hashes(rng, 6))
        ids = sorted(rng.choice(list(known), 30, replace=False))
        keys, phashes = world.layout.day(day), [known[i] for i in ids]
        world.storage.write_table(keys.features, pd.DataFrame({"image_id": ids}))
        world.storage.write_table(keys.manifest, pd.DataFrame({"image_id": ids, "phash": phashes}))
        labels = pd.DataFrame({"image_id": ids, "label": "across", "status": "consensus", "confidence": 1.0})
        world.storage.write_table(keys.labels, labels)
        arguments = (
            monitor_store(world.storage, world.layout, world.config),
            f"day{number}",
            day - timedelta(days=6),
            day,
        )
        dataset.collect_training_set(*arguments)
        key = world.layout.retraining(f"day{number}", dataset.SET)
        table, written = world.storage.read_table(key), world.storage.read_bytes(key)
        dataset.collect_training_set(*arguments)
        assert world.storage.read_bytes(key) == written
        used.update(ids)
        found.append(table[["image_id", "split"]])
    rows = pd.concat(found).drop_duplicates()
    assert rows["image_id"].is_unique
    original = world.storage.read_table(world.layout.training_set).set_index("image_id")["phash"].to_dict()
    phash = rows["image_id"].map({**original, **known})
    judged, learnt = (phash[rows["split"].isin(names)] for names in (["evaluation"], ["train", "validation"]))
    assert len(judged) > 100
    assert distances(judged.tolist(), learnt.tolist()).min() > MAX_DISTANCE
    splits = world.storage.read_table(world.layout.splits)
    assert splits["image_id"].is_unique
    assert used <= set(splits["image_id"])


def test_all_classes_without_a_usable_image_are_named_with_how_many_they_lack(empty) -> None:
    rng = np.random.default_rng(3)
    for label in empty.config.classes:
        rgb = empty.striped(rng, label)
        for number in range(3):
            empty.put_training(label, f"{number}", np.clip(rgb.astype(int) + number, 0, 255).astype(np.uint8))
    with pytest.raises(NeedsAttention) as refused:
        dataset.take_in_training_set(monitor_store(empty.storage, empty.layout, empty.config))
    for label in empty.config.classes:
        assert f"{label} (none for evaluation; 3 images, 1 different: at least 1 more)" in str(refused.value)
    assert not empty.storage.exists(empty.layout.splits)


def test_two_sets_collected_at_once_lose_no_images_split(world) -> None:
    days = (date(2026, 1, 2), date(2026, 1, 3))
    for day in days:
        world.add_day(day, 24)

    def collect(day: date) -> None:
        dataset.collect_training_set(monitor_store(world.storage, world.layout, world.config), f"r{day}", day, day)

    other = threading.Thread(target=collect, args=(days[1],))

    def begin(when: str, touched: str) -> None:
        """The other one begins when the first has decided and not yet written."""
        if (when, touched) == ("before", f"storage write {world.layout.splits}") and not other.ident:
            other.start()
            other.join(0.3)

    with watching(begin):
        collect(days[0])
        other.join(30)
    splits = world.storage.read_table(world.layout.splits)
    assert splits["image_id"].is_unique
    counts = splits["day"].value_counts()
    assert [counts[day.isoformat()] for day in days] == [24, 24]
