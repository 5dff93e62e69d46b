"""The day's accuracy as the model's own scores tell it, before anybody has labelled an image.

Confidence-based performance estimation, as NannyML's CBPE: with calibrated scores, the mean score of the answers given is the share
of them that is right. It sees a day that is harder in a way that the model notices, such as noise. It does not see one that
makes the model sure and wrong: docs/benchmarks/judgement has what it says of blurred and dark photos. There the model answers
one class nearly always, which is told beside the estimate.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from driftwatch.accuracy.scores import own_score
from driftwatch.artifacts.accuracy import ConfusionMatrix, Estimate, HoldoutScores, PredictionsMoved
from driftwatch.artifacts.ingest import Ingest
from driftwatch.artifacts.models import ModelCard
from driftwatch.artifacts.parts import Share
from driftwatch.artifacts.store import DayStore
from driftwatch.artifacts.versions import VersionEstimate
from driftwatch.images.judged import judged_predictions
from driftwatch.models.as_trained import as_trained
from driftwatch.models.metrics import wilson
from driftwatch.models.serving import answered_on

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pandas as pd

    from driftwatch.artifacts.models import Holdout
    from driftwatch.config import MonitorConfig

# The p-value below which the predicted classes count as moved.
LEVEL = 0.001
_NOT_IN_SAMPLE = "the sample that the day is judged by has no image that it answered"


def estimate_day(day: DayStore) -> Estimate:
    """Estimates from predictions.parquet and the model card; writes estimate.json and returns what it holds.

    Where several model versions answered, the estimate is that of the serving one, and `versions` has each. The scores of another
    version than the registered one are taken to be as well calibrated as those on the holdout. Of a day that is judged by a sample a version
    may have none of its images: then nothing is estimated of it.
    """
    predictions = judged_predictions(day)
    answered = answered_on(day, predictions)
    version = day.read(Ingest).model_version
    holdout = day.monitor.read(day.monitor.keys.model_card(version), ModelCard).metrics.holdout
    day = day.with_config(as_trained(day.monitor, version))
    several = (
        {name: predictions[predictions["model_version"] == name] for name in answered.images}
        if answered.several
        else {}
    )
    serving = several.get(answered.serving or "", predictions)
    accuracy, mean_score = _by_scores(serving, holdout, day.config, bool(answered.images))
    found = Estimate(
        day=day.date,
        model_version=version,
        accuracy=accuracy,
        mean_score=mean_score,
        holdout=HoldoutScores(mean_score=holdout.mean_score, n=holdout.n),
        answers=predictions_moved(serving["prediction"].tolist(), holdout.confusion_matrix),
    )
    if answered.serving not in (None, version) or answered.several:
        found = found.model_copy(update={"serving_version": answered.serving})
    if answered.several:
        estimates = ((name, *_by_scores(part, holdout, day.config, True)) for name, part in several.items())
        rows = tuple(VersionEstimate(version=name, accuracy=share, mean_score=mean) for name, share, mean in estimates)
        found = found.model_copy(update={"versions": rows})
    day.write(found)
    return found


def _by_scores(
    answers: pd.DataFrame, holdout: Holdout, config: MonitorConfig, answered: bool
) -> tuple[Share, float | None]:
    """The estimated accuracy of the answers, and their mean score; neither where production gave no scores. `answered`: whether any image of
    the whole day was answered so."""
    if answered and not len(answers):
        return Share(value=None, low=None, high=None, n=0, reason=_NOT_IN_SAMPLE), None
    scores = own_score(answers, config.classes)
    if scores is None:
        return Share(value=None, low=None, high=None, n=len(answers), reason="production gave no scores"), None
    found = estimate(scores, holdout.accuracy, holdout.mean_score, config.performance.confidence)
    return found, round(float(scores.mean()), 6) if len(scores) else None


def predictions_moved(predicted: Sequence[str], holdout: ConfusionMatrix) -> PredictionsMoved | None:
    """Whether the model answers the classes in other shares than on its holdout, by the chi-squared test at LEVEL. None without images
    of the day or of the holdout.

    A model that damaged images make sure and wrong mostly answers one class. So does a good one on a day of that class: what moved is a
    reason not to trust the estimate, not proof that it is wrong. What people are shown of it is the test in content_drift.json;
    this one only keeps the form of estimate.json (see `Estimate.answers`).
    """
    from scipy.stats import chi2_contingency

    usual = [sum(column) for column in zip(*holdout.rows, strict=True)]
    if not predicted or not sum(usual):
        return None
    answered = Counter(predicted)
    today = [answered[name] for name in holdout.labels]
    both = [(one, other) for one, other in zip(today, usual, strict=True) if one + other]
    p_value = float(chi2_contingency(list(zip(*both, strict=True))).pvalue) if len(both) > 1 else 1.0
    return PredictionsMoved(
        day={name: n / len(predicted) for name, n in zip(holdout.labels, today, strict=True)},
        holdout={name: n / sum(usual) for name, n in zip(holdout.labels, usual, strict=True)},
        p_value=p_value,
        moved=p_value < LEVEL,
    )


def estimate(scores: np.ndarray, holdout: Share, usual: float | None, confidence: float) -> Share:
    """The share of right answers to expect of images whose answers have `scores` [n].

    `holdout`: the model's accuracy there; `usual`: its mean score there, None where the card does not have it. Where it is known, the
    estimate is the holdout's accuracy, moved by as much as the scores moved: that takes out what the temperature left of miscalibration.
    The interval, Wilson's with an effective number of images, is one for these images; it holds while scores mean what they meant on the
    holdout, and no longer.
    """
    if not len(scores):
        return Share(value=None, low=None, high=None, n=0, reason="the day has no image")
    if not holdout.n or holdout.value is None:
        reason = "the model card names no holdout to check the scores by"
        return Share(value=None, low=None, high=None, n=len(scores), reason=reason)
    accuracy, n, mean = holdout.value, holdout.n, float(scores.mean())
    moved = min(max(mean if usual is None else accuracy + mean - usual, 0.0), 1.0)
    # The variance of right or wrong, given the score: scores that overstate the accuracy understate it too.
    noise = max(float((scores * (1 - scores)).mean()), moved * (1 - moved) - float(scores.var()))
    variance = noise / len(scores) + (accuracy * (1 - accuracy) if usual is None else noise) / n
    effective = moved * (1 - moved) / variance if variance and 0 < moved < 1 else len(scores) * n / (len(scores) + n)
    low, high = wilson(moved, effective, confidence)
    return Share(value=moved, low=low, high=high, n=len(scores))
