"""The gate promotes what is better and refuses what is not, on what the evidence allows."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from tests.stores import monitor_store

from driftwatch.artifacts.keys import CHALLENGER
from driftwatch.artifacts.retraining import ChallengerNote
from driftwatch.config.retraining import RetrainingConfig
from driftwatch.models import gate, registry
from driftwatch.models.dataset import collect_training_set
from driftwatch.models.gate import evaluate_challenger
from driftwatch.models.gate_rules import Decision, decide
from driftwatch.models.predictors.base import Asked
from driftwatch.view.comparison import comparison
from driftwatch.view.gate import reason_text

CLASSES = ("cat", "dog")
STRICT = RetrainingConfig(max_clean_drop=0.03)
OTHER = {"cat": "dog", "dog": "cat"}


def said(found: Decision) -> list[str]:
    return [reason_text(reason, found.rules) for reason in found.reasons]


def answers(
    rng: np.random.Generator, n: int, part: str, champion: float, challenger: float, alike: float
) -> pd.DataFrame:
    """n images with both models' answers; a share `alike` of the images is right or wrong by the same draw for both."""
    label = np.array(CLASSES)[np.arange(n) % 2]
    first = rng.random(n)
    second = np.where(rng.random(n) < alike, first, rng.random(n))
    wrong = np.array([OTHER[name] for name in label])
    return pd.DataFrame(
        {
            "image_id": [f"{part}{number:04d}" for number in range(n)],
            "part": part,
            "label": label,
            "champion": np.where(first < champion, label, wrong),
            "challenger": np.where(second < challenger, label, wrong),
        }
    )


def both(
    rng: np.random.Generator, recent: tuple[float, float], clean: tuple[float, float], n: int = 60
) -> pd.DataFrame:
    return pd.concat([answers(rng, n, "recent", *recent, 0.6), answers(rng, 300, "clean", *clean, 0.9)])


def decisions(recent: tuple[float, float], clean: tuple[float, float], n: int = 60, runs: int = 120) -> pd.Series:
    rng = np.random.default_rng(0)
    found = [decide(both(rng, recent, clean, n), CLASSES, STRICT).decision for _ in range(runs)]
    return pd.Series(found).value_counts(normalize=True)


def test_at_most_one_in_twenty_is_promoted_where_nothing_differs() -> None:
    assert decisions((0.6, 0.6), (0.88, 0.88)).get("promote", 0) <= 0.05


@pytest.mark.all_faults("it decides hundreds of times")
def test_even_with_a_perfect_clean_side_chance_promotes_at_most_one_in_twenty() -> None:
    assert decisions((0.6, 0.6), (1.0, 1.0)).get("promote", 0) <= 0.05


def test_a_model_as_much_better_as_fine_tuning_makes_it_is_usually_promoted_with_60_images() -> None:
    assert decisions((0.6, 0.85), (0.88, 0.89)).get("promote", 0) >= 0.8


def test_a_challenger_that_is_worse_on_clean_images_is_kept_out_however_good_on_recent_ones() -> None:
    found = decisions((0.5, 0.95), (0.88, 0.80), runs=60)
    assert found.get("promote", 0) == 0
    assert found["keep"] > 0.8


def test_a_single_class_challenger_is_kept_out_even_where_recent_days_are_of_that_class() -> None:
    table = both(np.random.default_rng(1), (0.6, 0.6), (0.88, 0.88))
    table.loc[table["part"] == "recent", "label"] = "dog"
    table["challenger"] = "dog"
    result = decide(table, CLASSES, RetrainingConfig(max_clean_drop=0.99, max_class_drop=0.99))
    assert result.decision == "keep"
    assert any("Class cat: recall on clean images collapsed" in reason for reason in said(result))


def test_a_worse_challenger_is_kept_out_with_the_numbers() -> None:
    result = decide(both(np.random.default_rng(2), (0.8, 0.55), (0.88, 0.88)), CLASSES, STRICT)
    assert result.decision == "keep"
    assert "not better" in said(result)[0]
    assert f"{result.recent.won} won, {result.recent.lost} lost of 60" in said(result)[0]


def test_few_recent_images_are_not_enough_evidence_however_clear() -> None:
    result = decide(both(np.random.default_rng(3), (0.1, 1.0), (0.88, 0.88), n=19), CLASSES, STRICT)
    assert result.decision == "not_enough_evidence"
    assert "not enough evaluation labels, retraining.min_evaluation_labels is 20" in said(result)[0]


def test_too_few_clean_images_are_not_enough_evidence_and_it_says_how_many_would_be() -> None:
    rng = np.random.default_rng(4)
    table = pd.concat([answers(rng, 80, "recent", 0.5, 0.9, 0.6), answers(rng, 30, "clean", 0.9, 0.9, 0.8)])
    result = decide(table, CLASSES, STRICT)
    assert result.decision == "not_enough_evidence"
    assert "such images would settle it" in said(result)[1]


