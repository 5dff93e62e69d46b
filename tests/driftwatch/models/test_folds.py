"""Cross-fitting: each label that is trained on is answered once by a model that was not trained on it."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from tests.stores import monitor_store

from driftwatch.artifacts.keys import CHALLENGER, FOLDS, SET
from driftwatch.artifacts.retraining import ChallengerNote
from driftwatch.models import folds, registry
from driftwatch.models.challenger import train_challenger
from driftwatch.models.dataset import collect_training_set
from driftwatch.models.folds import cross_fit, fold_answers, folds_of
from driftwatch.models.gate import evaluate_challenger
from driftwatch.models.powered import Answers, sharpened
from driftwatch.view.gate import reason_text

DAY, USUAL = date(2026, 1, 5), date(2026, 1, 4)


@pytest.fixture
def collected(world):
    """A store with three folds, and a set of a usual day and one with an alert."""
    world.add_day(USUAL, 30)
    world.add_day(DAY, 60, verdict="alert")
    store = monitor_store(world.storage, world.layout, world.with_config(cross_fit=3, min_evaluation_labels=5).config)
    collect_training_set(store, "r1", USUAL, DAY)
    return store, store.storage.read_table(store.keys.retraining("r1", SET))


def learnt(table: pd.DataFrame) -> pd.Series:
    return (table["split"] != "evaluation") & (table["day"] == DAY.isoformat())


def test_the_labels_of_days_with_an_alert_that_are_trained_on_are_in_one_fold_each(collected) -> None:
    store, table = collected
    found = folds_of(store, table)
    assert np.array_equal(found >= 0, learnt(table))
    assert set(found) == {-1, 0, 1, 2}


def test_near_duplicates_share_a_fold_and_what_is_near_to_another_trained_image_is_in_none(collected) -> None:
    store, table = collected
    splits = store.storage.read_table(store.keys.splits)
    first, second, third = table.index[learnt(table)][:3]
    original = table.index[(table["source"] == "original") & (table["split"] == "train")][0]
    hashes = splits.set_index("image_id")["phash"]
    ids = table["image_id"]
    alike = {ids[second]: hashes[ids[first]], ids[third]: hashes[ids[original]]}
    changed = splits["phash"].where(~splits["image_id"].isin(alike), splits["image_id"].map(alike))
    store.storage.write_table(store.keys.splits, splits.assign(phash=changed))
    found = folds_of(store, table)
    assert found[first] == found[second] >= 0
    assert found[third] == -1


def test_what_the_champion_was_trained_on_is_in_no_fold(collected, monkeypatch) -> None:
    store, table = collected
    own = set(table.loc[learnt(table), "image_id"].head(5))
    monkeypatch.setattr(folds, "_champions_own", lambda store: own)
    assert not set(table.loc[folds_of(store, table) >= 0, "image_id"]) & own


def test_each_fold_is_answered_by_a_model_that_was_not_trained_on_it_and_a_repeat_goes_on(
    collected, monkeypatch
) -> None:
    store, table = collected
    trained_on: dict[str, set[str]] = {}

    def learn(fold_table: pd.DataFrame, fold: str) -> str:
        if len(trained_on) == 2 and fold == "fold-2":
            trained_on["killed"] = set()
            raise KeyboardInterrupt
        trained_on[fold] = set(fold_table.loc[fold_table["split"] == "train", "image_id"])
        return fold

    def answered(store, rows: pd.DataFrame, trained: str) -> pd.DataFrame:
        assert not set(rows["image_id"]) & trained_on[trained]
        return pd.DataFrame({"image_id": rows["image_id"], "prediction": "across"})

    monkeypatch.setattr(folds, "_answered", answered)
    with pytest.raises(KeyboardInterrupt):
        cross_fit(store, "r1", table, learn)
    first = trained_on.pop("fold-0"), trained_on.pop("fold-1")
    cross_fit(store, "r1", table, learn)
    assert set(trained_on) == {"killed", "fold-2"}
    assert all(len(ids) > 0 for ids in first)
    found = fold_answers(store, "r1", table)
    assert sorted(found["image_id"]) == sorted(table.loc[learnt(table), "image_id"])


def test_folds_of_another_set_that_a_try_before_left_are_answered_anew(collected, monkeypatch) -> None:
    store, table = collected
    monkeypatch.setattr(
        folds,
        "_answered",
        lambda store, rows, trained: pd.DataFrame({"image_id": rows["image_id"], "prediction": trained}),
    )
    cross_fit(store, "r1", table, lambda fold_table, fold: "before")
    gone = table.index[learnt(table) & (folds_of(store, table) == 0)][0]
    smaller = table.drop(index=gone).reset_index(drop=True)
    cross_fit(store, "r1", smaller, lambda fold_table, fold: "now")
    found = fold_answers(store, "r1", smaller)
    assert sorted(found["image_id"]) == sorted(smaller.loc[learnt(smaller), "image_id"])
    assert set(found.loc[found["fold"] == 0, "prediction"]) == {"now"}
    assert set(found.loc[found["fold"] != 0, "prediction"]) == {"before"}
    whole = smaller.index[folds_of(store, smaller) == 0]
    without = smaller.drop(index=whole).reset_index(drop=True)
    cross_fit(store, "r1", without, lambda fold_table, fold: "never")
    kept = fold_answers(store, "r1", without)
    assert (set(kept["fold"]), set(kept["prediction"])) == ({1, 2}, {"before"})
    usual = table[table["day"] != DAY.isoformat()].reset_index(drop=True)
    usual_alone = usual.assign(split="evaluation")
    cross_fit(store, "r1", usual_alone, lambda fold_table, fold: "never")
    assert fold_answers(store, "r1", usual_alone) is None


@pytest.mark.all_faults("it trains four models")
def test_a_challenger_is_judged_by_all_labels_of_the_day(collected) -> None:
    store, table = collected
    train_challenger(store, "r1", "alice")
    found = evaluate_challenger(store, "r1", in_words=reason_text)
    labels = table["day"] == DAY.isoformat()
    judged = store.storage.read_table(store.keys.model_evaluation(found.version))
    direct = labels & (table["split"] == "evaluation")
    if found.recent.sharpened:
        assert found.recent.n == labels.sum()
        assert found.recent.sharpened.of_folds == learnt(table).sum()
    else:  # the models differ on too few images for that
        assert found.recent.n == direct.sum()
    assert (judged["part"] == "recent").sum() == found.recent.n
    assert store.storage.exists(store.keys.retraining("r1", FOLDS))
    assert not store.storage.list(store.keys.of_retraining("r1").folds)


def test_the_luck_of_training_makes_labels_of_folds_less_certain() -> None:
    differ = np.arange(1000) % 5 == 0
    every = Answers(differ, np.zeros(1000), np.ones(1000))
    labelled = Answers(differ[:300], np.zeros(300), np.ones(300))
    gained = np.where(differ[:300], np.where(np.arange(300) % 4 == 0, -1, 1), 0)
    direct, half = (sharpened(gained, labelled, every, 0.95, of_folds) for of_folds in (0, 150))
    assert direct.difference == half.difference
    assert half.error**2 - direct.error**2 == pytest.approx(0.01**2)


def test_without_folds_nothing_is_trained_for_them(world) -> None:
    world.add_day(DAY, 40, verdict="alert")
    store = monitor_store(world.storage, world.layout, world.config)
    collect_training_set(store, "r1", DAY, DAY)
    champion = registry.champion_version(store)
    store.write(
        store.keys.retraining("r1", CHALLENGER),
        ChallengerNote(version=champion, parent=champion, requested_by="alice"),
    )
    evaluate_challenger(store, "r1", in_words=reason_text)
    assert not store.storage.exists(store.keys.retraining("r1", FOLDS))
