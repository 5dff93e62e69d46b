"""What control tasks and disagreement say of people: how often they err, and how alike."""

from __future__ import annotations

from math import isclose
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from driftwatch.accuracy.consensus_error import majority_error
from driftwatch.accuracy.evidence import Votes
from driftwatch.accuracy.wrong_votes import vote_errors


@pytest.mark.parametrize("crowd", ["d_possent", "duck_bluebirds"])
def test_control_tasks_and_disagreement_tell_the_error_of_three_real_votes(shared: Path, crowd: str) -> None:
    answers = pd.read_csv(shared / "crowd" / crowd / "labels.csv")
    gold = pd.read_csv(shared / "crowd" / crowd / "gold.csv").set_index("task")["label"]
    answers = answers[answers["task"].isin(gold.index)]
    by_task = (answers["label"] != answers["task"].map(gold)).groupby(answers["task"]).agg(["sum", "size"])
    bad, size = by_task["sum"].to_numpy(), by_task["size"].to_numpy()
    rng = np.random.default_rng(0)
    three = np.array([rng.hypergeometric(b, s - b, 3, 200) >= 2 for b, s in zip(bad, size, strict=True)]).mean()
    disagree = 2 * bad * (size - bad) / (size * (size - 1))
    wrong = bad.sum() / size.sum()
    votes = Votes(
        np.array([size.sum() - bad.sum(), 0]), np.array([bad.sum(), 0]), size.sum(), 0, 0, 0, 0,
        len(bad), disagree.sum(), (disagree**2).sum(), {3: 1},
    )  # fmt: skip
    people = vote_errors(votes, 2000, rng, np.array([1.0, 0.0]))
    told = np.median(majority_error(people.wrong, people.correlation, 3, ties=False)[:, 0])
    assert abs(told - three) < 0.012
    assert abs(told - three) <= abs(wrong**2 * (3 - 2 * wrong) - three) + 0.012


def test_images_harder_than_the_control_tasks_show_in_the_disagreement() -> None:
    easy = Votes(np.array([200, 200]), np.array([2, 2]), 404, 0, 0, 0, 0, 400, 400 * 0.3, 400 * 0.2, {3: 400})
    people = vote_errors(easy, 500, np.random.default_rng(0), np.array([0.5, 0.5]))
    assert np.median(people.wrong) > 0.15  # votes that disagree on 30 % of the pairs are wrong more often than on 1 %
    assert isclose(float(np.median(people.correlation)), 0, abs_tol=0.02)


def test_annotators_of_different_skill_tell_less_than_as_many_independent_answers() -> None:
    sure = Votes(
        np.array([90, 90]), np.array([10, 10]), 200, 20, 2000, 200, 20, 0, 0, 0, {3: 1}
    )  # one wrong answer each
    unsure = Votes(
        np.array([90, 90]), np.array([10, 10]), 200, 20, 2000, 200, 200, 0, 0, 0, {3: 1}
    )  # two with all of them
    shares = np.array([0.5, 0.5])
    narrow, wide = (vote_errors(v, 3000, np.random.default_rng(0), shares).wrong.std() for v in (sure, unsure))
    assert wide > 1.5 * narrow