def test_a_challenger_that_wins_nearly_all_is_promoted_with_few_clean_images() -> None:
    """What is seen of it rules out that any class got worse, though so many changes would hide a loss by chance."""
    rng = np.random.default_rng(5)
    table = pd.concat([answers(rng, 20, "recent", 0.0, 1.0, 0.0), answers(rng, 16, "clean", 0.0, 1.0, 0.0)])
    found = decide(table, CLASSES, STRICT)
    assert found.decision == "promote", said(found)
    assert all(each.power < 0.8 for each in found.by_class.values())


def test_without_clean_images_of_a_class_nothing_is_promoted() -> None:
    table = both(np.random.default_rng(5), (0.5, 1.0), (0.9, 0.9))
    table = table[(table["part"] == "recent") | (table["label"] == "dog")]
    assert decide(table, CLASSES, RetrainingConfig(max_clean_drop=0.2)).decision == "not_enough_evidence"


def test_a_class_that_gets_worse_is_kept_out_though_the_other_makes_up_for_it() -> None:
    """Dogs won and cats lost, 24 each of 150: accuracy stays as it is."""
    table = both(np.random.default_rng(6), (0.4, 1.0), (0.9, 0.9)).reset_index(drop=True)
    clean = table["part"] == "clean"
    table.loc[clean, "champion"] = table.loc[clean, "challenger"] = table.loc[clean, "label"]
    cats, dogs = (table.index[clean & (table["label"] == name)][:24] for name in CLASSES)
    table.loc[cats, "challenger"], table.loc[dogs, "champion"] = "dog", "cat"
    result = decide(table, CLASSES, STRICT)
    assert result.clean.difference == 0
    assert (result.by_class["cat"].lost, result.by_class["dog"].won) == (24, 24)
    assert result.decision == "keep"
    assert any("Class cat on clean images: -16.0%" in reason for reason in said(result))


def test_the_rules_that_decided_stand_with_the_decision() -> None:
    result = decide(both(np.random.default_rng(7), (0.4, 1.0), (0.9, 0.9)), CLASSES, STRICT)
    assert result.rules.model_dump() == {
        "min_evaluation_labels": 20, "max_clean_drop": 0.03, "max_class_drop": 0.1, "gate_confidence": 0.95,
    }  # fmt: skip


