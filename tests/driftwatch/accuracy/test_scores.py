"""The score of what the model answered."""

from __future__ import annotations

import pandas as pd

from driftwatch.accuracy.scores import own_score

CLASSES = ("cat", "dog")


def test_the_score_of_the_own_answer_is_that_of_the_predicted_class() -> None:
    answers = pd.DataFrame({"prediction": ["dog", "cat"], "score.cat": [0.2, 0.7], "score.dog": [0.8, 0.3]})
    assert own_score(answers, CLASSES).tolist() == [0.8, 0.7]
    assert own_score(answers.drop(columns="score.dog"), CLASSES) is None
    assert own_score(answers.assign(**{"score.dog": [None, 0.3]}), CLASSES) is None  # one answer has none
    assert own_score(answers.assign(**{"score.dog": [0.8, None]}), CLASSES) is not None  # not that of an answer
