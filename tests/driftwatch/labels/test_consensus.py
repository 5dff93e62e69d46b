"""The merge of people's answers: the rule, its edges, and the published accuracies on real crowds."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from tests.stores import day_store

from driftwatch.artifacts.day_keys import DayKeys
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.errors import DriftwatchError
from driftwatch.labels.agreement import krippendorff_alpha
from driftwatch.labels.consensus import DayLabels, Method, merge_day, unanimous
from driftwatch.storage import Storage, open_storage

from .crowds import assignments, config, crowd
from .merging import merged

CLASSES = ("cat", "dog", "fox")
METHODS = get_args(Method)


def answers(*rows: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["task", "annotator", "answer"])


def voted(frame: pd.DataFrame, **settings) -> pd.Series:
    found = merged(frame, CLASSES, unclear_answer="unclear", **settings)
    assert len(found) == 1
    return found.iloc[0]


def votes(*given: str) -> pd.DataFrame:
    return answers(*[("image", f"worker{index}", answer) for index, answer in enumerate(given)])


def test_majority_wins_and_confidence_counts_unclear_votes() -> None:
    row = voted(votes("dog", "cat", "dog", "unclear"))
    assert (row["label"], row["status"], row["votes"], row["confidence"]) == ("dog", "consensus", 4, 0.5)
    assert (row["votes.cat"], row["votes.dog"], row["votes.fox"], row["votes.unclear"]) == (1, 2, 0, 1)


@pytest.mark.parametrize("tie", ["abstain", "first_class", "random_seeded"])
def test_most_votes_for_unclear_is_unclear_under_every_tie_rule(tie: str) -> None:
    row = voted(votes("unclear", "unclear", "cat"), on_tie=tie)
    assert (row["label"], row["status"]) == (None, "unclear")
    assert np.isnan(row["confidence"])


def test_tie_abstains_or_takes_the_first_class_in_the_order_of_classes() -> None:
    tied = votes("fox", "dog")
    assert voted(tied)["label"] is None
    assert voted(tied, on_tie="first_class")[["label", "status", "confidence"]].tolist() == ["dog", "tie", 0.5]


def test_class_tied_with_unclear_is_a_tie() -> None:
    assert voted(votes("fox", "unclear"))[["label", "status"]].tolist() == [None, "tie"]
    assert voted(votes("fox", "unclear"), on_tie="first_class")["label"] == "fox"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("given", "rival", "set_aside"),
    [
        (("fox", "unclear"), (None, "tie"), ("fox", "consensus")),
        (("fox", "unclear", "unclear"), (None, "unclear"), ("fox", "consensus")),
        (("fox", "dog", "unclear"), (None, "tie"), (None, "tie")),
        (("unclear", "unclear"), (None, "unclear"), (None, "unclear")),
        (("fox", "fox", "unclear"), ("fox", "consensus"), ("fox", "consensus")),
    ],
)
def test_unclear_votes_are_rivals_of_the_classes_or_are_set_aside(method: Method, given, rival, set_aside) -> None:
    for setting, (label, status) in (("rival", rival), ("set_aside", set_aside)):
        row = voted(votes(*given), method=method, unclear_votes=setting)
        assert (row["label"], row["status"]) == (label, status)
        assert (row["votes"], row["votes.unclear"]) == (len(given), given.count("unclear"))


@pytest.mark.parametrize("method", METHODS)
def test_set_aside_is_as_if_the_unclear_answers_had_not_been_given(method: Method) -> None:
    rng = np.random.default_rng(3)
    rows = [(f"i{n:02d}", f"w{who}", str(rng.choice(["cat", "dog", "unclear"]))) for n in range(40) for who in range(5)]
    control = pd.DataFrame(
        [(f"w{who}", str(rng.choice(["cat", "cat", "unclear"])), "cat") for who in range(5) for _ in range(6)],
        columns=["annotator", "answer", "known_label"],
    )
    given = answers(*rows)
    found = merged(given, CLASSES, unclear_answer="unclear", unclear_votes="set_aside", method=method, control=control)
    without = merged(
        given[given["answer"] != "unclear"], CLASSES, unclear_answer=None, method=method, tasks=found["task"].tolist(),
        control=control[control["answer"] != "unclear"],
    )  # fmt: skip
    pd.testing.assert_frame_equal(found[["task", "label", "confidence"]], without[["task", "label", "confidence"]])


def test_random_tie_is_fair_among_the_tied_and_hangs_on_seed_and_task_alone() -> None:
    many = answers(
        *[(f"image{i}", worker, answer) for i in range(400) for worker, answer in (("a", "dog"), ("b", "fox"))]
    )
    first = merged(many, CLASSES, "random_seeded", seed=1).set_index("task")["label"]
    assert set(first) == {"dog", "fox"}
    assert 150 < (first == "dog").sum() < 250
    part = merged(many[many["task"] != "image0"], CLASSES, "random_seeded", seed=1).set_index("task")["label"]
    assert part.equals(first.drop("image0"))
    assert not merged(many, CLASSES, "random_seeded", seed=2).set_index("task")["label"].equals(first)


def test_second_answer_of_an_annotator_replaces_the_first_by_time() -> None:
    frame = answers(("image", "a", "dog"), ("image", "a", "cat"), ("image", "b", "cat"))
    # Different offsets: the instant counts, not the text.
    frame["submitted"] = ["2026-01-01T12:00:00+00:00", "2026-01-01T13:30:00+03:00", "2026-01-01T12:00:00.5+00:00"]
    row = voted(frame)
    assert (row["votes"], row["votes.dog"], row["votes.cat"], row["status"]) == (2, 1, 1, "tie")


def test_contradicting_answers_of_the_same_instant_count_as_the_first_of_the_classes() -> None:
    row = voted(answers(("image", "a", "fox"), ("image", "a", "cat"), ("image", "a", "unclear")))
    assert (row["label"], row["votes"]) == ("cat", 1)


def test_unanswered_tasks_have_a_row_and_others_have_none() -> None:
    found = merged(votes("cat"), CLASSES, tasks=["other", "image", "other"])
    assert found[["task", "status", "votes"]].to_numpy().tolist() == [
        ["image", "consensus", 1],
        ["other", "unanswered", 0],
    ]
    empty = merged(answers(), CLASSES, tasks=["x"])
    assert empty.loc[0, "status"] == "unanswered"
    assert merged(answers(), CLASSES).empty


def test_answer_that_was_not_offered_is_refused_with_its_task() -> None:
    with pytest.raises(DriftwatchError, match=r"task image: the answer 'cow' is none of 'cat', 'dog', 'fox'"):
        merged(votes("cat", "cow"), CLASSES)


def test_alpha_of_krippendorffs_own_example() -> None:
    """K. Krippendorff (2011), example C: four observers, twelve units, missing answers; nominal alpha .743."""
    observers = {
        "A": "1 2 3 3 2 1 4 1 2 . . .",
        "B": "1 2 3 3 2 2 4 1 2 5 . 3",
        "C": ". 3 3 3 2 3 4 2 2 5 1 .",
        "D": "1 2 3 3 2 4 4 1 2 5 1 .",
    }
    rows = [(f"{u}", who, a) for who, line in observers.items() for u, a in enumerate(line.split()) if a != "."]
    assert krippendorff_alpha(answers(*rows)) == pytest.approx(0.743, abs=0.0005)


def test_alpha_is_undefined_without_variation_or_pairs() -> None:
    assert krippendorff_alpha(votes("cat", "cat")) is None
    assert krippendorff_alpha(answers(("x", "a", "cat"), ("y", "a", "dog"))) is None
    assert krippendorff_alpha(answers()) is None


def a_day() -> pd.DataFrame:
    """Answers to three images of a day, on a rejected page too; to a control task; to an image that the day did not ask about."""
    rows = [
        ("p1", "a", "i1", "cat", "ACCEPTED", False), ("p1", "a", "i2", "dog", "ACCEPTED", False),
        ("p1", "a", "control", "cat", "ACCEPTED", True), ("p2", "b", "i1", "cat", "SUBMITTED", False),
        ("p2", "b", "i2", "cat", "SUBMITTED", False), ("p3", "c", "i2", "cat", "REJECTED", False),
        ("p4", "d", "i3", "unclear", "ACCEPTED", False), ("p4", "d", "elsewhere", "cat", "ACCEPTED", False),
    ]  # fmt: skip
    names = ["assignment_id", "annotator_id", "image_id", "answer", "status", "control"]
    table = assignments([dict(zip(names, row, strict=True)) for row in rows])
    table.loc[table["control"], "known_label"] = "cat"
    return table


def merged_day(
    folder: Path, table: pd.DataFrame, sample: list[str], **annotation
) -> tuple[DayLabels, Storage, DayKeys]:
    storage, day = open_storage(f"file://{folder}"), MonitorKeys("demo").day(date(2026, 1, 1))
    storage.write_table(day.assignments, table)
    return merge_day(day_store(storage, day, config(folder, **annotation)), sample), storage, day


def test_day_counts_votes_of_the_sample_only_and_adds_up(tmp_path: Path) -> None:
    found, storage, day = merged_day(tmp_path, a_day(), ["i1", "i2", "i3", "i4"])
    labels = storage.read_table(day.labels).set_index("image_id")
    assert labels["status"].to_dict() == {"i1": "consensus", "i2": "tie", "i3": "unclear", "i4": "unanswered"}
    assert labels.loc["i2", ["votes", "votes.cat", "votes.dog"]].tolist() == [2, 1, 1]  # the rejected page has no vote
    assert found.sampled == 4 == found.consensus + found.tie + found.unclear + found.unanswered
    assert (found.votes, found.unclear_votes, found.labelled, found.rejected_pages) == (5, 1, 1, 1)
    annotators = storage.read_table(day.annotators).set_index("annotator_id")
    assert annotators["unclear_answers"].to_dict() == {"a": 0, "b": 0, "c": 0, "d": 1}
    # Two answers' worth of the default .8, and one right answer of one.
    assert annotators["skill"].round(4).to_dict() == {"a": 0.8667, "b": 0.8, "c": 0.8, "d": 0.8}


def test_votes_of_those_who_fail_the_control_tasks_are_left_out_by_setting_and_stay_in_the_answers(
    tmp_path: Path,
) -> None:
    table = crowd({"good1": 0.95, "good2": 0.95, "poor": 0.3, "slow": 0.9}, images=60)
    control = table["control"] & (table["annotator_id"] == "poor")
    table.loc[control, "answer"] = "dog"  # all ten wrong
    images = sorted(table.loc[~table["control"], "image_id"].unique())
    all_count, storage, day = merged_day(tmp_path, table, images)
    assert "excluded" not in storage.read_table(day.annotators)
    assert (all_count.votes, all_count.excluded) == (240, 0)
    without, storage, day = merged_day(tmp_path, table, images, exclude_flagged=True)
    assert (without.votes, without.excluded, without.annotators) == (180, 1, 4)
    annotators = storage.read_table(day.annotators).set_index("annotator_id")
    assert annotators["excluded"].to_dict() == {"good1": False, "good2": False, "poor": True, "slow": False}
    assert annotators.loc["poor", "answers"] == 60
    labels = storage.read_table(day.labels)
    assert labels["votes"].eq(3).all()
    again, *_ = merged_day(tmp_path, table.sample(frac=1, random_state=1), images, exclude_flagged=True)
    assert again == without
    pd.testing.assert_frame_equal(storage.read_table(day.labels), labels)
    pd.testing.assert_frame_equal(
        labels, merged_votes(table[table["annotator_id"] != "poor"], images).rename(columns={"task": "image_id"})
    )


def merged_votes(table: pd.DataFrame, images: list[str]) -> pd.DataFrame:
    voting = table[~table["control"]].rename(columns={"image_id": "task", "annotator_id": "annotator"})
    return merged(voting, ("cat", "dog"), tasks=images)


def test_who_is_flagged_for_anything_else_still_votes(tmp_path: Path) -> None:
    table = crowd({"good1": 0.95, "good2": 0.95, "good3": 0.95, "always_cat": 0.0}, images=60)
    found, *_ = merged_day(tmp_path, table, [f"i{n:03d}" for n in range(60)], exclude_flagged=True)
    assert (found.flagged, found.excluded, found.votes) == (1, 0, 240)


def test_day_is_merged_by_the_methods_own_idea_of_annotators(tmp_path: Path) -> None:
    for method in ("weighted", "dawid_skene"):
        found, storage, day = merged_day(tmp_path, a_day(), ["i1", "i2", "i3", "i4"], consensus=method)
        labels = storage.read_table(day.labels).set_index("image_id")
        # Annotator a was right on a control task: worth more than b, of whom nothing is known.
        assert labels.loc["i2", ["label", "status", "votes.cat", "votes.dog"]].tolist() == ["dog", "consensus", 1, 1]
        assert labels["status"].drop("i2").to_dict() == {"i1": "consensus", "i3": "unclear", "i4": "unanswered"}
        assert (found.method, found.votes, found.sampled) == (method, 5, 4)


@pytest.mark.parametrize("method", METHODS)
def test_order_of_the_days_answers_changes_no_byte(tmp_path: Path, method: str) -> None:
    table = pd.concat([crowd({"a": 0.9, "b": 0.7, "c": 0.55, "always_cat": 0}, 40), a_day()], ignore_index=True)
    sample = [f"i{index:03d}" for index in range(40)] + ["i1", "i2", "i3", "i4"]
    first, storage, day = merged_day(tmp_path, table, sample, consensus=method)
    written = storage.read_bytes(day.labels), storage.read_bytes(day.annotators)
    for seed in range(3):
        again, *_ = merged_day(tmp_path, table.sample(frac=1, random_state=seed), sample[::-1], consensus=method)
        assert again == first
        assert (storage.read_bytes(day.labels), storage.read_bytes(day.annotators)) == written


def test_unanimous_is_a_matter_of_votes_not_of_confidence() -> None:
    given = answers(("x", "a", "cat"), ("x", "b", "cat"), ("y", "a", "cat"), ("y", "b", "dog"), ("z", "a", "unclear"))
    for method in METHODS:
        found = merged(given, CLASSES, "first_class", unclear_answer="unclear", method=method)
        assert unanimous(found).tolist() == [True, False, False]
