"""A day's evidence counts what tables say, is kept with the day, and adds up over days."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from driftwatch.accuracy.evidence import (
    Evidence,
    Scores,
    disagreement,
    evidence_of,
    pool,
    pool_votes,
    votes_of,
)
from driftwatch.artifacts.evidence import EvidenceSums

from .simulated import of_classes

CLASSES = ("cat", "dog")


def stored(evidence: Evidence) -> EvidenceSums:
    """As performance.json gives it back."""
    return EvidenceSums.model_validate_json(json.dumps(evidence.sums().model_dump(mode="json", exclude_unset=True)))


def small_day() -> Evidence:
    """Three labelled images and two others; two people, three votes for a class on which they differ once, four control answers."""
    scored = pd.DataFrame(
        {
            "label": ["cat", "dog", "dog"], "prediction": ["cat", "cat", "dog"],
            "score.cat": [0.9, 0.6, 0.3], "score.dog": [0.1, 0.4, 0.7],
        }
    )  # fmt: skip
    rest = pd.DataFrame({"prediction": ["cat", "dog"], "score.cat": [0.8, 0.5], "score.dog": [0.2, 0.5]})
    labels = pd.DataFrame({"label": ["cat", "dog", "dog", None], "votes": [2, 2, 2, 2], "votes.unclear": [0, 1, 0, 0]})
    votes = pd.DataFrame(
        [("a", "p", "cat"), ("a", "q", "cat"), ("b", "p", "dog"), ("b", "q", "unclear"), ("d", "p", "cat"), ("d", "q", "dog")],
        columns=["task", "annotator", "answer"],
    )  # fmt: skip
    control = pd.DataFrame(
        [("k1", "p", "cat", "cat"), ("k1", "q", "dog", "cat"), ("k2", "p", "dog", "dog"), ("k2", "q", "unclear", "dog")],
        columns=["image_id", "annotator_id", "answer", "known_label"],
    ).assign(control=True, status="ACCEPTED")  # fmt: skip
    return evidence_of(scored, rest, votes_of(labels, votes, control, CLASSES), CLASSES)


def test_what_is_counted() -> None:
    found = small_day()
    assert found.confusion.tolist() == [[1, 0], [1, 1]]
    assert (found.labels, found.right) == (3, 2)
    assert found.scores == Scores(3, 2, 2.2, 1.66, 1.6, 2, 1.3, 0.89)
    assert (found.votes.control_right.tolist(), found.votes.control_wrong.tolist()) == ([1, 1], [1, 0])
    assert (found.votes.control_squares, found.votes.annotators) == (
        5,
        2,
    )  # two answers that name a class to k1, one to k2
    assert (found.votes.pairs, found.votes.disagreement) == (2, 1)
    assert found.votes.sizes == {1: 1, 2: 2}


def test_votes_on_images_that_stand_for_more_of_the_day_weigh_more() -> None:
    """People disagree on the image that a stratified sample asked about for its doubt; nine of ten images are like the other one."""
    labels = pd.DataFrame({"label": ["cat", "cat"], "votes": [2, 2], "votes.unclear": [0, 0]})
    votes = pd.DataFrame([("a", "cat"), ("a", "cat"), ("b", "cat"), ("b", "dog")], columns=["task", "answer"])
    control = pd.DataFrame(columns=["image_id", "annotator_id", "answer", "known_label", "control", "status"])
    plain, weighted = (votes_of(labels, votes, control, CLASSES, weights) for weights in (None, {"a": 9.0, "b": 1.0}))
    assert (plain.pairs, plain.disagreement) == (2, 1)
    assert weighted.disagreement / weighted.pairs == pytest.approx(0.1)
    assert weighted.pairs == pytest.approx(100 / 82)  # two labels of such weights say little more than one


def test_disagreement_is_the_share_of_pairs_that_differ() -> None:
    assert disagreement(np.array([[3.0, 0.0], [2.0, 1.0], [1.0, 1.0]])).tolist() == [0, 1 - 2 / 6, 1]


def test_evidence_is_kept_with_the_day_and_read_again() -> None:
    for found in (small_day(), of_classes(np.random.default_rng(1), 10, 0.2)[0]):
        again = Evidence.of(stored(found))
        assert again.sums() == found.sums()
        assert again.confusion.dtype == "int64"


def test_days_are_added_up_and_one_that_kept_no_spread_is_counted_without_it() -> None:
    first, second = (of_classes(np.random.default_rng(seed), 10, 0.2)[0] for seed in (1, 2))
    together = pool([first, second])
    assert together.labels == first.labels + second.labels
    assert together.votes.pairs == first.votes.pairs + second.votes.pairs
    assert together.votes.spread.apart == {3: first.votes.spread.apart[3] + second.votes.spread.apart[3]}
    assert (together.votes.spread.confused == first.votes.spread.confused + second.votes.spread.confused).all()
    early = stored(first).model_dump(mode="json", exclude_unset=True)
    del early["votes"]["spread"]
    old = Evidence.of(EvidenceSums.model_validate_json(json.dumps(early)))
    assert old.votes.spread is None
    assert pool_votes([old.votes, second.votes]).spread.three == second.votes.spread.three