def ten(lost_of_last: int = 0, n: int = 25) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Ten classes of `n` clean images, all right but for one lost and one won of the first, and of the last class; recent days are won."""
    names = tuple(f"class {place}" for place in range(10))
    clean = pd.DataFrame({"part": "clean", "label": np.repeat(names, n)})
    clean["champion"] = clean["challenger"] = clean["label"]
    clean.loc[0, "champion"] = clean.loc[1, "challenger"] = "class 5"
    clean.loc[len(clean) - lost_of_last :, "challenger"] = "class 5"
    recent = pd.DataFrame({"part": "recent", "label": np.resize(names, 60), "challenger": np.resize(names, 60)})
    recent["champion"] = np.where(np.arange(60) < 20, "none", recent["label"])
    table = pd.concat([recent, clean], ignore_index=True)
    return table.assign(image_id=[f"{number:03d}" for number in range(len(table))]), names


def test_ten_classes_of_which_none_got_worse_are_promoted() -> None:
    table, names = ten()
    result = decide(table, names, RetrainingConfig())
    assert result.decision == "promote"
    assert "none of 10 got worse" in said(result)[2]
    assert min(found.power for found in result.by_class.values()) > 0.8


def test_one_of_ten_classes_that_is_ruined_keeps_the_champion_though_all_clean_images_together_pass() -> None:
    table, names = ten(lost_of_last=10)
    result = decide(table, names, RetrainingConfig(max_clean_drop=0.1))
    assert result.clean.low > -0.1
    assert result.decision == "keep"
    assert [reason for reason in said(result) if "Class class 9 on clean images: -40.0%" in reason]


def test_classes_with_too_few_images_are_all_named_in_one_reason_with_how_many_would_do() -> None:
    table, names = ten(n=6)
    result = decide(table, names, RetrainingConfig(max_clean_drop=0.2))
    assert result.decision == "not_enough_evidence"
    assert result.by_class["class 9"].power < 0.8
    (reason,) = [reason for reason in said(result) if "too few clean evaluation images" in reason]
    assert all(f"{name} (6)" in reason for name in names)
    needed = int(reason.split(" of each class would settle it")[0].rsplit(" ", 1)[1])
    again, _ = ten(n=round(1.2 * needed))
    assert decide(again, names, RetrainingConfig(max_clean_drop=0.2)).decision == "promote"


def test_a_champion_known_by_its_answers_is_asked_by_image_and_what_it_never_answered_is_left_out(
    world, monkeypatch
) -> None:
    day = date(2026, 1, 4)
    world.add_day(day, 60, verdict="alert")
    store = monitor_store(world.storage, world.layout, world.config)
    collect_training_set(store, "r1", day, day)
    champion = registry.champion_version(store)
    note = ChallengerNote(version=champion, parent=champion, requested_by="alice")
    store.write(store.keys.retraining("r1", CHALLENGER), note)
    asked: list[list[str]] = []

    class LooksUp:
        """Answers all images alike, but for the first five of those that are asked about first."""

        def predict(self, these: Asked, batch_size: int) -> LooksUp:
            asked.append(list(these.image_ids))
            return self

        def table(self, classes: tuple[str, ...]) -> pd.DataFrame:
            said = pd.Series([classes[0]] * len(asked[-1]), dtype=object)
            return pd.DataFrame({"prediction": said.where(said.index >= 5, None) if len(asked) == 1 else said})

    monkeypatch.setattr(gate, "predictor", lambda store, version: LooksUp())
    found = evaluate_challenger(store, "r1", in_words=reason_text)
    rows = store.storage.read_table(store.keys.model_evaluation(champion))
    assert asked[0] == asked[1]
    assert list(rows["image_id"]) == asked[0][5:]
    assert (found.unanswered, found.recent.n + found.clean.n) == (5, len(rows))
    shown = comparison(store, "r1")
    assert "- 5 evaluation images are left out: production never answered them, or with a class that is gone." in shown


def with_every(gain: float, seed: int, images: int = 1500) -> tuple[pd.DataFrame, pd.DataFrame]:
    """150 labelled images of a day and all of it: the models differ on a fifth, and their scores explain much of who is right."""
    rng = np.random.default_rng(seed)
    differ = rng.random(images) < 0.2
    expected = np.where(differ, rng.uniform(-0.7, 0.7, images), 0)
    won = rng.random(images) < np.clip(0.5 + gain / 0.4 + 0.65 * expected, 0, 1)
    label = np.array(CLASSES)[np.arange(images) % 2]
    wrong = np.array([OTHER[name] for name in label])
    both_right = rng.random(images) < 0.7
    champion = np.where(differ, np.where(won, wrong, label), np.where(both_right, label, wrong))
    challenger = np.where(differ, np.where(won, label, wrong), champion)
    day = pd.DataFrame({"image_id": [f"r{n:05d}" for n in range(images)], "part": "recent", "day": "2026-01-04"})
    day = day.assign(label=label, champion=champion, challenger=challenger, expected=expected)
    clean = answers(rng, 300, "clean", 0.9, 0.9, 0.95).assign(day="", expected=0.0)
    return pd.concat([day.head(150), clean], ignore_index=True), day.drop(columns="label")


def test_images_without_a_label_let_the_gate_promote_more_of_what_is_better() -> None:
    before, after = [], []
    for seed in range(60):
        labelled, every = with_every(0.08, seed)
        before.append(decide(labelled, CLASSES, RetrainingConfig()).recent)
        after.append(decide(labelled, CLASSES, RetrainingConfig(), every).recent)
    assert all(found.sharpened is None for found in before)
    passed = [np.mean([found.deciding.low > 0 for found in each]) for each in (before, after)]
    assert passed[1] > passed[0] + 0.02


def test_what_the_images_without_a_label_brought_stands_in_the_reason() -> None:
    labelled, every = with_every(0.15, 1)
    found = decide(labelled, CLASSES, RetrainingConfig(), every)
    assert found.recent.sharpened.images == 1500
    assert found.clean.sharpened is None
    assert "of 150 with a label; the models differ on 18.7% of 1500 images" in said(found)[0]
    assert "): better (p = " in said(found)[0]


def test_the_gate_asks_both_models_about_images_without_a_label_and_none_where_it_shall_not(world) -> None:
    day = date(2026, 1, 4)
    labels = world.add_day(day, 80, verdict="alert")
    world.storage.write_table(world.layout.day(day).labels, labels.head(50))
    store = monitor_store(world.storage, world.layout, world.config)
    collect_training_set(store, "r1", day, day)
    champion = registry.champion_version(store)
    note = ChallengerNote(version=champion, parent=champion, requested_by="alice")
    every = gate._asked(store, "r1", note).every
    assert every is not None
    assert set(every["part"]) == {"recent"}
    assert every["expected"].eq(0).all()
    assert len(every) >= 30
    off = monitor_store(world.storage, world.layout, world.with_config(unlabelled_images=0).config)
    assert gate._asked(off, "r1", note).every is None
