"""One split for an image and its near-duplicates, for ever."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import pandas as pd
import pytest

from driftwatch.models.splits import COLUMNS, EVALUATION, LEFT_OUT, TRAIN, decide_splits, split_of

NOTHING = pd.DataFrame(columns=COLUMNS)
IDS = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(4000)]
FAR = ("0" * 16, "f" * 16, "00ff" * 4)


def batch(*rows: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["image_id", "phash"])


def known(*rows: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame([(*row, "") for row in rows], columns=COLUMNS)


def splits(table: pd.DataFrame) -> dict[str, str]:
    return dict(zip(table["image_id"], table["split"], strict=True))


def test_the_shares_of_the_splits_are_as_asked() -> None:
    shares = pd.Series([split_of(name, 0.15) for name in IDS]).value_counts(normalize=True)
    assert shares["evaluation"] == pytest.approx(0.15, abs=0.02)
    assert shares["validation"] == pytest.approx(0.05, abs=0.012)


def test_a_larger_evaluation_share_never_frees_an_evaluation_image() -> None:
    before = {name for name in IDS if split_of(name, 0.2) == EVALUATION}
    after = {name for name in IDS if split_of(name, 0.4) == EVALUATION}
    assert before < after


def test_near_duplicates_of_one_batch_take_the_split_of_their_smallest_id() -> None:
    ids = next(ids for ids in pairwise(IDS) if split_of(ids[0], 0.4) != split_of(ids[1], 0.4))
    found = splits(decide_splits(NOTHING, batch((ids[0], FAR[0]), (ids[1], "0" * 15 + "1")), 0.4))
    assert set(found.values()) == {split_of(min(ids), 0.4)}


@pytest.mark.parametrize("split", [TRAIN, EVALUATION])
def test_a_near_duplicate_of_a_known_image_takes_its_split(split) -> None:
    before = known(("a", FAR[0], split), ("b", FAR[1], TRAIN))
    new = [(image_id, "0" * 15 + "7") for image_id in IDS[:20]]
    assert {splits(decide_splits(before, batch(row), 0.4))[row[0]] for row in new} == {split}


def test_a_bridge_between_two_splits_is_left_out_of_both_and_no_neighbour_of_later_ones() -> None:
    """Four hex digits differ between a and b; the bridge differs from each in two of them, that is in six bits."""
    before = known(("a", FAR[0], TRAIN), ("b", "0" * 13 + "fff", EVALUATION))
    after = decide_splits(before, batch(("bridge", "0" * 13 + "03f")), 0.4)
    assert splits(after)["bridge"] == LEFT_OUT
    assert splits(decide_splits(after, batch(("later", "0" * 9 + "3f003f")), 0.4))["later"] == split_of("later", 0.4)


def test_what_was_decided_stays_and_the_same_batch_adds_nothing() -> None:
    rows = batch(*zip(IDS[:3], FAR, strict=True))
    first = decide_splits(NOTHING, rows, 0.4, "2026-01-03")
    assert set(first["day"]) == {"2026-01-03"}
    assert decide_splits(first, rows, 0.9, "2026-01-04").equals(first)
    assert decide_splits(NOTHING, rows.iloc[::-1], 0.4, "2026-01-03").equals(first)


def labelled(images: dict[str, int], poses: dict[str, int] | None = None) -> pd.DataFrame:
    """Images by class; with `poses` all of a class are near-duplicates of so many pictures."""
    rows, ids = [], iter(IDS)
    for name, count in images.items():
        for number in range(count):
            image_id = next(ids)
            pose = f"{name} {number % poses[name]}" if poses and name in poses else image_id
            rows.append((image_id, hashlib.sha256(pose.encode()).hexdigest()[:16], name))
    return pd.DataFrame(rows, columns=["image_id", "phash", "label"])


def counted(table: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    return pd.crosstab(table["label"], table["image_id"].map(splits(found)))


def test_each_class_has_its_share_of_the_holdout_however_few_images_and_however_alike() -> None:
    table = labelled({**{f"c{place:02d}": 22 for place in range(100)}, "two": 2, "posed": 40}, {"posed": 4})
    by_class = counted(table, decide_splits(NOTHING, table, 0.15))
    assert by_class[EVALUATION].iloc[:100].between(3, 4).all()
    assert (by_class[TRAIN] > 0).all()
    assert by_class.loc["two", EVALUATION] == 1
    assert by_class.loc["posed", EVALUATION] == 10  # one picture of four


def test_splits_of_an_earlier_import_stay_and_new_images_fill_up_what_a_class_lacks() -> None:
    table = labelled({"cat": 30, "dog": 30})
    before = decide_splits(NOTHING, table.drop(columns="label").iloc[:40], 0.15)
    after = decide_splits(before, table, 0.15)
    assert after.iloc[:40].equals(before)
    kept = counted(table.iloc[:40], before).reindex(columns=[EVALUATION], fill_value=0)[EVALUATION]
    found = counted(table, after)[EVALUATION]
    assert found["dog"] >= max(4, kept["dog"])
    assert (found >= kept).all()


def test_a_class_of_near_duplicates_alone_has_no_holdout() -> None:
    table = labelled({"cat": 12, "dog": 30}, {"cat": 1})
    assert counted(table, decide_splits(NOTHING, table, 0.15)).loc["cat", TRAIN] == 12
