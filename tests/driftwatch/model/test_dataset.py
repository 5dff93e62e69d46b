"""Training sets: one split for an image for ever, nothing lost without a word."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from driftwatch.errors import NeedsAttention, NotEnoughLabels
from driftwatch.model import dataset

FIRST, LAST = date(2026, 1, 1), date(2026, 1, 30)
IDS = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(4000)]


def test_the_shares_of_the_splits_are_as_asked() -> None:
    shares = pd.Series([dataset.split_of(image_id, 0.15) for image_id in IDS]).value_counts(normalize=True)
    assert shares["evaluation"] == pytest.approx(0.15, abs=0.02)
    assert shares["validation"] == pytest.approx(0.05, abs=0.012)


def test_a_larger_evaluation_share_never_frees_an_evaluation_image() -> None:
    before = {image_id for image_id in IDS if dataset.split_of(image_id, 0.2) == "evaluation"}
    after = {image_id for image_id in IDS if dataset.split_of(image_id, 0.4) == "evaluation"}
    assert before < after


def test_duplicates_and_broken_files_are_counted_and_left_out(empty) -> None:
    rng = np.random.default_rng(1)
    for label in empty.config.classes:
        for number in range(40):
            rgb = empty.striped(rng, label)
            empty.put_training(label, f"{number:02d}", rgb)
        empty.put_training(label, "copy", rgb)
    empty.storage.write_bytes(f"{empty.layout.training_images}/across/broken.png", b"no picture")
    counts = dataset.take_in_training_set(empty.storage, empty.layout, empty.config)
    table = empty.storage.read_table(empty.layout.training_set)
    assert (counts["listed"], counts["accepted"], counts["duplicate"], counts["quarantined"]) == (83, 80, 2, 1)
    assert len(table) == 80
    assert table["image_id"].is_unique
    assert empty.storage.read_array(empty.layout.training_inputs).shape == (80, 32, 32, 3)
    assert list(empty.storage.read_table(empty.layout.training_features)["image_id"]) == list(table["image_id"])
    assert sum(sum(classes.values()) for classes in counts["images"].values()) == 80


def test_the_same_file_in_two_classes_is_refused_with_its_names(world) -> None:
    rgb = np.full((40, 48, 3), 7, np.uint8)
    world.put_training("across", "same", rgb)
    world.put_training("upright", "same", rgb)
    with pytest.raises(NeedsAttention, match=r"across/same.png.*upright/same.png"):
        dataset.take_in_training_set(world.storage, world.layout, world.config)


def test_a_folder_that_is_no_class_is_refused(world) -> None:
    world.put_training("sideways", "one", np.full((40, 48, 3), 7, np.uint8))
    with pytest.raises(NeedsAttention, match="sideways"):
        dataset.take_in_training_set(world.storage, world.layout, world.config)


def test_images_are_copied_from_a_folder_once(empty, tmp_path) -> None:
    for label in empty.config.classes:
        (tmp_path / "photos" / label).mkdir(parents=True)
        (tmp_path / "photos" / label / "a b.png").write_bytes(b"bytes")
    copied = [dataset.copy_images(empty.storage, empty.layout, empty.config, tmp_path / "photos") for _ in range(2)]
    own = empty.storage.local_path(empty.layout.training_images)
    assert copied == [2, 0]
    assert (own / "across" / "a b.png").read_bytes() == b"bytes"
    assert dataset.copy_images(empty.storage, empty.layout, empty.config, own) == 0


def test_the_same_request_gives_the_same_bytes_and_the_inputs_of_its_rows(world) -> None:
    world.add_day(date(2026, 1, 3), 30)
    world.add_day(date(2026, 1, 4), 30)
    found = []
    for run_key in ("one", "two"):
        result = dataset.collect_training_set(world.storage, world.layout, world.config, run_key, FIRST, LAST)
        found.append((result, world.storage.read_bytes(world.layout.retraining(run_key, dataset.SET))))
    assert found[0] == found[1]
    assert found[0][0]["new_labels"] == 60
    assert {day: sum(n.values()) for day, n in found[0][0]["by_day"].items()} == {"2026-01-03": 30, "2026-01-04": 30}
    table = world.storage.read_table(world.layout.retraining("one", dataset.SET))
    row = table[table["day"] == "2026-01-04"].iloc[5]
    day = world.layout.day(date(2026, 1, 4))
    position = list(world.storage.read_table(day.features)["image_id"]).index(row["image_id"])
    inputs = dataset.load_inputs(world.storage, world.layout, table)
    assert (inputs[row.name] == world.storage.read_array(day.inputs)[position]).all()


def test_labels_outside_the_range_unsure_or_without_consensus_are_left_out_and_counted(world) -> None:
    labels = world.add_day(date(2026, 1, 3), 40)
    labels.loc[:4, "confidence"] = 0.5
    labels.loc[5:7, ["status", "label"]] = ["tie", None]
    world.storage.write_table(world.layout.day(date(2026, 1, 3)).labels, labels)
    world.add_day(date(2026, 2, 3), 30)
    result = dataset.collect_training_set(world.storage, world.layout, world.config, "one", FIRST, LAST)
    assert result["new_labels"] == 32
    assert result["left_out"] == {"no_consensus": 3, "low_confidence": 5, "in_original_set": 0, "labelled_twice": 0}


def test_an_image_of_the_original_set_keeps_its_label_and_split(world) -> None:
    labels = world.add_day(date(2026, 1, 3), 30)
    original = world.storage.read_table(world.layout.training_set)
    labels.loc[0, "image_id"] = original.loc[original["split"] == "evaluation", "image_id"].iloc[0]
    world.storage.write_table(world.layout.day(date(2026, 1, 3)).labels, labels)
    dataset.collect_training_set(world.storage, world.layout, world.config, "one", FIRST, LAST)
    table = world.storage.read_table(world.layout.retraining("one", dataset.SET))
    assert table["image_id"].is_unique
    assert table.loc[table["image_id"] == labels.loc[0, "image_id"], "source"].tolist() == ["original"]


def test_an_image_labelled_on_two_days_counts_once_with_the_surer_label(world) -> None:
    labels = world.add_day(date(2026, 1, 3), 30)
    again = labels.assign(confidence=[0.7] * 15 + [1.0] * 15)
    for day, frame in ((date(2026, 1, 3), labels.assign(confidence=0.9)), (date(2026, 1, 5), again)):
        keys = world.layout.day(day)
        world.storage.write_table(keys.labels, frame)
        world.storage.write_table(keys.features, world.storage.read_table(world.layout.day(date(2026, 1, 3)).features))
    result = dataset.collect_training_set(world.storage, world.layout, world.config, "one", FIRST, LAST)
    table = world.storage.read_table(world.layout.retraining("one", dataset.SET))
    assert (result["new_labels"], result["left_out"]["labelled_twice"]) == (30, 30)
    assert table[table["source"] == "human"]["day"].value_counts().to_dict() == {"2026-01-03": 15, "2026-01-05": 15}


def test_too_few_labels_are_an_answer_of_their_own(world) -> None:
    world.add_day(date(2026, 1, 3), 19)
    with pytest.raises(NotEnoughLabels, match=r"19 human labels of 2026-01-01 to 2026-01-30.*min_new_labels is 20"):
        dataset.collect_training_set(world.storage, world.layout, world.config, "one", FIRST, LAST)


def test_over_thirty_days_no_image_is_ever_in_two_splits(world) -> None:
    """Each day brings new images and repeats of old ones, and a retraining over the last week."""
    rng, known = np.random.default_rng(2), list(IDS[:400])
    splits: dict[str, set[str]] = {}
    for number in range(30):
        day = FIRST + timedelta(days=number)
        ids = sorted(rng.choice(known[: 30 + 12 * number], 30, replace=False))
        keys = world.layout.day(day)
        world.storage.write_table(keys.features, pd.DataFrame({"image_id": ids}))
        labels = pd.DataFrame({"image_id": ids, "label": "across", "status": "consensus", "confidence": 1.0})
        world.storage.write_table(keys.labels, labels)
        dataset.collect_training_set(
            world.storage, world.layout, world.config, f"day{number}", day - timedelta(days=6), day
        )
        table = world.storage.read_table(world.layout.retraining(f"day{number}", dataset.SET))
        for image_id, split in zip(table["image_id"], table["split"], strict=True):
            splits.setdefault(image_id, set()).add(split)
    assert len(splits) > 500
    assert all(len(found) == 1 for found in splits.values())
