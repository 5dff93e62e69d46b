"""The three ways of merging answers: their published accuracy on real crowds, and how they behave where there is little to go by."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from driftwatch.labels.aggregation import skill, vote_weight
from driftwatch.labels.consensus import Method, OnTie

from .merging import merged

METHODS, TIES = get_args(Method), get_args(OnTie)
CLASSES = ("cat", "dog", "fox")


def answers(*rows: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["task", "annotator", "answer"])


def control(*rows: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["annotator", "answer", "known_label"])


def votes(*given: str) -> pd.DataFrame:
    return answers(*[("image", f"w{index}", answer) for index, answer in enumerate(given)])


def crowd(seed: int, images: int, skills: dict[str, float], overlap: int = 3) -> tuple[pd.DataFrame, pd.Series]:
    """Answers of `overlap` of the annotators to each image, one in ten "unclear", and the truth."""
    rng = np.random.default_rng(seed)
    truth = pd.Series(rng.choice(CLASSES, images), index=[f"i{n:04d}" for n in range(images)])
    rows = []
    for task, right in truth.items():
        for who in rng.choice(list(skills), overlap, replace=False):
            wrong = [name for name in CLASSES if name != right]
            answer = "unclear" if rng.random() < 0.1 else right if rng.random() < skills[who] else rng.choice(wrong)
            rows.append((task, who, answer))
    return answers(*rows), truth


def accuracy(found: pd.DataFrame, truth: pd.Series) -> float:
    labels = found.set_index("task")["label"]
    known = truth.index.intersection(labels.index)
    return float((labels[known] == truth[known]).mean())


@pytest.fixture(scope="module", params=["d_possent", "duck_bluebirds"])
def real(request: pytest.FixtureRequest, shared: Path) -> tuple[str, pd.DataFrame, pd.Series]:
    given = pd.read_csv(shared / "crowd" / request.param / "labels.csv", dtype=str)
    gold = pd.read_csv(shared / "crowd" / request.param / "gold.csv", dtype=str).set_index("task")["label"]
    return request.param, given.rename(columns={"worker": "annotator", "label": "answer"}), gold


@pytest.mark.parametrize(
    ("method", "tie", "published"),
    [
        ("majority", "first_class", {"d_possent": 0.932, "duck_bluebirds": 0.759}),
        ("dawid_skene", "abstain", {"d_possent": 0.960, "duck_bluebirds": 0.898}),
        # Without control tasks nobody's vote weighs more than another's.
        ("weighted", "first_class", {"d_possent": 0.932, "duck_bluebirds": 0.759}),
    ],
)
def test_real_crowds_give_the_published_accuracy(real, method: str, tie: str, published: dict[str, float]) -> None:
    name, given, gold = real
    assert round(accuracy(merged(given, ["0", "1"], tie, method=method), gold), 3) == published[name]


def test_control_tasks_make_both_weighing_methods_better_than_a_plain_vote_on_real_crowds(real) -> None:
    _, given, gold = real
    for_control = given["task"].isin(sorted(gold.index)[::5])
    known = given[for_control].assign(known_label=given["task"].map(gold))
    found = {
        method: accuracy(merged(given[~for_control], ["0", "1"], "first_class", method=method, control=known), gold)
        for method in METHODS
    }
    assert found["weighted"] > found["majority"] + 0.01
    assert found["dawid_skene"] > found["majority"] + 0.02


@pytest.mark.parametrize("tie", TIES)
@pytest.mark.parametrize("method", METHODS)
def test_row_order_changes_nothing(method: str, tie: str) -> None:
    for seed in range(4):
        rng = np.random.default_rng(seed)
        size = int(rng.integers(1, 300))
        frame = pd.DataFrame(
            {
                "task": rng.integers(0, 60, size).astype(str),
                "annotator": rng.integers(0, 12, size).astype(str),
                "answer": rng.choice([*CLASSES, "unclear"], size),
                "submitted": [f"2026-01-01T0{hour}:00:00+00:00" for hour in rng.integers(0, 3, size)],
            }
        )
        known = frame[["annotator", "answer"]].assign(known_label=rng.choice(CLASSES, size))
        settings = {"on_tie": tie, "unclear_answer": "unclear", "method": method}
        expected = merged(frame, CLASSES, control=known, **settings)
        for shuffle in range(2):
            rows, others = (table.sample(frac=1, random_state=shuffle) for table in (frame, known))
            # Exactly: not a bit of a confidence may differ.
            found = merged(rows, CLASSES, control=others, **settings)
            pd.testing.assert_frame_equal(found, expected, check_exact=True)


@pytest.mark.parametrize("method", METHODS)
def test_scores_are_shares_and_counts_are_the_votes_whatever_the_method(method: str) -> None:
    given, _ = crowd(0, 60, {f"w{n}": 0.8 for n in range(6)})
    found = merged(given, CLASSES, unclear_answer="unclear", method=method)
    plain = merged(given, CLASSES, unclear_answer="unclear")
    counts = ["votes", "votes.cat", "votes.dog", "votes.fox", "votes.unclear"]
    pd.testing.assert_frame_equal(found[counts], plain[counts])
    assert found.columns.tolist() == plain.columns.tolist()
    assert found["confidence"].dropna().between(0, 1).all()
    assert (found["label"].notna() == found["confidence"].notna()).all()
    assert (found["label"].notna() == (found["status"] == "consensus")).all()  # on_tie is abstain


@pytest.mark.parametrize("tie", TIES)
@pytest.mark.parametrize("method", METHODS)
def test_unclear_is_an_answer_of_its_own_and_never_a_label(method: str, tie: str) -> None:
    found = merged(votes("unclear", "unclear", "cat"), CLASSES, tie, unclear_answer="unclear", method=method).iloc[0]
    assert (found["label"], found["status"], found["votes.unclear"]) == (None, "unclear", 2)
    given, _ = crowd(1, 80, {f"w{n}": 0.6 for n in range(5)})
    many = merged(given, CLASSES, tie, unclear_answer="unclear", method=method)
    assert set(many["label"].dropna()) == set(CLASSES)
    assert many.loc[many["status"] == "unclear", "label"].isna().all()


@pytest.mark.parametrize("method", METHODS)
def test_answers_of_equal_weight_are_a_tie_and_the_setting_decides(method: str) -> None:
    tied = votes("fox", "dog")
    found = {tie: merged(tied, CLASSES, tie, method=method).iloc[0] for tie in TIES}
    assert {row["status"] for row in found.values()} == {"tie"}
    assert (found["abstain"]["label"], found["first_class"]["label"]) == (None, "dog")
    assert found["random_seeded"]["label"] in ("dog", "fox")
    # Two who contradict each other on every image: nothing says who is right, and rounding must not.
    rows = [(f"i{n:03d}", who, ("cat", "dog")[(n + w) % 2]) for n in range(101) for w, who in enumerate("ab")]
    assert (merged(answers(*rows), CLASSES, method=method)["status"] == "tie").all()


# Skills from control tasks


def test_skill_starts_at_the_default_and_follows_the_control_tasks() -> None:
    assert skill(np.array([0, 1, 0, 50]), np.array([0, 1, 1, 50]), 0.8) == pytest.approx(
        [0.8, 0.8667, 0.5333, 0.9923], abs=1e-4
    )


def test_vote_weighs_the_log_odds_against_guessing_and_never_less_than_a_little() -> None:
    weight = vote_weight(np.array([0.9, 0.5, 0.1]), classes=2)
    assert weight == pytest.approx([np.log(9), 0.01, 0.01])
    assert vote_weight(np.array([0.5]), classes=3) == pytest.approx([np.log(2)])


@pytest.mark.parametrize("method", ["weighted", "dawid_skene"])
def test_one_good_annotator_outvotes_two_who_fail_the_control_tasks(method: str) -> None:
    known = control(
        *[("w0", "cat", "cat"), ("w0", "dog", "dog")] * 5, *[("w1", "dog", "cat"), ("w2", "dog", "cat")] * 5
    )
    known = pd.concat([known, control(*[("w1", "cat", "dog"), ("w2", "cat", "dog")] * 5)])
    row = merged(votes("cat", "dog", "dog"), ("cat", "dog"), method=method, control=known).iloc[0]
    assert (row["label"], row["votes.cat"], row["votes.dog"]) == ("cat", 1, 2)
    assert merged(votes("cat", "dog", "dog"), ("cat", "dog"), control=known).iloc[0]["label"] == "dog"


def test_annotator_without_control_answers_counts_as_the_default_skill() -> None:
    known = control(*[("w0", "cat", "cat")] * 3, ("w0", "dog", "cat"))  # (3 + 1.6) / 6 = .767
    row = merged(votes("cat", "dog"), ("cat", "dog"), method="weighted", control=known)
    assert row.iloc[0]["label"] == "dog"
    row = merged(votes("cat", "dog"), ("cat", "dog"), method="weighted", control=known, default_skill=0.6)
    assert row.iloc[0]["label"] == "cat"


def test_guessers_alone_are_followed_rather_than_ignored() -> None:
    known = control(*[(who, "dog", "cat") for who in ("w0", "w1", "w2")] * 9)
    row = merged(votes("cat", "dog", "cat"), ("cat", "dog"), method="weighted", control=known).iloc[0]
    assert (row["label"], row["status"]) == ("cat", "consensus")


# Dawid-Skene


def test_dawid_skene_finds_out_guessers_that_a_plain_vote_follows() -> None:
    skills = {f"good{n}": 0.95 for n in range(4)} | {f"guesser{n}": 1 / 3 for n in range(4)}
    found = {method: [] for method in METHODS}
    for seed in range(5):
        given, truth = crowd(seed, 300, skills)
        for method in METHODS:
            labels = merged(given, CLASSES, "first_class", unclear_answer="unclear", method=method)
            found[method].append(accuracy(labels, truth))
    assert np.mean(found["dawid_skene"]) > np.mean(found["majority"]) + 0.08


def test_dawid_skene_uses_an_annotator_who_mixes_two_classes_up() -> None:
    swapped = {"cat": "dog", "dog": "cat", "fox": "fox"}
    rng = np.random.default_rng(2)
    truth = pd.Series(rng.choice(CLASSES, 60), index=[f"i{n:04d}" for n in range(60)])
    rows = [(task, who, right) for task, right in truth.items() for who in ("a", "b") if int(task[1:]) < 40]
    rows += [(task, "swaps", swapped[right]) for task, right in truth.items()]
    found = merged(answers(*rows), CLASSES, method="dawid_skene")
    # The last twenty were seen by this annotator alone.
    assert accuracy(found, truth[40:]) > 0.9


@pytest.mark.parametrize("images", [1, 3, 9, 20])
def test_dawid_skene_on_a_small_day_is_no_worse_than_a_plain_vote_and_keeps_unanimous_answers(images: int) -> None:
    """Where maximum likelihood degenerates: fewer answers than the confusion matrices have entries."""
    right = {method: 0 for method in METHODS}
    for seed in range(20):
        given, truth = crowd(seed, images, {f"w{n}": 0.85 for n in range(8)})
        for method in METHODS:
            found = merged(given, CLASSES, "first_class", unclear_answer="unclear", method=method)
            right[method] += round(accuracy(found, truth) * images)
            if method == "dawid_skene":
                for name in CLASSES:
                    agreed = found[found[f"votes.{name}"] == found["votes"]]
                    assert (agreed["label"] == name).all()
    assert right["dawid_skene"] >= right["majority"] - 0.02 * 20 * images


def test_dawid_skene_never_swaps_the_classes_nor_claims_certainty_from_one_vote() -> None:
    row = merged(votes("dog"), CLASSES, unclear_answer="unclear", method="dawid_skene").iloc[0]
    assert row["label"] == "dog"
    assert row["confidence"] < 0.95
    # Everybody always says cat: the frequency of cats alone tells nothing against them.
    rows = [(f"i{n}", who, "cat") for n in range(30) for who in "abc"]
    found = merged(answers(*rows), CLASSES, method="dawid_skene")
    assert (found["label"] == "cat").all()
    assert (found["confidence"] > 0.99).all()


def test_dawid_skene_of_unanswered_images_and_of_none() -> None:
    found = merged(votes("cat"), CLASSES, tasks=["image", "other"], method="dawid_skene")
    assert found["status"].tolist() == ["consensus", "unanswered"]
    assert merged(answers(), CLASSES, method="dawid_skene").empty
    assert merged(answers(), CLASSES, tasks=["x"], method="weighted")["status"].tolist() == ["unanswered"]


def test_a_weighted_vote_counts_each_control_answer_once_beside_the_default() -> None:
    # a was right on 3 of 4: (3 + 2 x .8) / (4 + 2) = .7667; nothing is known of b: .8. Their log-odds are 1.190 and 1.386.
    known = control(*[("a", "cat", "cat")] * 3, ("a", "dog", "cat"))
    given = answers(("image", "a", "cat"), ("image", "b", "dog"))
    row = merged(given, ("cat", "dog"), method="weighted", control=known).iloc[0]
    assert (row["label"], row["status"]) == ("dog", "consensus")
    assert row["confidence"] == pytest.approx(1.3863 / (1.3863 + 1.1896), abs=1e-4)
