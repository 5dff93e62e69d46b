"""Guessers, constant answers, haste and wrong control answers are flagged; honest annotators hardly ever."""

from __future__ import annotations

import numpy as np
import pandas as pd

from driftwatch.labels.annotators import annotator_quality

from .crowds import assignments, config, crowd


def quality(table: pd.DataFrame) -> pd.DataFrame:
    voting = table[~table["control"]].rename(columns={"image_id": "task", "annotator_id": "annotator"})
    return annotator_quality(voting, table, config()).set_index("annotator_id")


def test_guessers_and_constant_answers_are_flagged_with_the_reason_and_good_annotators_are_not() -> None:
    skills = {"good1": 0.95, "good2": 0.95, "good3": 0.9, "fair": 0.85, "guesser": 0.5, "always_cat": 0.0}
    table = quality(crowd(skills))
    assert table.index[table["flagged"]].tolist() == ["always_cat", "guesser"]
    assert "agrees with the others on" in table.loc["guesser", "reason"]
    assert "answered 'cat' on all 90 images" in table.loc["always_cat", "reason"]
    assert table.loc["good1", "agreement"] > 0.85
    assert (table["answers"] == 90).all()
    assert (table["control_answers"] == 10).all()


def test_agreement_is_with_the_one_answer_that_most_others_gave() -> None:
    given = [
        ("i1", "a", "cat"), ("i1", "b", "cat"), ("i1", "c", "dog"),  # for a and b the others are divided
        ("i2", "a", "fox"), ("i2", "b", "fox"), ("i2", "c", "fox"),
        ("i3", "a", "dog"), ("i3", "b", "cat"),  # one other is enough
        ("i4", "a", "cat"),  # nobody else
    ]  # fmt: skip
    rows = [
        {"assignment_id": f"{i}{who}", "annotator_id": who, "image_id": i, "answer": word} for i, who, word in given
    ]
    assert quality(assignments(rows))["agreement"].to_dict() == {"a": 0.5, "b": 0.5, "c": 0.5}


def test_where_unclear_votes_are_set_aside_they_count_neither_for_agreement_nor_for_skill() -> None:
    given = [("i1", "a", "cat"), ("i1", "b", "cat"), ("i1", "c", "unclear"), ("i2", "a", "dog"), ("i2", "c", "dog")]
    rows = [
        {"assignment_id": f"{i}{who}", "annotator_id": who, "image_id": i, "answer": word} for i, who, word in given
    ]
    known = {"assignment_id": "k", "annotator_id": "c", "image_id": "k", "control": True, "known_label": "cat"}
    table = assignments([*rows, {**known, "answer": "unclear"}])
    voting = table[~table["control"]].rename(columns={"image_id": "task", "annotator_id": "annotator"})
    rival, aside = (
        annotator_quality(voting, table, config(unclear_votes=setting)).set_index("annotator_id").loc["c"]
        for setting in ("rival", "set_aside")
    )
    assert (rival["agreement"], aside["agreement"]) == (0.5, 1.0)
    assert (round(rival["skill"], 4), aside["skill"]) == (0.5333, 0.8)
    assert (aside["answers"], aside["unclear_answers"], aside["control_answers"], aside["control_right"]) == (
        2,
        1,
        1,
        0,
    )


def test_one_who_only_gave_unclear_answers_has_no_agreement_where_they_are_set_aside() -> None:
    table = assignments([{"assignment_id": "p", "annotator_id": "a", "image_id": "i", "answer": "unclear"}])
    voting = table.rename(columns={"image_id": "task", "annotator_id": "annotator"})
    (row,) = annotator_quality(voting, table, config(unclear_votes="set_aside")).itertuples()
    assert (pd.isna(row.agreement), row.flagged) == (True, False)


def test_honest_annotators_are_hardly_ever_flagged() -> None:
    flagged = [
        quality(crowd({f"w{i}": 0.85 for i in range(6)}, images=40, seed=seed))["flagged"].sum() for seed in range(25)
    ]
    assert sum(flagged) <= 4  # of 150 annotator days, at 1 % for each of the tests


def test_a_few_rare_answers_are_no_pattern() -> None:
    everyday = crowd({f"w{n}": 0.9 for n in range(5)})
    rare = [
        {"assignment_id": "r", "annotator_id": "rare", "image_id": f"i{n:03d}", "answer": "unclear"} for n in range(2)
    ]
    table = quality(pd.concat([everyday, assignments(rare)], ignore_index=True))
    assert table.loc["rare", ["flagged", "answers", "unclear_answers"]].tolist() == [False, 2, 2]


def test_wrong_control_answers_and_haste_are_flagged() -> None:
    rows = [
        {
            "assignment_id": "p",
            "annotator_id": "a",
            "image_id": f"c{i}",
            "answer": "dog",
            "control": True,
            "known_label": "cat",
        }
        for i in range(8)
    ]
    rows += [{"assignment_id": "q", "annotator_id": "b", "image_id": "i", "answer": "dog", "seconds": 2.0}]
    table = quality(assignments(rows))
    assert table.loc["a", "reason"] == "0 of 8 control tasks right, 60% are wanted"
    assert table.loc["b", "reason"] == "2 s for a page, 5 s is the least that is plausible"
    assert np.isnan(table.loc["b", "agreement"])
